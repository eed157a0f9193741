"""Data for the tests of the automatic choice."""

import numpy as np
import pytest


@pytest.fixture(scope="package")
def islands():
    """Return 900 rows of three classes, each of eight clusters of very different sizes.

    Random rows miss the small clusters, which k-means finds, so that the choice is not close.
    """
    rng = np.random.default_rng(0)
    sizes = np.array([120, 60, 40, 30, 20, 15, 10, 5])
    centers = rng.uniform(-60, 60, size=(3, len(sizes), 6))
    rows = [
        rng.normal(center, 1.0, size=(size, 6)) for label in centers for center, size in zip(label, sizes, strict=True)
    ]
    return np.concatenate(rows), np.repeat(np.array(["a", "b", "c"]), sizes.sum())
