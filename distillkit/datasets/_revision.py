"""Revisions of datasets, by which stored results are reused for the same rows only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.datasets._paths import resolve_path
from distillkit.datasets._walk import files_below
from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    from distillkit.specs import DatasetSpec

__all__ = ["fingerprint", "revision_of"]


def fingerprint(*paths: str | os.PathLike[str]) -> str:
    """Return a hash of the content of files and of the listing of folders.

    The listing of a folder has the names, sizes and modification times of all its files.

    Parameters
    ----------
    *paths : str or Path
        Files and folders. Their own names do not change the hash, so they may be moved.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a SHA-256 hash.

    Raises
    ------
    DatasetError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        try:
            digest.update(_folder_digest(path) if path.is_dir() else _file_digest(path))
        except OSError as exc:
            raise DatasetError(f"cannot read {path}: {exc.strerror or exc}.") from exc
    return digest.hexdigest()[:16]


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _folder_digest(folder: Path) -> bytes:
    """Hash the listing of a folder, since reading every file of a large folder would take long."""
    digest = hashlib.sha256()
    for path in files_below(folder):
        stat = path.stat()
        listed = f"{path.relative_to(folder).as_posix()}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        digest.update(listed.encode("utf-8", "surrogateescape"))  # File names may not be valid UTF-8.
    return digest.digest()


def revision_of(
    spec: DatasetSpec, root: str | os.PathLike[str] | None, options: Mapping[str, Any] | None = None
) -> str:
    """Return the revision of a dataset on disk, which is part of the key of every result.

    It is the revision of the specification. If the data comes from files that this revision does
    not identify, the `fingerprint` of the files follows. The attribute ``files`` of a loader
    returns these files (see `distillkit.datasets.Loader`); for a loader without it, they are its
    options ``path`` and ``test_path``.

    Parameters
    ----------
    spec : DatasetSpec
    root : str, Path or None
        The data folder.
    options : mapping or None
        Options of the loader.

    Returns
    -------
    str

    Raises
    ------
    DatasetNotFoundError
        If a file does not exist.
    """
    folder, options = None if root is None else Path(root), options or {}
    find = getattr(spec.load(), "files", None)
    if find is not None:
        paths = list(find(folder, **options))
    else:
        paths = [
            resolve_path(options[name], folder, name) for name in ("path", "test_path") if options.get(name) is not None
        ]
    return f"{spec.revision}-{fingerprint(*paths)}" if paths else spec.revision
