"""Sparse matrices of SciPy as rows: canonical form, and dense copies of some of the rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import psutil
from scipy.sparse import issparse

from distillkit.exceptions import NotEnoughMemoryError

__all__ = ["canonical", "dense_rows", "is_sparse", "mean_of_rows", "row_block", "size_in_bytes"]

_BLOCK_BYTES = 2**24
_CHECKED_BYTES = 2**28  # above which it is checked whether a dense copy fits into memory


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array of SciPy."""
    return bool(issparse(X))


def canonical(X: Any) -> Any:
    """Return a sparse matrix as CSR without duplicate entries; X itself is not changed."""
    rows = X.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def dense_rows(X: Any, rows: np.ndarray | slice | None = None) -> np.ndarray:
    """Return some rows, or all, as an array; a copy only where it is needed.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, ...)
    rows : ndarray of int, slice or None
        Positions; None means all rows.

    Raises
    ------
    NotEnoughMemoryError
        If rows of a sparse matrix do not fit into memory as an array.
    """
    part = X if rows is None else X[rows]
    if not is_sparse(part):
        return np.asarray(part)
    n_bytes = math.prod(part.shape) * part.dtype.itemsize
    if n_bytes > _CHECKED_BYTES and n_bytes > psutil.virtual_memory().available:
        raise NotEnoughMemoryError(
            f"a dense copy of {part.shape[0]} sparse rows of {part.shape[1]} columns needs {n_bytes / 2**30:.3g} GiB, "
            "more than is free: give fewer rows, or reduce the columns first, for example by TruncatedSVD of "
            "scikit-learn in front of the distiller (or as its feature_space)."
        )
    return np.asarray(part.toarray())


def row_block(X: Any) -> int:
    """Return the number of rows of a block whose dense copy is small."""
    return max(1, _BLOCK_BYTES // max(1, 8 * int(X.shape[1])))


def mean_of_rows(X: Any, weight: np.ndarray | None) -> np.ndarray:
    """Return the (weighted) mean of the rows of a sparse matrix, float64 of shape (d,)."""
    share = np.full(X.shape[0], 1 / X.shape[0]) if weight is None else weight / weight.sum()
    return np.asarray(X.T @ share, dtype=np.float64).ravel()


def size_in_bytes(X: Any) -> int:
    """Return the bytes that an array or a sparse matrix takes."""
    if not is_sparse(X):
        return int(X.nbytes)
    return int(X.data.nbytes) + int(X.indices.nbytes) + int(X.indptr.nbytes)
