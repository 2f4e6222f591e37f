"""The same seed is the same world: every id, every instant, every fault, every death."""

from __future__ import annotations

import hashlib
import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.scenarios import ALL
from stratolite.testing.cloud import TestCloud


def life(name: str, seed: int) -> tuple[str, int, dict[str, int]]:
    """All that a scenario left behind, as one hash: the whole state and every span of every journey."""
    found = hashlib.sha256()
    with TestCloud(seed, 0.05, durable=True) as cloud:
        ALL[name](cloud)
        folder = str(cloud.folder)
        for line in cloud.cloud.store.db.iterdump():
            found.update(line.replace(folder, "").encode())
        for trace in cloud.cloud.telemetry.traces():
            for span in cloud.cloud.telemetry.spans(trace["trace"]):
                found.update(repr((span.trace, span.span, span.parent, span.name, span.start, span.finish)).encode())
        return found.hexdigest(), cloud.deaths, cloud.world.struck


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["asynchronous", "bus-to-queue"])
def test_a_seed_says_everything_about_a_life(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    first = life(name, 500)
    assert first[1] > 0, "a life without a death"
    assert first == life(name, 500)
