"""The demo: start Stratolite, deploy this application, send a day of traffic, kill the cloud under it, show the books.

    python demo.py [--kills N] [--submissions N] [--keep FOLDER]

Every kill is a `kill -9` of the server, at no particular moment; the next life goes on from the same folder. The books
of the traffic must balance all the same. Exits with 1 if they do not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
STACK = "form-processing"
START_S = 30.0


class Cloud:
    """A Stratolite in a process of its own, which can be killed and started again on the same port and folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = 0
        self._log = (state.parent / "server.log").open("ab")
        self._process = self._started()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS tool use this cloud."""
        return os.environ | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def kill(self) -> float:
        """`kill -9`, and a new life; returns after how many seconds it answered again."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        began = time.monotonic()
        self._process = self._started()
        return time.monotonic() - began

    def stop(self) -> None:
        """End it in order."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()

    def strato(self, *words: str, check: bool = True) -> str:
        """What a command of `strato` says; what it reports on the way is shown."""
        command = [sys.executable, "-m", "stratolite", *words, "--state", str(self.state)]
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, text=True, check=False)
        if check and done.returncode:
            raise SystemExit(f"strato {' '.join(words)} failed:\n{done.stdout}")
        return done.stdout

    def _started(self) -> subprocess.Popen[bytes]:
        words = ["start", "--host", "127.0.0.1", "--port", str(self.port), "--state", str(self.state)]
        process = subprocess.Popen([sys.executable, "-m", "stratolite", *words], stdout=self._log, stderr=self._log)
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            if (port := self._announced(process.pid)) and _answers(port):
                self.port = port
                return process
            time.sleep(0.01)
        process.kill()
        raise SystemExit(f"the cloud did not start; see {self._log.name}")

    def _announced(self, pid: int) -> int | None:
        try:
            facts = json.loads((self.state / "server.json").read_text() or "{}")
        except (OSError, ValueError):
            return None
        return int(facts["port"]) if facts.get("pid") == pid else None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_strato/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def say(text: str) -> None:
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


def main() -> int:
    """0 if the books balance, 1 if not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=4, help="how often the cloud is killed (default %(default)s)")
    parser.add_argument("--submissions", type=int, default=30, help="of each of the three tenants")
    parser.add_argument("--length", type=float, default=24.0, help="seconds the traffic lasts at least")
    parser.add_argument("--seed", type=int, default=None, help="of the moments of the kills")
    parser.add_argument("--keep", type=Path, help="a folder for the state and the logs, kept afterwards")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="form-processing-"))
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    cloud = Cloud(state)
    try:
        say(f"Stratolite answers on {cloud.endpoint} after {time.monotonic() - began:.2f} s.")
        began = time.monotonic()
        parameters = ["-p", "Pace=brisk", "-p", "AllowHttpDestinations=true"]
        print(cloud.strato("deploy", str(HERE), "--stack", STACK, *parameters))
        say(f"Deployed in {time.monotonic() - began:.1f} s. A day of traffic, with {options.kills} times kill -9:")
        code, followed = play(cloud, options)
        if followed:
            say(f"\nThe journey of one request, {followed}:")
            print(cloud.strato("trace", followed, check=False))
        return code
    finally:
        cloud.stop()
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def play(cloud: Cloud, options: argparse.Namespace) -> tuple[int, str]:
    """Run the traffic and kill the cloud under it; the traffic's exit code, and a request that can be followed."""
    words = ["--stack", STACK, "--submissions", str(options.submissions), "--length", str(options.length)]
    traffic = subprocess.Popen(
        [sys.executable, "-u", "-m", "traffic", *words],
        cwd=HERE,
        env=cloud.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    over = threading.Event()
    killer = threading.Thread(target=kill_now_and_then, args=(cloud, options, over, traffic))
    killer.start()
    followed = ""
    assert traffic.stdout is not None
    for line in traffic.stdout:
        print(f"  {line}", end="", flush=True)
        if line.startswith("one request to follow: "):
            followed = line.partition(": ")[2].strip()
    code = traffic.wait()
    over.set()
    killer.join()
    return code, followed


def kill_now_and_then(
    cloud: Cloud, options: argparse.Namespace, over: threading.Event, traffic: subprocess.Popen[str]
) -> None:
    """Kill the cloud as often as asked, at moments spread over the traffic; without a cloud the traffic ends."""
    chance = random.Random(options.seed)
    share = options.length / max(options.kills, 1)
    for number in range(options.kills):
        if over.wait(share * chance.uniform(0.5, 1.0)):
            return
        try:
            seconds = cloud.kill()
        except SystemExit as failure:
            say(f"  kill -9, number {number + 1}: {failure}")
            traffic.terminate()
            return
        say(f"  kill -9, number {number + 1}: answers again after {seconds:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
