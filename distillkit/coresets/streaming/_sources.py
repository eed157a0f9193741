"""Sources of rows that arrive in pieces: memory maps, Parquet files and iterables of chunks."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._weights import checked_weight

__all__ = ["is_stream", "pieces_of"]

Piece = tuple[Any, Any, Any]


def is_stream(X: Any, y: Any = None) -> bool:
    """Whether X is read piece by piece: a memory map, a path, or chunks but no array.

    A list or tuple holds chunks if all its items are pairs (X, y), or if all are frames or arrays
    of at least two axes, and y does not have a label for each of them.
    """
    if isinstance(X, (str, PathLike, np.memmap)):
        return True
    if isinstance(X, (list, tuple)):
        if not X:
            return False
        return all(map(_is_pair, X)) or (all(map(_is_block, X)) and (y is None or _holds_labels_of(y, X)))
    arraylike = any(hasattr(X, name) for name in ("__array__", "shape", "dtype"))
    return not arraylike and isinstance(X, Iterable)


def _is_block(X: Any) -> bool:
    """Whether X is a frame, or an array of at least two axes."""
    return len(getattr(X, "shape", ())) >= 2


def _n_axes(X: Any) -> int:
    try:
        return int(X.ndim if hasattr(X, "ndim") else np.ndim(X))
    except ValueError:  # lists of different lengths
        return 0


def _is_pair(chunk: Any) -> bool:
    """Whether a chunk is a pair (X, y) or a triple (X, y, sample_weight)."""
    if not isinstance(chunk, (list, tuple)) or len(chunk) not in (2, 3):
        return False
    X, *columns = chunk
    if _is_block(X):
        return all(column is None or _n_axes(column) == 1 or hasattr(column, "shape") for column in columns)
    # Lists of numbers are a pair only if y has a label for each row.
    return _n_axes(X) >= 2 and all(_n_axes(column) == 1 and len(X) == len(column) for column in columns)


def _as_piece(chunk: Any) -> Piece:
    """Return a chunk as rows, labels and weights, with None for what it lacks."""
    if not _is_pair(chunk):
        return chunk, None, None
    return chunk[0], chunk[1], chunk[2] if len(chunk) == 3 else None


def _holds_labels_of(y: Any, chunks: Any) -> bool:
    """Whether y holds the labels of each chunk."""
    if not isinstance(y, (list, tuple)) or len(y) != len(chunks):
        return False
    return all(_n_axes(labels) >= 1 and len(labels) == len(chunk) for labels, chunk in zip(y, chunks, strict=True))


def pieces_of(X: Any, y: Any, weight: Any, chunk_size: int) -> Iterator[Piece]:
    """Yield the pieces of a stream as rows, labels and weights, the last two possibly None.

    Parameters
    ----------
    X : memmap, path or iterable
        A Parquet file is read by row groups, and a ``.npy`` file is memory-mapped.
    y : array-like of shape (n,), str or None
        Labels of a memory map, name of the label column of a Parquet file, or labels for each chunk
        of a list.
    weight : array-like of shape (n,), str or None
        Weights of a memory map, or name of the weight column of a Parquet file.
    chunk_size : int
        Number of rows of a piece, for memory maps and files.

    Raises
    ------
    DataError
        If the file is missing or of an unsupported type, or y or the weights do not fit X.
    """
    if isinstance(X, (str, PathLike)):
        path = Path(X)
        if not path.is_file():
            raise DataError(f"there is no file {path}: check the path.")
        if path.suffix in (".parquet", ".pq"):
            return _parquet(path, y, weight, chunk_size)
        if path.suffix != ".npy":
            raise DataError(f"{path} cannot be streamed: give a .parquet or .npy file, or an iterable of chunks.")
        X = _mapped(path)
    if isinstance(X, np.memmap):
        return _memmap(X, y, weight, chunk_size)
    if weight is not None:
        raise DataError(
            "sample_weight cannot be given beside an iterable of chunks: let the iterable yield "
            "triples (X, y, sample_weight)."
        )
    if y is None:
        return map(_as_piece, X)
    if isinstance(X, (list, tuple)):
        return ((chunk, labels, None) for chunk, labels in zip(X, y, strict=True))
    raise DataError("y cannot be given beside an iterable of chunks: let the iterable yield pairs (X, y).")


def _mapped(path: Path) -> Any:
    """Map a ``.npy`` file into memory; nothing is unpickled."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as exc:  # a damaged header is an error of any type
        reason = " ".join(str(exc).split())
        raise DataError(f"{path} cannot be mapped ({reason}): write it again with numpy.save.") from exc


def _memmap(X: np.memmap[Any, Any], y: Any, weight: Any, chunk_size: int) -> Iterator[Piece]:
    """Yield copies of consecutive rows of a memory map."""
    n_labels = None if y is None else len(y)
    if n_labels is not None and n_labels != len(X):
        raise DataError(f"X has {len(X)} rows (samples), but y has {n_labels}: give one label for each row.")
    if not len(X):
        raise DataError("X has 0 rows (samples): at least one is needed.")
    weights = checked_weight(weight, X)
    for begin in range(0, len(X), chunk_size):
        part = slice(begin, begin + chunk_size)
        labels = None if y is None else y.iloc[part] if hasattr(y, "iloc") else y[part]
        yield np.array(X[part]), labels, None if weights is None else weights[part]
        _release_pages(X)


def _release_pages(X: np.memmap[Any, Any]) -> None:
    """Release the pages that were read, which otherwise count as memory of this process."""
    mapped = getattr(X, "_mmap", None)
    # A copy-on-write map is left alone, because its pages may hold changes that exist nowhere else.
    if mapped is not None and X.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _parquet(path: Path, target: Any, weight: Any, chunk_size: int) -> Iterator[Piece]:
    """Yield consecutive rows of a Parquet file as DataFrames."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as exc:
        raise DataError(
            f"reading {path} needs pyarrow, which cannot be imported ({exc}): pip install pyarrow."
        ) from exc
    columns = {"y": target, "sample_weight": weight}
    for name, value in columns.items():
        if value is not None and not isinstance(value, str):
            kind = "label" if name == "y" else "weight"
            raise DataError(
                f"{name} of a Parquet file must be the name of its {kind} column, not {type(value).__name__}."
            )
    try:
        file = parquet.ParquetFile(path)
    except (ArrowException, OSError) as exc:
        raise DataError(f"{path} cannot be read as Parquet ({exc}).") from exc
    names = file.schema_arrow.names
    with file:
        for value in filter(None, columns.values()):
            if value not in names:
                raise DataError(f"{path} has no column {value!r}; it has {', '.join(names[:10])}.")
        for batch in _batches(file, path, chunk_size):
            frame = batch.to_pandas()
            labels, weights = (None if value is None else frame[value] for value in (target, weight))
            yield frame.drop(columns=list(filter(None, columns.values()))), labels, weights


def _batches(file: Any, path: Path, chunk_size: int) -> Iterator[Any]:
    """Yield the record batches of a Parquet file, and name the file if its rows are damaged."""
    from pyarrow import ArrowException

    batches = file.iter_batches(batch_size=chunk_size)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except (ArrowException, OSError, ValueError) as exc:
            raise DataError(f"{path} is damaged: its rows cannot be read ({exc}).") from exc
        yield batch
