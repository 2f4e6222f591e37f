"""Processes: the server's end of a zygote, which forks and watches what runs for us (bootstraps/python/zygote.py)."""

from __future__ import annotations

import array
import asyncio
import json
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

ZYGOTE = Path(__file__).parent / "bootstraps" / "python" / "zygote.py"
READY_S = 20.0
STOP_S = 3.0


class Child(Protocol):
    """Whoever asked for a process."""

    def spawned(self, pid: int, primed_kb: int) -> None: ...

    def exited(self, wait_status: int, peak_kb: int) -> None: ...


class Zygote:
    """
    Args:
        interpreter: the Python it runs in, and forks for Python functions.
        site: the folder with boto3 and AWS's client; None for one that only executes other programs.
        warn: told what a user should know.
    """

    def __init__(self, interpreter: Path, site: Path | None, warn: Callable[[str], None]) -> None:
        self.interpreter, self.site, self.warn = interpreter, site, warn
        self.about: dict[str, Any] = {}
        """What it said of itself: `python`, `mounts`, `task`, `why`."""
        self._children: dict[str, Child] = {}
        self._next = 0
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        self._received = b""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        command = [str(self.interpreter), "-S", "-B", str(ZYGOTE), str(theirs.fileno())]
        if self.site is not None:
            command.append(str(self.site))
        # Nothing of the user's environment gets in; a session of its own keeps Ctrl-C for the server.
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
        if self.site is not None:
            environment["AWS_EXECUTION_ENV"] = (
                "AWS_Lambda_python" + self.site.name.removeprefix("python").partition("-")[0]
            )
        self._process = subprocess.Popen(  # noqa: ASYNC220 - a vfork, once per interpreter
            command,
            env=environment,
            cwd="/",
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._socket = ours
        self._ready: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        loop.add_reader(ours.fileno(), self._read)
        await asyncio.wait_for(self._ready, READY_S)

    @property
    def alive(self) -> bool:
        return self._socket.fileno() >= 0

    def spawn(self, request: dict[str, Any], fds: list[int], child: Child) -> None:
        """Fork; the descriptors stay the caller's. The child is told when it runs and when it has ended."""
        self._next += 1
        name = str(self._next)
        self._children[name] = child
        self._say({"spawn": name, **request}, fds)

    def keep_ahead(self, argv: tuple[str, ...]) -> None:
        """Have an idle process of a program that is told later what it is."""
        self._say({"ahead": argv}, [])

    def _say(self, message: dict[str, Any], fds: list[int]) -> None:
        data = json.dumps(message).encode()
        self._unsent.append((len(data).to_bytes(4, "big") + data, [os.dup(fd) for fd in fds]))
        if len(self._unsent) == 1:
            self._write()

    def _write(self) -> None:
        while self._unsent:
            data, fds = self._unsent[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            try:
                sent = self._socket.sendmsg([data], rights)
            except BlockingIOError:
                self._loop.add_writer(self._socket.fileno(), self._write)
                return
            except OSError:
                # It has gone; the reader sees the same and tells the children.
                sent = len(data)
            for fd in fds:
                os.close(fd)
            if sent < len(data):
                self._unsent[0] = (data[sent:], [])
            else:
                self._unsent.popleft()
        self._loop.remove_writer(self._socket.fileno())

    def _read(self) -> None:
        try:
            received = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lost()
            return
        self._received += received
        while len(self._received) >= 4:
            end = 4 + int.from_bytes(self._received[:4], "big")
            if len(self._received) < end:
                return
            message = json.loads(self._received[4:end])
            self._received = self._received[end:]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if "spawned" in message:
            child = self._children.get(message["spawned"])
            if child is not None:
                child.spawned(message["pid"], message["primed_kb"])
        elif "exited" in message:
            child = self._children.pop(message["exited"], None)
            if child is not None:
                child.exited(message["status"], message["peak_kb"])
        elif "ready" in message:
            self.about = message["ready"]
            if not self._ready.done():
                self._ready.set_result(None)
        elif "warning" in message:
            self.warn(f"{self.interpreter}: {message['warning']}")

    def _lost(self) -> None:
        """The zygote ended by itself, and its children with it."""
        self._close()
        if not self._ready.done():
            self._ready.set_exception(OSError(f"{self.interpreter} ended before it was ready"))
        children, self._children = self._children, {}
        for child in children.values():
            child.exited(signal.SIGKILL, 0)

    def _close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()
        for _, fds in self._unsent:
            for fd in fds:
                os.close(fd)
        self._unsent.clear()

    async def stop(self) -> None:
        """Close the control socket: the zygote kills what it has started and ends."""
        self._children.clear()
        self._close()
        for _ in range(int(STOP_S / 0.01)):
            if self._process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        self._process.kill()
        self._process.wait()
