"""HTTP messages as values: what the server hands in and what it writes out.

No sockets here. The server turns bytes into a `Request` and a `Response` into bytes; everything between
them (the AWS protocols, API Gateway, function URLs, the Runtime API) speaks these two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl


class Headers:
    """Header fields in order, looked up without regard to case; a name may repeat.

    `h["x"]` is the last value; `h.all("x")` every one.
    """

    __slots__ = ("_by_name", "pairs")

    def __init__(self, pairs: list[tuple[str, str]] | dict[str, str] | None = None) -> None:
        self.pairs: list[tuple[str, str]] = list(pairs.items()) if isinstance(pairs, dict) else list(pairs or ())
        self._by_name: dict[str, str] | None = None

    @staticmethod
    def read(pairs: list[tuple[str, str]], last: dict[str, str]) -> Headers:
        """Of a reader that has the names in lower case already: `last` is each one's last value. It keeps both."""
        headers = Headers.__new__(Headers)
        headers.pairs, headers._by_name = pairs, last
        return headers

    @property
    def _last(self) -> dict[str, str]:
        """Made when first asked for: most answers are written and never looked at."""
        found = self._by_name
        if found is None:
            found = self._by_name = {name.lower(): value for name, value in self.pairs}
        return found

    def __getitem__(self, name: str) -> str:
        return self._last[name.lower()]

    def get(self, name: str, default: str | None = None) -> str | None:
        found = self._by_name
        return (self._last if found is None else found).get(name.lower(), default)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._last

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"

    def all(self, name: str) -> list[str]:
        name = name.lower()
        return [v for n, v in self.pairs if n.lower() == name]

    def items(self) -> list[tuple[str, str]]:
        """(name, value) as sent, repeats included."""
        return self.pairs

    def lower(self) -> dict[str, str]:
        """Lower-case name to last value. Do not change it."""
        return self._last

    def set(self, name: str, value: str) -> None:
        self.remove(name)
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        self.pairs.append((name, value))
        if self._by_name is not None:
            self._by_name[name.lower()] = value

    def remove(self, name: str) -> None:
        key = name.lower()
        if self._last.pop(key, None) is not None:
            self.pairs = [(n, v) for n, v in self.pairs if n.lower() != key]


@dataclass(slots=True, frozen=True)
class BodyFile:
    """A request body too large for memory, spooled to disk by the server. The file belongs to whoever takes it."""

    path: Path
    size: int
    is_chunked: bool = False
    """Whether its content is in AWS's own chunks (`wire.chunked`)."""
    decoded_length: int | None = None
    """Of a chunked one: how long the client says the content is."""

    def read(self) -> bytes:
        return self.path.read_bytes()


@dataclass
class Request:
    method: str
    target: str
    """The request target exactly as sent: path, `?`, query; nothing decoded."""
    headers: Headers
    body: bytes | BodyFile = b""
    peer: str = "127.0.0.1"
    """The client's address."""
    http_version: str = "1.1"

    # Not kept: a look-up in 3.11's cached_property takes a lock, and costs more than the partition.

    @property
    def raw_path(self) -> str:
        """The path as sent, percent-encoding kept."""
        return self.target.partition("?")[0]

    @property
    def query_string(self) -> str:
        return self.target.partition("?")[2]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """Decoded query parameters in order, blanks kept."""
        return parse_qsl(self.query_string, keep_blank_values=True) if self.query_string else []

    @property
    def host(self) -> str:
        """The Host header without its port, lower case; empty when absent."""
        host = self.headers.lower().get("host", "").lower()
        return host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body.read()


@dataclass
class Response:
    status: int = 200
    headers: Headers = field(default_factory=Headers)
    body: bytes | AsyncIterator[bytes] = b""
    """Bytes, or an asynchronous iterator whose chunks are sent as they come."""
