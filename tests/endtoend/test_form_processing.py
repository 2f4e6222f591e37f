"""The form-processing application on a real server, under traffic, killed meanwhile: its books balance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "form-processing" / "demo.py"


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_when_the_cloud_is_killed_under_the_demos_traffic(tmp_path: Path) -> None:
    words = ["--kills", "3", "--submissions", "10", "--length", "9", "--keep", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, str(DEMO), *words], env=environment, capture_output=True, text=True, timeout=580
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{(tmp_path / 'server.log').read_text()}"
    assert done.stdout.count("kill -9, number") == 3
    assert "The totals add up" in done.stdout
