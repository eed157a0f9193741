"""Images and series of each class on both sides, for the pictures of a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._curves import Curve, curves_of

__all__ = ["ExampleGroup", "Examples", "examples_of"]

_GROUPS = 10
_SHOWN = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class ExampleGroup:
    """Some rows of one class on both sides, with the means of all of them.

    Parameters
    ----------
    name : str
        Label of the class; empty if there are no classes.
    n_real, n_small : int
        Rows of the class on both sides.
    real, small : ndarray of shape (k, ...)
        At most eight rows: of the real ones at random, of the small set those of largest weight.
    mean_real, mean_small : ndarray of the shape of a row
        Mean of all rows of the class; NaN for a class that the small set does not have.
    """

    name: str
    n_real: int
    n_small: int
    real: np.ndarray
    small: np.ndarray
    mean_real: np.ndarray
    mean_small: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Examples:
    """Images or series of both sides.

    Parameters
    ----------
    groups : tuple of ExampleGroup
        The first ten classes in order.
    n_classes : int
        Number of classes of the real rows; 0 without classes.
    curves : tuple of Curve
        Autocorrelation and spectrum of series; empty for images.
    """

    groups: tuple[ExampleGroup, ...]
    n_classes: int
    curves: tuple[Curve, ...] = ()


def examples_of(compared: ComparedRows, draws: list[tuple[np.ndarray, np.ndarray]]) -> Examples | None:
    """Return images or series of both sides; None for tables."""
    if compared.modality == "table":
        return None
    rng = np.random.default_rng(compared.random_state)
    n_classes, members = _members(compared)
    weight = np.asarray(compared.distilled.sample_weight, dtype=np.float64)
    groups = [_group(compared, name, real, small, weight, rng) for name, real, small in members[:_GROUPS]]
    curves = curves_of(compared, draws) if compared.modality == "series" else ()
    return Examples(groups=tuple(groups), n_classes=n_classes, curves=curves)


def _members(compared: ComparedRows) -> tuple[int, list[tuple[str, np.ndarray, np.ndarray]]]:
    """Return the number of classes, and name and positions of the rows of each."""
    y, y_small = compared.real.y, compared.distilled.y
    if compared.task != "classification" or y is None or y_small is None:
        return 0, [("", np.arange(len(compared.real)), np.arange(len(compared.small)))]
    labels = np.unique(y)
    return len(labels), [
        (str(label), np.flatnonzero(y == label), np.flatnonzero(y_small == label)) for label in labels[:_GROUPS]
    ]


def _group(
    compared: ComparedRows,
    name: str,
    real: np.ndarray,
    small: np.ndarray,
    weight: np.ndarray,
    rng: np.random.Generator,
) -> ExampleGroup:
    X, X_small = np.asarray(compared.real.X), np.asarray(compared.small.X)
    shown = np.sort(rng.choice(real, min(_SHOWN, len(real)), replace=False))
    heaviest = small[np.argsort(-weight[small], kind="stable")[:_SHOWN]]
    is_weighted = len(small) > 0 and weight[small].sum() > 0
    return ExampleGroup(
        name=name,
        n_real=len(real),
        n_small=len(small),
        real=X[shown],
        small=X_small[heaviest],
        mean_real=X[real].mean(axis=0, dtype=np.float64),
        mean_small=np.average(X_small[small], axis=0, weights=weight[small])
        if is_weighted
        else np.full(X.shape[1:], np.nan),
    )
