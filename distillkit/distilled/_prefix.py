"""Prefixes of ranked distilled sets, with weights that still represent all training rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from distillkit.budget import Budget
from distillkit.distilled._fields import DistilledFields
from distillkit.distilled._fit_weights import weight_of_the_fit
from distillkit.exceptions import BudgetError, DataError
from distillkit.utils._json import to_jsonable
from distillkit.utils._sparse import dense_rows

__all__ = ["prefix_fields"]


def prefix_fields(
    distilled: DistilledFields, budget: Any, X: Any = None, y: Any = None, sample_weight: Any = None
) -> dict[str, Any]:
    """Return the fields of a prefix that differ from the set; see `DistilledSet.prefix`."""
    if distilled.ranking is None:
        method = str(distilled.provenance.get("method", "the method")).rpartition(":")[2]
        raise DataError(
            f"this set has no ranking: {method} does not order its rows, so a prefix is not a result for a smaller "
            "budget. Fit with the smaller budget, or use a method that ranks, such as KCenterCoreset."
        )
    keep = np.zeros(len(distilled), dtype=bool)
    for members, quota in _quotas(distilled, Budget(budget)):
        keep[members] = np.asarray(distilled.ranking)[members] < quota
    parts: dict[str, Any] = {
        name: np.asarray(getattr(distilled, name))[keep]
        for name in ("X", "y", "indices", "soft_labels", "stored", "ranking")
        if getattr(distilled, name) is not None
    }
    if distilled.table is not None:
        parts["table"] = distilled.table.take(keep)
    X = None if X is None else distilled.encode(X)
    given = (X, y, sample_weight)
    weight = _reassigned_weight(distilled, keep) if X is None else _counted_weight(distilled, keep, *given)
    provenance = {name: value for name, value in distilled.provenance.items() if name != "offset"}
    return {**parts, "sample_weight": weight[keep], "provenance": {**provenance, "prefix": to_jsonable(budget)}}


def _members(distilled: DistilledFields) -> Iterator[np.ndarray]:
    """Yield the positions of the rows of each class, in the order of `classes`, or of all rows."""
    if distilled.classes is None or distilled.y is None:
        yield np.arange(len(distilled))
    else:
        yield from (np.flatnonzero(distilled.y == label) for label in distilled.classes)


def _quotas(distilled: DistilledFields, budget: Budget) -> list[tuple[np.ndarray, int]]:
    """Return the positions of each class with the number of rows to keep."""
    members = list(_members(distilled))
    if distilled.classes is None:
        quotas = {None: budget.total(int(distilled.provenance.get("rows_seen", len(distilled))))}
    else:
        class_rows = distilled.provenance.get("class_rows", [len(positions) for positions in members])
        quotas = budget.per_class(dict(zip(distilled.classes.tolist(), class_rows, strict=True)))
    for positions, (label, quota) in zip(members, quotas.items(), strict=True):
        if quota > len(positions):
            of_class = "" if label is None else f" of class {label!r}"
            raise BudgetError(
                f"budget={budget} asks for {quota} rows{of_class}, but the set holds {len(positions)}: "
                "ask for fewer, or distill with a larger budget."
            )
    return list(zip(members, quotas.values(), strict=True))


def _reassigned_weight(distilled: DistilledFields, keep: np.ndarray) -> np.ndarray:
    """Return the weights with those of dropped rows added to the remaining rows."""
    previous = np.asarray(distilled.sample_weight, dtype=np.float64)
    weight = np.where(keep, previous, 0.0)
    flat = distilled.X.reshape(len(distilled), -1)
    for members in _members(distilled):
        kept_rows, dropped = members[keep[members]], members[~keep[members]]
        if distilled.provenance.get("weighting") == "nearest" and len(dropped):
            np.add.at(weight, kept_rows[_nearest(flat[dropped], flat[kept_rows])], previous[dropped])
        else:
            weight[kept_rows] *= previous[members].sum() / previous[kept_rows].sum()
    return weight


def _counted_weight(distilled: DistilledFields, keep: np.ndarray, X: Any, y: Any, sample_weight: Any) -> np.ndarray:
    """Count the rows of each class by their nearest remaining row."""
    if distilled.provenance.get("weighting") != "nearest":
        raise DataError(
            "the weights of this set do not count nearest rows, so they cannot be counted again: leave X out."
        )
    dense = dense_rows(X)
    rows, labels = dense.reshape(len(dense), -1), None if y is None else np.asarray(y)
    mass = weight_of_the_fit(distilled, rows, sample_weight)
    if np.count_nonzero(mass) != distilled.provenance.get("rows_seen") or (labels is None) != (distilled.y is None):
        raise DataError(
            f"X has {len(rows)} rows {'without' if labels is None else 'with'} y, but the set was made from "
            f"{distilled.provenance.get('rows_seen')} {'without' if distilled.y is None else 'with'} it: "
            "give the rows of the fit."
        )
    flat, weight = distilled.X.reshape(len(distilled), -1), np.zeros(len(distilled))
    for members in _members(distilled):
        kept_rows = members[keep[members]]
        class_rows = np.arange(len(rows))
        if distilled.classes is not None:
            class_rows = np.flatnonzero(labels == distilled.y[members[0]])  # type: ignore[index]
        nearest_row = np.zeros(len(rows), dtype=np.int64)
        nearest_row[class_rows] = kept_rows[_nearest(rows[class_rows], flat[kept_rows])]
        if distilled.indices is not None:
            # A selected row counts for itself, even if an equal row is as near.
            nearest_row[distilled.indices[kept_rows]] = kept_rows
        weight[kept_rows] = np.bincount(nearest_row[class_rows], weights=mass[class_rows], minlength=len(distilled))[
            kept_rows
        ]
    return weight


def _nearest(queries: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the position in X of the nearest row of each query, the first of equally near ones."""
    from distillkit.neighbors._assignment import first_nearest  # loads compiled loops, so only on demand

    return first_nearest(queries, X)
