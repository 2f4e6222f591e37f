"""Resources: what a template can ask for, and how a service makes, changes and removes it."""

from __future__ import annotations

import inspect
import random
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

_RANDOM_LENGTH = 12  # the length of the random part of the names CloudFormation makes
_ALPHABET = string.ascii_letters + string.digits
_MARK = "__stratolite_resource__"

Handler = Callable[..., Any]
Marked = TypeVar("Marked", bound=type)


@dataclass(frozen=True)
class Made:
    """A resource that exists: what `Ref` gives (its physical id) and what `Fn::GetAtt` gives, by attribute name."""

    ref: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class NotReady(Exception):
    """The resource is on its way: ask again after `after_s` seconds.

    With `made`, it exists already and only has to settle: the next run finds that value in `wanted.made`. Without, the
    handler is simply run again: `wanted.token` and `wanted.physical_name()` stay the same, so it can find what it did.
    """

    def __init__(self, after_s: float = 1.0, made: Made | None = None) -> None:
        super().__init__(f"not ready, ask again after {after_s} s")
        self.after_s = after_s
        self.made = made


class Properties(dict[str, Any]):
    """The properties of one resource, remembering which were looked at: what nobody reads is not emulated."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values or {})
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self.read.update(self.keys())
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def items(self) -> Any:
        self.read.update(super().keys())
        return super().items()

    def copy(self) -> dict[str, Any]:
        self.read.update(super().keys())
        return dict(super().items())

    def unread(self, ignores: Iterable[str] = ()) -> list[str]:
        """The names nobody asked for and nobody declared as ignored, in the template's order."""
        return [name for name in dict.__iter__(self) if name not in self.read and name not in set(ignores)]


@dataclass(frozen=True)
class Wanted:
    """What a template asks for, with every intrinsic resolved.

    `token` is stable for one step of one stack (use it as a client token); `tags` are the stack's own with the
    `aws:cloudformation:*` ones; `made` is what an earlier run of this same step gave with `NotReady(made=...)`;
    `again` says that this step may have run before (only an `async` one can): what is already there may be its own.
    """

    type: str
    logical_id: str
    properties: Properties
    stack_name: str
    stack_id: str
    token: str
    tags: Mapping[str, str] = field(default_factory=dict)
    made: Made | None = None
    again: bool = False

    def physical_name(self, max_length: int = 255, suffix: str = "", lower: bool = False) -> str:
        """The name CloudFormation gives a nameless resource: `stack-logical-RANDOM`, the same each time for one step.

        Both readable parts give way evenly where `max_length` is short. `suffix` (".fifo") is part of the length.
        """
        chance = random.Random(self.token)  # the token came from the World: no chance of its own here
        tail = "-" + "".join(chance.choices(_ALPHABET, k=_RANDOM_LENGTH)) + suffix
        room = max_length - len(tail) - 1
        stack, logical = self.stack_name, self.logical_id
        if len(stack) + len(logical) > room:
            stack = stack[: max(room // 2, room - len(logical))]
            logical = logical[: room - len(stack)]
        name = f"{stack}-{logical}{tail}"
        return name.lower() if lower else name


@dataclass(frozen=True)
class ResourceType:
    """One resource type as the engine sees it; `replaces` names what cannot change in place ("*": nothing can)."""

    name: str
    create: Handler
    delete: Handler
    update: Handler | None
    replaces: frozenset[str]
    ignores: frozenset[str]

    def needs_replacement(self, changed: Iterable[str]) -> bool:
        """Whether a change of these top-level properties makes a new resource instead of changing the old one."""
        changed = set(changed)
        return bool(changed) and (self.update is None or "*" in self.replaces or bool(changed & self.replaces))


def resource(name: str, *, replaces: Iterable[str] = (), ignores: Iterable[str] = ()) -> Callable[[Marked], Marked]:
    """Mark a class of static functions as the handler of a resource type.

    `create(call, wanted) -> Made`, `update(call, made_id, wanted, was) -> Made` (left out: every change replaces) and
    `delete(call, made_id, properties) -> None`; each `def` (one transaction with the step itself: exactly once) or
    `async def` (at least once). A resource that is gone already deletes well. An `AwsError` fails the step with its
    text. Properties without an effect here are named in `ignores`.
    """

    def mark(cls: Marked) -> Marked:
        handlers = {verb: inspect.getattr_static(cls, verb, None) for verb in ("create", "update", "delete")}
        functions = {verb: getattr(each, "__func__", each) for verb, each in handlers.items()}
        missing = [verb for verb in ("create", "delete") if functions[verb] is None]
        if missing:
            raise TypeError(f"{name}: {cls.__name__} has no {' and no '.join(missing)}")
        setattr(
            cls,
            _MARK,
            ResourceType(
                name=name,
                create=functions["create"],
                delete=functions["delete"],
                update=functions["update"],
                replaces=frozenset(replaces),
                ignores=frozenset(ignores),
            ),
        )
        return cls

    return mark


def marked(module: ModuleType) -> list[ResourceType]:
    """The resource types a module defines, in the order of its text."""
    found = (vars(each).get(_MARK) for each in vars(module).values() if isinstance(each, type))
    return [each for each in found if isinstance(each, ResourceType)]
