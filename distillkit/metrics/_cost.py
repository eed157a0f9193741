"""Metrics of the size and time of a run, read from the record of the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bytes_kept", "compression_bytes", "compression_rows", "rows_kept", "seconds_distil", "seconds_train"]


def rows_kept(record: Mapping[str, float]) -> float | None:
    """Return the number of distilled rows, or None if it was not recorded.

    Parameters
    ----------
    record : mapping of str to float
        Holds ``rows_seen``, ``rows``, ``bytes_seen``, ``bytes``, ``seconds_distil`` and
        ``seconds_train``; a run that ended early holds fewer.
    """
    return _value(record, "rows")


def bytes_kept(record: Mapping[str, float]) -> float | None:
    """Return the size of the distilled set in bytes; `record` as for `rows_kept`.

    Rows, labels or soft labels, weights that differ and the numbers of a preprocessing count. In a
    benchmark, training rows and rows picked from them count in the type in which the data are
    stored (one byte for a pixel of eight bits), and rows that were made in that of their numbers.
    """
    return _value(record, "bytes")


def compression_rows(record: Mapping[str, float]) -> float | None:
    """Return the training rows per distilled row; `record` as for `rows_kept`."""
    return _ratio(record, "rows_seen", "rows")


def compression_bytes(record: Mapping[str, float]) -> float | None:
    """Return the bytes of the training set per byte of the distilled set.

    Parameters
    ----------
    record : mapping of str to float
        As for `rows_kept`.
    """
    return _ratio(record, "bytes_seen", "bytes")


def seconds_distil(record: Mapping[str, float]) -> float | None:
    """Return the time of distillation in seconds; `record` as for `rows_kept`."""
    return _value(record, "seconds_distil")


def seconds_train(record: Mapping[str, float]) -> float | None:
    """Return the time of training on the distilled rows in seconds; `record` as for `rows_kept`."""
    return _value(record, "seconds_train")


def _value(record: Mapping[str, float], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)


def _ratio(record: Mapping[str, float], numerator: str, denominator: str) -> float | None:
    whole, distilled = _value(record, numerator), _value(record, denominator)
    return None if whole is None or not distilled else whole / distilled
