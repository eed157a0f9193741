"""Checks the types of what a results folder holds, so that damage is found where it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from distillkit.bench.results._outcomes import is_encoded

__all__ = [
    "SCHEMA",
    "STATUSES",
    "row_fields",
    "wrong_environment",
    "wrong_plan",
    "wrong_record",
    "wrong_row",
    "wrong_targets",
]

SCHEMA = 1
"""Version of the rows that this version writes and reads."""

STATUSES = ("ok", "failed", "timeout", "out_of_memory", "crashed", "skipped")

Check = tuple[str, Callable[[Any], bool]]
"""What a value has to be, in words, and a function that tells whether it is."""


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        float(value)
    except OverflowError:  # JSON has whole numbers of any size.
        return False
    return True


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _or_null(check: Check) -> Check:
    return f"{check[0]} or null", lambda value: value is None or check[1](value)


def _values(check: Check) -> Check:
    words = f"an object whose values are each {check[0]}"
    return words, lambda value: isinstance(value, dict) and all(map(check[1], value.values()))


def _one_of(*words: str) -> Check:
    return f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words


_TEXT: Check = ("text", lambda value: isinstance(value, str))
_WHOLE: Check = ("a whole number", _is_whole)
_NUMBER: Check = ("a number", _is_number)
_FLAG: Check = ("true or false", lambda value: isinstance(value, bool))
_OBJECT: Check = ("an object", lambda value: isinstance(value, dict))
_TEXTS: Check = (
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
)
_METRICS = _values(_or_null(_NUMBER))
_ENCODED: Check = ("encoded codes or values", is_encoded)

_CELL_NEEDED: dict[str, Check] = {
    **dict.fromkeys(("key", "dataset", "method", "budget", "evaluator"), _TEXT),
    **dict.fromkeys(("distil_seed", "eval_seed"), _WHOLE),
    "task": _one_of("classification", "regression"),
}
_TEXT_FIELDS = (
    *("suite", "dataset_name", "dataset_revision", "modality", "method_name", "kind", "role", "plugin"),
    *("plugin_version", "evaluator_name", "evaluator_plugin", "label_mode", "distil_key", "data_key", "task_note"),
)
_CELL_OPTIONAL: dict[str, Check] = {
    **dict.fromkeys(_TEXT_FIELDS, _TEXT),
    **dict.fromkeys(("skip", "failure"), _or_null(_TEXT)),
    **dict.fromkeys(("method_version", "evaluator_version", "protocol"), _WHOLE),
    **dict.fromkeys(("dataset_params", "method_params", "evaluator_params"), _OBJECT),
    "split": _or_null(_WHOLE),
    "deterministic": ("true or false", lambda value: isinstance(value, bool)),
    "tuned_on": _TEXTS,
    "threads": _or_null(_NUMBER),
    "primary": _or_null(_TEXT),
}
_COSTS: dict[str, Check] = dict.fromkeys(
    ("bytes", "rows_seen", "bytes_seen", "seconds_distil_job", "peak_mb", "n_concurrent"), _or_null(_NUMBER)
) | dict.fromkeys(
    ("cpu_train", "n_timed_train", "steps_train", "peak_mb_distil", "peak_mb_evaluate"), _or_null(_NUMBER)
)
_ROW_NEEDED = {**_CELL_NEEDED, "status": _one_of(*STATUSES), "metrics": _METRICS}
_FLOORS = _values(_OBJECT)
_ROW_OPTIONAL = {
    **_CELL_OPTIONAL,
    **_COSTS,
    "metric_versions": _TEXTS,
    **dict.fromkeys(("exposes_originals", "starts_from_real"), _or_null(_FLAG)),
    "privacy": _or_null(_OBJECT),
    "floors": _FLOORS,
    **dict.fromkeys(
        ("phase", "error", "stopped_by", "environment", "artefact", "set_digest", "started"), _or_null(_TEXT)
    ),
    **dict.fromkeys(
        ("rows", "seconds_distil", "seconds_train", "seconds_predict", "seconds", "limit_seconds", "limit_mb"),
        _or_null(_NUMBER),
    ),
    **dict.fromkeys(("n_train", "n_test", "shared_rows"), _or_null(_WHOLE)),
    "outcome": _or_null(_ENCODED),
}
_RECORD_NEEDED: dict[str, Check] = {
    "whole": _FLAG,
    "rows": _WHOLE,
    "seconds_distil": _NUMBER,
    "data_metrics": _METRICS,
}
_TARGETS_NEEDED: dict[str, Check] = {
    "task": _one_of("classification", "regression"),
    "classes": _TEXTS,
    **dict.fromkeys(("n_train", "n_test", "shared_rows"), _WHOLE),
}
_PLAN_NEEDED: dict[str, Check] = {
    "suite": _TEXT,
    "description": _TEXT,
    "primary": _values(_TEXT),
    "cells": ("a list", lambda value: isinstance(value, list)),
}


def row_fields() -> tuple[dict[str, Check], dict[str, Check]]:
    """Return the checks of the fields that a row needs, and of those that it may have."""
    return dict(_ROW_NEEDED), dict(_ROW_OPTIONAL)


def wrong_row(row: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a results row, or None."""
    schema = row.get("schema", SCHEMA)
    if schema != SCHEMA or isinstance(schema, bool):  # True equals 1.
        return f"the field schema is {schema!r}, but this version of distillkit reads {SCHEMA}"
    return _wrong(row, _ROW_NEEDED, _ROW_OPTIONAL)


def wrong_record(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the record of a distilled set, or None."""
    optional = {
        **_COSTS,
        **dict.fromkeys(("stopped_by", "set_digest"), _or_null(_TEXT)),
        "privacy": _OBJECT,
        "floors": _FLOORS,
    }
    return _wrong(record, _RECORD_NEEDED, optional)


def wrong_targets(targets: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the targets of the test rows of a prepared dataset, or None."""
    if (wrong := _wrong(targets, _TARGETS_NEEDED, {})) is not None:
        return wrong
    return None if is_encoded(targets) else "it holds no encoded targets"


def wrong_plan(plan: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a plan, or None."""
    if (wrong := _wrong(plan, _PLAN_NEEDED, {})) is not None:
        return wrong
    for place, cell in enumerate(plan["cells"]):
        if not isinstance(cell, dict):
            return f"the field cells[{place}] is not an object"
        if (wrong := _wrong(cell, _CELL_NEEDED, {**_CELL_OPTIONAL, "metrics": _TEXTS}, f"cells[{place}].")) is not None:
            return wrong
    return None


def wrong_environment(environment: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the description of an environment, or None."""
    return _wrong(environment, {}, {"versions": _values(_TEXT)})


def _wrong(
    value: Mapping[str, Any], needed: Mapping[str, Check], optional: Mapping[str, Check], place: str = ""
) -> str | None:
    for name, (words, is_right) in {**optional, **needed}.items():
        if name not in value:
            if name in needed:
                return f"the field {place}{name} is missing"
        elif not is_right(value[name]):
            shown = repr(value[name])
            return (
                f"the field {place}{name} is {shown if len(shown) <= 60 else shown[:60] + '...'}, which is not {words}"
            )
    return None
