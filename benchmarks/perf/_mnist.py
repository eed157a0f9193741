"""Loads MNIST and measures wall-clock time for the other scripts in this folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.datasets import load_dataset
from distillkit.exceptions import DatasetNotFoundError


def mnist(rows: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    """Return the first training images of MNIST and their labels; exit if MNIST is not on disk.

    The images are float32 in [0, 1], of shape (rows, 784).
    """
    try:
        data = load_dataset("mnist")
    except DatasetNotFoundError as exc:
        sys.exit(f"this script needs MNIST: {exc}")
    X = data.X_train[:rows]
    scale = 255 if X.dtype == np.uint8 else 1
    return X.reshape(len(X), -1).astype(np.float32) / np.float32(scale), data.y_train[:rows]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall-clock seconds of a call and its return value."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result
