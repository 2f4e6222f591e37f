"""Receivers: the tenants' destinations, played by one local HTTP server that can be told to fail."""

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class Mood(Enum):
    """How a receiver feels."""

    UP = "up"
    UNPLUGGED = "unplugged"  # takes the connection and drops it
    BROKEN = "broken"  # answers 503
    REFUSING = "refusing"  # answers 422


@dataclass
class Receiver:
    """One destination: what it got, by idempotency key, and what it did not take."""

    tenant: str
    name: str
    api_key: str
    mood: Mood = Mood.UP
    mapping: dict[str, str] = field(default_factory=dict)  # as the registry has it
    taken: dict[str, Any] = field(default_factory=dict)  # idempotency key -> body, of the first one
    repeats: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)  # reason -> attempts
    wrongs: list[str] = field(default_factory=list)  # what must never happen
    _lock: Lock = field(default_factory=Lock)

    @property
    def path(self) -> str:
        """Where it listens."""
        return f"/{self.tenant}/{self.name}"

    def take(self, headers: dict[str, str], body: bytes) -> int | None:
        """The status to answer, or None to drop the connection."""
        with self._lock:
            if self.mood is not Mood.UP:
                self.failed[self.mood.value] += 1
                return {Mood.BROKEN: 503, Mood.REFUSING: 422}.get(self.mood)
            if headers.get("authorization") != f"Bearer {self.api_key}":
                self.wrongs.append("a delivery without the destination's API key")
                return 401
            key, document = headers.get("idempotency-key", ""), json.loads(body)
            if not key.startswith(f"{self.tenant}:"):
                self.wrongs.append(f"{key} is not {self.tenant}'s")
                return 200
            if not headers.get("x-correlation-id"):
                self.wrongs.append(f"{key} came without a correlation id")
            if key in self.taken:
                self.repeats[key] += 1
                if self.taken[key] != document:
                    self.wrongs.append(f"{key} came again with another body")
            else:
                self.taken[key] = document
            return 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connector that was killed half way hangs up on us: nothing to report."""


class Receivers:
    """All destinations behind one port."""

    def __init__(self, receivers: list[Receiver], port: int = 0) -> None:
        self.all = receivers
        by_path = {receiver.path: receiver for receiver in receivers}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver = by_path.get(self.path)
                status = 404 if receiver is None else receiver.take(headers, body)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", port), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where they listen on this machine."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
