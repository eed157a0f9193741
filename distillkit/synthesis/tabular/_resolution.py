"""The step of which all numbers of a column are multiples."""

from __future__ import annotations

import numpy as np

__all__ = ["resolution_of", "to_multiples"]

_STEPS = (1000.0, 500.0, 100.0, 50.0, 10.0, 5.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001)


def resolution_of(numbers: np.ndarray) -> float:
    """Return the largest usual step, from 1000 to 0.0001, of which all numbers are multiples, or 0.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Finite numbers.
    """
    largest = float(np.abs(numbers).max(initial=0.0))
    for step in _STEPS:
        if largest / step > 2**40:  # beyond it, rounding errors look like decimals
            return 0.0
        if _is_multiple(numbers[:200], step) and _is_multiple(numbers, step):
            return step if largest > 0 else 1.0
    return 0.0


def to_multiples(numbers: np.ndarray, step: float) -> np.ndarray:
    """Return the nearest multiples of a step, as the floats that their decimals denote."""
    per_unit = np.rint(1 / step)
    multiples: np.ndarray = np.rint(numbers / step) * step if step >= 1 else np.rint(numbers * per_unit) / per_unit
    return multiples


def _is_multiple(numbers: np.ndarray, step: float) -> bool:
    scaled = numbers / step
    return bool(np.abs(scaled - np.rint(scaled)).max(initial=0.0) < 1e-6)
