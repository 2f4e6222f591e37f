"""Steps: what is still to be done for a stack, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from stratolite.kernel import Call, Made


class Steps:
    """The steps of one stack's phase, as rows and in hand at once; good for one transaction."""

    def __init__(self, call: Call, stack: int) -> None:
        self._call, self._stack = call, stack
        found = call.tx.all("SELECT * FROM cloudformation_step WHERE stack = ? ORDER BY key", stack)
        self._steps: dict[int, dict[str, Any]] = {
            each["key"]: {**dict(each), "needs": json.loads(each["needs"])} for each in found
        }

    def find(self, key: int) -> dict[str, Any] | None:
        return self._steps.get(key)

    def ready(self) -> dict[str, Any] | None:
        """The first step that waits for nothing any more."""
        for each in self._steps.values():
            if each["state"] == "waiting" and all(self._steps[need]["state"] == "done" for need in each["needs"]):
                return each
        return None

    @property
    def are_over(self) -> bool:
        """Whether nothing runs and nothing can run: what waits then waits for something that failed."""
        return self.ready() is None and not any(each["state"] == "running" for each in self._steps.values())

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [each for each in self._steps.values() if each["state"] == "failed"]

    def mark(self, step: dict[str, Any], state: str) -> None:
        step["state"] = state
        self._call.tx.run("UPDATE cloudformation_step SET state = ? WHERE key = ?", state, step["key"])

    def attach(self, step: dict[str, Any], resource: int) -> None:
        """Say which resource row a step is about."""
        step["resource"] = resource
        self._call.tx.run("UPDATE cloudformation_step SET resource = ? WHERE key = ?", resource, step["key"])

    def keep(self, key: int, made: Made | None) -> None:
        """Keep what a handler made before it is ready."""
        if made is not None:
            text = json.dumps({"ref": made.ref, "attributes": dict(made.attributes)})
            self._call.tx.run("UPDATE cloudformation_step SET made = ? WHERE key = ?", text, key)

    def cancel_waiting(self) -> None:
        """Begin nothing more: something failed."""
        for key in [key for key, each in self._steps.items() if each["state"] == "waiting"]:
            del self._steps[key]
            self._call.tx.run("DELETE FROM cloudformation_step WHERE key = ?", key)


def plan(
    call: Call,
    stack: int,
    verb: str,
    needs: Mapping[str, Iterable[str]],
    resources: Mapping[str, int] | None = None,
) -> None:
    """Replace a stack's steps: one for each name in `needs`, after those it needs.

    Args:
        needs: names of steps to the names they come after (names that are no steps are no obstacle).
        resources: the resource row of each, where there is one already. Names are `logical` or `logical#row`.
    """
    clear(call, stack)
    first = (call.tx.value("SELECT max(key) FROM cloudformation_step") or 0) + 1
    keys = {name: first + index for index, name in enumerate(needs)}
    call.tx.many(
        """INSERT INTO cloudformation_step (key, stack, verb, logical_id, resource, needs, token)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                keys[name],
                stack,
                verb,
                name.partition("#")[0],
                (resources or {}).get(name),
                json.dumps([keys[each] for each in after if each in keys]),
                call.world.id(),
            )
            for name, after in needs.items()
        ],
    )


def clear(call: Call, stack: int) -> None:
    """Forget a stack's steps, and what they asked and were told."""
    of_steps = (
        "SELECT q.token FROM cloudformation_question q JOIN cloudformation_step s USING (token) WHERE s.stack = ?"
    )
    call.tx.run(f"DELETE FROM cloudformation_answer WHERE token IN ({of_steps})", stack)
    call.tx.run(f"DELETE FROM cloudformation_question WHERE token IN ({of_steps})", stack)
    call.tx.run("DELETE FROM cloudformation_step WHERE stack = ?", stack)
