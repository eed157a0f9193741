"""Reading of the arrays of an ``.npz`` file, which may be made to harm the reader."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from distillkit.exceptions import DatasetError
from distillkit.utils._file_bounds import largest_content

__all__ = ["array_names", "read_arrays"]

_SUFFIX = ".npy"
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_KINDS = "fiubUSmMc"
"""Kinds of dtypes, as NumPy names them, of numbers, text and times; others could hold pickles."""


def read_arrays(file_path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz`` file; nothing is unpickled.

    Raises
    ------
    DatasetError
        If the file is damaged, holds anything but arrays of numbers, text or times, or expands to
        far more bytes than it has.
    """
    try:
        with file_path.open("rb") as raw:  # opened here, because NumPy leaves a damaged file open
            _check_start(file_path, raw)
            with zipfile.ZipFile(raw) as archive:
                _check_size(file_path, archive)
                return {member.filename.removesuffix(_SUFFIX): _array(archive, member) for member in archive.infolist()}
    except DatasetError:
        raise
    except Exception as exc:  # the decompressors raise errors of many types
        hint = "save arrays of numbers or text instead" if isinstance(exc, _ForeignTypeError) else "write it again"
        raise DatasetError(f"{file_path} cannot be read ({' '.join(str(exc).split())}): {hint}.") from exc


def array_names(file_path: Path) -> set[str]:
    """Return the names of the arrays of an ``.npz`` file, none of a file that is no archive."""
    try:
        with zipfile.ZipFile(file_path) as archive:
            return {name.removesuffix(_SUFFIX) for name in archive.namelist()}
    except (OSError, ValueError, zipfile.BadZipFile):  # `read_arrays` says what is wrong with it.
        return set()


class _ForeignTypeError(ValueError):
    """Raised for an array of another type than numbers, text or times."""


def _check_start(file_path: Path, raw: IO[bytes]) -> None:
    """Refuse the file of a single array."""
    if raw.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
        raise DatasetError(
            f"{file_path} is a single array, not an .npz file: save it with numpy.savez(path, X=..., y=...)."
        )


def _check_size(file_path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a file that would fill the memory, such as one of compressed zeros."""
    n_bytes = sum(member.file_size for member in archive.infolist())
    if n_bytes > largest_content(file_path.stat().st_size):
        raise DatasetError(
            f"{file_path} expands to {n_bytes:,} bytes, which is more than 100 times its own: "
            "write it without compression, with numpy.savez."
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Read one array, after a check that the shape in its header is that of its bytes."""
    if not member.filename.endswith(_SUFFIX):
        raise ValueError(f"its member {member.filename!r} is no array")
    with archive.open(member) as file:
        shape, dtype = _header(file)
        n_values, n_bytes = int(np.prod([1, *shape], dtype=object)), member.file_size - file.tell()
        if dtype.hasobject or dtype.kind not in _KINDS or not dtype.itemsize:
            raise _ForeignTypeError(f"its array {member.filename!r} is of type {dtype}, which could hold a pickle")
        if n_values * dtype.itemsize != n_bytes or (not n_values and max(shape) > member.file_size):
            raise ValueError(f"its array {member.filename!r} of shape {shape} is not that of its {n_bytes} bytes")
    with archive.open(member) as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _header(file: IO[Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"its arrays are of the version {version}, which is not known")
    shape, _, dtype = _HEADERS[version](file)
    if any(size < 0 for size in shape):
        raise ValueError(f"an array has the shape {shape}")
    return shape, dtype
