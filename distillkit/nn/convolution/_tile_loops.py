"""Compiled loops of minimal filtering, which convert between images and transformed tiles.

The matrices of `_winograd_matrices` are written out here as sums, for interpolation points at zero,
plus and minus `a`, plus and minus `b`, and infinity. This saves the multiplications by zero, and
the passes through memory that matrix products would take. The two-dimensional transformation of a
tile consists of two passes of a one-dimensional one: first along the columns, into the array
`half`, and then along the rows.

Tiles have the shape (36, n * down * across, channels), for `down` times `across` tiles per image.
Images have the shape (n, height, width, channels), and are zero outside.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, Number, compiled

__all__ = ["add_inputs", "cut_gradients", "cut_inputs", "place_outputs"]

# Largest number of channels at a time. Between its two passes, a tile of them stays in the cache,
# and a constant stride lets the compiler generate better code.
_MOST = 128


@compiled
def _rows(
    a: Number, b: Number, d0: Number, d1: Number, d2: Number, d3: Number, d4: Number, d5: Number
) -> tuple[Number, ...]:
    """Multiply six values of an input tile by the matrix of the inputs (6, 6)."""
    a_square, b_square = a * a, b * b
    square_sum, square_product = a_square + b_square, a_square * b_square
    even, odd = d4 - b_square * d2, a * (d3 - b_square * d1)
    even_b, odd_b = d4 - a_square * d2, b * (d3 - a_square * d1)
    return (
        square_product * d0 - square_sum * d2 + d4,
        even + odd,
        even - odd,
        even_b + odd_b,
        even_b - odd_b,
        square_product * d1 - square_sum * d3 + d5,
    )


@compiled
def _rows_transposed(
    a: Number, b: Number, m0: Number, m1: Number, m2: Number, m3: Number, m4: Number, m5: Number
) -> tuple[Number, ...]:
    """Multiply six values by the transpose of the matrix of the inputs (6, 6)."""
    a_square, b_square = a * a, b * b
    square_sum, square_product = a_square + b_square, a_square * b_square
    even, odd, even_b, odd_b = m1 + m2, a * (m1 - m2), m3 + m4, b * (m3 - m4)
    return (
        square_product * m0,
        square_product * m5 - b_square * odd - a_square * odd_b,
        -square_sum * m0 - b_square * even - a_square * even_b,
        odd + odd_b - square_sum * m5,
        m0 + even + even_b,
        m5,
    )


@compiled
def _outputs(
    a: Number, b: Number, m0: Number, m1: Number, m2: Number, m3: Number, m4: Number, m5: Number
) -> tuple[Number, ...]:
    """Multiply six values by the matrix of the outputs (4, 6)."""
    even, odd, even_b, odd_b = m1 + m2, a * (m1 - m2), m3 + m4, b * (m3 - m4)
    return (
        m0 + even + even_b,
        odd + odd_b,
        a * a * even + b * b * even_b,
        a * a * odd + b * b * odd_b + m5,
    )


@compiled
def _outputs_transposed(a: Number, b: Number, y0: Number, y1: Number, y2: Number, y3: Number) -> tuple[Number, ...]:
    """Multiply four values by the transpose of the matrix of the outputs (4, 6)."""
    even, odd = y0 + a * a * y2, a * (y1 + a * a * y3)
    even_b, odd_b = y0 + b * b * y2, b * (y1 + b * b * y3)
    return y0, even + odd, even - odd, even_b + odd_b, even_b - odd_b, y3


@compiled
def _copy(image: Array, padded: Array, margin: int) -> None:
    """Copy an image into the interior of a larger one."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(image.shape[2]):
                padded[margin + i, margin + j, c] = image[i, j, c]


