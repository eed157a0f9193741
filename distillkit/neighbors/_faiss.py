"""Import of faiss, and preparation of rows for arithmetic in float32."""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import warnings
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors._lazy_rows import LazyRows
from distillkit.neighbors._threads import block_threads
from distillkit.utils._moments import column_means

__all__ = ["BLOCK_BYTES", "as_rows", "gpu_of", "gpu_wanted", "load_faiss", "origin_and_scale", "to_float32"]

BLOCK_BYTES = 2**20
"""Size in bytes of temporary arrays for blocks of rows, which fits the cache of one core."""

_LARGEST = 1e150  # largest value of a row whose square, summed over columns, is safe in float64


def load_faiss(*, needed: bool = True) -> Any | None:
    """Import faiss if it is installed and recent enough.

    faiss is imported only here, on first use: it brings its own OpenMP library, which
    ``import distillkit`` must not load because it clashes with that of torch on macOS.

    Parameters
    ----------
    needed : bool
        Whether to warn if faiss cannot be used; False if NumPy is nearly as good for the task.

    Returns
    -------
    module or None
        None if faiss cannot be imported or is older than 1.14, the first version that this package
        is tested with. A `DistillkitWarning` then gives the reason.
    """
    try:
        faiss = importlib.import_module("faiss")
    except (ImportError, OSError, AttributeError) as exc:  # mixed faiss-cpu and faiss-gpu raise any
        reason = f"{type(exc).__name__}: {exc}"
    else:
        if hasattr(faiss, "ClusteringInitMethod_KMEANS_PLUS_PLUS"):
            return faiss
        reason = f"version {getattr(faiss, '__version__', '?')} is older than 1.14.3"
    if not needed:
        return None
    both_installed = _installed("faiss-cpu") and _installed("faiss-gpu")
    remedy = (
        "faiss-cpu and faiss-gpu share one folder: uninstall both, then install one"
        if both_installed
        else "install faiss-cpu"
    )
    warnings.warn(
        f"faiss cannot be used ({reason}); NumPy computes instead, without a GPU. {remedy}, or give device='cpu'.",
        DistillkitWarning,
        stacklevel=3,
    )
    return None


def _installed(distribution: str) -> bool:
    """Tell whether a distribution is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def gpu_wanted(device: str) -> bool:
    """Decide whether faiss computes on a GPU.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        "auto" uses a GPU if faiss finds one, "cpu" never uses one, and "cuda" requires one.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If `device` is none of these words, or if it is "cuda" and faiss finds no GPU.
    """
    return gpu_of(None if device == "cpu" else load_faiss(), device)


def gpu_of(faiss: Any | None, device: str) -> bool:
    """Decide whether to compute on a GPU, as `gpu_wanted`, given the imported faiss or None."""
    if device not in ("auto", "cpu", "cuda"):
        raise DataError(f"device={device!r} is not known: give 'auto', 'cpu' or 'cuda'.")
    # hasattr(faiss, "StandardGpuResources") would not do: a GPU build has it without a GPU, too.
    use_gpu = device != "cpu" and faiss is not None and faiss.get_num_gpus() > 0
    if device == "cuda" and not use_gpu:
        raise DataError(
            "device='cuda' needs a GPU and the faiss-gpu package, but faiss sees no GPU here: "
            "use device='auto' or 'cpu', or check the driver with nvidia-smi."
        )
    return use_gpu


def as_rows(X: Any, name: str = "X") -> Any:
    """Return X as a finite two-dimensional float32 or float64 array.

    Raises
    ------
    DataError
        If X does not have two axes, has no rows or no columns, or holds NaN, infinity or values of
        a size above 1e150.
    """
    rows: Any = X if isinstance(X, LazyRows) else np.asarray(X)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise DataError(
            f"{name} has shape {rows.shape}, but (n, d) with at least one row and one column is needed: reshape it."
        )
    largest = float(max(np.max(rows.max(axis=0)), -np.min(rows.min(axis=0))))  # NaN if any value is NaN
    if not largest < math.inf:
        raise DataError(f"{name} holds NaN or infinity: fill or drop these rows first.")
    if largest > _LARGEST:
        raise DataError(
            f"{name} holds values up to {largest:.0e}, whose squares leave the range of float64: "
            "scale its columns first."
        )
    return rows


def origin_and_scale(X: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of X, and a power of two that scales all centered rows to at most 1 in size.

    Squared distances are computed in float32 as ``|x|^2 + |c|^2 - 2 x.c``. Far from the origin, the
    rounding errors of these large terms hide their small sum, so rows are centered. Squares of very
    large or small values leave the range of float32, so rows are scaled as well; scaling by a power
    of two is exact.
    """
    origin = column_means(X)
    arrays = (X, *others)
    largest = max(float(np.maximum(rows.max(axis=0) - origin, origin - rows.min(axis=0)).max()) for rows in arrays)
    # Constant rows have the exponent 0, and so the scale 1; the bound keeps the inverse scale
    # finite.
    return origin, math.ldexp(1.0, -max(math.frexp(largest)[1], -1000))


def to_float32(X: np.ndarray, origin: np.ndarray, scale: float) -> Any:
    """Return ``(X - origin) * scale`` as C-contiguous float32, computed in float64 block by block.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    origin : ndarray of shape (d,), float64
    scale : float

    Returns
    -------
    ndarray of shape (n, d)
        `LazyRows` if X is lazy.
    """
    if isinstance(X, LazyRows):
        return X.scaled(origin, scale)
    converted = np.empty(X.shape, dtype=np.float32)
    step = max(1, BLOCK_BYTES // (8 * X.shape[1]))

    def convert_block(begin: int) -> None:
        rows = X[begin : begin + step] - origin
        np.multiply(rows, scale, out=converted[begin : begin + step], casting="same_kind")

    with block_threads(X.size) as map_blocks:
        list(map_blocks(convert_block, range(0, len(X), step)))
    return converted
