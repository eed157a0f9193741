from __future__ import annotations

import pytest
import torch  # noqa: F401 (loaded here, so that the limit below reaches its threads)
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Limit every library to one thread: on few rows, threads wait for each other most of the time."""
    with threadpool_limits(1):
        yield
