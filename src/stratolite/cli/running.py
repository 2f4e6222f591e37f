"""The running cloud: found by its state folder or its port, started when there is none, asked."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .problem import NO_CLOUD, Problem

PORT = 4566
STATE = Path(".stratolite")
_START_S = 60.0
_STOP_S = 20.0


@dataclass(frozen=True)
class Running:
    """A cloud that answers."""

    port: int
    host: str = "127.0.0.1"
    pid: int | None = None
    """Known when it was found by its state folder."""
    process: subprocess.Popen[bytes] | None = None
    """Ours to end, when it was started here."""

    @property
    def endpoint(self) -> str:
        return f"http://{'localhost' if self.host in ('127.0.0.1', '0.0.0.0', '::1') else self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS tool use this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
            "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
            "AWS_REGION": region(),
            "AWS_DEFAULT_REGION": region(),
        }

    def ask(self, path: str, method: str = "GET", **query: Any) -> dict[str, Any]:
        """Ask `/_strato/<path>`. Raises Problem with the answer's own words."""
        connection = http.client.HTTPConnection(self._address, self.port, timeout=60)
        try:
            connection.request(method, f"/_strato/{path}{'?' + urlencode(query) if query else ''}")
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Problem(f"the cloud on port {self.port} does not answer: {error}", NO_CLOUD) from error
        finally:
            connection.close()
        if response.status != 200:
            raise Problem(str(answer.get("message", f"{path}: {response.status}")))
        return answer

    @property
    def _address(self) -> str:
        return "127.0.0.1" if self.host in ("0.0.0.0", "localhost") else self.host

    def client(self, service: str) -> Any:
        """A botocore client of this cloud."""
        settings = self.environment
        names = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return _client(service, self.endpoint, *(settings[name] for name in names))

    def stop(self) -> None:
        """End it in order, and by force when it takes too long. Raises Problem when its process is not known."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            return
        if self.pid is None:
            raise Problem(f"the cloud on port {self.port} has another state folder; say which with --state", NO_CLOUD)
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_S
        while _lives(self.pid):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)


@cache
def _session() -> Any:
    import botocore.session

    return botocore.session.get_session()


@cache
def _client(service: str, endpoint: str, region: str, access_key: str, secret_key: str) -> Any:
    from botocore.config import Config

    return _session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=960),
    )


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A dead child that nobody waited for is no process any more.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def announced(state: Path) -> dict[str, Any]:
    """What the process on a state folder wrote about itself; empty when none runs."""
    try:
        facts: dict[str, Any] = json.loads((state / "server.json").read_text() or "{}")
    except (OSError, ValueError):
        return {}
    return facts if facts and _lives(int(facts.get("pid", 0))) else {}


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a Stratolite answers there."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/_strato/health")
        return bool(json.loads(connection.getresponse().read()).get("status") == "running")
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()


def find(state: Path = STATE, port: int | None = None) -> Running | None:
    """The cloud on that port, else the one on that state folder, else the one on the usual port."""
    facts = announced(state)
    if port is not None:
        pid = facts.get("pid") if facts.get("port") == port else None
        return Running(port, pid=pid) if answers(port) else None
    if facts:
        found = Running(int(facts["port"]), str(facts.get("host", "127.0.0.1")), int(facts["pid"]))
        return found if answers(found.port, found._address) else None
    # One that runs elsewhere on the machine is the user's all the same.
    return Running(PORT) if not (state / "state.sqlite").exists() and answers(PORT) else None


def need(state: Path = STATE, port: int | None = None) -> Running:
    """The same, or Problem."""
    found = find(state, port)
    if found is None:
        where = f"on port {port}" if port is not None else f"on {state}"
        raise Problem(f"no cloud runs {where} (start one with `strato start` or `strato up`)", NO_CLOUD)
    return found


def launch(state: Path = STATE, port: int | None = None, options: tuple[str, ...] = ()) -> Running:
    """Start a cloud in the background and wait until it answers. Raises Problem with what it said when it does not."""
    begin = begun(state, port, options)
    try:
        return waited(begin, state)
    except KeyboardInterrupt:
        begin.terminate()
        raise


def begun(state: Path, port: int | None, options: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """A cloud's process, just started."""
    state.mkdir(parents=True, exist_ok=True)
    words = ["start", "--state", str(state), "--port", str(PORT if port is None else port), *options]
    with (state / "server.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stratolite", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end it in order
        )


def waited(process: subprocess.Popen[bytes], state: Path) -> Running:
    """That cloud, once it answers."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        facts = announced(state)
        if facts.get("pid") == process.pid and answers(int(facts["port"])):
            return Running(int(facts["port"]), str(facts["host"]), process.pid, process)
        time.sleep(0.005)
    said = (state / "server.log").read_text(errors="replace").strip()
    if process.poll() is None:
        process.kill()
    raise Problem(f"the cloud did not start:\n{said[-2000:] or '(it said nothing)'}", NO_CLOUD)
