"""The file formats of a distilled set, which `save` and ``distillkit distill -o`` share."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from distillkit.distilled._artefact import write_artefact
from distillkit.exceptions import ArtefactError

__all__ = ["SUFFIXES", "check_suffix", "write_set", "write_table"]

SUFFIXES = (".safetensors", ".csv", ".parquet", ".npz")
"""Endings of the files that can be written. Only the first format holds everything."""


def check_suffix(path: Path) -> str:
    """Return the ending of a path in lower case; a path without an ending is a safetensors file.

    Raises
    ------
    ArtefactError
        If there is no format of this ending.
    """
    suffix = path.suffix.lower() or SUFFIXES[0]
    if suffix not in SUFFIXES:
        raise ArtefactError(f"cannot write {path}: the suffix must be one of {', '.join(SUFFIXES)}.")
    return suffix


def write_set(small: Any, path: str | os.PathLike[str], target: str, weight: str | None) -> Path:
    """Write a distilled set in the format of the ending; see `DistilledSet.save`."""
    path = Path(path)
    suffix = check_suffix(path)
    if suffix == ".safetensors":
        return write_artefact(small, path)
    if suffix == ".npz":
        return _write(path, lambda file: np.savez(file, **_arrays(small)))
    return write_table(small, path, suffix, target, weight)


def write_table(small: Any, path: str | os.PathLike[str], suffix: str, target: str, weight: str | None) -> Path:
    """Write the table of a distilled set, in the format of `suffix` whatever the path ends in."""
    frame = small.to_pandas(target, weight)
    if suffix == ".csv":  # Labels may be file names that are not valid UTF-8.
        return _write(Path(path), lambda file: frame.to_csv(file, index=False, errors="backslashreplace"))
    return _write(Path(path), lambda file: frame.to_parquet(file, index=False))


def _write(path: Path, write: Callable[[Path], Any]) -> Path:
    """Write a file under a temporary name with the same ending, and rename it."""
    part = path.with_name(f".{uuid4().hex}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as exc:
        raise ArtefactError(f"cannot write {path}: {exc.strerror or exc}. Choose another file.") from exc
    except (TypeError, ValueError) as exc:  # pyarrow's errors are among them
        raise ArtefactError(f"cannot write {path}: {exc}. Turn columns of mixed types into text.") from exc
    finally:
        # A temporary file that cannot be removed must not hide the error raised above.
        with suppress(OSError):
            part.unlink()
    return path


def _arrays(small: Any) -> dict[str, Any]:
    """Return the arrays of an ``.npz`` file by name."""
    arrays = {name: getattr(small, name) for name in ("X", "y", "sample_weight", "soft_labels", "classes")}
    if small.table is not None and small.table.is_encoded:
        arrays["columns"] = np.array(small.feature_names)
    # Text in a table is an array of objects, which NumPy could only store as a pickle.
    return {
        name: values.astype(str) if values.dtype == object else values
        for name, values in arrays.items()
        if values is not None
    }
