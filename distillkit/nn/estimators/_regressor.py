"""A network as a scikit-learn regressor with a standardized target."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import RegressorMixin, _fit_context

from distillkit.nn.estimators._estimator_base import MakeLoss, NetworkEstimator
from distillkit.nn.training._losses import number_loss
from distillkit.utils._magnitude import check_target
from distillkit.utils._moments import mean_and_deviation

__all__ = ["NetworkRegressor"]


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """Network regressor that is trained with squared error on a standardized target.

    The parameters are those of `NetworkClassifier`.

    Attributes
    ----------
    network_, history_, n_iter_, stopped_by_
        Results of the training, as in `NetworkClassifier`.
    y_mean_, y_scale_ : float
        Mean and standard deviation of the training targets, by which the outputs of the network are
        converted to the units of y.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows with numeric targets.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
            Targets.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows; None gives equal weights.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the network does not fit the rows, or if the loss is not finite before an epoch has
            lowered it.
        """
        X, y = self._validated(X, y=y, y_numeric=True)
        self._scale(y)
        values = self.scaled(y)
        self._train(X, 1, lambda device: number_loss(torch.as_tensor(values, device=device)), sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loss(self, X: Any, y: Any, make_loss: MakeLoss, sample_weight: Any = None) -> Self:
        """Train with a custom loss that is bound to its own targets, in the units of `scaled`.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
            Targets from which the mean and the scale are computed.
        make_loss : callable
            Function of a device that returns the loss, see `MakeLoss`. It is called after the mean
            and the scale are known, so it may use `scaled`.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows; None gives equal weights.

        Returns
        -------
        self
        """
        X, y = self._validated(X, y=y, y_numeric=True)
        self._scale(y)
        self._train(X, 1, make_loss, sample_weight)
        return self

    def _scale(self, y: np.ndarray) -> None:
        """Store the mean and the standard deviation of the targets."""
        check_target(y)
        self.y_mean_, self.y_scale_ = mean_and_deviation(y)

    def scaled(self, y: Any) -> np.ndarray:
        """Convert targets to the units of the outputs of the network.

        Parameters
        ----------
        y : array-like of shape (n,)

        Returns
        -------
        ndarray of shape (n,), float32
        """
        return ((np.asarray(y, dtype=np.float64) - self.y_mean_) / self.y_scale_).astype(np.float32)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        ndarray of shape (n,)
        """
        outputs = self._outputs(X)
        return outputs[:, 0] * self.y_scale_ + self.y_mean_
