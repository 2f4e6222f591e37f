from __future__ import annotations

from pathlib import Path

import pytest
from lambda_world import Lambda

from stratolite.testing import TestCloud


@pytest.fixture
def functions(cloud: TestCloud, tmp_path: Path) -> Lambda:
    return Lambda(cloud, tmp_path)
