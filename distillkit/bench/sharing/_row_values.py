"""Compares the values of two rows of one cell, apart from times and what describes the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distillkit.plugins import get_manager

__all__ = ["Difference", "lasting_values", "row_differences"]

_IDENTITY = (
    *("dataset", "dataset_name", "dataset_revision", "method", "method_name", "method_version", "method_params"),
    *("budget", "distil_seed", "evaluator", "evaluator_name", "evaluator_version", "evaluator_params", "eval_seed"),
    *("split", "task", "label_mode"),
)
_RESULTS = (
    *("status", "phase", "error", "metrics", "floors", "rows", "bytes", "rows_seen", "bytes_seen", "steps_train"),
    *("n_train", "n_test", "shared_rows", "outcome", "privacy", "exposes_originals", "starts_from_real"),
    *("stopped_by", "set_digest"),
)
"""The fields that a cell has again on every run; others are times, memory and names."""

_BY_LIMIT = frozenset({"timeout", "out_of_memory", "crashed"})
"""Statuses whose error text holds measured numbers or the last output of a process."""

_NO_LONGER = re.compile(r"(0x[0-9a-f]+|/\S*distillkit-job-\S+)")
"""Parts of an error text that differ between runs: addresses and the folder of the job."""

_SECTIONS = ("metrics", "floors", "privacy")


@dataclass(frozen=True)
class Difference:
    """A value of a row that is not the same in another row of the same cell.

    Parameters
    ----------
    field : str
        Its name, such as ``"metrics.accuracy"``.
    stored, found : Any
        The value of the stored row, and that of the other one.
    """

    field: str
    stored: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.stored)} is stored, {_shown(self.found)} was found"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def row_differences(stored: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    """Return the values in which two rows of a cell differ, times left out.

    Values are equal only if all their bits are. A field that the stored row lacks, because an
    earlier version has written it, is not compared.
    """
    one, other = lasting_values(stored), lasting_values(found)
    names = [name for name in one if name in other or one[name] is not None]
    return [
        Difference(name, one[name], other.get(name))
        for name in names
        if not _equal(one[name], other.get(name)) and name.partition(".")[0] in stored
    ] + [
        Difference(name, None, other[name])
        for name in other
        if name not in one and name.partition(".")[0] in _SECTIONS and stored.get(name.partition(".")[0]) is not None
    ]


def _equal(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal, where NaN equals NaN and 1 is not True."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    return type(one) is type(other) and bool(one == other)


def lasting_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row that do not depend on the run, by name.

    Metrics, floors and figures of the privacy panel have a name each, such as ``metrics.accuracy``.
    """
    by_limit = row.get("status") in _BY_LIMIT
    values: dict[str, Any] = {}
    for name in (*_IDENTITY, *_RESULTS):
        value = row.get(name)
        if name == "error":
            value = None if by_limit or value is None else _NO_LONGER.sub("...", str(value))
        if name in _SECTIONS and isinstance(value, Mapping):
            values |= {f"{name}.{part}": one for part, one in value.items() if part not in _timed(name)}
        elif name in row:
            values[name] = value
    return values


def _timed(section: str) -> frozenset[str]:
    """Return the metrics that are times; other sections have none."""
    if section != "metrics":
        return frozenset()
    specs: dict[str, Any] = get_manager().specs("metric")
    return frozenset(name for name, spec in specs.items() if spec.timed or spec.unit == "s")
