"""Stacks in a world that fails: whatever dies under way, what exists in the end is what the stack says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stratolite.kernel import AwsError
from stratolite.testing.sim import SimWorld

# A process that dies leaves its coroutines where they are.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

FAULTS = 0.15
SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def parameter(value: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}, **more}


def body(chance: random.Random) -> dict[str, Any]:
    """Some parameters in some order, one of them sometimes impossible."""
    names = [f"P{n}" for n in range(6) if chance.random() < 0.7] or ["P0"]
    found = {name: parameter(str(chance.randrange(3))) for name in names}
    for name in names[1:]:
        if chance.random() < 0.5:
            found[name]["DependsOn"] = names[0]
        if chance.random() < 0.3:
            found[name]["Properties"]["Value"] = {"Fn::Sub": f"{{{{resolve:ssm:fixed}}}}-${{{names[0]}}}"}
    if chance.random() < 0.3:
        found[chance.choice(names)]["Properties"]["AllowedPattern"] = "never"
    if chance.random() < 0.5:
        found["Topic"] = {"Type": "AWS::SQS::Queue", "DependsOn": names[-1]}
    return {"Resources": found}


class Life:
    """A bed whose process dies now and then, and goes on."""

    def __init__(self, bed: Any) -> None:
        self.bed = bed
        self.deaths = 0

    def through(self, action: Callable[[], Any]) -> Any:
        """Do it, in as many lives as it takes."""
        for _ in range(200):
            try:
                return action()
            except SystemExit:
                self.deaths += 1
                self.bed.world.reborn()
                self.revive()
        raise AssertionError("it never lives long enough")

    def revive(self) -> None:
        """The next life; that it can begin is the kernel's own test."""
        world, self.bed.world.faults = self.bed.world, 0.0
        self.bed.cloud.store.db.close()  # as the system does for a process that died
        self.bed.begin()
        world.faults = FAULTS

    def ask(self, method: str, **params: Any) -> None:
        """Ask once; a client would not know whether it was heard when the process dies."""

        def once() -> None:
            try:
                self.bed.ask(method, **params)
            except AwsError as error:
                assert error.code in (
                    "InternalFailure",
                    "ThrottlingException",
                    "ValidationError",
                    "AlreadyExistsException",
                ), error

        self.through(once)

    def settled(self) -> str:
        """The stack's status once nothing is in progress."""
        for _ in range(400):
            self.through(lambda: self.bed.world.run(asyncio.sleep(5.0)))
            reader = self.bed.cloud.store.reader()
            status = reader.value("SELECT status FROM cloudformation_stack ORDER BY key DESC LIMIT 1") or "NONE"
            if not status.endswith("_IN_PROGRESS"):
                return str(status)
        raise AssertionError(f"stuck in {status}")


@pytest.mark.parametrize("seed", range(12))
def test_what_exists_is_what_the_stack_says(tmp_path: Path, new_bed: Any, seed: int) -> None:
    life, chance = Life(new_bed(tmp_path, SimWorld(seed))), random.Random(seed)
    life.bed.ask("put_parameter", service="ssm", Name="fixed", Value="1", Type="String")
    life.bed.world.faults = FAULTS
    for number in range(6):
        asked = body(chance)
        if life.bed.cloud.store.reader().value("SELECT 1 FROM cloudformation_stack WHERE status <> 'DELETE_COMPLETE'"):
            life.ask("update_stack", StackName="s", TemplateBody=asked)
        else:
            life.ask("create_stack", StackName="s", TemplateBody=asked)
        status = life.settled()
        assert status in SETTLED | {"NONE", "DELETE_COMPLETE"}, f"round {number}"
        reader = life.bed.cloud.store.reader()
        made = {
            row["physical_id"]
            for row in reader.all(
                "SELECT physical_id FROM cloudformation_resource WHERE role = 'live' AND type = 'AWS::SSM::Parameter'"
            )
        }
        there = {row["name"] for row in reader.all("SELECT name FROM ssm_parameter")} - {"fixed"}
        assert made == there, f"round {number}"
        assert reader.value("SELECT count(*) FROM cloudformation_step") == 0
        assert reader.value("SELECT count(*) FROM cloudformation_resource WHERE role = 'doomed'") == 0
        if status == "ROLLBACK_COMPLETE":
            life.ask("delete_stack", StackName="s")
            life.settled()
