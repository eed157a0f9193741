"""Compiled loops for convolution, ReLU and pooling of gray-scale images in one pass.

The four outputs that the pooling averages are computed together and are never stored. Shapes are
those of `_first_block`, with nine taps and the shift. The sum over so few taps must remain written
out inside the loop over channels: only there does the compiler unroll it and hold it in registers.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, compiled

__all__ = ["pooled_backward", "pooled_forward"]

_INNER = 10  # nine taps and the shift
_MOST = 128  # largest number of channels at a time


@compiled
def _read(patches: Array, row: int, place: int, patch: Array) -> None:
    """Copy the patches of the four outputs that are averaged at a place."""
    places = patches.shape[1] // 4
    for part in range(4):
        for k in range(_INNER):
            patch[part, k] = patches[row, part * places + place, k]


@compiled
def _take(kernel: Array, row: int, begin: int, end: int, weights: Array) -> None:
    """Copy some channels of the kernel of an image."""
    for k in range(_INNER):
        for c in range(begin, end):
            weights[k, c - begin] = kernel[row, k, c]


@compiled
def pooled_forward(patches: Array, kernel: Array, pooled: Array) -> None:
    """Write the pooled outputs: means of four products of patch and kernel after ReLU."""
    n_rows, places, channels = pooled.shape
    zero, quarter = patches.dtype.type(0), patches.dtype.type(0.25)
    patch, weights = np.empty((4, _INNER), patches.dtype), np.empty((_INNER, _MOST), patches.dtype)
    for row in range(n_rows):
        for begin in range(0, channels, _MOST):
            end = min(begin + _MOST, channels)
            _take(kernel, row, begin, end, weights)
            for place in range(places):
                _read(patches, row, place, patch)
                output = pooled[row, place, begin:end]
                for c in range(end - begin):
                    y0 = y1 = y2 = y3 = zero
                    for k in range(_INNER):
                        weight = weights[k, c]
                        y0 += patch[0, k] * weight
                        y1 += patch[1, k] * weight
                        y2 += patch[2, k] * weight
                        y3 += patch[3, k] * weight
                    output[c] = (max(y0, zero) + max(y1, zero) + max(y2, zero) + max(y3, zero)) * quarter


@compiled
def pooled_backward(grad_pooled: Array, patches: Array, kernel: Array, grad_kernel: Array) -> None:
    """Write the gradient of the kernels, given that of the pooled outputs."""
    n_rows, places, channels = grad_pooled.shape
    zero, quarter = patches.dtype.type(0), patches.dtype.type(0.25)
    patch = np.empty((4, _INNER), patches.dtype)
    weights, total = np.empty((_INNER, _MOST), patches.dtype), np.empty((_INNER, _MOST), patches.dtype)
    for row in range(n_rows):
        for begin in range(0, channels, _MOST):
            end = min(begin + _MOST, channels)
            _take(kernel, row, begin, end, weights)
            total[:] = 0
            for place in range(places):
                _read(patches, row, place, patch)
                grad_output = grad_pooled[row, place, begin:end]
                for c in range(end - begin):
                    y0 = y1 = y2 = y3 = zero
                    for k in range(_INNER):
                        weight = weights[k, c]
                        y0 += patch[0, k] * weight
                        y1 += patch[1, k] * weight
                        y2 += patch[2, k] * weight
                        y3 += patch[3, k] * weight
                    value = grad_output[c] * quarter
                    y0 = zero if y0 <= zero else value
                    y1 = zero if y1 <= zero else value
                    y2 = zero if y2 <= zero else value
                    y3 = zero if y3 <= zero else value
                    for k in range(_INNER):
                        total[k, c] += patch[0, k] * y0 + patch[1, k] * y1 + patch[2, k] * y2 + patch[3, k] * y3
            for k in range(_INNER):
                for c in range(begin, end):
                    grad_kernel[row, k, c] = total[k, c - begin]
