"""The first places of a ranked distilled set, with weights that still stand for every row seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from distillkit.budget import Budget
from distillkit.distilled._fields import DistilledFields
from distillkit.exceptions import BudgetError, DataError
from distillkit.utils._json import to_jsonable

__all__ = ["prefix_fields"]


def prefix_fields(distilled: DistilledFields, budget: Any, X: Any = None, y: Any = None) -> dict[str, Any]:
    """Return the fields that differ in the part of a ranked set that a smaller budget asks for; see `DistilledSet.prefix`."""
    if distilled.ranking is None:
        method = str(distilled.provenance.get("method", "the method")).rpartition(":")[2]
        raise DataError(
            f"this set has no ranking: {method} does not order its rows, so a part of them is no smaller result; "
            "fit it with the smaller budget, or use a method that ranks, such as KCenterCoreset."
        )
    keep = np.zeros(len(distilled), dtype=bool)
    for own, quota in _quotas(distilled, Budget(budget)):
        keep[own] = np.asarray(distilled.ranking)[own] < quota
    parts: dict[str, Any] = {
        name: np.asarray(getattr(distilled, name))[keep]
        for name in ("X", "y", "indices", "soft_labels", "stored", "ranking")
        if getattr(distilled, name) is not None
    }
    weight = _weight(distilled, keep) if X is None else _counted(distilled, keep, X, y)
    provenance = {name: value for name, value in distilled.provenance.items() if name != "offset"}
    return {**parts, "sample_weight": weight[keep], "provenance": {**provenance, "prefix": to_jsonable(budget)}}


def _members(distilled: DistilledFields) -> Iterator[np.ndarray]:
    """Positions of each class's rows, in the order of `classes`; all rows where there are none."""
    if distilled.classes is None or distilled.y is None:
        yield np.arange(len(distilled))
    else:
        yield from (np.flatnonzero(distilled.y == label) for label in distilled.classes)


def _quotas(distilled: DistilledFields, budget: Budget) -> list[tuple[np.ndarray, int]]:
    members = list(_members(distilled))
    if distilled.classes is None:
        wanted = {None: budget.total(int(distilled.provenance.get("rows_seen", len(distilled))))}
    else:
        seen = distilled.provenance.get("class_rows", [len(own) for own in members])
        wanted = budget.per_class(dict(zip(distilled.classes.tolist(), seen, strict=True)))
    for own, (label, quota) in zip(members, wanted.items(), strict=True):
        if quota > len(own):
            whose = "" if label is None else f" of class {label!r}"
            raise BudgetError(
                f"budget={budget} asks for {quota} rows{whose}, but the set holds {len(own)}: "
                "ask for fewer, or distill with a larger budget."
            )
    return list(zip(members, wanted.values(), strict=True))


def _weight(distilled: DistilledFields, keep: np.ndarray) -> np.ndarray:
    """Weights of the kept rows (at their places), from those of all; each class keeps its sum."""
    old = np.asarray(distilled.sample_weight, dtype=np.float64)
    weight = np.where(keep, old, 0.0)
    flat = distilled.X.reshape(len(distilled), -1)
    for own in _members(distilled):
        kept, dropped = own[keep[own]], own[~keep[own]]
        if distilled.provenance.get("weighting") == "nearest" and len(dropped):
            np.add.at(weight, kept[_nearest(flat[dropped], flat[kept])], old[dropped])
        else:
            weight[kept] *= old[own].sum() / old[kept].sum()
    return weight


def _counted(distilled: DistilledFields, keep: np.ndarray, X: Any, y: Any) -> np.ndarray:
    """Rows of each class that have a kept row as their nearest; a picked row counts for itself."""
    if distilled.provenance.get("weighting") != "nearest":
        raise DataError(
            "the weights of this set do not count nearest rows, so X has nothing to say to them: leave it out."
        )
    rows, labels = np.asarray(X).reshape(len(X), -1), None if y is None else np.asarray(y)
    if len(rows) != distilled.provenance.get("rows_seen") or (labels is None) != (distilled.y is None):
        raise DataError(
            f"X has {len(rows)} rows {'without' if labels is None else 'with'} y, but the set was made from "
            f"{distilled.provenance.get('rows_seen')} {'without' if distilled.y is None else 'with'} it: give those."
        )
    flat, weight = distilled.X.reshape(len(distilled), -1), np.zeros(len(distilled))
    for own in _members(distilled):
        kept = own[keep[own]]
        of_class = np.arange(len(rows)) if distilled.classes is None else np.flatnonzero(labels == distilled.y[own[0]])  # type: ignore[index]
        nearest_row = np.zeros(len(rows), dtype=np.int64)
        nearest_row[of_class] = kept[_nearest(rows[of_class], flat[kept])]
        if distilled.indices is not None:
            nearest_row[distilled.indices[kept]] = kept
        weight[kept] = np.bincount(nearest_row[of_class], minlength=len(distilled))[kept]
    return weight


def _nearest(queries: np.ndarray, X: np.ndarray) -> np.ndarray:
    from distillkit.neighbors import nearest  # which loads faiss: only where it is asked for

    return nearest(queries, X, 1)[1][:, 0]
