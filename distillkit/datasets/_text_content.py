"""Content of text files as UTF-8, whatever their encoding and compression."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from distillkit.exceptions import DatasetError, DatasetOptionError
from distillkit.utils._file_bounds import largest_content

__all__ = ["line_of", "read_text", "unreadable"]

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def unreadable(path: Path, reason: str, remedy: str) -> DatasetError:
    """Return the error of a file that is no table, with the reason and a remedy."""
    return DatasetError(f"{path} cannot be read as CSV ({' '.join(reason.split())}): {remedy}.")


def line_of(content: bytes, position: int) -> int:
    """Return the number of the line that holds a position; lines end as on any system."""
    before = content[:position].replace(b"\r\n", b"\n")
    return before.count(b"\n") + before.count(b"\r") + 1


def _decompressed(path: Path, content: bytes) -> bytes:
    """Return what a compressed file holds, unless it would fill the memory."""
    most = largest_content(len(content))
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        text = file.read(most + 1)
    if len(text) > most:
        raise unreadable(path, f"it expands to more than {most:,} bytes", "decompress it, or divide it")
    return text


def read_text(path: Path, encoding: str | None) -> bytes:
    """Return the content of a text file as UTF-8 without a byte order mark.

    Parameters
    ----------
    path : Path
        The file, which may be compressed by gzip.
    encoding : str or None
        None means UTF-8, or UTF-16 if the file begins with its byte order mark.

    Raises
    ------
    DatasetError
        If the file is no text of this encoding, or if the encoding is not known.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = _decompressed(path, content)
    except (OSError, EOFError, zlib.error) as exc:
        raise unreadable(path, str(exc), "check the file") from exc
    if content.startswith(_ZIP):
        raise unreadable(path, "it is a zip archive or an Excel file", "save the table as CSV (UTF-8) or Parquet")
    if encoding is None and content.startswith(_UTF16_MARKS):
        encoding = "utf-16"
    try:
        text = str(content, encoding or "utf-8")
    except UnicodeError as exc:
        line = line_of(content, exc.start) if isinstance(exc, UnicodeDecodeError) else 1
        raise unreadable(
            path,
            f"line {line} is not {encoding or 'UTF-8'} text",
            "give its encoding, such as encoding = 'latin-1', or save the file as UTF-8",
        ) from None
    except LookupError:
        raise DatasetOptionError(
            f"encoding={encoding!r} is not known: give one such as 'utf-8' or 'latin-1'."
        ) from None
    content = (content if encoding is None else text.encode()).removeprefix(_UTF8_MARK)
    if (position := content.find(b"\0")) >= 0:
        reason = f"line {line_of(content, position)} holds NUL characters"
        raise unreadable(path, reason, "give its encoding, such as encoding = 'utf-16', or save the file as UTF-8")
    return content
