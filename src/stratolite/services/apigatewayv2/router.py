"""Router: which route of a deployment a request takes.

A full match wins over one with a greedy variable, and that over `$default`; among full matches text wins over a
variable, a method over ANY. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

_TEXT, _VARIABLE, _GREEDY = 0, 1, 2


@dataclass(frozen=True)
class Match:
    """A route, and what its variables stand for (decoded)."""

    route: dict[str, Any]
    variables: dict[str, str]


@dataclass
class Deployed:
    """One deployment, ready to be asked."""

    routes: list[dict[str, Any]]
    integrations: dict[str, dict[str, Any]]
    authorizers: dict[str, dict[str, Any]]
    cors: dict[str, Any] | None
    default: dict[str, Any] | None = None
    _ordered: list[tuple[str, list[str], dict[str, Any]]] = field(default_factory=list)

    @classmethod
    def of(cls, snapshot: dict[str, Any]) -> Deployed:
        """Make a snapshot ready."""
        deployed = cls(
            snapshot["Route"],
            {document["IntegrationId"]: document for document in snapshot["Integration"]},
            {document["AuthorizerId"]: document for document in snapshot["Authorizer"]},
            snapshot.get("Cors"),
        )
        ranked = []
        for route in deployed.routes:
            if route["RouteKey"] == "$default":
                deployed.default = route
                continue
            method, _, path = route["RouteKey"].partition(" ")
            segments = path.split("/")[1:]
            greedy = bool(segments) and _kind(segments[-1]) == _GREEDY
            # Full matches first; then the more text, read from the left; then the longer prefix; then the method.
            rank = (greedy, [_kind(s) for s in segments], -len(segments), method == "ANY")
            ranked.append((rank, method, segments, route))
        ranked.sort(key=lambda each: each[0])
        deployed._ordered = [(method, segments, route) for _, method, segments, route in ranked]
        return deployed

    def match(self, method: str, path: str) -> Match | None:
        """The route for a method and a path (as sent, percent-encoding kept)."""
        asked = path.split("/")[1:] if path.startswith("/") else [path]
        for route_method, segments, route in self._ordered:
            if route_method not in ("ANY", method):
                continue
            if (variables := _variables(segments, asked)) is not None:
                return Match(route, variables)
        return Match(self.default, {}) if self.default is not None else None

    def integration_of(self, route: dict[str, Any]) -> dict[str, Any] | None:
        return self.integrations.get(str(route.get("Target") or "").removeprefix("integrations/"))


def _kind(segment: str) -> int:
    if not segment.startswith("{"):
        return _TEXT
    return _GREEDY if segment.endswith("+}") else _VARIABLE


def _variables(segments: list[str], asked: list[str]) -> dict[str, str] | None:
    """What the variables stand for, or None if the path is another."""
    greedy = bool(segments) and _kind(segments[-1]) == _GREEDY
    if len(asked) < len(segments) or (len(asked) > len(segments) and not greedy):
        return None
    variables = {}
    for index, segment in enumerate(segments):
        kind = _kind(segment)
        if kind == _TEXT:
            if segment != asked[index] and segment != unquote(asked[index]):
                return None
            continue
        value = "/".join(asked[index:]) if kind == _GREEDY else asked[index]
        if not value:
            return None
        variables[segment.strip("{}").removesuffix("+")] = unquote(value)
    return variables
