from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    """As in the harness: on a few rows, threads wait for each other far longer than they work."""
    with threadpool_limits(1):
        yield
