"""The models by which candidates are judged on validation rows."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score, r2_score

from distillkit.advice._judge import check_estimator
from distillkit.auto._source import Source
from distillkit.bench.evaluation._evaluate import train_and_predict
from distillkit.bench.own._factories import seeded_copy
from distillkit.distilled import DistilledSet
from distillkit.plugins import get_manager
from distillkit.specs import EvaluatorSpec

__all__ = ["Judges"]

_FOREST = ("forest", {"n_estimators": 50})
_DEFAULT: dict[tuple[str, bool], tuple[tuple[str, dict[str, Any]], ...]] = {
    ("classification", True): (("logistic", {}), _FOREST),
    ("regression", True): (("ridge", {}), _FOREST),
    ("classification", False): (("knn", {}), _FOREST),
    ("regression", False): (("knn", {}), _FOREST),
}
"""Names and parameters of the default judges, by task and by whether the rows are a table."""
_LEAST_R2 = -1.0
"""A model may be worse than the mean without bound, and a single one must not decide a mean."""


class Judges:
    """Models of different kinds, each of which is trained on a distilled set and predicts.

    Parameters
    ----------
    source : Source
    estimator : estimator, str or None
        The model of the user, the name of a registered evaluator, or None for two models of
        different kinds: a linear one and trees for tables, nearest neighbors and trees otherwise.

    Raises
    ------
    DataError
        If the estimator cannot be fitted.
    UnknownNameError
        If there is no evaluator of this name.
    """

    def __init__(self, source: Source, estimator: Any = None) -> None:
        self.source = source
        if estimator is None:
            named = _DEFAULT[str(source.task), source.modality == "table"]
            self._judges = [(name, get_manager().get("evaluator", name), params) for name, params in named]
            self.model = None
            return
        if isinstance(estimator, str):
            resolved = get_manager().resolve("evaluator", estimator)
            self._judges = [(estimator, resolved.spec, resolved.params())]
            self.model = resolved.spec.load()(source.task, 0, **resolved.params())
            return
        check_estimator(estimator)
        spec = EvaluatorSpec(name="own", target=partial(_copy, estimator))
        self._judges = [(type(estimator).__name__, spec, {})]
        self.model = estimator

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models."""
        return tuple(name for name, _, _ in self._judges)

    def scores(self, small: DistilledSet, validation: np.ndarray, seed: int) -> tuple[tuple[float, ...], np.ndarray]:
        """Return the score of each judge, and what each validation row contributes to their mean.

        Parameters
        ----------
        small : DistilledSet
            With a preprocessing that maps rows of the data into its space.
        validation : ndarray of int
            Positions of the validation rows.
        seed : int
            Seed of the judges.
        """
        rows, weight = self.source.rows(validation), self.source.weights(validation)
        y = self.source.targets(validation)
        encoded = small.encode(rows) if self.source.is_mixed else rows
        scores, parts = [], []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as steps too few to converge, or a class that is never predicted
            for _, spec, params in self._judges:
                if self.source.is_mixed and hasattr(self.model, "steps"):
                    predicted = _by_pipeline(seeded_copy(self.model, seed), small, rows)
                else:
                    run = train_and_predict(small, encoded, spec, str(self.source.task), seed, params)
                    predicted = run.predictions
                scores.append(self._score(y, predicted, weight))
                parts.append(self._parts(y, predicted, weight))
        return tuple(scores), np.mean(parts, axis=0)

    def _score(self, y: Any, predicted: np.ndarray, weight: np.ndarray | None) -> float:
        if self.source.task == "classification":
            return float(balanced_accuracy_score(y, predicted, sample_weight=weight))
        return max(float(r2_score(y, predicted, sample_weight=weight)), _LEAST_R2)

    def _parts(self, y: Any, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """Return terms, one for each row, whose sum is the score."""
        weights = np.ones(len(y)) if weight is None else weight
        if self.source.task == "classification":
            labels, codes = np.unique(y, return_inverse=True)
            in_class = np.bincount(codes, weights)[codes]
            shares: np.ndarray = weights * (predicted == y) / (len(labels) * in_class)
            return shares
        spread = max(float(weights @ (y - np.average(y, weights=weights)) ** 2), 1e-300)
        errors: np.ndarray = weights * (1 / weights.sum() - (y - predicted) ** 2 / spread)
        return errors


def _copy(estimator: Any, _task: str, random_state: int) -> Any:
    """Return a copy of the user's model, as an evaluator makes its models."""
    return seeded_copy(estimator, random_state)


def _by_pipeline(model: Any, small: DistilledSet, rows: Any) -> np.ndarray:
    """Predict rows of a mixed table by a pipeline, which learns from a table as well."""
    return np.asarray(model.fit(small.to_frame(), small.y).predict(rows))
