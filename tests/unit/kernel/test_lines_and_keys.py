"""Who follows a group hears of its lines; a key that was handed out stands for somebody until it is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from stratolite.app import Config, build
from stratolite.kernel import Cloud, Principal, Telemetry
from stratolite.testing.sim import SimWorld

PLACE = ("000000000000", "us-east-1", "g")


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return build(Config(state=None), SimWorld(), scratch=tmp_path)


def test_blocks_are_numbered_on_even_when_all_lines_were_forgotten() -> None:
    telemetry = Telemetry(":memory:", SimWorld())
    telemetry.log(*PLACE, "s", [(1.0, "a")])
    first = telemetry.newest_block()
    telemetry.forget_lines(*PLACE)
    telemetry.log(*PLACE, "s", [(2.0, "b")])
    assert telemetry.newest_block() > first
    assert [line.message for line in telemetry.lines(*PLACE, after_block=first)] == ["b"]


def test_who_waits_for_the_lines_of_a_group_is_woken_when_they_are_written(cloud: Cloud) -> None:
    world = cloud.world
    assert isinstance(world, SimWorld)

    async def main() -> list[bool]:
        cloud.telemetry.log(*PLACE, "s", [(1.0, "a")])
        return [
            await cloud.signals.wait(("logs", *PLACE), 1.0),
            await cloud.signals.wait(("logs", *PLACE), 1.0),
        ]

    assert world.run(main()) == [True, False]


def test_a_key_stands_for_its_principal_until_it_is_taken_back(cloud: Cloud) -> None:
    user = Principal("000000000002", "arn:aws:iam::000000000002:user/u", "AKIA" + "X" * 16, "AIDAX")
    with cloud.store.write() as tx:
        cloud.hand_out(tx, user)
    assert cloud.principal(user.access_key) == user
    with cloud.store.write() as tx:
        cloud.take_back(tx, user.access_key)
    assert cloud.principal(user.access_key).account == "000000000000"
