"""Real MNIST for the scripts beside this file, and the clock they share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.datasets import load_dataset
from distillkit.exceptions import DatasetNotFoundError


def mnist(rows: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    """Return the first training images as float32 rows in [0, 1], (rows, 784), and their labels; exit without them."""
    try:
        data = load_dataset("mnist")
    except DatasetNotFoundError as exc:
        sys.exit(f"this script measures on real MNIST: {exc}")
    X = data.X_train[:rows]
    scale = 255 if X.dtype == np.uint8 else 1
    return X.reshape(len(X), -1).astype(np.float32) / np.float32(scale), data.y_train[:rows]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall-clock seconds of a call and what it returned."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
