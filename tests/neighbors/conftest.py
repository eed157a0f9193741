"""Rows and stand-ins shared by the tests of neighbours."""

from __future__ import annotations

import sys

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
def no_faiss(monkeypatch):
    """Make ``import faiss`` fail, as where it is not installed."""
    monkeypatch.setitem(sys.modules, "faiss", None)


@pytest.fixture
def blobs():
    """Return 900 rows around 9 well-separated centres, and which centre each belongs to."""
    rng = np.random.default_rng(0)
    centres = np.array([[20.0 * i, 20.0 * j, 0.0] for i in range(3) for j in range(3)])
    label = np.repeat(np.arange(9), 100)
    return centres[label] + rng.normal(size=(900, 3)), label
