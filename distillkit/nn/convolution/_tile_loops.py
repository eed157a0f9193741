"""Compiled loops of minimal filtering: cut images into tiles and transform them, transform tiles and put them together.

What `_winograd_matrices` says as matrices stands here as sums, for points at zero, plus and minus `a`, plus and minus `b`, and infinity, and
without the multiplications by zero and the passes through memory that products of matrices would take: a fifth of the time.
Tiles are (36, n * down * across, channels); images (n, height, width, channels), with zeros outside.
"""

from __future__ import annotations

import numpy as np

from distillkit.nn.runtime._compiled import Array, Number, compiled

__all__ = ["add_inputs", "cut_gradients", "cut_inputs", "place_outputs"]

_MOST = (
    128  # channels at a time: between two steps, a tile of them stays in the cache; the compiler is to know the stride
)


@compiled
def _rows(
    a: Number, b: Number, d0: Number, d1: Number, d2: Number, d3: Number, d4: Number, d5: Number
) -> tuple[Number, ...]:
    """Multiply by the matrix of the inputs, from six to six."""
    first, second = a * a, b * b
    both, product = first + second, first * second
    even, odd = d4 - second * d2, a * (d3 - second * d1)
    even_b, odd_b = d4 - first * d2, b * (d3 - first * d1)
    return (
        product * d0 - both * d2 + d4,
        even + odd,
        even - odd,
        even_b + odd_b,
        even_b - odd_b,
        product * d1 - both * d3 + d5,
    )


@compiled
def _rows_transposed(
    a: Number, b: Number, m0: Number, m1: Number, m2: Number, m3: Number, m4: Number, m5: Number
) -> tuple[Number, ...]:
    """Multiply by the transpose of that, from six to six."""
    first, second = a * a, b * b
    both, product = first + second, first * second
    even, odd, even_b, odd_b = m1 + m2, a * (m1 - m2), m3 + m4, b * (m3 - m4)
    return (
        product * m0,
        product * m5 - second * odd - first * odd_b,
        -both * m0 - second * even - first * even_b,
        odd + odd_b - both * m5,
        m0 + even + even_b,
        m5,
    )


@compiled
def _outputs(
    a: Number, b: Number, m0: Number, m1: Number, m2: Number, m3: Number, m4: Number, m5: Number
) -> tuple[Number, ...]:
    """Multiply by the matrix of the outputs, from six to four."""
    even, odd, even_b, odd_b = m1 + m2, a * (m1 - m2), m3 + m4, b * (m3 - m4)
    return (
        m0 + even + even_b,
        odd + odd_b,
        a * a * even + b * b * even_b,
        a * a * odd + b * b * odd_b + m5,
    )


@compiled
def _outputs_transposed(a: Number, b: Number, y0: Number, y1: Number, y2: Number, y3: Number) -> tuple[Number, ...]:
    """Multiply by the transpose of that, from four to six."""
    even, odd = y0 + a * a * y2, a * (y1 + a * a * y3)
    even_b, odd_b = y0 + b * b * y2, b * (y1 + b * b * y3)
    return y0, even + odd, even - odd, even_b + odd_b, even_b - odd_b, y3


@compiled
def _copy(image: Array, padded: Array, margin: int) -> None:
    """Write an image into a larger one."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(image.shape[2]):
                padded[margin + i, margin + j, c] = image[i, j, c]


@compiled
def _copy_back(padded: Array, image: Array, margin: int) -> None:
    """Write an image from a larger one."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for c in range(image.shape[2]):
                image[i, j, c] = padded[margin + i, margin + j, c]


@compiled
def cut_inputs(x: Array, down: int, across: int, a: Number, b: Number, tiles: Array) -> None:
    """Write tiles of 6x6 inputs, which overlap by two, transformed."""
    n_rows, channels = x.shape[0], x.shape[3]
    padded = np.zeros((4 * down + 2, 4 * across + 2, channels), x.dtype)
    half = np.empty((36, _MOST), x.dtype)
    place = 0
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
                        _write(half, u, a, b, tiles, place, begin, end)
                place += 1


