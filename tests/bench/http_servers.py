"""What an HTTP request costs a Python server: CPU per small request, candidates side by side.

    python tests/bench/http_servers.py [raw uvicorn aiohttp granian]

Each candidate runs in its own process and answers a POST of 200 bytes with 60 bytes of JSON; the client keeps 16
connections busy from another process. CPU is the server's own (user and system), so the client's share of the machine
does not matter much.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

REQUESTS = 40_000
CONNECTIONS = 16
BODY = b"x" * 200
REQUEST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"X-Amz-Target: AmazonSQS.SendMessage\r\n"
    b"User-Agent: bench\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test\r\n"
    b"Content-Length: 200\r\n\r\n"
) + BODY
ANSWER = b'{"MessageId":"0123456789012345678901234567890123456789012"}\n'


async def asgi(scope: dict, receive: object, send: object) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):  # type: ignore[operator]
        pass
    headers = [(b"content-type", b"application/x-amz-json-1.0"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": ANSWER})  # type: ignore[operator]


async def rsgi(scope: object, proto: object) -> None:
    await proto()  # type: ignore[operator]
    proto.response_bytes(200, [("content-type", "application/x-amz-json-1.0")], ANSWER)  # type: ignore[attr-defined]


def serve_raw(port: int) -> None:
    import uvloop

    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
    from stratolite.server.http import Server
    from stratolite.wire.http1 import Headers, Request, Response

    def handler(request: Request) -> Response:
        return Response(200, Headers([("content-type", "application/x-amz-json-1.0")]), ANSWER)

    async def main() -> None:
        await Server(handler, wall=time.time).listen("127.0.0.1", port)
        await asyncio.Event().wait()

    uvloop.run(main())


def serve_uvicorn(port: int) -> None:
    import uvicorn

    uvicorn.run(asgi, host="127.0.0.1", port=port, loop="uvloop", http="httptools", log_level="error", access_log=False)


def serve_aiohttp(port: int) -> None:
    import uvloop
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/x-amz-json-1.0")

    app = web.Application()
    app.router.add_post("/", answer)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: None, access_log=None, loop=uvloop.new_event_loop())


def serve_granian(port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    async def main() -> None:
        await Server(rsgi, address="127.0.0.1", port=port, interface=Interfaces.RSGI, log_enabled=False).serve()

    import uvloop

    uvloop.run(main())


CANDIDATES = {"raw": serve_raw, "uvicorn": serve_uvicorn, "aiohttp": serve_aiohttp, "granian": serve_granian}


def client(port: int, requests: int) -> None:
    """One process, blocking sockets in a selector-free round robin: cheap enough to keep the server busy."""
    connections = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.sendall(REQUEST)
    for number in range(requests):
        connection = connections[number % CONNECTIONS]
        got = connection.recv(4096)
        while ANSWER not in got:
            got += connection.recv(4096)
        if number < requests - CONNECTIONS:
            connection.sendall(REQUEST)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, __file__, "--serve", name, str(port)])
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        client(port, 2_000)
        before, start = cpu_s(server.pid), time.perf_counter()
        client(port, REQUESTS)
        took, used = time.perf_counter() - start, cpu_s(server.pid) - before
        return f"{name:<10}{used / REQUESTS * 1e6:8.1f} us CPU a request {REQUESTS / took:10,.0f} requests/s"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        CANDIDATES[sys.argv[2]](int(sys.argv[3]))
        return
    for name in sys.argv[1:] or CANDIDATES:
        if name == "raw" or importlib.util.find_spec(name):
            try:
                print(measure(name), flush=True)
            except OSError as error:
                print(f"{name:<10}{error}")
        else:
            print(f"{name:<10}not installed")
    print(f"client: {resource.getrusage(resource.RUSAGE_SELF).ru_utime:.1f} s user", file=sys.stderr)


if __name__ == "__main__":
    main()
