"""The floor of this machine: what the parts cost with nothing of ours on top."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HTTP_SERVER = """
import asyncio, sys
import httptools, uvloop
ANSWER = b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}"
class P(asyncio.Protocol):
    def connection_made(self, t): self.t, self.p = t, httptools.HttpRequestParser(self)
    def data_received(self, d): self.p.feed_data(d)
    def on_message_complete(self): self.t.write(ANSWER)
async def main():
    s = await asyncio.get_running_loop().create_server(P, "127.0.0.1", 0)
    print(s.sockets[0].getsockname()[1], flush=True)
    await s.serve_forever()
uvloop.run(main())
"""


def python_ms(code: str, tries: int = 5) -> float:
    """Best of a few starts of the interpreter with some code."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return (time.perf_counter() - start) * 1e3

    return min(once() for _ in range(tries))


def fork_ms(tries: int = 50) -> float:
    """Fork, and the child's end."""
    start = time.perf_counter()
    for _ in range(tries):
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return (time.perf_counter() - start) / tries * 1e3


def insert_us(per_commit: int, n: int = 20_000) -> float:
    """One row into a write-ahead log, so many rows a commit."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "f.sqlite", isolation_level=None)
        db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (id INTEGER PRIMARY KEY, b)"
        )
        start = time.process_time()
        for _ in range(n // per_commit):
            db.execute("BEGIN IMMEDIATE")
            for _ in range(per_commit):
                db.execute("INSERT INTO t (b) VALUES (?)", ("x" * 200,))
            db.execute("COMMIT")
        return (time.process_time() - start) / n * 1e6


def http_us(clients: int) -> float:
    """CPU of the smallest HTTP server on the same parts, per request."""
    from .client import http_request, load

    server = subprocess.Popen([sys.executable, "-c", HTTP_SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        return asyncio.run(
            load(port, server.pid, lambda _: http_request(port, "POST", "/", b"{}"), clients, 1.0)
        ).cpu_us
    finally:
        server.kill()
        server.wait()
