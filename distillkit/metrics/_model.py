"""Metrics of a model made small, beside the large one that taught it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["agreement", "latency_ratio", "parameter_compression", "parameters"]


def agreement(record: Mapping[str, float | None]) -> float | None:
    """Return how well the student follows its teacher on the test rows, or None where that is not known.

    Parameters
    ----------
    record : mapping of str to float
        With ``agreement`` (the share of equal labels, or R2 with the teacher's numbers as truth), ``parameters``,
        ``parameters_teacher`` and ``latency_ratio``, as far as they are known.
    """
    return _value(record, "agreement")


def parameters(record: Mapping[str, float | None]) -> float | None:
    """Return the parameters of the model that predicts; `record` as for `agreement`."""
    return _value(record, "parameters")


def parameter_compression(record: Mapping[str, float | None]) -> float | None:
    """Return the teacher's parameters over the student's, None unless both are known; `record` as for `agreement`."""
    teacher, student = _value(record, "parameters_teacher"), _value(record, "parameters")
    return None if teacher is None or not student else teacher / student


def latency_ratio(record: Mapping[str, float | None]) -> float | None:
    """Return the teacher's seconds over the student's to predict the same rows; `record` as for `agreement`."""
    return _value(record, "latency_ratio")


def _value(record: Mapping[str, float | None], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)
