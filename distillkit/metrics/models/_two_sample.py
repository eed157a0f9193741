"""The classifier two-sample test, which tells distilled rows from training rows if it can."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from distillkit.distances._samples import row_keys
from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._sides import Sides, drawn, sides_of
from distillkit.metrics.models._scaled import row_scaling, target_matrix
from distillkit.metrics.reference import content_key, shares_reference
from distillkit.utils._seeds import seed_model

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["TwoSampleTest", "two_sample_accuracy", "two_sample_auc", "two_sample_test"]

_FEWEST, _FOLDS = 2, 5
_ENOUGH_ROWS, _MOST_DRAWS = 100, 5
_Z = 1.959963984540054  # two-sided quantile of the normal distribution at 95 %


@dataclass(frozen=True)
class TwoSampleTest:
    """Result of a classifier two-sample test.

    Parameters
    ----------
    accuracy, auc : Measured
        Share of rows that are told apart, and the area under the ROC curve: the share of pairs of a
        distilled and a training row that are ranked in the right order. Both are 0.5 if the
        classifier cannot tell them apart, and carry an interval at 95 %.
    rows : int
        Rows of each side.
    draws : int
        Number of sets of training rows that the distilled rows were compared with.
    """

    accuracy: Measured
    auc: Measured
    rows: int
    draws: int


@shares_reference
def two_sample_auc(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, classifier: Any = None
) -> float | None:
    """Return the area under the ROC curve of a classifier of distilled against training rows.

    See `two_sample_test`.

    Parameters
    ----------
    X, y, distilled, random_state, classifier
        As for `two_sample_test`.

    Returns
    -------
    float or None
        In [0, 1]: 0.5 if the rows cannot be told apart, and 1 if they always can. None for a single
        distilled row.
    """
    sides = sides_of(X, y, distilled)
    return None if _size(sides) < _FEWEST else _tested(sides, random_state, classifier).auc


@shares_reference
def two_sample_accuracy(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, classifier: Any = None
) -> float | None:
    """Return the share of distilled and training rows that a classifier tells apart.

    See `two_sample_test`.

    Parameters
    ----------
    X, y, distilled, random_state, classifier
        As for `two_sample_test`.

    Returns
    -------
    float or None
        In [0, 1]: 0.5 if the rows cannot be told apart, and 1 if they always can. None for a single
        distilled row.
    """
    sides = sides_of(X, y, distilled)
    return None if _size(sides) < _FEWEST else _tested(sides, random_state, classifier).accuracy


def two_sample_test(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, classifier: Any = None
) -> TwoSampleTest:
    """Train a classifier to tell distilled rows from training rows, and test it on other rows.

    As many training rows of each class as there are distilled ones are drawn, regardless of their
    order. The class indicators, or the standardized target, are further columns, so that wrong
    labels can be noticed. Predictions are cross-fitted in five folds (fewer for fewer rows): each
    row is judged by a classifier that was trained without it, and without rows that equal it, so
    that copies of training rows are not told apart. With fewer than 100 distilled rows, the test is
    repeated with up to five draws of training rows and averaged.

    Parameters
    ----------
    X : array-like of shape (n, ...), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet
        Its rows count by their weights.
    random_state : int, default=0
        Seeds the draws, the folds and the classifier.
    classifier : estimator or None, default=None
        A classifier of scikit-learn with `predict_proba`, whose fit takes `sample_weight`; it gets
        flat rows that are standardized by the training rows. None is a random forest of 50 trees.

    Returns
    -------
    TwoSampleTest
        The interval of the accuracy is Wilson's; that of the area is DeLong's variance in Wilson's
        form, so that neither leaves [0, 1] or has no width. Both variances are raised by the factor
        of Nadeau and Bengio, since the classifiers share training rows, and count
        each distilled row once, however many draws there are.

    Raises
    ------
    DataError
        If fewer than two rows of each side can be compared.

    References
    ----------
    Nadeau and Bengio: Inference for the generalization error. Machine Learning 52 (2003).
    Lopez-Paz and Oquab: Revisiting classifier two-sample tests. ICLR 2017, arXiv:1610.06545.
    DeLong, DeLong, Clarke-Pearson: Comparing the areas under two or more correlated receiver
    operating characteristic curves. Biometrics 44 (1988).
    """
    sides = sides_of(X, y, distilled)
    if _size(sides) < _FEWEST:
        raise DataError("a two-sample test needs at least two distilled rows and two training rows: give more rows.")
    return _tested(sides, random_state, classifier)


def _size(sides: Sides) -> int:
    """Return the number of rows of each side that can be compared."""
    return sum(min(len(group.rows), len(group.small)) for group in sides.groups() if not group.stand_in)


def _tested(sides: Sides, random_state: int, classifier: Any) -> TwoSampleTest:
    """Return the result of a test, which is kept for the default classifier.

    The area and the accuracy, each with its floors, are then read from one test.
    """
    if classifier is not None:
        return _test(sides, random_state, classifier)
    key = ("two-sample test", random_state, content_key(sides.small, sides.y_small, sides.weight, sides.soft_labels))
    return sides.reference.cached(key, lambda: _test(sides, random_state, RandomForestClassifier(n_estimators=50)))


def _test(sides: Sides, random_state: int, template: Any) -> TwoSampleTest:
    small_rows, training_rows = _inputs(sides)
    size = _size(sides)
    draws = min(_MOST_DRAWS, -(-_ENOUGH_ROWS // size))
    results, keys = [], _keys(sides)
    for draw in range(draws):
        seed = int(np.random.SeedSequence([random_state, draw]).generate_state(1)[0] >> 1)
        small, training = [], []
        for group in sides.groups():
            if not group.stand_in:
                count = min(len(group.rows), len(group.small))
                small.append(drawn(keys[0], group.small, count, seed))
                training.append(drawn(keys[1], group.rows, count, seed))
        chosen = np.concatenate(small)
        rows = np.concatenate([small_rows[chosen], training_rows(np.concatenate(training))])
        weight = np.concatenate([sides.weight[chosen] / sides.weight[chosen].mean(), np.ones(size)])
        model = seed_model(clone(template), np.random.RandomState(seed))
        results.append(_cross_fitted(rows, weight, size, model, seed))
    accuracy, auc, variance = np.mean(results, axis=0)
    # The effective number of rows of Wilson's interval follows from the variance.
    effective = auc * (1 - auc) / variance if variance > 0 and 0 < auc < 1 else float(size)
    # Predictions of folds whose training rows overlap depend on each other, which raises the
    # variance by the factor of Nadeau and Bengio.
    folds = min(_FOLDS, size)
    share = _effective_share(sides.weight) / (1 + folds / (folds - 1))
    return TwoSampleTest(
        Measured(accuracy, interval=_wilson(accuracy, 2 * size * share)),
        Measured(auc, interval=_wilson(auc, min(effective, 2.0 * size) * share)),
        size,
        draws,
    )


def _keys(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """Return keys of the distilled and of the training rows for draws in any units and types."""
    root, scaling = sides.reference.root, row_scaling(sides)

    def keys(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return row_keys(np.round(scaling(rows.reshape(len(rows), -1)), 3), weight, "two-sample")

    training = root.cached("two-sample keys", lambda: keys(root.X, np.zeros(len(root.X))))
    return keys(sides.small, sides.weight), training[sides.reference.kept]


def _inputs(sides: Sides) -> tuple[np.ndarray, Any]:
    """Return the distilled rows with their targets, and a function that returns training rows."""
    scaling = row_scaling(sides)
    targets = (
        target_matrix(sides) if sides.y is not None else (np.empty((len(sides.X), 0)), np.empty((len(sides.small), 0)))
    )
    small = np.column_stack([scaling(sides.small.reshape(len(sides.small), -1)), _hard(sides, targets[1])])

    def training(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([scaling(sides.X[rows].reshape(len(rows), -1)), targets[0][rows]])

    return small, training


def _hard(sides: Sides, targets: np.ndarray) -> np.ndarray:
    """Return indicators of hard labels, since training rows have no soft labels."""
    if sides.soft_labels is None or sides.classes is None:
        return targets
    return np.asarray(np.eye(len(sides.classes))[np.asarray(sides.y_small)])


def _cross_fitted(rows: np.ndarray, weight: np.ndarray, size: int, model: Any, seed: int) -> tuple[float, float, float]:
    """Return accuracy, area and its variance for rows of which the first `size` are distilled."""
    truth = np.repeat([1, 0], size)
    groups = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    folds = StratifiedGroupKFold(min(_FOLDS, size), shuffle=True, random_state=seed)
    scores, fold_of = np.full(2 * size, 0.5), np.zeros(2 * size, dtype=int)
    for fold, (train, test) in enumerate(folds.split(rows, truth, groups)):
        fold_of[test] = fold
        if len(np.unique(truth[train])) == 2:  # otherwise nothing can be learned
            fitted = clone(model).fit(rows[train], truth[train], sample_weight=weight[train])
            scores[test] = fitted.predict_proba(rows[test])[:, 1]
    # Scores of 0.5 are half right, so that a classifier without any knowledge has 0.5.
    right = np.where(scores == 0.5, 0.5, (scores > 0.5) == truth)
    return float(np.average(right, weights=weight)), *_area(scores, truth, weight, fold_of)


def _area(scores: np.ndarray, truth: np.ndarray, weight: np.ndarray, fold_of: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve and DeLong's variance.

    Scores of different classifiers cannot be compared, so only pairs within a fold count.
    """
    placements = np.full(len(scores), np.nan)
    for fold in np.unique(fold_of):
        first, second = (np.flatnonzero((fold_of == fold) & (truth == side)) for side in (1, 0))
        if len(first) and len(second):
            wins = (np.sign(scores[first][:, None] - scores[second][None, :]) + 1) / 2
            placements[first] = wins @ weight[second] / weight[second].sum()
            placements[second] = weight[first] @ wins / weight[first].sum()
    used = ~np.isnan(placements)
    if not used.any():
        return 0.5, 0.0
    means, variance = [], 0.0
    for side in (1, 0):
        chosen = used & (truth == side)
        share = weight[chosen] / weight[chosen].sum()
        means.append(float(share @ placements[chosen]))
        variance += float(np.square(share) @ np.square(placements[chosen] - means[-1]))
    return means[0], variance


def _effective_share(weight: np.ndarray) -> float:
    """Return Kish's effective number of rows as a share of their number."""
    return float(weight.sum() ** 2 / (len(weight) * np.square(weight).sum()))


def _wilson(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's interval at 95 % of a share of a number of cases."""
    center = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, center - half), min(1.0, center + half)
