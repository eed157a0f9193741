"""Divergences between the targets, and between the predictions, of training and distilled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances import js_divergence, kl_divergence
from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import distilled_rows
from distillkit.metrics._selected import probabilities_of
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["js_predictions", "js_targets", "kl_predictions", "kl_targets", "target_counts"]

_PSEUDO_COUNT = 0.5
_BINS = 10


@shares_reference
def kl_targets(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:  # noqa: ARG001
    """Return the Kullback-Leibler divergence of the class proportions, KL(training || distilled).

    Each distilled row counts by its sample weight, and each class gets half a row more on both
    sides before the counts are scaled to proportions, so that a class that is left out gives a
    large but finite value. A continuous target is counted in ten bins between the deciles of the
    training target.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
        With targets.
    random_state : int, default=0
        Has no effect.

    Returns
    -------
    float
        In nats, at least 0; 0 for equal proportions.

    Raises
    ------
    DataError
        If there are no targets.
    """
    return float(kl_divergence(*_smoothed_targets(X, y, distilled)))


@shares_reference
def js_targets(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:  # noqa: ARG001
    """Return the Jensen-Shannon divergence of the class proportions; arguments as `kl_targets`.

    Returns
    -------
    float
        In bits, from 0 (equal proportions) to 1 (no class in common, up to the smoothing).
    """
    return float(js_divergence(*_smoothed_targets(X, y, distilled)) / np.log(2))


@shares_reference
def kl_predictions(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = "classifier"
) -> Measured:
    """Return the Kullback-Leibler divergence of mean predictions, KL(training || distilled).

    A classifier, trained on the training rows, predicts class probabilities of both sets. Their
    means, in which distilled rows count by their sample weights, are compared like the proportions
    in `kl_targets`. Rows that look like those of other classes than their labels say are seen here.

    Parameters
    ----------
    X, y, distilled
        As for `kl_targets`.
    random_state : int, default=0
        Seeds the classifier.
    features : str or object, default="classifier"
        An extractor with class probabilities: "classifier" or "inception".

    Returns
    -------
    Measured
        In nats, at least 0.

    Raises
    ------
    DataError
        If the extractor has no probabilities or the rows cannot be compared.
    """
    real, made, identity = _smoothed_predictions(X, y, distilled, random_state, features)
    return Measured(kl_divergence(real, made), features=identity)


@shares_reference
def js_predictions(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = "classifier"
) -> Measured:
    """Return the Jensen-Shannon divergence of mean predictions; see `kl_predictions`.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `kl_predictions`.
    features : str or object, default="classifier"
        As for `kl_predictions`.

    Returns
    -------
    Measured
        In bits, from 0 to 1.
    """
    real, made, identity = _smoothed_predictions(X, y, distilled, random_state, features)
    return Measured(js_divergence(real, made) / np.log(2), features=identity)


def target_counts(reference: Reference, distilled: DistilledSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of training rows and the weights of distilled rows, by class or bin.

    Raises
    ------
    DataError
        If there are no targets.
    """
    if reference.y is None or distilled.y is None:
        raise DataError("the proportions of targets need targets y of both sets: distil with y.")
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    if reference.classes is not None and reference.codes is not None:
        n_classes = len(reference.classes)
        made = np.array([weight[distilled.y == label].sum() for label in reference.classes])
        return np.bincount(reference.codes, minlength=n_classes).astype(float), made
    edges = np.quantile(np.asarray(reference.root.y, dtype=np.float64), np.arange(1, _BINS) / _BINS)
    bins = [np.searchsorted(edges, np.asarray(y, dtype=np.float64)) for y in (reference.y, distilled.y)]
    real = np.bincount(bins[0], minlength=_BINS).astype(float)
    return real, np.bincount(bins[1], weights=weight, minlength=_BINS)


def _smoothed_targets(X: Any, y: Any, distilled: DistilledSet) -> tuple[np.ndarray, np.ndarray]:
    reference = Reference.of(X, y, distilled)
    distilled_rows(reference, distilled)  # raises an error for rows and weights that cannot be used
    real, made = target_counts(reference, distilled)
    return real + _PSEUDO_COUNT, made + _PSEUDO_COUNT


def _smoothed_predictions(
    X: Any, y: Any, distilled: DistilledSet, random_state: int, features: Any
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the smoothed sums of the probabilities of both sets, and the extractor."""
    reference = Reference.of(X, y, distilled)
    extractor, probabilities = probabilities_of(reference, features, random_state)
    root = reference.root
    whole = root.cached(("probabilities", extractor.identity), lambda: probabilities(root.X))
    real = whole.sum(axis=0) - whole[reference.removed].sum(axis=0)
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    made = weight @ probabilities(distilled_rows(reference, distilled))
    return np.maximum(real, 0.0) + _PSEUDO_COUNT, made + _PSEUDO_COUNT, extractor.identity
