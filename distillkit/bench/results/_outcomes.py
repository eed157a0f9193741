"""Compact text form of predictions and targets, from which new statistics need no further run."""

from __future__ import annotations

import base64
import binascii
import sys
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from distillkit.exceptions import ResultsError

__all__ = ["decode", "encode", "encode_codes", "encode_values", "is_encoded"]

_TYPES = {"codes": ("uint8", "uint16", "uint32"), "values": ("float32", "float64")}
"""NumPy types of each kind of outcome, from the shortest to the longest."""

_FLOAT32_ERROR = 1e-6
"""Largest rounding error of float32 numbers, as a share of the standard deviation of the values."""


def encode(outcome: Any, n_classes: int | None) -> dict[str, str]:
    """Encode class codes or numbers for a results file.

    Parameters
    ----------
    outcome : array-like of shape (n,)
        For classification, predicted or true positions in the classes of the dataset; any other
        value stands for a label outside of them. For regression, predicted or true numbers.
    n_classes : int or None
        Number of classes of the dataset; None for regression.

    Returns
    -------
    dict
        One of ``{"codes": TEXT, "type": TYPE}`` and ``{"values": TEXT, "type": TYPE}``, where TEXT
        is the base64 form of the array, in little-endian order and compressed by zlib, and TYPE is
        its NumPy type.
    """
    return encode_values(outcome) if n_classes is None else encode_codes(outcome, n_classes)


def encode_codes(labels: Any, n_classes: int) -> dict[str, str]:
    """Encode class codes; a label outside of the classes gets the code `n_classes`.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Positions in the classes; labels of other types than numbers are outside of the classes.
    n_classes : int

    Returns
    -------
    dict
        See `encode`.
    """
    given = np.asarray(labels)
    codes = np.full(given.shape, n_classes, dtype=np.uint32)
    if given.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):
            known = np.isin(given, np.arange(n_classes))
        codes[known] = given[known]
    dtype = next(name for name in _TYPES["codes"] if n_classes <= np.iinfo(name).max)
    return _encoded("codes", codes.astype(dtype))


def encode_values(numbers: Any) -> dict[str, str]:
    """Encode numbers as float32, or as float64 where rounding to float32 could change a result.

    Parameters
    ----------
    numbers : array-like of shape (n,)

    Returns
    -------
    dict
        See `encode`.
    """
    values = np.asarray(numbers, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        short = values.astype(np.float32)
        # Errors of residuals matter by their size beside the spread of the values, not the values.
        fits = np.isfinite(short).all() and np.abs(short - values).max(initial=0) <= _FLOAT32_ERROR * _spread(values)
    return _encoded("values", short if fits else values)


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation, which is 0 for no values."""
    return float(values.std()) if len(values) else 0.0


def decode(outcome: Mapping[str, Any]) -> np.ndarray:
    """Return the codes (n,) as int64, or the numbers (n,) as float64, of an encoded outcome.

    Parameters
    ----------
    outcome : mapping
        What `encode` returned, possibly with further keys, as in a file of targets. Without a
        type, codes are uint8 and values are float32.

    Raises
    ------
    ResultsError
        If the mapping holds no encoded outcome.
    """
    kind = _kind(outcome)
    if kind is None:
        raise ResultsError("an outcome holds neither codes nor values: run its cell again with the suite.")
    name = outcome.get("type", _TYPES[kind][0])
    if name not in _TYPES[kind]:
        raise ResultsError(
            f"an outcome is of the type {name!r}, which is not known: run its cell again with the suite."
        )
    try:
        content = zlib.decompress(base64.b64decode(outcome[kind], validate=True))
        array = np.frombuffer(content, dtype=np.dtype(name).newbyteorder("<"))
    except (ValueError, TypeError, binascii.Error, zlib.error) as exc:
        raise ResultsError(f"an outcome is damaged ({exc}): run its cell again with the suite.") from exc
    return array.astype(np.int64 if kind == "codes" else np.float64)


def is_encoded(value: Any) -> bool:
    """Return whether a value has the form of an encoded outcome; the text is not decompressed."""
    if not isinstance(value, Mapping):
        return False
    kind = _kind(value)
    return kind is not None and isinstance(value[kind], str) and value.get("type", _TYPES[kind][0]) in _TYPES[kind]


def _kind(outcome: Mapping[str, Any]) -> str | None:
    kinds = [kind for kind in _TYPES if kind in outcome]
    return kinds[0] if len(kinds) == 1 else None


def _encoded(kind: str, array: np.ndarray) -> dict[str, str]:
    if sys.byteorder == "big":
        array = array.byteswap()
    content = zlib.compress(np.ascontiguousarray(array).tobytes(), 9)
    return {kind: base64.b64encode(content).decode("ascii"), "type": array.dtype.name}
