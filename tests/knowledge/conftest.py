from __future__ import annotations

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from distillkit.utils import _cpu_time


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On a few rows, threads wait for each other far longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def short_latencies(monkeypatch):
    """Time a single call per sample: a reliable latency takes ten times as long as the fit itself."""
    monkeypatch.setattr(_cpu_time, "_SAMPLE", 1e-6)
    monkeypatch.setattr(_cpu_time, "_TRIALS", 1)


@pytest.fixture
def table():
    """150 rows of three overlapping classes, labels as text."""
    rng = np.random.default_rng(0)
    codes = np.arange(150) % 3
    return rng.normal(size=(150, 4)) + 2 * np.eye(3, 4)[codes], np.array(["ant", "bee", "cow"])[codes]


@pytest.fixture
def numbers():
    """120 rows with a noisy curved target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    return X, X[:, 0] ** 2 + X[:, 1] + 0.1 * rng.normal(size=120)


@pytest.fixture
def images():
    """40 images of 8x8 with a bright left or right half, labels 3 and 7."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(40) % 2, 7, 3)
    X = rng.random((40, 1, 8, 8)).astype(np.float32)
    X[y == 3, :, :, :4] += 1
    X[y == 7, :, :, 4:] += 1
    return X, y
