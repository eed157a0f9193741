"""Rows shared by the tests of coresets."""

from __future__ import annotations

import faiss  # noqa: F401 (loaded here, so that the limit below reaches its threads)
import numpy as np
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads that wait for each other on a busy machine make small tests many times slower."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def table():
    """Return 300 rows of three classes of unequal size, in mixed order."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], [180, 90, 30]))
    return rng.normal(size=(300, 5)) + 3 * y[:, None], y


@pytest.fixture
def numbers():
    """Return 200 rows with a continuous target."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 4))
    return X, X @ np.array([3.0, -2.0, 1.0, 0.0]) + rng.normal(size=200)
