"""Real data, where there is any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_data():
    """Return a function that gives a file of the data folder, or skips the test with the reason."""

    def find(name):
        root = os.environ.get("DISTILLKIT_DATA")
        if not root:
            pytest.skip("real data: DISTILLKIT_DATA is not set")
        path = Path(root) / name
        if not path.exists():
            pytest.skip(f"real data: {path} is not there")
        return path

    return find
