"""Fits with networks leave neither memory nor threads, descriptors or temporary folders behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "robustness" / "soak.py"


@pytest.mark.timeout(300)
@pytest.mark.skipif(not SCRIPT.exists(), reason="the scripts are part of a checkout, not of an archive")
def test_thirty_fits_leave_nothing_behind():
    command = [sys.executable, str(SCRIPT), "--warm-up", "16", "--fits", "30", "--data", "table"]
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("Usage(") == 2
