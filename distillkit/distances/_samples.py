"""Validation and subsampling of weighted samples, which all distances share."""

from __future__ import annotations

import hashlib
import math
import warnings
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.utils._containers import plain_array

__all__ = [
    "NotFiniteError",
    "as_floats",
    "check_pair",
    "check_rows",
    "normalized_weight",
    "subsample",
    "value_above_rounding",
]

_EXACT_INTEGERS = 2**53  # float64 represents all integers up to this size
_EQUAL_WEIGHTS = 1e-12  # difference of two weights of sum 1 that is rounding
_BLOCK_ROWS = 4096  # number of rows converted to float64 at a time to compute their keys


class NotFiniteError(DataError, FloatingPointError):
    """Values that are NaN or infinite.

    Training loops catch FloatingPointError, keep their best finite state and stop.
    """


def check_pair(
    X: Any, Y: Any, x_weight: Any = None, y_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Validate two weighted samples and normalize their weights.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Weights of the rows; None gives equal weights.

    Returns
    -------
    X, Y, a, b : ndarray
        The rows in float32 or float64, and the weights in float64, scaled to sum to 1.

    Raises
    ------
    DataError
        If a sample is empty, not two-dimensional or not finite, if the two numbers of features
        differ, or if the weights cannot be used.
    """
    X, Y = check_rows(X, "X"), check_rows(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise DataError(
            f"X has {X.shape[1]} features, but Y has {Y.shape[1]}: give both samples with the same features."
        )
    return X, Y, normalized_weight(x_weight, len(X), "x_weight"), normalized_weight(y_weight, len(Y), "y_weight")


def as_floats(values: Any, name: str = "X") -> np.ndarray:
    """Return values as an array in float32 or float64, before any arithmetic.

    All other types of numbers (booleans, integers and half precision) become float64: their own
    arithmetic would wrap around, overflow or lose digits. Tensors of torch are accepted, too.

    Raises
    ------
    DataError
        If the values are not real numbers, or if they are integers beyond 2**53.
    """
    if hasattr(values, "detach"):  # a tensor of torch, which need not be imported for this
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    array: np.ndarray = np.asarray(plain_array(values, name))
    if array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.kind not in "biufO":
        raise DataError(f"{name} holds values of type {array.dtype}: give real numbers.")
    long_integers = array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size > 0
    if long_integers and max(int(array.max()), -int(array.min())) > _EXACT_INTEGERS:
        raise DataError(
            f"{name} holds integers beyond 2**53, which float64 cannot tell apart: "
            "subtract a common offset, or give floats."
        )
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise DataError(f"{name} holds values that are not numbers: give real numbers.") from exc


def check_rows(rows: Any, name: str) -> np.ndarray:
    """Return rows as a finite array of shape (n, d) in float32 or float64."""
    rows = as_floats(rows, name)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(
            f"{name} has shape {rows.shape}: give at least one row, in shape (n, d); flatten images and series."
        )
    if not np.isfinite(rows).all():
        raise NotFiniteError(
            f"{name} holds NaN or infinite values: drop or fill these rows, since distances need finite values."
        )
    return np.asarray(rows)


def normalized_weight(weight: Any, n_rows: int, name: str = "weight") -> np.ndarray:
    """Return weights scaled to sum to 1; None gives equal weights.

    Raises
    ------
    DataError
        If there is not one weight per row, if any weight is negative or not finite, or if all are
        zero.
    """
    if weight is None:
        return np.full(n_rows, 1.0 / n_rows)
    weight = np.asarray(as_floats(weight, name), dtype=np.float64)
    if weight.shape != (n_rows,):
        raise DataError(f"{name} has shape {weight.shape}, but there are {n_rows} rows: give one weight per row.")
    if not np.isfinite(weight).all() or (weight < 0).any() or not (weight > 0).any():
        raise DataError(
            f"{name} must be finite, without negative values and not all zero; it lies between "
            f"{weight.min()} and {weight.max()}."
        )
    # Scale by a power of two, so that the sum cannot overflow, and sum exactly, so that the result
    # does not depend on the order of the rows.
    weight = np.ldexp(weight, -int(np.frexp(weight.max())[1]))
    return np.asarray(weight / math.fsum(weight))


def value_above_rounding(
    value: float, error: float, X: np.ndarray, a: np.ndarray, Y: np.ndarray, b: np.ndarray, remedy: str
) -> float:
    """Return a distance, 0 for equal samples, with a warning if rounding hides it for others.

    Parameters
    ----------
    value, error : float
        The distance as computed, and a bound of its absolute rounding error.
    X, Y : ndarray of shape (n, d) and (m, d)
    a, b : ndarray of shape (n,) and (m,)
        Weights of the rows, each of sum 1.
    remedy : str
        End of the message.

    Warns
    -----
    DistillkitWarning
        If the value is smaller than its rounding error, although the samples differ.
    """
    if value > error:
        return value
    rows, number = np.unique(np.concatenate([X, Y]), axis=0, return_inverse=True)
    surplus = np.bincount(number.ravel(), weights=np.concatenate([a, -b]), minlength=len(rows))
    if np.abs(surplus).max() < _EQUAL_WEIGHTS:
        return 0.0
    warnings.warn(
        f"the samples differ, but by less than what rounding leaves of their distance, about {error:.1g}: {remedy}.",
        DistillkitWarning,
        stacklevel=3,
    )
    return value


def subsample(
    rows: np.ndarray, weight: np.ndarray, max_rows: int, seed: int, purpose: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `max_rows` rows without replacement if there are more, and renormalize their weights.

    Each row gets a pseudo-random key that depends only on its values, on the seed and on how many
    equal rows precede it, and the rows with the smallest keys are drawn. Each row is therefore
    drawn with the same probability, the order of the rows does not matter, and a row that two
    samples share tends to be drawn from both. In particular, samples that consist of the same rows
    remain equal. Rows of zero weight are not drawn.

    A second draw from rows that were already drawn needs another `purpose`, which makes its keys
    independent of those of the first draw.

    Raises
    ------
    DataError
        If `max_rows` is not positive.
    """
    if max_rows < 1:
        raise DataError(f"max_rows={max_rows} must be at least 1.")
    if len(rows) <= max_rows:
        return rows, weight
    candidates = np.flatnonzero(weight > 0)
    if len(candidates) > max_rows:
        keys = row_keys(rows, weight, f"{purpose}{int(seed)}")[candidates]
        smallest = np.argpartition(keys, max_rows)[:max_rows]
        candidates = candidates[smallest[np.argsort(keys[smallest], kind="stable")]]
    return rows[candidates], normalized_weight(weight[candidates], len(candidates))


def row_keys(rows: np.ndarray, weight: np.ndarray, salt: str) -> np.ndarray:
    """Compute a pseudo-random uint64 key for each row; copies of a row get different keys."""
    # 1. Hash the values of each row, in float64 so that float32 copies get the same hash. Adding 0
    #    turns -0.0 into 0.0.
    digests = bytearray()
    for begin in range(0, len(rows), _BLOCK_ROWS):
        block = np.ascontiguousarray(rows[begin : begin + _BLOCK_ROWS], dtype=np.float64) + 0.0
        for row in block:
            digests += hashlib.blake2b(row.data, digest_size=8, key=salt.encode()[:64]).digest()
    hashes = np.frombuffer(bytes(digests), dtype="<u8").astype(np.uint64)
    # 2. Number the copies of each row, in the order of their weights, from 0.
    order = np.lexsort((weight, hashes))
    ordered = hashes[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    copies = np.arange(len(rows)) - np.repeat(begins, np.diff(np.append(begins, len(rows))))
    # 3. Mix the numbers into the hashes (the finalizer of splitmix64, modulo 2**64).
    keys = ordered + copies.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = np.empty(len(rows), dtype=np.uint64)
    mixed[order] = keys ^ (keys >> np.uint64(31))
    return mixed
