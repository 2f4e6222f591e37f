"""Samples: values of a shape, drawn from a seeded source of chance."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

WORDS = ("a", "Xy-9", "snow ☃", "<&>\"'", "a/b c+d%e", "tab\tend", "ключ", "0", "true", "x" * 70, "=?&;,.:", "a\r\nb")
_TOKENS = ("a", "Xy-9", "b_c", "0", "x" * 40, "true", "no~pe")
_DEEP = 4


class Sampler:
    """Draws values of shapes: any Unicode in bodies, plain tokens in labels, headers and keys."""

    def __init__(self, random: Random, words: tuple[str, ...] = WORDS) -> None:
        self._random = random
        self._words = words

    def structure(self, shape: Any, depth: int = 0) -> dict[str, Any]:
        members = {n: m for n, m in shape.members.items() if not _is_stream(m)}
        if getattr(shape, "is_tagged_union", False):
            name = self._random.choice(sorted(members))
            return {name: self.value(members[name], depth + 1)}
        out = {}
        for name, member in members.items():
            if name in shape.required_members or self._random.random() < (0.6 if depth == 0 else 0.35):
                if depth >= _DEEP and member.type_name in ("structure", "list", "map"):
                    continue
                out[name] = self.value(member, depth + 1)
        return out

    def value(self, shape: Any, depth: int = 0) -> Any:
        bound = "location" in shape.serialization
        if getattr(shape, "is_document_type", False):
            return {"k": [1, "two", None, {"x": True}]}
        match shape.type_name:
            case "structure":
                return self.structure(shape, depth)
            case "list":
                size = 0 if depth > _DEEP else self._random.randint(1, 3)
                items = [
                    self._bound(shape.member) if bound else self.value(shape.member, depth + 1) for _ in range(size)
                ]
                return items
            case "map":
                size = 0 if depth > _DEEP else self._random.randint(1, 2)
                return {
                    self._key(shape.key): self._bound(shape.value) if bound else self.value(shape.value, depth + 1)
                    for _ in range(size)
                }
            case "string" if shape.serialization.get("jsonvalue"):
                return {"a": [1, "b"]}
        return self._bound(shape) if bound else self._scalar(shape, self._words)

    def _bound(self, shape: Any) -> Any:
        """A value that travels in a header, a label or the query string, or in the host's name."""
        if shape.serialization.get("hostLabel"):
            return "a-label"
        if shape.type_name == "list":
            return [self._bound(shape.member) for _ in range(2)]
        return self._scalar(shape, _TOKENS)

    def _key(self, shape: Any) -> str:
        return str(self._random.choice(getattr(shape, "enum", None) or _TOKENS))

    def _scalar(self, shape: Any, words: tuple[str, ...]) -> Any:
        random = self._random
        match shape.type_name:
            case "boolean":
                return random.random() < 0.5
            case "integer":
                return random.choice((0, 1, -7, 2**31 - 1))
            case "long":
                return random.choice((0, 1, -7, 2**53 + 1))
            case "float" | "double":
                return random.choice((0.0, -1.5, 0.1, 1e10, 12.0))
            case "timestamp":
                return datetime.fromtimestamp(random.choice((0, 86400, 1_700_000_000, 4_000_000_000)), UTC)
            case "blob":
                return random.choice((b"x", b"\x00\xff\n", b"plain text"))
        return random.choice(getattr(shape, "enum", None) or words)


def _is_stream(shape: Any) -> bool:
    return bool(getattr(shape, "is_event_stream", False) or shape.serialization.get("eventstream"))


def plain(value: Any) -> Any:
    """A value without what the wire cannot spell: empty lists and structures, whole floats, datetimes' classes."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        out = {k: plain(v) for k, v in value.items() if v is not None and k != "ResponseMetadata"}
        return {k: v for k, v in out.items() if v not in ({}, [])}
    if isinstance(value, list | tuple):
        return [v for v in map(plain, value) if v not in ({}, [])]
    if hasattr(value, "read"):
        return value.read()
    return value
