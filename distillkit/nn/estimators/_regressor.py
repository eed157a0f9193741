"""A network as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import RegressorMixin, _fit_context

from distillkit.nn.estimators._estimator_base import MakeLoss, NetworkEstimator
from distillkit.nn.training._losses import number_loss

__all__ = ["NetworkRegressor"]


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network with squared error; the target is standardized inside. Parameters as `NetworkClassifier`.

    Attributes
    ----------
    network_, history_, n_iter_, stopped_by_
        As of `NetworkClassifier`.
    y_mean_, y_scale_ : float
        Mean and standard deviation of the numbers trained on; the network's output is in these units.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows with numbers.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,) or None

        Raises
        ------
        DataError
            If the network does not fit the rows, or the loss is not finite before an epoch has made it lower.
        """
        X, y = self._validated(X, y=y, y_numeric=True)
        self._scale(y)
        values = self.scaled(y)
        self._train(X, 1, lambda device: number_loss(torch.as_tensor(values, device=device)), sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loss(self, X: Any, y: Any, make_loss: MakeLoss, sample_weight: Any = None) -> Self:
        """Train with another loss, which holds the targets in the units of `scaled`.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
            Numbers that say the mean and the scale of the target.
        make_loss : callable
            Returns the loss on a device, after `scaled` is ready; see `MakeLoss`.
        sample_weight : array-like of shape (n,) or None
        """
        X, y = self._validated(X, y=y, y_numeric=True)
        self._scale(y)
        self._train(X, 1, make_loss, sample_weight)
        return self

    def _scale(self, y: np.ndarray) -> None:
        constant = np.max(y) == np.min(y)  # the computed deviation of equal numbers may be rounding noise
        self.y_mean_, self.y_scale_ = float(np.mean(y)), 1.0 if constant else float(np.std(y))

    def scaled(self, y: Any) -> np.ndarray:
        """Return numbers in the units of the network's output, float32 of shape (n,)."""
        return ((np.asarray(y, dtype=np.float64) - self.y_mean_) / self.y_scale_).astype(np.float32)

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers (n,)."""
        outputs = self._outputs(X)
        return outputs[:, 0] * self.y_scale_ + self.y_mean_
