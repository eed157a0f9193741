"""Metrics of a student model in comparison with its teacher, read from the record of the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "agreement",
    "latency_ratio",
    "latency_ratio_single",
    "model_bytes",
    "model_compression",
    "parameter_compression",
    "parameters",
]


def agreement(record: Mapping[str, float | None]) -> float | None:
    """Return the agreement of student and teacher on the test rows, or None if it is unknown.

    Parameters
    ----------
    record : mapping of str to float
        Holds those of the following that are known: ``agreement`` (the share of equal labels, or R2
        with the teacher's numbers as truth), ``parameters``, ``parameters_teacher``,
        ``model_bytes``, ``model_bytes_teacher``, ``latency_ratio`` and ``latency_ratio_single``.
    """
    return _value(record, "agreement")


def parameters(record: Mapping[str, float | None]) -> float | None:
    """Return the number of parameters of the model that predicts; `record` as for `agreement`."""
    return _value(record, "parameters")


def parameter_compression(record: Mapping[str, float | None]) -> float | None:
    """Return the teacher's parameters divided by the student's, or None if either is unknown.

    Parameters
    ----------
    record : mapping of str to float
        As for `agreement`.
    """
    return _compression(record, "parameters")


def model_bytes(record: Mapping[str, float | None]) -> float | None:
    """Return the bytes of the arrays of the model that predicts; `record` as for `agreement`."""
    return _value(record, "model_bytes")


def model_compression(record: Mapping[str, float | None]) -> float | None:
    """Return the teacher's bytes divided by the student's, or None if either is unknown.

    Unlike `parameter_compression`, this compares trees with networks.

    Parameters
    ----------
    record : mapping of str to float
        As for `agreement`.
    """
    return _compression(record, "model_bytes")


def latency_ratio(record: Mapping[str, float | None]) -> float | None:
    """Return the ratio of the teacher's to the student's prediction time, for 256 rows.

    Parameters
    ----------
    record : mapping of str to float
        As for `agreement`.
    """
    return _value(record, "latency_ratio")


def latency_ratio_single(record: Mapping[str, float | None]) -> float | None:
    """Return the ratio of the teacher's to the student's prediction time, for a single row.

    Parameters
    ----------
    record : mapping of str to float
        As for `agreement`.
    """
    return _value(record, "latency_ratio_single")


def _compression(record: Mapping[str, float | None], figure: str) -> float | None:
    teacher, student = _value(record, f"{figure}_teacher"), _value(record, figure)
    return None if teacher is None or not student else teacher / student


def _value(record: Mapping[str, float | None], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)
