"""Memory: what the gateway remembers between requests and may forget."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from stratolite.kernel import Cloud

from .router import Deployed

_ANSWERS = 10_000
_DEPLOYMENTS = 256


@dataclass
class Memory:
    """One cloud's."""

    answers: OrderedDict[tuple[str, ...], tuple[float, Any]] = field(default_factory=OrderedDict)
    """(api, stage, authorizer, identities...) to (good until, answer)."""
    buckets: dict[tuple[str, str, str], tuple[float, float]] = field(default_factory=dict)
    """(api, stage, route) to (tokens, counted at)."""
    deployed: OrderedDict[tuple[str, str], Deployed] = field(default_factory=OrderedDict)
    """(api, deployment) to what it serves; a deployment never changes."""

    granted: dict[tuple[str, str], float] = field(default_factory=dict)
    """(function, source) to until when it need not be looked up again that the function lets the source in."""

    def answer(self, key: tuple[str, ...], now: float) -> Any:
        """The authorizer's remembered answer, or None."""
        found = self.answers.get(key)
        return found[1] if found is not None and now < found[0] else None

    def remember(self, key: tuple[str, ...], answer: Any, until: float) -> None:
        self.answers[key] = (until, answer)
        self.answers.move_to_end(key)
        if len(self.answers) > _ANSWERS:
            self.answers.popitem(last=False)

    def forget_answers(self, api: str, stage: str) -> None:
        for key in [key for key in self.answers if key[:2] == (api, stage)]:
            del self.answers[key]

    def keep(self, key: tuple[str, str], deployed: Deployed) -> Deployed:
        self.deployed[key] = deployed
        if len(self.deployed) > _DEPLOYMENTS:
            self.deployed.popitem(last=False)
        return deployed


_memories: WeakKeyDictionary[Cloud, Memory] = WeakKeyDictionary()


def of(cloud: Cloud) -> Memory:
    """The cloud's memory; a new life begins with an empty one."""
    if (memory := _memories.get(cloud)) is None:
        memory = _memories[cloud] = Memory()
    return memory
