"""Models that label made rows, or that leave out those that look like another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from distillkit.exceptions import DataError
from distillkit.tables import TableEncoder
from distillkit.utils._weights import weight_argument

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["LabelTeacher", "boosting_judge"]


@dataclass(frozen=True, eq=False)
class LabelTeacher:
    """A model that predicts the label of a row.

    Parameters
    ----------
    model : classifier or regressor
        Fitted.
    encoder : TableEncoder or None
        Decodes rows of a mixed table for a model that was fitted on frames.
    """

    model: Any
    encoder: TableEncoder | None = None

    @classmethod
    def of(cls, model: Any, rows: TrainingRows, encoder: TableEncoder | None) -> Self:
        """Take a fitted model, or fit a copy of one on the training rows.

        Raises
        ------
        DataError
            If there are no labels to learn, or a fitted classifier knows other classes.
        """
        if rows.y is None:
            raise DataError("teacher labels made rows, but fit was given no y: give y, or leave teacher out.")
        if not _is_fitted(model):
            weights = weight_argument(rows.weight if has_fit_parameter(model, "sample_weight") else None)
            return cls(clone(model).fit(rows.flat, rows.y, **weights))
        unknown = set(np.unique(rows.y).tolist()) - set(np.asarray(getattr(model, "classes_", rows.y)).tolist())
        if unknown:
            raise DataError(
                f"the teacher does not know class {min(unknown, key=str)!r} of y: give one that was fitted on all "
                "classes, or an unfitted one."
            )
        return cls(model, encoder)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the predicted labels (n,) of rows (n, ...)."""
        return np.asarray(self.model.predict(self._input(X)))

    def confidence(self, X: np.ndarray, label: object) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's probability of a class, and whether that is the predicted class."""
        if not hasattr(self.model, "predict_proba"):
            is_own_class = self.predict(X) == label
            return is_own_class.astype(np.float64), is_own_class
        probabilities = np.asarray(self.model.predict_proba(self._input(X)))
        column = int(np.flatnonzero(np.asarray(self.model.classes_) == label)[0])
        return probabilities[:, column], probabilities.argmax(axis=1) == column

    def features(self, X: np.ndarray) -> np.ndarray:
        """Return the rows themselves, flattened."""
        return X.reshape(len(X), -1)

    def _input(self, X: np.ndarray) -> Any:
        return X.reshape(len(X), -1) if self.encoder is None else self.encoder.inverse_transform(X)


def boosting_judge(rows: TrainingRows, seed: int) -> LabelTeacher:
    """Return a gradient-boosted classifier of the training rows, for leaving out unclear rows."""
    params = {"max_iter": 50, "early_stopping": False, "random_state": seed, "min_samples_leaf": 5}
    model = HistGradientBoostingClassifier(**params)
    return LabelTeacher(model.fit(rows.flat, rows.y, sample_weight=rows.weight))


def _is_fitted(model: Any) -> bool:
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    except TypeError as exc:
        raise DataError(f"teacher={model!r} is no estimator: give one with fit and predict.") from exc
    return True
