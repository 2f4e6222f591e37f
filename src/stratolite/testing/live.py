"""A live cloud: a server process of its own, on a free port, that a test may kill and start again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START_S = 30.0


class LiveCloud:
    """
    Args:
        state: the folder of the state; None makes one that goes with the cloud.
        port: None takes a free one, and keeps it over restarts.
        arguments: more words for `strato start`.
    """

    def __init__(self, state: Path | None = None, port: int | None = None, arguments: tuple[str, ...] = ()) -> None:
        self._own = Path(tempfile.mkdtemp(prefix="stratolite-live-")) if state is None else None
        self.state = state or (self._own or Path()) / "state"
        self.port = port or free_port()
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.log = (self._own or self.state.parent) / "server.log"

    @property
    def endpoint(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to use this cloud instead of AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }

    def spawn(self) -> None:
        """Start the process, and wait for nothing."""
        words = ["start", "--port", str(self.port), "--state", str(self.state), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stratolite", *words], stdout=log, stderr=log, env=_with_package()
            )

    def start(self) -> LiveCloud:
        """Start the process; returns when it answers. Raises RuntimeError with its output when it does not."""
        self.spawn()
        assert self.process is not None
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.control("GET", "health").get("status") == "running":
                    return self
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"the server did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask the cloud's control endpoint `/_strato/<path>`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/_strato/{path}", json.dumps(body) if body is not None else None)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait for the orderly end; returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def close(self) -> None:
        self.stop()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def __enter__(self) -> LiveCloud:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.close()

    def client(self, service: str, region: str = "us-east-1", account: str = "test", **options: Any) -> Any:
        """A boto3 client of this cloud."""
        import boto3

        session: Any = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
        return session.client(service, endpoint_url=self.endpoint, **options)

    def resource(self, service: str, region: str = "us-east-1", account: str = "test", **options: Any) -> Any:
        """A boto3 resource of this cloud."""
        import boto3

        session: Any = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
        return session.resource(service, endpoint_url=self.endpoint, **options)

    def deploy(
        self, template: Path | str, stack: str = "test", parameters: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Build and deploy a project (its folder or its template) as `strato deploy` does; returns the stack's outputs.

        Raises RuntimeError with the reasons of everything that failed.
        """
        words = [sys.executable, "-m", "stratolite", "deploy", str(template), "--stack", stack, "--json"]
        words += ["--state", str(self.state), "--port", str(self.port)]
        words += [word for name, value in (parameters or {}).items() for word in ("-p", f"{name}={value}")]
        done = self.run(*words, env=_with_package())
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        outputs: dict[str, str] = json.loads(done.stdout)["outputs"]
        return outputs

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program with this cloud in its environment."""
        env = {**os.environ, **self.environment, **options.pop("env", {})}
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=120, **options)


def _with_package() -> dict[str, str]:
    """This environment, in which the package is importable even when it is not installed."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def free_port() -> int:
    """A port nobody listens on, below the range the system hands out by itself."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
