"""Rows that come in pieces: memory-mapped arrays, Parquet files, and anything that can be iterated."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = ["is_stream", "pieces_of"]

Piece = tuple[Any, Any]


def is_stream(X: Any) -> bool:
    """Whether X is read piece by piece and not given in memory: a memory map, a path, or an iterable that is no array."""
    if isinstance(X, (str, PathLike, np.memmap)):
        return True
    arraylike = isinstance(X, (list, tuple)) or any(hasattr(X, name) for name in ("__array__", "shape", "dtype"))
    return not arraylike and isinstance(X, Iterable)


def pieces_of(X: Any, y: Any, chunk_size: int) -> Iterator[Piece]:
    """Yield (rows, labels or None).

    Parameters
    ----------
    X : memmap, path or iterable
        A path to a Parquet file is read by row groups, one to a ``.npy`` file is memory-mapped.
    y : array-like of shape (n,), str or None
        Labels of a memory map; the column of a Parquet file that holds them.
    chunk_size : int
        Rows of a piece, where that can be chosen.

    Raises
    ------
    DataError
        If X is a file of another kind, or y is not what goes with X.
    """
    if isinstance(X, (str, PathLike)):
        path = Path(X)
        if not path.is_file():
            raise DataError(f"there is no file {path}: check the path.")
        if path.suffix in (".parquet", ".pq"):
            return _parquet(path, y, chunk_size)
        if path.suffix != ".npy":
            raise DataError(f"{path} cannot be streamed: give a .parquet or .npy file, or an iterable of chunks.")
        X = np.load(path, mmap_mode="r")
    if isinstance(X, np.memmap):
        return _memmap(X, y, chunk_size)
    if y is not None:
        raise DataError("y cannot be given beside an iterable of chunks: let it yield pairs (X, y).")
    return _pairs(X)


def _memmap(X: np.memmap[Any, Any], y: Any, chunk_size: int) -> Iterator[Piece]:
    n_labels = None if y is None else len(y)
    if n_labels is not None and n_labels != len(X):
        raise DataError(f"X has {len(X)} rows (samples), but y has {n_labels}: give one label for each.")
    if not len(X):
        raise DataError("X has 0 rows (samples): at least one is needed.")
    for begin in range(0, len(X), chunk_size):
        part = slice(begin, begin + chunk_size)
        labels = None if y is None else y.iloc[part] if hasattr(y, "iloc") else y[part]
        yield np.array(X[part]), labels
        _forget(X)


def _forget(X: np.memmap[Any, Any]) -> None:
    """Let go of the pages that were read, which otherwise count as memory of this process until others need it."""
    mapped = getattr(X, "_mmap", None)
    # pages of a copy-on-write map may hold changes that are nowhere else
    if mapped is not None and X.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _parquet(path: Path, target: Any, chunk_size: int) -> Iterator[Piece]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as exc:
        raise DataError(
            f"reading {path} needs pyarrow, which cannot be imported ({exc}): pip install pyarrow."
        ) from exc
    if target is not None and not isinstance(target, str):
        raise DataError(f"y of a Parquet file is the name of its column, not {type(target).__name__}.")
    try:
        file = parquet.ParquetFile(path)
    except (ArrowException, OSError) as exc:
        raise DataError(f"{path} cannot be read as Parquet ({exc}).") from exc
    names = file.schema_arrow.names
    with file:
        if target is not None and target not in names:
            raise DataError(f"{path} has no column {target!r}; it has {', '.join(names[:10])}.")
        for batch in file.iter_batches(batch_size=chunk_size):
            frame = batch.to_pandas()
            yield (frame, None) if target is None else (frame.drop(columns=target), frame[target])


def _pairs(chunks: Iterable[Any]) -> Iterator[Piece]:
    for chunk in chunks:
        if isinstance(chunk, (tuple, list)) and len(chunk) == 2 and all(hasattr(part, "shape") for part in chunk):
            yield chunk[0], chunk[1]
        else:
            yield chunk, None
