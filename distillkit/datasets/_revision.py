"""What identifies the rows of a dataset, so that stored results are reused only for the same rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.datasets._paths import resolve_path
from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    from distillkit.specs import DatasetSpec

__all__ = ["fingerprint", "revision_of"]


def fingerprint(*paths: str | os.PathLike[str]) -> str:
    """Identify files by their content, and folders by the names, sizes and times of change of what is in them.

    Parameters
    ----------
    *paths : str or Path
        Their own names and places do not count: a file may move.

    Returns
    -------
    str
        16 hexadecimal digits of a SHA-256.

    Raises
    ------
    DatasetError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        try:
            digest.update(_folder(path) if path.is_dir() else _file(path))
        except OSError as exc:
            raise DatasetError(f"cannot read {path}: {exc.strerror or exc}.") from exc
    return digest.hexdigest()[:16]


def _file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _folder(folder: Path) -> bytes:
    """Hash a listing: reading every image of a large folder would take longer than decoding them."""
    digest = hashlib.sha256()
    for place, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for file in sorted(files):
            path = Path(place, file)
            stat = path.stat()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.digest()


def revision_of(
    spec: DatasetSpec, root: str | os.PathLike[str] | None, options: Mapping[str, Any] | None = None
) -> str:
    """Return the revision of a dataset as it lies on disk: part of the key of every result.

    It is the spec's own revision, followed by the `fingerprint` of the files where the data comes from files that
    nothing else identifies. A loader says which these are by an attribute ``files`` (see `distillkit.datasets.Loader`);
    for any other loader they are its options ``path`` and ``test_path``, if given.

    Parameters
    ----------
    spec : DatasetSpec
    root : str, Path or None
        The data folder.
    options : mapping or None
        Options for the loader.

    Raises
    ------
    DatasetNotFoundError
        If the files are not there.
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
