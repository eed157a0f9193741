"""Distances of the whole rows from the real ones, with their floors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from distillkit.bench.evaluation._data_metrics import measure_data
from distillkit.distilled import DistilledSet
from distillkit.metrics import Reference
from distillkit.plugins import get_manager
from distillkit.reports._compared_rows import ComparedRows

__all__ = ["FIDELITY_COLUMNS", "measure_fidelity"]

FIDELITY_COLUMNS = ("value", "error", "picked", "picked_sd", "fresh", "fresh_sd", "z", "reading", "summary", "note")
_FAR = 3.0  # standard deviations
_ALWAYS = ("mmd", "sliced-wasserstein", "coverage", "variance-ratio")
_BY_MODALITY = {
    "table": ("marginal-ks", "marginal-tv", "correlation-error"),
    "series": ("autocorrelation-error", "spectrum-distance"),
    "image": (),
}


def measure_fidelity(compared: ComparedRows, metrics: Iterable[str] | None) -> pd.DataFrame:
    """Return the metrics that compare the small set with the real rows, one in each row.

    Parameters
    ----------
    compared : ComparedRows
    metrics : iterable of str or None
        Registry names of stage "data"; None takes a few that are fast.
    """
    manager = get_manager()
    names = (*_ALWAYS, *_BY_MODALITY[compared.modality]) if metrics is None else tuple(metrics)
    reference, sample = compared.reference, compared.sample
    is_sampled = len(sample) < len(reference)
    if is_sampled:
        reference = _part(compared, sample)
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        spec = manager.get("metric", name)
        if spec.stage != "data" or (metrics is None and spec.missing()):
            continue
        found = measure_data([name], reference, compared.distilled, random_state=compared.random_state)[name]
        if metrics is None and found["value"] is None and not found["note"]:  # no column of its kind
            continue
        if is_sampled and found["value"] is not None:
            found["error"] = _sampling_error(name, compared, sample, found["error"])
            found["note"] = f"{len(sample):,} of {len(compared.reference):,} real rows were compared. {found['note']}"
        rows[name] = _flattened(found, spec)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(FIDELITY_COLUMNS))


def _part(compared: ComparedRows, rows: np.ndarray) -> Reference:
    y = None if compared.real.y is None else np.asarray(compared.real.y)[rows]
    return Reference(compared.reference.X[rows], y, task=compared.task)


def _sampling_error(name: str, compared: ComparedRows, sample: np.ndarray, own: float | None) -> float | None:
    """Return the standard error that comes from the choice of real rows, by two halves of these."""
    small: DistilledSet = compared.distilled
    order = np.random.default_rng(compared.random_state).permutation(sample)
    values = []
    for half in (order[::2], order[1::2]):
        part = _part(compared, np.sort(half))
        values.append(measure_data([name], part, small, random_state=compared.random_state, draws=0)[name]["value"])
    if None in values:
        return own
    return float(np.hypot(abs(values[0] - values[1]) / 2, own or 0.0))


def _flattened(found: dict[str, Any], spec: Any) -> dict[str, Any]:
    row = {name: found[name] for name in ("value", "error", "z", "note")}
    for side in ("picked", "fresh"):
        row[side], row[f"{side}_sd"] = found[side] or (None, None)
    return row | {"reading": _reading(row, spec), "summary": spec.summary, "note": row["note"].strip()}


def _reading(row: dict[str, Any], spec: Any) -> str:
    """Return in words how a value lies to that of random rows; empty if neither side is better."""
    if row["z"] is None:
        return ""
    if abs(row["z"]) <= _FAR:
        return "as random rows"
    if spec.ideal is not None:
        is_better = abs(row["value"] - spec.ideal) < abs(row["fresh"] - spec.ideal)
    elif spec.greater_is_better is None:
        return ""
    else:
        is_better = (row["z"] > 0) == spec.greater_is_better
    return "nearer than random rows" if is_better else "farther than random rows"
