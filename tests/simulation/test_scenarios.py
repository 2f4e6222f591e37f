"""A slice of the simulation: a few seeds of every scenario, with faults and deaths."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.scenarios import ALL
from stratolite.testing.cloud import TestCloud

# A process that dies leaves its coroutines where they are.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:No application metrics:UserWarning"),
]
SEEDS = {"stack": 3, "form-processing": 1}
"""One of each scenario, in which the cloud dies."""


@pytest.mark.parametrize("name", sorted(ALL))
def test_whatever_fails_what_was_promised_holds(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    with TestCloud(SEEDS.get(name, 0), 0.05, durable=True) as cloud:
        ALL[name](cloud)
        assert cloud.deaths > 0
