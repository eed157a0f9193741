"""Compiled loops of instance norm, ReLU and pooling: nothing of an image's size is written but the result.

Images are (n, height, width, channels). Sums go channel by channel over an image's places, one after another.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, Number, compiled

__all__ = ["norm_backward", "norm_forward", "statistics"]


@compiled
def statistics(x: Array, eps: Number, mean: Array, factor: Array) -> None:
    """Write each channel's mean in each image, and one over its standard deviation."""
    n_rows, height, width, channels = x.shape
    size = x.dtype.type(height * width)
    for row in range(n_rows):
        own, spread = mean[row], factor[row]
        own[:] = 0
        spread[:] = 0
        for i in range(height):
            for j in range(width):
                place = x[row, i, j]
                for c in range(channels):
                    own[c] += place[c]
        for c in range(channels):
            own[c] /= size
        for i in range(height):
            for j in range(width):
                place = x[row, i, j]
                for c in range(channels):
                    away = place[c] - own[c]
                    spread[c] += away * away
        for c in range(channels):
            spread[c] = 1 / np.sqrt(spread[c] / size + eps)


@compiled
def norm_forward(x: Array, weight: Array, bias: Array, mean: Array, factor: Array, result: Array) -> None:
    """Write what is standardized, scaled, shifted, cut below zero and averaged over 2x2."""
    n_rows, height, width, channels = x.shape
    zero, quarter = x.dtype.type(0), x.dtype.type(0.25)
    scale = np.empty(channels, x.dtype)
    for row in range(n_rows):
        own = mean[row]
        for c in range(channels):
            scale[c] = weight[c] * factor[row, c]
        for i in range(height // 2):
            for j in range(width // 2):
                x0, x1 = x[row, 2 * i, 2 * j], x[row, 2 * i, 2 * j + 1]
                x2, x3 = x[row, 2 * i + 1, 2 * j], x[row, 2 * i + 1, 2 * j + 1]
                to = result[row, i, j]
                for c in range(channels):
                    y0 = (x0[c] - own[c]) * scale[c] + bias[c]
                    y1 = (x1[c] - own[c]) * scale[c] + bias[c]
                    y2 = (x2[c] - own[c]) * scale[c] + bias[c]
                    y3 = (x3[c] - own[c]) * scale[c] + bias[c]
                    to[c] = (max(y0, zero) + max(y1, zero) + max(y2, zero) + max(y3, zero)) * quarter


@compiled
def norm_backward(
    given: Array,
    x: Array,
    weight: Array,
    bias: Array,
    mean: Array,
    factor: Array,
    of_x: Array,
    of_weight: Array,
    of_bias: Array,
) -> None:
    """Write the gradient of the inputs; add those of scale and shift to what stands there."""
    n_rows, height, width, channels = x.shape
    size = x.dtype.type(height * width)
    sums = np.empty((2, channels), x.dtype)
    for row in range(n_rows):
        of_x[row, height // 2 * 2 :] = 0  # left out by the pooling
        of_x[row, :, width // 2 * 2 :] = 0
        sums[:] = 0
        _of_standardized(given[row], x[row], weight, bias, mean[row], factor[row], of_x[row], sums)
        first, second, own, spread = sums[0], sums[1], mean[row], factor[row]
        for c in range(channels):
            of_bias[c] += first[c]
            of_weight[c] += second[c]
            first[c] /= size
            second[c] *= spread[c] / size
        for i in range(height):
            for j in range(width):
                place, to = x[row, i, j], of_x[row, i, j]
                for c in range(channels):
                    to[c] = weight[c] * spread[c] * (to[c] - first[c] - second[c] * (place[c] - own[c]))


@compiled
def _of_standardized(
    given: Array, x: Array, weight: Array, bias: Array, mean: Array, factor: Array, outer: Array, sums: Array
) -> None:
    """Write what reaches the scaled and shifted values of one image; add up that, and its product with the standardized ones."""
    zero, quarter = x.dtype.type(0), x.dtype.type(0.25)
    first, second = sums[0], sums[1]
    for i in range(x.shape[0] // 2 * 2):
        for j in range(x.shape[1] // 2 * 2):
            back, place, to = given[i // 2, j // 2], x[i, j], outer[i, j]
            for c in range(len(weight)):
                standard = (place[c] - mean[c]) * factor[c]
                value = zero if standard * weight[c] + bias[c] <= zero else back[c] * quarter
                to[c] = value
                first[c] += value
                second[c] += value * standard