@compiled
def _copy_back(padded: Array, image: Array, margin: int) -> None:
    """Copy an image from the interior of a larger one."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(image.shape[2]):
                image[i, j, c] = padded[margin + i, margin + j, c]


@compiled
def cut_inputs(x: Array, down: int, across: int, a: Number, b: Number, tiles: Array) -> None:
    """Cut images into tiles of 6x6 pixels that overlap by two, and write the transformed tiles."""
    n_rows, channels = x.shape[0], x.shape[3]
    padded = np.zeros((4 * down + 2, 4 * across + 2, channels), x.dtype)
    half = np.empty((36, _MOST), x.dtype)
    tile = 0
    for row in range(n_rows):
        _copy(x[row], padded, 1)
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(6):
                        x0 = padded[4 * i, 4 * j + v, begin:end]
                        x1 = padded[4 * i + 1, 4 * j + v, begin:end]
                        x2 = padded[4 * i + 2, 4 * j + v, begin:end]
                        x3 = padded[4 * i + 3, 4 * j + v, begin:end]
                        x4 = padded[4 * i + 4, 4 * j + v, begin:end]
                        x5 = padded[4 * i + 5, 4 * j + v, begin:end]
                        for c in range(end - begin):
                            h = _rows(a, b, x0[c], x1[c], x2[c], x3[c], x4[c], x5[c])
                            (
                                half[v, c],
                                half[6 + v, c],
                                half[12 + v, c],
                                half[18 + v, c],
                                half[24 + v, c],
                                half[30 + v, c],
                            ) = h
                    for u in range(6):
                        _write(half, u, a, b, tiles, tile, begin, end)
                tile += 1


@compiled
def _write(half: Array, u: int, a: Number, b: Number, tiles: Array, tile: int, begin: int, end: int) -> None:
    """Do the second pass for one row of a tile of inputs."""
    k = 6 * u
    y0 = tiles[k, tile, begin:end]
    y1 = tiles[k + 1, tile, begin:end]
    y2 = tiles[k + 2, tile, begin:end]
    y3 = tiles[k + 3, tile, begin:end]
    y4 = tiles[k + 4, tile, begin:end]
    y5 = tiles[k + 5, tile, begin:end]
    for c in range(end - begin):
        y0[c], y1[c], y2[c], y3[c], y4[c], y5[c] = _rows(
            a, b, half[k, c], half[k + 1, c], half[k + 2, c], half[k + 3, c], half[k + 4, c], half[k + 5, c]
        )


@compiled
def cut_gradients(grad_output: Array, down: int, across: int, a: Number, b: Number, tiles: Array) -> None:
    """Cut gradients of the outputs into tiles of 4x4, and write the transformed tiles."""
    n_rows, height, width, channels = grad_output.shape
    even = height == 4 * down and width == 4 * across
    padded = np.zeros((4 * down, 4 * across, channels), grad_output.dtype)
    half = np.empty((24, _MOST), grad_output.dtype)
    tile = 0
    for row in range(n_rows):
        image = grad_output[row]
        if not even:
            _copy(image, padded, 0)
            image = padded
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(4):
                        x0 = image[4 * i, 4 * j + v, begin:end]
                        x1 = image[4 * i + 1, 4 * j + v, begin:end]
                        x2 = image[4 * i + 2, 4 * j + v, begin:end]
                        x3 = image[4 * i + 3, 4 * j + v, begin:end]
                        for c in range(end - begin):
                            h = _outputs_transposed(a, b, x0[c], x1[c], x2[c], x3[c])
                            (
                                half[v, c],
                                half[4 + v, c],
                                half[8 + v, c],
                                half[12 + v, c],
                                half[16 + v, c],
                                half[20 + v, c],
                            ) = h
                    for u in range(6):
                        k = 4 * u
                        y0 = tiles[6 * u, tile, begin:end]
                        y1 = tiles[6 * u + 1, tile, begin:end]
                        y2 = tiles[6 * u + 2, tile, begin:end]
                        y3 = tiles[6 * u + 3, tile, begin:end]
                        y4 = tiles[6 * u + 4, tile, begin:end]
                        y5 = tiles[6 * u + 5, tile, begin:end]
                        for c in range(end - begin):
                            y0[c], y1[c], y2[c], y3[c], y4[c], y5[c] = _outputs_transposed(
                                a, b, half[k, c], half[k + 1, c], half[k + 2, c], half[k + 3, c]
                            )
                tile += 1


@compiled
def place_outputs(tiles: Array, down: int, across: int, a: Number, b: Number, result: Array) -> None:
    """Transform products to tiles of 4x4 outputs, and write the images."""
    n_rows, height, width, channels = result.shape
    even = height == 4 * down and width == 4 * across
    padded = np.empty((4 * down, 4 * across, channels), result.dtype)
    half = np.empty((24, _MOST), result.dtype)
    tile = 0
    for row in range(n_rows):
        image = result[row] if even else padded
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(6):
                        m0 = tiles[v, tile, begin:end]
                        m1 = tiles[6 + v, tile, begin:end]
                        m2 = tiles[12 + v, tile, begin:end]
                        m3 = tiles[18 + v, tile, begin:end]
                        m4 = tiles[24 + v, tile, begin:end]
                        m5 = tiles[30 + v, tile, begin:end]
                        for c in range(end - begin):
                            h = _outputs(a, b, m0[c], m1[c], m2[c], m3[c], m4[c], m5[c])
                            half[v, c], half[6 + v, c], half[12 + v, c], half[18 + v, c] = h
                    for u in range(4):
                        k = 6 * u
                        y0 = image[4 * i + u, 4 * j, begin:end]
                        y1 = image[4 * i + u, 4 * j + 1, begin:end]
                        y2 = image[4 * i + u, 4 * j + 2, begin:end]
                        y3 = image[4 * i + u, 4 * j + 3, begin:end]
                        for c in range(end - begin):
                            y0[c], y1[c], y2[c], y3[c] = _outputs(
                                a,
                                b,
                                half[k, c],
                                half[k + 1, c],
                                half[k + 2, c],
                                half[k + 3, c],
                                half[k + 4, c],
                                half[k + 5, c],
                            )
                tile += 1
        if not even:
            _copy_back(image, result[row], 0)


@compiled
def add_inputs(tiles: Array, down: int, across: int, a: Number, b: Number, grad_x: Array) -> None:
    """Transform gradients to tiles of 6x6 inputs, and add them up to images where they overlap."""
    n_rows, channels = grad_x.shape[0], grad_x.shape[3]
    image = np.empty((4 * down + 2, 4 * across + 2, channels), grad_x.dtype)
    half = np.empty((36, _MOST), grad_x.dtype)
    tile = 0
    for row in range(n_rows):
        image[:] = 0
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(6):
                        m0 = tiles[v, tile, begin:end]
                        m1 = tiles[6 + v, tile, begin:end]
                        m2 = tiles[12 + v, tile, begin:end]
                        m3 = tiles[18 + v, tile, begin:end]
                        m4 = tiles[24 + v, tile, begin:end]
                        m5 = tiles[30 + v, tile, begin:end]
                        for c in range(end - begin):
                            h = _rows_transposed(a, b, m0[c], m1[c], m2[c], m3[c], m4[c], m5[c])
                            (
                                half[v, c],
                                half[6 + v, c],
                                half[12 + v, c],
                                half[18 + v, c],
                                half[24 + v, c],
                                half[30 + v, c],
                            ) = h
                    for u in range(6):
                        k = 6 * u
                        y0 = image[4 * i + u, 4 * j, begin:end]
                        y1 = image[4 * i + u, 4 * j + 1, begin:end]
                        y2 = image[4 * i + u, 4 * j + 2, begin:end]
                        y3 = image[4 * i + u, 4 * j + 3, begin:end]
                        y4 = image[4 * i + u, 4 * j + 4, begin:end]
                        y5 = image[4 * i + u, 4 * j + 5, begin:end]
                        for c in range(end - begin):
                            h0, h1, h2, h3, h4, h5 = _rows_transposed(
                                a,
                                b,
                                half[k, c],
                                half[k + 1, c],
                                half[k + 2, c],
                                half[k + 3, c],
                                half[k + 4, c],
                                half[k + 5, c],
                            )
                            y0[c] += h0
                            y1[c] += h1
                            y2[c] += h2
                            y3[c] += h3
                            y4[c] += h4
                            y5[c] += h5
                tile += 1
        _copy_back(image, grad_x[row], 1)
