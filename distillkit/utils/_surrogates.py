"""Escapes parts of texts that no encoding takes, such as bytes of file names that are not UTF-8."""

from __future__ import annotations

import numpy as np

__all__ = ["escaped", "escaped_values"]


def escaped(text: str) -> str:
    r"""Return a text in which lone surrogates are written as ``\udc..``.

    Python uses such code points for the bytes of file names, of archive members and of arguments
    that are not valid UTF-8. A text with one can be neither printed nor written to a file.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def escaped_values(values: np.ndarray) -> np.ndarray:
    """Return an array whose texts are escaped; one without lone surrogates is returned itself."""
    if values.dtype.kind not in "OU":
        return values
    texts = [escaped(value) if isinstance(value, str) else value for value in values.ravel()]
    if all(text is value or text == value for text, value in zip(texts, values.ravel(), strict=True)):
        return values
    changed = np.empty(len(texts), dtype=object)
    changed[:] = texts
    return changed.reshape(values.shape)
