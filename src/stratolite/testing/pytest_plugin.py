"""The pytest plugin: a `cloud` fixture, a fresh cloud per test in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .cloud import TestCloud
    from .live import LiveCloud


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("stratolite")
    group.addoption("--stratolite-seed", type=int, default=0, help="the seed of every test's cloud")
    group.addoption("--stratolite-faults", type=float, default=0.0, help="how often a seed's sick places fail, 0 to 1")
    group.addoption("--stratolite-strict", action="store_true", help="refuse what is accepted but not emulated")


@pytest.fixture
def cloud(request: Any) -> Iterator[TestCloud]:
    """A cloud for this test: in this process, in a simulated world, with the clock in hand."""
    from .cloud import TestCloud

    options = request.config.option
    with TestCloud(options.stratolite_seed, options.stratolite_faults, strict=options.stratolite_strict) as cloud:
        yield cloud


@pytest.fixture
def live_cloud() -> Iterator[LiveCloud]:
    """A server process for this test, with real sockets and real sandboxes; it may be killed and started again."""
    from .live import LiveCloud

    with LiveCloud() as cloud:
        yield cloud
