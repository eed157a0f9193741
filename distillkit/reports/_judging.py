"""Trains a quick model on the small set, on all real rows and on random ones, and tests it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from distillkit.advice._judge import check_estimator, default_judge
from distillkit.metrics.privacy._copies import equal_rows
from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._utility import SCORE_COLUMNS, Utility
from distillkit.utils._hold_out import hold_out_rows, rows_by_class
from distillkit.utils._soft_labels import expand_soft_labels

__all__ = ["measure_utility"]

_TEST_SHARE = 0.25
_MOST_VALUES = 16_000_000
_REPEATS = 5
_BOOTSTRAPS = 200
_FEWEST = 4

Scores = dict[str, tuple[float, float]]
"""Values and standard errors by metric."""

_SEEN = (
    "No held-out rows were given, so the test rows are a quarter of the real rows that the small set does not publish. "
    "The method may have seen them, and its score may be too good; test=(X, y) gives an honest one."
)


def measure_utility(compared: ComparedRows, draws: list[tuple[np.ndarray, np.ndarray]], estimator: Any) -> Utility:
    """Return the scores of a model that is trained on the small set and on real rows.

    Parameters
    ----------
    compared : ComparedRows
    draws : list of (ndarray, ndarray)
        Positions and weights of random real rows.
    estimator : estimator or None
        None takes extremely randomized trees.
    """
    if compared.task is None:
        return Utility(note="There are no targets, so no model can be trained.")
    if compared.reference.classes is not None and len(compared.reference.classes) < 2:
        return Utility(note=f"All real rows are of the class {compared.reference.classes[0]}: nothing can be learned.")
    if estimator is not None:
        check_estimator(estimator)
    judge = _Judge(compared, default_judge(compared.task) if estimator is None else estimator)
    found = _divide(compared)
    if found is None:
        return Utility(note="There are too few real rows to hold some of them out: give test=(X, y).")
    train, X_test, y_test = found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = judge.scores(*_training_rows(compared), X_test, y_test)
        whole = judge.scores(*_real(compared, train), None, X_test, y_test)
        random = _random_scores(compared, judge, draws, train, X_test, y_test)
    rows = {metric: (*small[metric], *whole[metric], *_spread(random, metric)) for metric in small}
    is_held_out = compared.test is not None and compared.test.y is not None
    note = "The test rows were held out by you: the score is honest if the method has not seen them."
    parts = [note if is_held_out else _SEEN]
    if len(train) < (available := len(compared.reference) - (0 if is_held_out else len(y_test))):
        parts.append(f"For its speed, the model for all rows is trained on {len(train):,} of {available:,} rows.")
    return Utility(
        judge=judge.name,
        scores=pd.DataFrame.from_dict(rows, orient="index", columns=list(SCORE_COLUMNS)),
        n_train=len(train),
        n_test=len(y_test),
        is_held_out=is_held_out,
        note=" ".join(parts),
    )


class _Judge:
    """Trains and scores copies of one model."""

    def __init__(self, compared: ComparedRows, model: Any) -> None:
        self.model, self.task = model, compared.task
        steps = getattr(model, "steps", None)
        self.name = type(steps[-1][1] if steps else model).__name__

    def scores(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, X_test: np.ndarray, y_test: np.ndarray
    ) -> Scores:
        """Return the scores of the model trained on some rows, with their standard errors."""
        takes_weight = weight is not None and has_fit_parameter(self.model, "sample_weight")
        model = clone(self.model).fit(_flat(X), y, **({"sample_weight": weight} if takes_weight else {}))
        predicted = np.asarray(model.predict(_flat(X_test)))
        return _accuracies(y_test, predicted) if self.task == "classification" else _explained(y_test, predicted)


def _flat(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def _accuracies(y: np.ndarray, predicted: np.ndarray) -> Scores:
    """Return accuracy and balanced accuracy with their standard errors by the numbers of rows."""
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    recall = np.bincount(codes, predicted == y) / counts
    share = float(np.mean(predicted == y))
    return {
        "accuracy": (share, float(np.sqrt(share * (1 - share) / len(y)))),
        "balanced accuracy": (
            float(recall.mean()),
            float(np.sqrt(np.sum(recall * (1 - recall) / counts)) / len(classes)),
        ),
    }


def _explained(y: np.ndarray, predicted: np.ndarray) -> Scores:
    """Return R2 and its standard error over bootstrap samples of the test rows."""
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    samples = (rng.integers(len(y), size=len(y)) for _ in range(_BOOTSTRAPS))
    values = [r2_score(y[rows], predicted[rows]) for rows in samples if np.ptp(y[rows]) > 0]
    return {"R2": (float(r2_score(y, predicted)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)}


def _spread(scores: list[Scores], metric: str) -> tuple[float, float]:
    """Return the mean and the standard deviation of the scores for random rows."""
    values = [of_draw[metric][0] for of_draw in scores]
    return (float(np.mean(values)), float(np.std(values, ddof=1))) if len(values) > 1 else (np.nan, np.nan)


def _divide(compared: ComparedRows) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the positions of the real rows to train on, and the test rows with their targets."""
    X, y = compared.reference.X, np.asarray(compared.real.y)
    n_rows = len(X)
    rng = np.random.default_rng(compared.random_state)
    labels = y if compared.task == "classification" else None
    if compared.test is not None and compared.test.y is not None and compared.held_out is not None:
        train, X_test, y_test = np.arange(n_rows), compared.held_out, np.asarray(compared.test.y)
    else:
        flat = _flat(X)
        published = equal_rows(flat, _flat(compared.distilled.X).astype(flat.dtype))
        groups = [rows[~published[rows]] for rows in rows_by_class(labels, n_rows)]
        counts = [int(_TEST_SHARE * len(rows)) for rows in groups]
        if sum(counts) < _FEWEST:
            return None
        train, held_out = hold_out_rows(groups, counts, n_rows, rng)
        X_test, y_test = X[held_out], y[held_out]
    limit = max(2000, _MOST_VALUES // max(1, int(np.prod(X.shape[1:]))))
    if len(train) > limit:
        train = np.sort(rng.choice(train, limit, replace=False))
    if len(y_test) > limit:
        kept = rng.choice(len(y_test), limit, replace=False)
        X_test, y_test = X_test[kept], y_test[kept]
    return train, X_test, y_test


def _real(compared: ComparedRows, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return compared.reference.X[rows], np.asarray(compared.real.y)[rows]


def _training_rows(compared: ComparedRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows of the small set with targets and weights; soft labels as weighted copies."""
    small = compared.distilled
    X, y, weight = small.X, np.asarray(small.y), np.asarray(small.sample_weight, dtype=np.float64)
    soft = small.soft_labels
    if soft is None:
        return X, y, weight
    if compared.task == "regression":
        return X, soft.reshape(len(X), -1)[:, 0], weight
    classes = compared.small.classes if compared.small.classes is not None else small.classes
    return expand_soft_labels(X, soft, np.asarray(classes), weight)


def _random_scores(
    compared: ComparedRows,
    judge: _Judge,
    draws: list[tuple[np.ndarray, np.ndarray]],
    train: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
) -> list[Scores]:
    """Return the scores for random rows; those that the model is tested on are replaced."""
    if not draws:
        return []
    is_training = np.zeros(len(compared.reference), dtype=bool)
    is_training[train] = True
    scores = []
    for rows, weight in draws[:_REPEATS]:
        replaced = _replaced(compared, rows, is_training)
        if replaced is None:
            return []
        scores.append(judge.scores(*_real(compared, replaced), weight, X_test, y_test))
    return scores


def _replaced(compared: ComparedRows, rows: np.ndarray, is_training: np.ndarray) -> np.ndarray | None:
    """Return random rows, with training rows of the same class in place of test rows."""
    rows = rows.copy()
    codes = compared.reference.codes if compared.reference.codes is not None else np.zeros(len(is_training), dtype=int)
    free = is_training.copy()
    free[rows] = False
    rng = np.random.default_rng(compared.random_state)
    for code in np.unique(codes[rows]):
        places = np.flatnonzero((codes[rows] == code) & ~is_training[rows])
        candidates = np.flatnonzero(free & (codes == code))
        if len(candidates) < len(places):
            return None
        rows[places] = rng.choice(candidates, len(places), replace=False)
    return rows
