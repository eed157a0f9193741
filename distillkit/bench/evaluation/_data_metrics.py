"""Measures a distilled set against the training rows, beside random rows of its make-up."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics import Measured, Reference
from distillkit.metrics.reference._floors import FloorValues, call, floor_values, loaded_metric, z_score
from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet
    from distillkit.specs import MetricSpec

__all__ = ["FloorCache", "lacks", "measure_data"]

FloorCache = Callable[[str, Callable[[], FloorValues]], FloorValues]
"""Function of a key and of a function that computes what is not kept under this key."""

_MOST_CLASSES = 5  # named in a sentence
_MODALITIES = {2: "table", 3: "series", 4: "image"}
_NEEDED_MODALITY = {"images": "image", "series": "series", "table": "table"}


def measure_data(
    names: Iterable[str],
    reference: Reference,
    distilled: DistilledSet,
    *,
    random_state: int = 0,
    draws: int | None = None,
    cache: FloorCache | None = None,
) -> dict[str, dict[str, Any]]:
    """Compute those of the named metrics that compare a set with the training rows, and floors.

    Parameters
    ----------
    names : iterable of str
        Registry names; metrics of other stages are left out.
    reference : Reference
        The training rows.
    distilled : DistilledSet
    random_state : int, default=0
    draws : int or None
        Number of sets of random rows for the floors, if the metric asks for any; None takes the
        number that it asks for, and 0 computes no floors.
    cache : callable or None
        Keeps floors, so that sets of equal make-up share them.

    Returns
    -------
    dict of str to dict
        ``value`` (float or None), ``picked`` and ``fresh`` (a list of mean and standard deviation,
        or None), ``z``, ``draws``, ``error``, ``interval``, ``note`` and ``features`` for each
        metric; see `distillkit.metrics.Floors` and `Measured`.
    """
    manager = get_manager()
    specs: dict[str, MetricSpec] = {name: manager.get("metric", name) for name in names}
    return {
        name: _measured(spec, reference, distilled, random_state, draws, cache)
        for name, spec in specs.items()
        if spec.stage == "data"
    }


def lacks(spec: MetricSpec, reference: Reference) -> str | None:
    """Return in one sentence what a metric needs and the training rows do not have, or None."""
    modality = _MODALITIES.get(reference.root.X.ndim, "table")
    for need in sorted(spec.needs & _NEEDED_MODALITY.keys()):
        if _NEEDED_MODALITY[need] != modality:
            return f"{spec.name} needs {need}, but the training rows are those of a {modality}: leave it out."
    if "classes" in spec.needs and reference.classes is None:
        return f"{spec.name} needs class labels, which these training rows do not have: leave it out."
    return None


def _measured(
    spec: MetricSpec,
    reference: Reference,
    distilled: DistilledSet,
    random_state: int,
    draws: int | None,
    cache: FloorCache | None,
) -> dict[str, Any]:
    """Return the value of one metric with its floors."""
    if (note := lacks(spec, reference)) is not None:
        return _result(None, FloorValues(), note)
    metric = loaded_metric(spec)
    try:
        value = call(metric, reference, distilled, random_state)
        floor = _floor(spec, metric, reference, distilled, random_state, draws, cache) if value is not None else None
    except DataError as exc:  # no failure of the method: the metric cannot be computed for this set
        return _result(None, FloorValues(), str(exc))
    except Exception as exc:
        exc.add_note(f"while computing the metric {spec.name}")  # Otherwise the method would seem to have failed.
        raise
    return _result(value, floor or FloorValues(), _absent_classes(reference, distilled))


def _absent_classes(reference: Reference, distilled: DistilledSet) -> str:
    """Return in one sentence which classes the distilled set lacks, or nothing."""
    if reference.classes is None or distilled.y is None:
        return ""
    labels = distilled.y[np.asarray(distilled.sample_weight) > 0]
    absent = [str(label) for label in reference.classes[~np.isin(reference.classes, labels)].tolist()]
    if not absent:
        return ""
    shown = ", ".join(absent[:_MOST_CLASSES]) + (", ..." if len(absent) > _MOST_CLASSES else "")
    return f"The distilled set has no rows of {len(absent)} of {len(reference.classes)} classes ({shown})."


def _floor(
    spec: MetricSpec,
    metric: Callable[..., Any],
    reference: Reference,
    distilled: DistilledSet,
    random_state: int,
    draws: int | None,
    cache: FloorCache | None,
) -> FloorValues:
    draws = min(spec.floor_draws, spec.floor_draws if draws is None else draws)
    if draws < 1:
        return FloorValues()

    def compute() -> FloorValues:
        return floor_values(metric, reference, distilled, draws, random_state)

    return compute() if cache is None else cache(_floor_key(spec, reference, distilled, random_state, draws), compute)


def _floor_key(spec: MetricSpec, reference: Reference, distilled: DistilledSet, random_state: int, draws: int) -> str:
    """Return a key of all that determines floors, for given training rows."""
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    labels = distilled.y if reference.classes is not None and distilled.y is not None else np.zeros(len(weight))
    digest = hashlib.sha256(json.dumps([spec.name, spec.version, random_state, draws]).encode())
    for label in np.unique(np.asarray(labels)):
        digest.update(repr(label).encode() + np.sort(weight[labels == label]).tobytes())
    return digest.hexdigest()[:32]


def _result(value: float | None, floor: FloorValues, note: str = "") -> dict[str, Any]:
    value = None if value is None or not math.isfinite(value) else value
    measured = value if isinstance(value, Measured) else Measured(0.0)
    notes = (note, measured.note, floor.note)
    return {
        "value": None if value is None else float(value),
        "picked": None if floor.picked is None else list(floor.picked),
        "fresh": None if floor.fresh is None else list(floor.fresh),
        "z": z_score(value, floor.fresh),
        "draws": floor.draws,
        "error": measured.error,
        "interval": None if measured.interval is None else list(measured.interval),
        "note": " ".join(part for part in notes if part),
        "features": measured.features,
    }
