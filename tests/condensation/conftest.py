from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def images():
    """Two classes of 8x8 images, a bright left or a bright right half, in [0, 255] and noisy."""
    rng = np.random.RandomState(0)
    y = np.repeat([3, 7], 30)
    X = rng.uniform(0, 80, size=(60, 1, 8, 8))
    X[:30, :, :, :4] += 150
    X[30:, :, :, 4:] += 150
    return X.astype(np.float32), y


@pytest.fixture
def table():
    """Three classes of rows in five columns of different units."""
    rng = np.random.RandomState(1)
    centres = rng.normal(size=(3, 5)) * 2
    y = np.array(["a", "b", "c"])[np.arange(90) % 3]
    return (centres[np.arange(90) % 3] + rng.normal(size=(90, 5))) * [1, 10, 100, 0.1, 1] + 5, y


@pytest.fixture
def numbers():
    """A continuous target that three columns tell almost exactly."""
    rng = np.random.RandomState(2)
    X = rng.normal(size=(80, 3))
    return X, X @ [30.0, -20.0, 10.0] + 150 + rng.normal(size=80)
