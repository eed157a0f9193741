"""Compiled loops of a block on grey images: what outputs see times a kernel, ReLU and pooling, in one step.

Four outputs that a pooling joins are computed together, and never written anywhere. Shapes are those of `_first_block`, with nine taps and
the shift: for so few the compiler unrolls their sum, and keeps it in registers, as long as it stands in the loop over channels itself.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, compiled

__all__ = ["pooled_backward", "pooled_forward"]

_INNER = 10
_MOST = 128  # channels at a time


@compiled
def _read(seen: Array, row: int, place: int, own: Array) -> None:
    """Copy what the four outputs of a place see."""
    places = seen.shape[1] // 4
    for part in range(4):
        for k in range(_INNER):
            own[part, k] = seen[row, part * places + place, k]


@compiled
def _take(kernel: Array, row: int, begin: int, end: int, weights: Array) -> None:
    """Copy some channels of an image's kernel."""
    for k in range(_INNER):
        for c in range(begin, end):
            weights[k, c - begin] = kernel[row, k, c]


@compiled
def pooled_forward(seen: Array, kernel: Array, pooled: Array) -> None:
    """Write the means of four outputs cut below zero."""
    n_rows, places, channels = pooled.shape
    zero, quarter = seen.dtype.type(0), seen.dtype.type(0.25)
    own, weights = np.empty((4, _INNER), seen.dtype), np.empty((_INNER, _MOST), seen.dtype)
    for row in range(n_rows):
        for begin in range(0, channels, _MOST):
            end = min(begin + _MOST, channels)
            _take(kernel, row, begin, end, weights)
            for place in range(places):
                _read(seen, row, place, own)
                to = pooled[row, place, begin:end]
                for c in range(end - begin):
                    y0 = y1 = y2 = y3 = zero
                    for k in range(_INNER):
                        weight = weights[k, c]
                        y0 += own[0, k] * weight
                        y1 += own[1, k] * weight
                        y2 += own[2, k] * weight
                        y3 += own[3, k] * weight
                    to[c] = (max(y0, zero) + max(y1, zero) + max(y2, zero) + max(y3, zero)) * quarter


@compiled
def pooled_backward(given: Array, seen: Array, kernel: Array, of_kernel: Array) -> None:
    """Write the gradient of the kernels."""
    n_rows, places, channels = given.shape
    zero, quarter = seen.dtype.type(0), seen.dtype.type(0.25)
    own = np.empty((4, _INNER), seen.dtype)
    weights, total = np.empty((_INNER, _MOST), seen.dtype), np.empty((_INNER, _MOST), seen.dtype)
    for row in range(n_rows):
        for begin in range(0, channels, _MOST):
            end = min(begin + _MOST, channels)
            _take(kernel, row, begin, end, weights)
            total[:] = 0
            for place in range(places):
                _read(seen, row, place, own)
                back = given[row, place, begin:end]
                for c in range(end - begin):
                    y0 = y1 = y2 = y3 = zero
                    for k in range(_INNER):
                        weight = weights[k, c]
                        y0 += own[0, k] * weight
                        y1 += own[1, k] * weight
                        y2 += own[2, k] * weight
                        y3 += own[3, k] * weight
                    value = back[c] * quarter
                    y0 = zero if y0 <= zero else value
                    y1 = zero if y1 <= zero else value
                    y2 = zero if y2 <= zero else value
                    y3 = zero if y3 <= zero else value
                    for k in range(_INNER):
                        total[k, c] += own[0, k] * y0 + own[1, k] * y1 + own[2, k] * y2 + own[3, k] * y3
            for k in range(_INNER):
                for c in range(begin, end):
                    of_kernel[row, k, c] = total[k, c - begin]
