"""A Service: the marks on its functions, collected, and checked against the service's published model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, overload

from botocore import xform_name

from stratolite.wire import models

from . import resources

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


class ContractError(Exception):
    """A function's signature does not agree with the service's published model."""


@dataclass(frozen=True)
class Operation:
    """One operation we answer: its function, and what of the model it honours."""

    service: str
    name: str
    fn: Callable[..., Any]
    is_async: bool
    raw: bool
    parameters: dict[str, str]
    """Member name to parameter name."""
    unsupported: frozenset[str]
    """Top-level members that are not parameters."""
    ignores: tuple[tuple[str, ...], ...]
    """Paths of nested members not honoured."""

    def not_emulated(self, params: dict[str, Any]) -> list[str]:
        """The members of a request that are accepted and have no effect here."""
        found = [m for m in params if m in self.unsupported] if self.unsupported else []
        for path in self.ignores:
            if _present(params, path):
                found.append(".".join(path))
        return found


@dataclass(frozen=True)
class JobKind:
    name: str
    fn: Callable[..., Any]
    is_async: bool
    version: int
    lane: str


@dataclass(frozen=True)
class Endpoint:
    """A door for plain HTTP: a pattern of host or path."""

    fn: Callable[..., Any]
    host: re.Pattern[str] | None
    path: re.Pattern[str] | None
    is_async: bool


@dataclass(frozen=True)
class _Mark:
    kind: str
    options: dict[str, Any] = field(default_factory=dict)


def _mark(fn: Any, kind: str, **options: Any) -> Any:
    marks = fn.__dict__.get("__marks__", ()) if isinstance(fn, type) else getattr(fn, "__marks__", ())
    fn.__marks__ = (*marks, _Mark(kind, options))
    return fn


@overload
def operation(fn: F, /) -> F: ...
@overload
def operation(*, ignores: Iterable[str] = (), raw: bool = False, name: str | None = None) -> Callable[[F], F]: ...
def operation(fn: Any = None, /, *, ignores: Iterable[str] = (), raw: bool = False, name: str | None = None) -> Any:
    """Mark a function as the operation of its name. Its parameters are the members honoured.

    Args:
        ignores: nested members not honoured, by path (`"DestinationConfig.OnSuccess"`).
        raw: parameters and result stay wire JSON; no walk over the shapes.
        name: the operation's name where Python's naming cannot give it back.
    """
    if fn is not None:
        return _mark(fn, "operation", ignores=(), raw=False, name=None)
    return lambda f: _mark(f, "operation", ignores=tuple(ignores), raw=raw, name=name)


@overload
def job(fn: F, /) -> F: ...
@overload
def job(*, lane: str | None = None, version: int = 1) -> Callable[[F], F]: ...
def job(fn: Any = None, /, *, lane: str | None = None, version: int = 1) -> Any:
    """Mark a function as the handler of job kind `service.function`."""
    if fn is not None:
        return _mark(fn, "job", lane=None, version=1)
    return lambda f: _mark(f, "job", lane=lane, version=version)


def target(arn_service: str) -> Callable[[F], F]:
    """Mark a function as the way to deliver to ARNs of a service (`sqs`), or of one kind (`events:api-destination`)."""
    return lambda f: _mark(f, "target", arn_service=arn_service)


def dead_letter(source: str) -> Callable[[F], F]:
    """Mark a function that shapes what goes to the dead-letter queue of deliveries from this source."""
    return lambda f: _mark(f, "dead_letter", source=source)


def source(arn_service: str) -> Callable[[C], C]:
    """Mark a class as the way to consume ARNs of this service."""
    return lambda c: _mark(c, "source", arn_service=arn_service)


def endpoint(*, host: str | None = None, path: str | None = None) -> Callable[[F], F]:
    """Mark a function that answers plain HTTP for hosts or paths of this form (a regular expression, matched whole)."""
    assert host or path
    return lambda f: _mark(f, "endpoint", host=host, path=path)


class Service:
    """
    Args:
        name: botocore's name of the service.
        modules: where to look for marked functions.
        not_validated: constraint kinds (`length`, `range`, `pattern`, `enum`, `required`) of the model that the
            service's own code judges, in its own words.
    """

    def __init__(self, name: str, modules: Iterable[ModuleType], not_validated: Iterable[str] = ()) -> None:
        self.name = name
        self.not_validated = frozenset(not_validated)
        self.operations: dict[str, Operation] = {}
        self.jobs: dict[str, JobKind] = {}
        self.targets: dict[str, Callable[..., Any]] = {}
        self.dead_letters: dict[str, Callable[..., Any]] = {}
        self.sources: dict[str, Any] = {}
        self.resources: dict[str, resources.ResourceType] = {}
        self.endpoints: list[Endpoint] = []
        self._python_names: dict[str, str] | None = None
        for module in modules:
            self.resources.update((each.name, each) for each in resources.marked(module))
            for thing in list(vars(module).values()):
                if getattr(thing, "__module__", None) == module.__name__:
                    for mark in getattr(thing, "__dict__", {}).get("__marks__", ()):
                        self._collect(thing, mark)

    def _collect(self, thing: Any, mark: _Mark) -> None:
        o = mark.options
        match mark.kind:
            case "operation":
                spec = self._operation(thing, o["name"], o["ignores"], o["raw"])
                self.operations[spec.name] = spec
            case "job":
                kind = f"{self.name}.{thing.__name__}"
                self.jobs[kind] = JobKind(
                    kind, thing, inspect.iscoroutinefunction(thing), o["version"], o["lane"] or self.name
                )
            case "target":
                self.targets[o["arn_service"]] = thing
            case "dead_letter":
                self.dead_letters[o["source"]] = thing
            case "source":
                self.sources[o["arn_service"]] = thing
            case "endpoint":
                host, path = o["host"], o["path"]
                self.endpoints.append(
                    Endpoint(
                        thing,
                        re.compile(host, re.I) if host else None,
                        re.compile(path) if path else None,
                        inspect.iscoroutinefunction(thing),
                    )
                )

    def _operation(self, fn: Callable[..., Any], name: str | None, ignores: tuple[str, ...], raw: bool) -> Operation:
        model = models.service(self.name)
        if name is None:
            if self._python_names is None:
                self._python_names = {xform_name(n): n for n in model.operation_names}
            name = self._python_names.get(fn.__name__)
        if name is None or name not in model.operation_names:
            raise ContractError(f"{self.name} has no operation {name or fn.__name__}")
        shape = model.operation_model(name).input_shape
        members = {xform_name(m): m for m in (shape.members if shape else {})}
        signature = list(inspect.signature(fn).parameters.values())[1:]
        asked = {p.name.rstrip("_"): p for p in signature}
        if stray := set(asked) - set(members):
            raise ContractError(f"{self.name} {name} has no member {', '.join(sorted(stray))}")
        for member in shape.required_members if shape else ():
            if xform_name(member) not in asked:
                raise ContractError(f"{self.name} {name} does not take the required member {member}")
        required = {xform_name(m) for m in (shape.required_members if shape else ())}
        for n, p in asked.items():
            if n not in required and p.default is inspect.Parameter.empty:
                raise ContractError(f"{self.name} {name}: {p.name} is optional in the model and needs a default")
        for path in ignores:
            _check_path(shape, path, f"{self.name} {name}")
        return Operation(
            self.name,
            name,
            fn,
            inspect.iscoroutinefunction(fn),
            raw,
            {members[n]: p.name for n, p in asked.items()},
            frozenset(m for n, m in members.items() if n not in asked),
            tuple(tuple(p.split(".")) for p in ignores),
        )


def schema_scripts(folder: Path) -> dict[int, str]:
    """The numbered scripts of a room's `schema` folder."""
    return {int(f.stem): f.read_text() for f in sorted((folder / "schema").glob("[0-9]*.sql"))}


def _present(value: Any, path: tuple[str, ...]) -> bool:
    for i, step in enumerate(path):
        if isinstance(value, list):
            return any(_present(v, path[i:]) for v in value)
        if not isinstance(value, dict) or value.get(step) is None:
            return False
        value = value[step]
    return True


def _check_path(shape: Any, path: str, where: str) -> None:
    for step in path.split("."):
        while getattr(shape, "type_name", "") == "list":
            shape = shape.member
        if getattr(shape, "type_name", "") == "map":
            shape = shape.value
            continue
        if shape is None or step not in getattr(shape, "members", {}):
            raise ContractError(f"{where} has no member {path}")
        shape = shape.members[step]