@compiled
def _write(half: Array, u: int, a: Number, b: Number, tiles: Array, place: int, begin: int, end: int) -> None:
    """Finish a row of a tile of inputs."""
    k = 6 * u
    y0 = tiles[k, place, begin:end]
    y1 = tiles[k + 1, place, begin:end]
    y2 = tiles[k + 2, place, begin:end]
    y3 = tiles[k + 3, place, begin:end]
    y4 = tiles[k + 4, place, begin:end]
    y5 = tiles[k + 5, place, begin:end]
    for c in range(end - begin):
        y0[c], y1[c], y2[c], y3[c], y4[c], y5[c] = _rows(
            a, b, half[k, c], half[k + 1, c], half[k + 2, c], half[k + 3, c], half[k + 4, c], half[k + 5, c]
        )


@compiled
def cut_gradients(given: Array, down: int, across: int, a: Number, b: Number, tiles: Array) -> None:
    """Write tiles of 4x4 gradients of outputs, transformed."""
    n_rows, height, width, channels = given.shape
    even = height == 4 * down and width == 4 * across
    padded = np.zeros((4 * down, 4 * across, channels), given.dtype)
    half = np.empty((24, _MOST), given.dtype)
    place = 0
    for row in range(n_rows):
        image = given[row]
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
                        y0 = tiles[6 * u, place, begin:end]
                        y1 = tiles[6 * u + 1, place, begin:end]
                        y2 = tiles[6 * u + 2, place, begin:end]
                        y3 = tiles[6 * u + 3, place, begin:end]
                        y4 = tiles[6 * u + 4, place, begin:end]
                        y5 = tiles[6 * u + 5, place, begin:end]
                        for c in range(end - begin):
                            y0[c], y1[c], y2[c], y3[c], y4[c], y5[c] = _outputs_transposed(
                                a, b, half[k, c], half[k + 1, c], half[k + 2, c], half[k + 3, c]
                            )
                place += 1


@compiled
def place_outputs(tiles: Array, down: int, across: int, a: Number, b: Number, result: Array) -> None:
    """Write images of the outputs of transformed tiles."""
    n_rows, height, width, channels = result.shape
    even = height == 4 * down and width == 4 * across
    padded = np.empty((4 * down, 4 * across, channels), result.dtype)
    half = np.empty((24, _MOST), result.dtype)
    place = 0
    for row in range(n_rows):
        image = result[row] if even else padded
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(6):
                        m0 = tiles[v, place, begin:end]
                        m1 = tiles[6 + v, place, begin:end]
                        m2 = tiles[12 + v, place, begin:end]
                        m3 = tiles[18 + v, place, begin:end]
                        m4 = tiles[24 + v, place, begin:end]
                        m5 = tiles[30 + v, place, begin:end]
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
                place += 1
        if not even:
            _copy_back(image, result[row], 0)


@compiled
def add_inputs(tiles: Array, down: int, across: int, a: Number, b: Number, of_x: Array) -> None:
    """Write images of the gradients of inputs: tiles of 6x6, transformed back, and added up where they overlap."""
    n_rows, channels = of_x.shape[0], of_x.shape[3]
    image = np.empty((4 * down + 2, 4 * across + 2, channels), of_x.dtype)
    half = np.empty((36, _MOST), of_x.dtype)
    place = 0
    for row in range(n_rows):
        image[:] = 0
        for i in range(down):
            for j in range(across):
                for begin in range(0, channels, _MOST):
                    end = min(begin + _MOST, channels)
                    for v in range(6):
                        m0 = tiles[v, place, begin:end]
                        m1 = tiles[6 + v, place, begin:end]
                        m2 = tiles[12 + v, place, begin:end]
                        m3 = tiles[18 + v, place, begin:end]
                        m4 = tiles[24 + v, place, begin:end]
                        m5 = tiles[30 + v, place, begin:end]
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
                place += 1
        _copy_back(image, of_x[row], 1)
