"""A slice of the simulation: a few seeds of every scenario, with faults and deaths."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.scenarios import ALL
from stratolite.testing.cloud import TestCloud

SEEDS = 3


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", sorted(ALL))
def test_whatever_fails_what_was_promised_holds(name: str, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    with TestCloud(seed, 0.02, durable=True) as cloud:
        ALL[name](cloud)
