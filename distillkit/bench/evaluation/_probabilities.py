"""Class probabilities of test rows, aligned to all classes, and the metrics of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.plugins import get_manager

__all__ = ["ClassProbabilities", "class_probabilities", "measure_probabilities", "need_probabilities"]


@dataclass(frozen=True)
class ClassProbabilities:
    """Probabilities that a model predicts for test rows.

    Parameters
    ----------
    values : ndarray of shape (n, n_classes)
    classes : ndarray of shape (n_classes,)
        Sorted labels of the columns.
    """

    values: np.ndarray
    classes: np.ndarray

    def codes(self, labels: Any) -> np.ndarray:
        """Return the column of each label, and the number of columns for a label without one."""
        labels = np.asarray(labels)
        places = np.searchsorted(self.classes, labels)
        known = self.classes[np.minimum(places, len(self.classes) - 1)] == labels
        return np.where(known, places, len(self.classes))


def need_probabilities(names: Iterable[str]) -> bool:
    """Return whether any of these metrics needs class probabilities."""
    manager = get_manager()
    return any("probabilities" in manager.get("metric", name.partition("@")[0]).needs for name in names)


def class_probabilities(model: Any, X: np.ndarray, classes: Any) -> ClassProbabilities | None:
    """Predict probabilities of all classes of a dataset, with 0 for those that a model lacks.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape (n, ...)
        Test rows as the model takes them.
    classes : array-like of shape (n_classes,) or None
        Labels of the dataset; those of the model are added.

    Returns
    -------
    ClassProbabilities or None
        None for a model without `predict_proba` or without `classes_`.
    """
    own = getattr(model, "classes_", None)
    if own is None or not hasattr(model, "predict_proba"):
        return None
    own = np.asarray(own)
    labels = own if classes is None else np.union1d(np.asarray(classes), own)
    predicted = np.asarray(model.predict_proba(X), dtype=np.float64)
    if predicted.shape != (len(X), len(own)):
        return None
    values = np.zeros((len(X), len(labels)))
    values[:, np.searchsorted(labels, own)] = predicted
    return ClassProbabilities(values, labels)


def measure_probabilities(
    names: Iterable[str], y_true: Any, probabilities: ClassProbabilities | None
) -> dict[str, float | None]:
    """Compute those of the named metrics that need class probabilities.

    Parameters
    ----------
    names : iterable of str
        Registry names; other metrics are left out.
    y_true : array-like of shape (n,)
        Labels of the test rows.
    probabilities : ClassProbabilities or None

    Returns
    -------
    dict of str to float or None
        None without probabilities, and for probabilities that the metric refuses, such as NaN.
    """
    manager = get_manager()
    specs = {name: manager.get("metric", name) for name in names}
    measured: dict[str, float | None] = {}
    for name, spec in specs.items():
        if spec.stage != "prediction" or "probabilities" not in spec.needs:
            continue
        measured[name] = None
        if probabilities is not None:
            try:
                measured[name] = float(spec.load()(probabilities.codes(y_true), probabilities.values))
            except DataError:
                continue
            except Exception as exc:
                exc.add_note(f"while computing the metric {name}")  # Otherwise the method would seem to have failed.
                raise
    return measured
