"""Paths: a service's REST routes as a tree of path segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from stratolite.wire import models
from stratolite.wire.bindings import path_of
from stratolite.wire.http1 import Request
from stratolite.wire.quirks import s3


@dataclass(frozen=True, slots=True)
class Leaf:
    """One operation at the end of a path."""

    operation: str
    method: str
    flags: tuple[tuple[str, str], ...]
    """Parameters that the model writes into the address: `?tagging`, `?list-type=2`."""
    query: tuple[str, ...]
    """Required members that travel in the query string."""
    headers: tuple[str, ...]
    """Required members that travel in headers, lower case."""
    literals: int
    """Segments that are no labels: of two services that know a path, the one that names more of it means it."""

    @property
    def demands(self) -> int:
        return 2 * len(self.flags) + len(self.query) + len(self.headers)

    def accepts(self, request: Request, query: dict[str, str]) -> bool:
        return (
            all(query.get(name) == value for name, value in self.flags)
            and all(name in query for name in self.query)
            and all(name in request.headers for name in self.headers)
        )


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    label: _Node | None = None
    leaves: dict[str, list[Leaf]] = field(default_factory=dict)
    greedy: dict[str, list[Leaf]] = field(default_factory=dict)
    """Operations whose last label takes the rest of the path, slashes and all."""


class Paths:
    """The routes of one service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._root = _Node()
        for name in sorted(models.operations(service)):
            if not (service == "s3" and name in s3.REPLACED):
                self._add(name)
        self._sort(self._root)

    def _add(self, operation: str) -> None:
        model = models.operation(self._service, operation)
        path, _, flags = model.http["requestUri"].partition("?")
        query: list[str] = []
        headers: list[str] = []
        if model.input_shape is not None:
            for name in model.input_shape.required_members:
                traits = model.input_shape.members[name].serialization
                wire = traits.get("name", name)
                if traits.get("location") == "querystring":
                    query.append(wire)
                elif traits.get("location") == "header":
                    headers.append(wire.lower())
        steps = [step for step in path.split("/") if step]
        leaf = Leaf(
            operation,
            model.http["method"],
            tuple(parse_qsl(flags, keep_blank_values=True)),
            tuple(query),
            tuple(headers),
            sum(not step.startswith("{") for step in steps),
        )
        node = self._root
        for step in steps:
            if step.endswith("+}"):
                node.greedy.setdefault(leaf.method, []).append(leaf)
                return
            if step.startswith("{"):
                node.label = node.label or _Node()
                node = node.label
            else:
                node = node.literal.setdefault(step, _Node())
        node.leaves.setdefault(leaf.method, []).append(leaf)

    def _sort(self, node: _Node) -> None:
        """The most demanding first, so that the first that accepts is the right one."""
        for table in (node.leaves, node.greedy):
            for leaves in table.values():
                leaves.sort(key=lambda leaf: -leaf.demands)
        for child in (*node.literal.values(), *([node.label] if node.label else [])):
            self._sort(child)

    def find(self, request: Request) -> Leaf | None:
        """The operation at a request's path, by its method, parameters and headers; None when there is none."""
        path = path_of(self._service, request)
        steps = path[1:].split("/")
        query = dict(reversed(request.query)) if request.query_string else {}
        return self._search(self._root, steps, 0, request, query)

    def _search(self, node: _Node, steps: list[str], at: int, request: Request, query: dict[str, str]) -> Leaf | None:
        left = len(steps) - at
        if (left == 0 or (left == 1 and steps[at] == "")) and (leaf := _first(node.leaves, request, query)):
            return leaf
        if left == 0 or (left == 1 and steps[at] == ""):
            return None
        step = steps[at]
        child = node.literal.get(step) or (node.literal.get(unquote(step)) if "%" in step else None)
        if child is not None and (leaf := self._search(child, steps, at + 1, request, query)):
            return leaf
        if node.label is not None and step and (leaf := self._search(node.label, steps, at + 1, request, query)):
            return leaf
        return _first(node.greedy, request, query)


def _first(table: dict[str, list[Leaf]], request: Request, query: dict[str, str]) -> Leaf | None:
    for leaf in table.get(request.method, ()):
        if leaf.accepts(request, query):
            return leaf
    return None
