"""Reading of tar archives, compressed or not, which may be made to harm the reader."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from distillkit.exceptions import DatasetError
from distillkit.utils._file_bounds import largest_content

__all__ = ["read_members"]

_EMPTY_BLOCK = bytes(tarfile.BLOCKSIZE)
_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""How compressed archives are opened, by their first bytes."""


class _BoundedFile:
    """A file for reading that ends in an error where it expands to far more bytes than it has.

    tarfile believes the sizes in an archive, and would read as many bytes at once.
    """

    def __init__(self, file: Any, most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int = -1) -> bytes:
        if size < 0 or self.tell() + size > self._most:
            raise tarfile.ReadError(f"it claims to hold more than {self._most:,} bytes")
        content: bytes = self._file.read(size)
        return content

    def seek(self, position: int, whence: int = 0) -> int:
        if whence != 0 or not 0 <= position <= self._most:
            raise tarfile.ReadError(f"it claims to hold more than {self._most:,} bytes")
        return int(self._file.seek(position))

    def tell(self) -> int:
        return int(self._file.tell())


def read_members(archive: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an archive in its order; links, devices and folders are left out.

    Nothing is written, so the names may be any text.

    Parameters
    ----------
    archive : Path
    is_wanted : callable
        Whether a file is read, by its name.

    Yields
    ------
    name : str
    content : bytes

    Raises
    ------
    DatasetError
        If the archive is damaged, ends too early, holds sparse files, or expands to more than 100
        times its bytes.
    """
    try:
        with archive.open("rb") as raw:
            start = raw.read(5)
            raw.seek(0)
            opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
            file = _BoundedFile(raw if opener is None else opener(raw), largest_content(archive.stat().st_size))
            yield from _members(file, is_wanted)
    except DatasetError:
        raise
    except Exception as exc:  # tarfile and the decompressors raise errors of many types
        reason = " ".join(str(exc).split())
        raise DatasetError(f"the archive {archive} is damaged or incomplete ({reason}): get it again.") from exc


def _members(file: Any, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            if member.size < 0 or member.issparse():
                raise tarfile.ReadError(f"its member {member.name!r} has a negative size, or is a sparse file")
            if member.isfile() and is_wanted(member.name):
                content = tar.extractfile(member)
                assert content is not None  # only for files that are not regular
                yield member.name, content.read()
            tar.members = []  # type: ignore[attr-defined] # of every header, which would stay in memory
        _check_end(tar)


def _check_end(tar: tarfile.TarFile) -> None:
    """Check for the empty block at the end of an archive.

    tarfile mistakes a damaged header for the end of the archive and raises no error.
    """
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != _EMPTY_BLOCK:
        raise tarfile.ReadError("its end is missing")
