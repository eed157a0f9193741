"""Builds the results row of a cell from the outcome of its jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from distillkit.bench.execution._job_process import JobResult
from distillkit.bench.planning._cells import Cell
from distillkit.bench.planning._primary import with_primary
from distillkit.bench.planning._suite import Limits
from distillkit.bench.results._schema import SCHEMA
from distillkit.plugins import get_manager
from distillkit.plugins._traits import exposes_originals, starts_from_real

__all__ = ["Row", "make_row", "metric_name"]

Row = dict[str, Any]

_COSTS = (
    *("rows", "bytes", "rows_seen", "bytes_seen"),
    *("seconds_distil", "seconds_distil_job", "seconds_train", "seconds_predict"),
    *("cpu_train", "n_timed_train", "steps_train"),
)
_DATA_FACTS = ("n_train", "n_test", "shared_rows")
_MAX_TEXT = 200


def make_row(
    cell: Cell,
    result: JobResult,
    phase: str | None,
    facts: Mapping[str, Any],
    *,
    n_concurrent: int,
    threads: int,
    limits: Limits,
    environment: str,
) -> Row:
    """Return the row of a cell.

    Parameters
    ----------
    cell : Cell
    result : JobResult
        Outcome of the last job of the cell, with the values of the jobs before.
    phase : str or None
        The phase in which the cell ended, unless it is ok.
    facts : mapping of str to Any
        Facts of the data and the true targets, as `ResultsStore.targets` returns them; empty if the
        data could not be prepared.
    n_concurrent : int
        Cells that ran at the same time.
    threads : int
        Threads of each cell.
    limits : Limits
        Limits of each job.
    environment : str
        Key of the environment.
    """
    value = result.value
    costs = {name: _number(value.get(name)) for name in _COSTS}  # Those of students come from plugins.
    stopped_by = value.get("stopped_by")
    metrics = {
        metric_name(metric): number
        for metric, number in value.get("data_metrics", {}).items()
        if metric in cell.metrics
    }
    floors = {metric_name(metric): floor for metric, floor in value.get("floors", {}).items() if metric in cell.metrics}
    metrics |= value.get("metrics", {})
    ended = datetime.now(UTC)
    spec = get_manager().get("method", cell.method_name)
    return with_primary(cell.identity(), facts or None) | {
        "schema": SCHEMA,
        "status": result.status,
        "phase": phase,
        "error": result.error,
        "stopped_by": None if stopped_by is None else str(stopped_by)[:_MAX_TEXT],
        "metrics": {name: number for name, number in metrics.items() if number is not None and math.isfinite(number)},
        "metric_versions": list(cell.metrics),
        "floors": floors,
        **costs,
        **{name: facts.get(name) for name in _DATA_FACTS},
        "outcome": value.get("outcome"),
        "privacy": value.get("privacy"),
        "exposes_originals": exposes_originals(spec, cell.method_params),
        "starts_from_real": starts_from_real(spec, cell.method_params),
        "seconds": round(result.seconds, 3),
        "peak_mb": round(max(result.peak_mb, value.get("peak_mb", 0.0)), 1) or None,
        **_peaks(cell, result, phase),
        "n_concurrent": max(n_concurrent, value.get("n_concurrent", 1)),
        "threads": threads,
        "limit_seconds": limits.seconds,
        "limit_mb": limits.memory_mb,
        "environment": environment,
        "set_digest": value.get("set_digest"),
        "artefact": None if value.get("whole", True) else f"artefacts/{cell.distil_key}.safetensors",
        "started": (ended - timedelta(seconds=result.seconds)).isoformat(timespec="seconds"),
    }


def metric_name(metric: str) -> str:
    """Return the name of a metric that is given as ``"name@version"``."""
    return metric.partition("@")[0]


def _peaks(cell: Cell, result: JobResult, phase: str | None) -> dict[str, float | None]:
    """Return the peak memory of distillation and of evaluation, in MB.

    One process fits a student and predicts with it, so that both have the same peak. A phase that
    did not run, or whose set an earlier run has made, has None unless the record knows it.
    """
    distilled, last = result.value.get("peak_mb"), result.peak_mb
    if phase == "distil":
        distilled, last = last, 0.0
    elif phase == "prepare":
        distilled, last = None, 0.0
    elif cell.reduces_model:
        distilled = last
    peaks = {"peak_mb_distil": distilled, "peak_mb_evaluate": last}
    return {name: round(peak, 1) if peak else None for name, peak in peaks.items()}


def _number(value: Any) -> int | float | None:
    """Return a finite number, or None for any other value."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None
