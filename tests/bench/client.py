"""A raw HTTP load client: prepared bytes in, latencies out; as little of its own as can be."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Load:
    """What a load gave: requests a second, latencies in microseconds, server CPU per request in microseconds."""

    rate: float
    p50_us: float
    p99_us: float
    cpu_us: float
    errors: int


def json_request(port: int, service: str, target: str, body: dict[str, object], version: str = "1.0") -> bytes:
    """One signed-looking request of a JSON service, as the SDKs send it."""
    payload = json.dumps(body).encode()
    return (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: {target}\r\n"
        f"Content-Type: application/x-amz-json-{version}\r\nX-Amz-Date: 20260101T000000Z\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, "
        f"SignedHeaders=host, Signature=0\r\nContent-Length: {len(payload)}\r\n\r\n"
    ).encode() + payload


def http_request(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    extra = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @staticmethod
    async def to(port: int) -> Connection:
        return Connection(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """(status, body)"""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        low = head.lower()
        at = low.find(b"content-length:")
        length = int(low[at + 15 : low.index(b"\r\n", at)]) if at >= 0 else 0
        body = await self._reader.readexactly(length) if length else b""
        return int(head[9:12]), body

    def close(self) -> None:
        self._writer.close()


def cpu_s(pid: int, children: bool = False) -> float:
    """CPU seconds a process has used (and the children it has waited for)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    if children:
        ticks += int(fields[13]) + int(fields[14])
    return ticks / 100


def pss_mb(pid: int) -> float:
    """Memory of a process, shared pages by share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def load(
    port: int, pid: int, make: Callable[[int], bytes], clients: int, seconds: float = 2.0, most: int = 50_000
) -> Load:
    """Bounded load: every client asks one request after the other until the time or the count is over."""
    connections = [await Connection.to(port) for _ in range(clients)]
    latencies: list[float] = []
    errors = sent = 0

    async def one(connection: Connection) -> None:
        nonlocal errors, sent
        while time.perf_counter() < deadline and sent < most:
            request = make(sent)
            sent += 1
            start = time.perf_counter()
            status, _ = await connection.ask(request)
            latencies.append(time.perf_counter() - start)
            errors += status >= 400

    for connection in connections:
        await connection.ask(make(0))
    cpu, start = cpu_s(pid), time.perf_counter()
    deadline = start + seconds
    await asyncio.gather(*(one(c) for c in connections))
    elapsed, cpu = time.perf_counter() - start, cpu_s(pid) - cpu
    for connection in connections:
        connection.close()
    latencies.sort()
    n = len(latencies)
    return Load(n / elapsed, latencies[n // 2] * 1e6, latencies[min(n - 1, n * 99 // 100)] * 1e6, cpu / n * 1e6, errors)
