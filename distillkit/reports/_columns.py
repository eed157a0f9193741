"""Computes the figures of each column, with the floors of their drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from distillkit.metrics import random_sets
from distillkit.metrics.reference import class_counts
from distillkit.metrics.reference._floors import z_score
from distillkit.metrics.tables._marginals import kolmogorov_smirnov
from distillkit.reports._column_report import ColumnReport
from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._summaries import label_figures, number_figures
from distillkit.reports._values import LabelPair, NumberPair, labels_of, pair_of
from distillkit.tables import TableEncoder
from distillkit.tables._reading import read_pandas

__all__ = ["column_reports", "floor_draws"]

Draws = list[tuple[np.ndarray, np.ndarray]]
"""Positions and weights of random real rows."""


def floor_draws(compared: ComparedRows, draws: int) -> Draws:
    """Return random real rows of the make-up of the small set.

    There are none if it has more than half of the rows of a class.
    """
    counts = class_counts(compared.reference, compared.distilled)
    if any(2 * n_small > n_rows for n_rows, n_small in counts):
        return []
    sets = random_sets(compared.reference, compared.distilled, draws, compared.random_state)
    return [(np.asarray(each.indices), np.asarray(each.sample_weight, dtype=np.float64)) for each in sets]


def column_reports(compared: ComparedRows, draws: Draws) -> list[ColumnReport]:
    """Return the report of each column, and of the target as the last one."""
    real, small = compared.table_of(compared.real), compared.table_of(compared.small)
    encoder = compared.encoder or TableEncoder().fit(real)
    weight = np.asarray(compared.distilled.sample_weight, dtype=np.float64)
    pairs: list[tuple[str, NumberPair | LabelPair, bool]] = [
        (name, pair_of(real[name], small[name], column, name), False)
        for name, column in zip(encoder.names_, encoder.columns_, strict=True)
    ]
    if (target := _target_pair(compared)) is not None:
        pairs.append((compared.target_name, target, True))
    return [_column(name, pair, weight, draws, is_target=is_target) for name, pair, is_target in pairs]


def _target_pair(compared: ComparedRows) -> NumberPair | LabelPair | None:
    y, y_small = compared.real.y, compared.distilled.y
    if y is None or y_small is None:
        return None
    if compared.task == "regression":
        return NumberPair(y.astype(np.float64), y_small.astype(np.float64), is_whole=bool((y == np.rint(y)).all()))
    return labels_of(_labels(y), _labels(y_small), "category")


def _labels(y: np.ndarray) -> Any:
    return read_pandas(pd.Series(y.tolist(), dtype="category"))


def _column(
    name: str, pair: NumberPair | LabelPair, weight: np.ndarray, draws: Draws, *, is_target: bool
) -> ColumnReport:
    if isinstance(pair, NumberPair):
        figures = number_figures(pair, weight)
        gaps = np.isnan(pair.real), np.isnan(pair.small)
        measure, drift = "KS", _ks(pair.real, gaps[0])
        small: np.ndarray = pair.small
    else:
        figures = label_figures(pair, weight)
        gaps = pair.real < 0, pair.small < 0
        # Nearly every identifier is lost in any small set, so that a distance says nothing.
        measure, drift = "TV", _tv(pair) if pair.kind not in ("identifier", "empty") else None
        small = pair.small
    shares: dict[str, Any] = {
        "gaps_real": float(gaps[0].mean()),
        "gaps_small": float(weight[gaps[1]].sum() / weight.sum()),
    }
    measured = {} if drift is None else _drift(drift, measure, pair.real, small, weight, draws)
    return ColumnReport(name=name, kind=pair.kind, is_target=is_target, **figures, **shares, **measured)


def _drift(
    distance: Callable[..., float | None],
    measure: str,
    real: np.ndarray,
    small: np.ndarray,
    weight: np.ndarray,
    draws: Draws,
) -> dict[str, Any]:
    """Return the drift of a column with its floor."""
    drift = distance(small, weight, real[:0])
    if drift is None:
        return {}
    floors = [distance(real[rows], of_rows, real[rows]) for rows, of_rows in draws]
    known = [floor for floor in floors if floor is not None]
    if len(known) < 2 or len(known) < len(floors):
        return {"measure": measure, "drift": drift}
    floor = float(np.mean(known)), float(np.std(known, ddof=1))
    return {"measure": measure, "drift": drift, "floor": floor[0], "floor_sd": floor[1], "z": z_score(drift, floor)}


def _ks(real: np.ndarray, gaps: np.ndarray) -> Callable[..., float | None] | None:
    """Return the Kolmogorov-Smirnov distance to the present real numbers, without some of these."""
    if gaps.all():
        return None
    ordered = np.sort(real[~gaps])

    def distance(sample: np.ndarray, weight: np.ndarray, removed: np.ndarray) -> float | None:
        present = ~np.isnan(sample) & (weight > 0)
        removed = removed[~np.isnan(removed)]
        if not present.any() or len(removed) == len(ordered):
            return None
        return kolmogorov_smirnov(ordered, sample[present], weight[present], removed)

    return distance


def _tv(pair: LabelPair) -> Callable[..., float]:
    """Return the total variation distance to the shares of the real levels, without some rows."""
    width = len(pair.levels) + 1  # the last one for gaps, whose code is -1
    counts = np.bincount(pair.real % width, minlength=width)

    def distance(sample: np.ndarray, weight: np.ndarray, removed: np.ndarray) -> float:
        others = counts - np.bincount(removed % width, minlength=width)
        shares = np.bincount(sample % width, weight, minlength=width) / weight.sum()
        return float(np.abs(others / others.sum() - shares).sum() / 2)

    return distance
