"""Compiled loops for instance normalization, ReLU and pooling without intermediate images.

Images have the shape (n, height, width, channels). Sums over the pixels of an image are taken in
the order of the pixels, separately for each channel.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, Number, compiled

__all__ = ["norm_backward", "norm_forward", "statistics"]


@compiled
def statistics(x: Array, eps: Number, mean: Array, factor: Array) -> None:
    """Write the mean and the inverse standard deviation of each channel of each image."""
    n_rows, height, width, channels = x.shape
    size = x.dtype.type(height * width)
    for row in range(n_rows):
        means, inverse_std = mean[row], factor[row]
        means[:] = 0
        inverse_std[:] = 0
        # 1. Compute the mean of each channel.
        for i in range(height):
            for j in range(width):
                pixel = x[row, i, j]
                for c in range(channels):
                    means[c] += pixel[c]
        for c in range(channels):
            means[c] /= size
        # 2. Compute the inverse standard deviation, in a second pass for accuracy.
        for i in range(height):
            for j in range(width):
                pixel = x[row, i, j]
                for c in range(channels):
                    deviation = pixel[c] - means[c]
                    inverse_std[c] += deviation * deviation
        for c in range(channels):
            inverse_std[c] = 1 / np.sqrt(inverse_std[c] / size + eps)


@compiled
def norm_forward(x: Array, weight: Array, bias: Array, mean: Array, factor: Array, result: Array) -> None:
    """Write the inputs after standardization, scale, shift, ReLU and 2x2 average pooling."""
    n_rows, height, width, channels = x.shape
    zero, quarter = x.dtype.type(0), x.dtype.type(0.25)
    scale = np.empty(channels, x.dtype)
    for row in range(n_rows):
        means = mean[row]
        for c in range(channels):
            scale[c] = weight[c] * factor[row, c]
        for i in range(height // 2):
            for j in range(width // 2):
                x0, x1 = x[row, 2 * i, 2 * j], x[row, 2 * i, 2 * j + 1]
                x2, x3 = x[row, 2 * i + 1, 2 * j], x[row, 2 * i + 1, 2 * j + 1]
                output = result[row, i, j]
                for c in range(channels):
                    y0 = (x0[c] - means[c]) * scale[c] + bias[c]
                    y1 = (x1[c] - means[c]) * scale[c] + bias[c]
                    y2 = (x2[c] - means[c]) * scale[c] + bias[c]
                    y3 = (x3[c] - means[c]) * scale[c] + bias[c]
                    output[c] = (max(y0, zero) + max(y1, zero) + max(y2, zero) + max(y3, zero)) * quarter


@compiled
def norm_backward(
    grad_pooled: Array,
    x: Array,
    weight: Array,
    bias: Array,
    mean: Array,
    factor: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """Write the gradient of the inputs, and add those of scale and shift to their arrays."""
    n_rows, height, width, channels = x.shape
    size = x.dtype.type(height * width)
    sums = np.empty((2, channels), x.dtype)
    for row in range(n_rows):
        grad_x[row, height // 2 * 2 :] = 0  # the pooling ignores an odd last row and column
        grad_x[row, :, width // 2 * 2 :] = 0
        # 1. Propagate back through pooling, ReLU, scale and shift, and sum up over the pixels.
        sums[:] = 0
        _grad_standardized(grad_pooled[row], x[row], weight, bias, mean[row], factor[row], grad_x[row], sums)
        first, second, means, inverse_std = sums[0], sums[1], mean[row], factor[row]
        # 2. The sums are the gradients of shift and scale; scale them for the next step.
        for c in range(channels):
            grad_bias[c] += first[c]
            grad_weight[c] += second[c]
            first[c] /= size
            second[c] *= inverse_std[c] / size
        # 3. Propagate back through the standardization, which depends on mean and variance.
        for i in range(height):
            for j in range(width):
                pixel, grad = x[row, i, j], grad_x[row, i, j]
                for c in range(channels):
                    grad[c] = weight[c] * inverse_std[c] * (grad[c] - first[c] - second[c] * (pixel[c] - means[c]))


@compiled
def _grad_standardized(
    grad_pooled: Array,
    x: Array,
    weight: Array,
    bias: Array,
    mean: Array,
    factor: Array,
    grad_scaled: Array,
    sums: Array,
) -> None:
    """Write the gradient of the scaled and shifted values of one image.

    Also add up that gradient, and its product with the standardized values, for each channel.
    """
    zero, quarter = x.dtype.type(0), x.dtype.type(0.25)
    first, second = sums[0], sums[1]
    for i in range(x.shape[0] // 2 * 2):
        for j in range(x.shape[1] // 2 * 2):
            grad_output, pixel, grad = grad_pooled[i // 2, j // 2], x[i, j], grad_scaled[i, j]
            for c in range(len(weight)):
                standard = (pixel[c] - mean[c]) * factor[c]
                value = zero if standard * weight[c] + bias[c] <= zero else grad_output[c] * quarter
                grad[c] = value
                first[c] += value
                second[c] += value * standard
