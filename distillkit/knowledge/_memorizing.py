"""Teachers that know their training rows by heart, and their answers from trees without a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.ensemble._forest import BaseForest
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree

from distillkit.knowledge._models import class_logits
from distillkit.knowledge._teacher import Teacher

__all__ = ["default_folds", "is_tree", "last_step", "out_of_bag", "votes", "with_out_of_bag"]

_FOLDS = 5
_BAGS = (BaseForest, BaggingClassifier, BaggingRegressor)
_BY_HEART = (BaseDecisionTree, KNeighborsClassifier, KNeighborsRegressor)


def last_step(model: Any) -> Any:
    """Return the model that predicts: the last step of a pipeline, or what is frozen."""
    if isinstance(model, Pipeline):
        return last_step(model.steps[-1][1])
    return last_step(model.estimator) if isinstance(model, FrozenEstimator) else model


def is_tree(model: Any) -> bool:
    """Return whether a model, or the last step of a pipeline, is a single decision tree."""
    return isinstance(last_step(model), BaseDecisionTree)


def votes(model: Any) -> bool:
    """Return whether the probabilities of a model are shares of votes: of trees or of neighbors.

    Such shares are soft already. At temperature 4 a single vote among a hundred would get almost a
    third of the weight of the other 99, so that a student would mostly learn which votes are
    wrong.
    """
    return isinstance(last_step(model), (*_BAGS, *_BY_HEART))


def with_out_of_bag(template: Any) -> Any:
    """Switch on the out-of-bag answers of an unfitted forest or bagging, and return the model."""
    last = last_step(template)
    if isinstance(last, _BAGS) and last.bootstrap:
        last.set_params(oob_score=True)
    return template


def default_folds(template: Any) -> int | None:
    """Return the number of folds for teachers that memorize without bags, or None for others."""
    last = last_step(template)
    has_bags = isinstance(last, _BAGS) and last.bootstrap
    return _FOLDS if isinstance(last, (*_BAGS, *_BY_HEART)) and not has_bags else None


def out_of_bag(teacher: Teacher, X: np.ndarray) -> np.ndarray | None:
    """Return the answers for the training rows of the trees that were trained without a row.

    Parameters
    ----------
    teacher : Teacher
        Trained on X.
    X : ndarray of shape (n, ...)
        The training rows, which are answered by all trees where every tree was trained on a row.

    Returns
    -------
    ndarray of shape (n, n_classes) or (n,), or None
        Logits or numbers; None if the model keeps no such answers.
    """
    last = last_step(teacher.model)
    kept = getattr(last, "oob_prediction_" if teacher.classes is None else "oob_decision_function_", None)
    if kept is None or len(kept) != len(X):
        return None
    outputs = teacher.outputs(X)
    # A forest keeps zeros, and bagging keeps NaN, for a row that all trees were trained on.
    known = np.isfinite(kept) if kept.ndim == 1 else np.isfinite(kept).all(axis=1) & (kept.sum(axis=1) > 0)
    if teacher.classes is None:
        return np.where(known if kept.ndim == outputs.ndim else known[:, None], kept, outputs)
    logits = class_logits(_Answered(kept[known]), X[known], teacher.model.classes_, teacher.classes)
    outputs[known] = logits
    return outputs


class _Answered:
    """A model that repeats answers, to bring them into the form of all other answers."""

    def __init__(self, probabilities: np.ndarray) -> None:
        self._probabilities = probabilities

    def predict_proba(self, _: Any) -> np.ndarray:
        return self._probabilities
