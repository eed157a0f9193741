"""Metrics of what a run cost and saved, from the figures the harness measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bytes_kept", "compression_bytes", "compression_rows", "rows_kept", "seconds_distil", "seconds_train"]


def rows_kept(record: Mapping[str, float]) -> float | None:
    """Return the distilled rows, or None where they were not recorded.

    Parameters
    ----------
    record : mapping of str to float
        With ``rows_seen``, ``rows``, ``bytes_seen``, ``bytes``, ``seconds_distil`` and ``seconds_train``, as far as
        the run came.
    """
    return _value(record, "rows")


def bytes_kept(record: Mapping[str, float]) -> float | None:
    """Return the bytes of distilled rows and labels; `record` as for `rows_kept`."""
    return _value(record, "bytes")


def compression_rows(record: Mapping[str, float]) -> float | None:
    """Return how many training rows one distilled row stands for; `record` as for `rows_kept`."""
    return _ratio(record, "rows_seen", "rows")


def compression_bytes(record: Mapping[str, float]) -> float | None:
    """Return the bytes of the training set over those of the distilled one; `record` as for `rows_kept`."""
    return _ratio(record, "bytes_seen", "bytes")


def seconds_distil(record: Mapping[str, float]) -> float | None:
    """Return the seconds that distillation took; `record` as for `rows_kept`."""
    return _value(record, "seconds_distil")


def seconds_train(record: Mapping[str, float]) -> float | None:
    """Return the seconds that training on the distilled rows took; `record` as for `rows_kept`."""
    return _value(record, "seconds_train")


def _value(record: Mapping[str, float], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)


def _ratio(record: Mapping[str, float], before: str, after: str) -> float | None:
    seen, kept = _value(record, before), _value(record, after)
    return None if seen is None or not kept else seen / kept
