"""The meta-loss: the loss on the training rows of a model that is trained on the distilled rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._probability import log_loss
from distillkit.metrics._sides import Sides, sides_of
from distillkit.metrics.models._scaled import require_targets, row_scaling, target_scaling
from distillkit.metrics.reference import shares_reference
from distillkit.utils._seeds import seed_model
from distillkit.utils._soft_labels import expand_soft_labels

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["meta_loss"]


@shares_reference
def meta_loss(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, model: Any = None) -> float:
    """Return the loss on the training rows of a model that is trained on the distilled rows.

    This is the quantity that dataset distillation minimizes, for a simple model: the log loss of
    multinomial logistic regression for classes, and the mean squared error of ridge regression, as
    a share of the variance of the training target, for numbers. The rows are standardized by the
    training rows: each column of a table, and all values together of images and series.

    Parameters
    ----------
    X : array-like of shape (n, ...), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels or numbers.
    distilled : DistilledSet
        Its soft labels are learned if it has any, and its weights count, scaled to mean 1.
    random_state : int, default=0
        Seeds models that draw at random.
    model : estimator or None, default=None
        A classifier of scikit-learn with `predict_proba`, or a regressor, whose fit takes
        `sample_weight`; it gets flat rows. None is ``LogisticRegression()`` or ``Ridge()``.

    Returns
    -------
    float
        At least 0. For classes, the logarithm of their number is the loss of uniform probabilities,
        and a class without distilled rows costs 36 nats for each of its training rows. For numbers,
        1 is the loss of the mean of the training target.

    Raises
    ------
    DataError
        If there are no targets, the rows cannot be compared, or the distilled rows are of a single
        class.
    """
    sides = sides_of(X, y, distilled)
    require_targets(sides, "meta-loss")
    weight = sides.weight / sides.weight.mean()
    scaling = row_scaling(sides)
    small = scaling(sides.small.reshape(len(sides.small), -1))
    training = scaling(sides.X.reshape(len(sides.X), -1))
    if sides.classes is None:
        return _number_loss(sides, small, training, weight, _seeded(model, Ridge(), random_state))
    chosen = _seeded(model, LogisticRegression(max_iter=1000), random_state)
    return _class_loss(sides, small, training, weight, chosen)


def _seeded(model: Any, default: Any, random_state: int) -> Any:
    return seed_model(clone(default if model is None else model), np.random.RandomState(random_state))


def _number_loss(sides: Sides, small: np.ndarray, training: np.ndarray, weight: np.ndarray, model: Any) -> float:
    assert sides.y_small is not None
    scaling = target_scaling(sides)
    targets = sides.y_small if sides.soft_labels is None else sides.soft_labels[:, 0]
    model.fit(small, scaling(targets), sample_weight=weight)
    return float(np.mean(np.square(model.predict(training) - scaling(np.asarray(sides.y)))))


def _class_loss(sides: Sides, small: np.ndarray, training: np.ndarray, weight: np.ndarray, model: Any) -> float:
    codes = np.asarray(sides.y_small)
    if sides.soft_labels is not None:
        small, codes, weight = expand_soft_labels(
            small, sides.soft_labels, np.arange(sides.soft_labels.shape[1]), weight
        )
    if len(np.unique(codes)) < 2:
        raise DataError("meta-loss needs distilled rows of at least two classes: raise the budget.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the loss hardly changes by then
        model.fit(small, codes, sample_weight=weight)
    n_classes = 0 if sides.classes is None else len(sides.classes)
    probabilities = np.zeros((len(training), n_classes))
    probabilities[:, model.classes_] = model.predict_proba(training)
    missing = np.setdiff1d(np.arange(n_classes), codes)
    names = [] if sides.classes is None else sides.classes[missing].tolist()
    note = f"classes without distilled rows: {names}." if names else ""
    return Measured(log_loss(np.asarray(sides.y), probabilities), note=note)
