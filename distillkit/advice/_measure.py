"""Measures data: kinds of columns, classes, how much random rows lose, and the cost of training."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, r2_score

from distillkit.advice._data import Data
from distillkit.advice._extrapolation import extrapolate
from distillkit.advice._judge import default_judge, is_differentiable, is_linear
from distillkit.advice._situation import Situation
from distillkit.tables._frames import is_frame, take_rows
from distillkit.utils._cpu_time import timed_cpu

__all__ = ["measure"]

_MOST_ROWS = 4000
_MOST_VALUES = 8_000_000
_REPEATS = 3


def measure(
    data: Data,
    *,
    estimator: Any = None,
    seconds: float | None,
    accelerated: bool,
    privacy: bool,
    most_rows: int = _MOST_ROWS,
) -> Situation:
    """Return the situation that the rules judge.

    The judge is trained on a sample of the rows, and scored on a third as many that it does not
    see. All of them are training rows.

    Parameters
    ----------
    data : Data
    estimator : estimator or None
        The model to be trained on the distilled set; None takes extremely randomized trees.
    seconds, accelerated, privacy
        As of `Situation`.
    most_rows : int, default=4000
        Most rows of the sample on which the judge is trained.
    """
    counts = list(data.counts.values())
    mixed, gaps = _columns(data.X) if is_frame(data.X) else (0, 0)
    return Situation(
        n_rows=data.n_rows,
        n_features=data.n_features,
        modality=data.modality,
        task=data.task,
        n_classes=len(counts),
        imbalance=max(counts) / min(counts) if counts else 1.0,
        n_mixed=mixed,
        n_gaps=gaps,
        budget_rows=data.budget_rows,
        seconds=seconds,
        accelerated=accelerated,
        privacy=privacy,
        gradients=estimator is None or is_differentiable(estimator),
        linear=estimator is not None and is_linear(estimator),
        **_scores(data, default_judge(data.task) if estimator is None else estimator, most_rows),
    )


def _columns(frame: Any) -> tuple[int, int]:
    """Return how many columns are not numbers, and how many have gaps."""
    import narwhals.stable.v2 as nw

    table = nw.from_native(frame, eager_only=True)
    mixed = sum(not (dtype.is_numeric() or dtype == nw.Boolean) for dtype in table.schema.values())
    return mixed, sum(_has_gaps(table[:, place]) for place in range(table.shape[1]))


def _has_gaps(column: Any) -> bool:
    return bool(column.null_count()) or (column.dtype.is_float() and bool(column.is_nan().any()))


def _scores(data: Data, judge: Any, most_rows: int) -> dict[str, float]:
    """Return the fields of `Situation` that the judge measures."""
    rows = data.order[: min(most_rows * 4 // 3, max(_MOST_VALUES // data.n_features, 100))]
    X, y = (data.take(rows)[0] if data.is_mixed and hasattr(judge, "steps") else data.numbers(rows)), data.y[rows]
    # Every fourth row is held out. By their order, each part has the classes in proportion.
    held_out = np.arange(len(rows)) % 4 == 3
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    draw = _Drawing(data, y)
    metric = balanced_accuracy_score if data.task == "classification" else r2_score
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        half, whole = train[: len(train) // 2], train
        sizes, costs, scores = [], [], []
        for part in (half, whole):
            score, spent = _score(judge, X, y, part, test, metric)
            sizes.append(len(part))
            costs.append(spent)
            scores.append(score)
        random = [_score(judge, X, y, draw(train, seed), test, metric)[0] for seed in range(_REPEATS)]
    spread = np.var(random, ddof=1) / _REPEATS
    if data.task == "classification":
        spread += scores[1] * (1 - scores[1]) / len(test)
    return {
        "score_all": scores[1],
        "score_random": float(np.mean(random)),
        "noise": float(np.sqrt(spread)),
        "seconds_all": extrapolate(sizes, costs, data.n_rows),
    }


class _Drawing:
    """Draws random rows with the quotas of the budget."""

    def __init__(self, data: Data, y: np.ndarray) -> None:
        self.quotas, self.y = data.quotas, y

    def __call__(self, train: np.ndarray, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        train = rng.permutation(train)
        if None in self.quotas:
            return train[: max(self.quotas[None], 2)]
        labels = self.y[train]
        return np.concatenate([train[labels == label][:rows] for label, rows in self.quotas.items()])


def _score(judge: Any, X: Any, y: np.ndarray, train: np.ndarray, test: np.ndarray, metric: Any) -> tuple[float, float]:
    """Return the score of the judge on rows held out, and the seconds of its training."""
    model, *seconds = timed_cpu(lambda: clone(judge).fit(_rows(X, train), y[train]))
    predicted = model.predict(_rows(X, test))
    return float(metric(y[test], predicted)), min(seconds)


def _rows(X: Any, indices: np.ndarray) -> Any:
    return take_rows(X, indices) if is_frame(X) else X[indices]
