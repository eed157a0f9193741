"""The one place that imports faiss, and what rows need before float32 arithmetic."""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import warnings
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors._threads import block_threads

__all__ = ["BLOCK_BYTES", "as_rows", "gpu_of", "gpu_wanted", "load_faiss", "origin_and_scale", "to_float32"]

BLOCK_BYTES = 2**20
"""Size of the temporary arrays made while walking over rows in blocks: what stays in a core's own cache."""

_LARGEST = 1e150


def load_faiss(*, needed: bool = True) -> Any | None:
    """Import faiss.

    Imported here and nowhere else, on first use: it brings its own OpenMP, which must not be loaded by
    ``import distillkit`` (on macOS it clashes with the one of torch).

    Parameters
    ----------
    needed : bool
        False where little is lost without it, and so nothing is to be warned of.

    Returns
    -------
    module or None
        None, with a `DistillkitWarning` that says why, where faiss cannot be imported or is older than 1.14, the
        first version that this package is tested with.
    """
    try:
        faiss = importlib.import_module("faiss")
    except (ImportError, OSError, AttributeError) as exc:  # two wheels in one folder can fail in any of these ways
        reason = f"{type(exc).__name__}: {exc}"
    else:
        if hasattr(faiss, "ClusteringInitMethod_KMEANS_PLUS_PLUS"):
            return faiss
        reason = f"version {getattr(faiss, '__version__', '?')} is older than 1.14.3"
    if not needed:
        return None
    both = _installed("faiss-cpu") and _installed("faiss-gpu")
    remedy = (
        "faiss-cpu and faiss-gpu share one folder: uninstall both, then install one" if both else "install faiss-cpu"
    )
    warnings.warn(
        f"faiss cannot be used ({reason}); NumPy computes instead, without a GPU. {remedy}, or give device='cpu'.",
        DistillkitWarning,
        stacklevel=3,
    )
    return None


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def gpu_wanted(device: str) -> bool:
    """Tell whether faiss should compute on a GPU.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        "auto" takes a GPU if faiss sees one; "cuda" insists on it.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If `device` is another word, or "cuda" where faiss sees no GPU.
    """
    return gpu_of(None if device == "cpu" else load_faiss(), device)


def gpu_of(faiss: Any | None, device: str) -> bool:
    """Do as `gpu_wanted`, with faiss (or None) already at hand."""
    if device not in ("auto", "cpu", "cuda"):
        raise DataError(f"device={device!r} is not known: give 'auto', 'cpu' or 'cuda'.")
    # not by hasattr(faiss, "StandardGpuResources"): a GPU build has it on machines without a GPU, too
    found = device != "cpu" and faiss is not None and faiss.get_num_gpus() > 0
    if device == "cuda" and not found:
        raise DataError(
            "device='cuda' needs a GPU and the faiss-gpu package, but faiss sees no GPU here: use device='auto' or 'cpu', "
            "or check the driver with nvidia-smi."
        )
    return found


def as_rows(X: Any, name: str = "X") -> np.ndarray:
    """Return X as a finite two-dimensional float32 or float64 array.

    Raises
    ------
    DataError
        If it has other than two axes, no rows, no columns, NaN, infinity, or values above 1e150.
    """
    rows: np.ndarray = np.asarray(X)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise DataError(
            f"{name} has shape {rows.shape}, but (n, d) with at least one row and one column is needed: reshape it."
        )
    largest = float(max(rows.max(), -rows.min()))  # NaN if any is: no temporary array as large as X is needed
    if not largest < math.inf:
        raise DataError(f"{name} holds NaN or infinity: fill or drop these rows first.")
    if largest > _LARGEST:
        raise DataError(
            f"{name} holds values up to {largest:.0e}, whose squares leave the range of float64: scale its columns first."
        )
    return rows


def origin_and_scale(X: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the rows of X and a power of two that brings all rows, so centred, to at most 1 in size.

    faiss computes in float32 and takes squared distances as ``|x|^2 + |c|^2 - 2 x.c``. Far from the origin the small
    difference of these large terms is all rounding error, so rows are moved to their mean; and squares of very large
    or small values leave the range of float32, so they are scaled, by a power of two because that loses no digit.
    """
    origin = X.mean(axis=0, dtype=np.float64)
    arrays = (X, *others)
    largest = max(float(np.maximum(rows.max(axis=0) - origin, origin - rows.min(axis=0)).max()) for rows in arrays)
    # frexp gives 0 for 0; the bound keeps the inverse of the scale finite
    return origin, math.ldexp(1.0, -max(math.frexp(largest)[1], -1000))


def to_float32(X: np.ndarray, origin: np.ndarray, scale: float) -> np.ndarray:
    """Return ``(X - origin) * scale`` as C-contiguous float32, computed in float64 block by block.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    origin : ndarray of shape (d,)
    scale : float
    """
    out = np.empty(X.shape, dtype=np.float32)
    step = max(1, BLOCK_BYTES // (8 * X.shape[1]))

    def of_block(begin: int) -> None:
        rows = X[begin : begin + step] - origin
        np.multiply(rows, scale, out=out[begin : begin + step], casting="same_kind")

    with block_threads(X.size) as each:
        list(each(of_block, range(0, len(X), step)))
    return out
