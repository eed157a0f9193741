"""A network as a scikit-learn classifier: teachers, students and judges are made of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.multiclass import check_classification_targets

from distillkit.exceptions import DataError
from distillkit.nn.estimators._estimator_base import MakeLoss, NetworkEstimator
from distillkit.nn.training._losses import RowLoss, class_loss, soft_label_loss

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network with cross-entropy, on hard or soft labels.

    Parameters
    ----------
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"}, callable or Module, default="auto"
        "auto" chooses by the shape of a row; a callable of (shape, n_outputs) returns a module; a module is copied
        with the weights it has.
    width, depth, hidden, norm
        Options of the network; those it does not have are ignored.
    epochs, batch_size, optimizer, lr, momentum, weight_decay, schedule, precision
        See `distillkit.nn.Recipe`.
    augment : "auto", sequence of str or None, default=None
        Random changes of images; see `distillkit.nn.Augmentation`. "auto" takes the literature's for images
        (`distillkit.nn.training_augmentation`) and none otherwise.
    max_seconds : float or None, default=None
        Wall-clock budget, checked between steps. From half of it on, if the epochs left will not fit into the rest, the schedule of
        rates goes by the clock, so that it is over when the time is.
    device : str, default="auto"
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    classes_ : ndarray
    network_ : Module
    history_ : list of dict with epoch, loss and seconds
    n_iter_ : int
        Epochs done.
    stopped_by_ : {"max_iter", "max_seconds", "not_finite"}
        What ended the training: the epochs, the clock, or a loss that is not finite. The last leaves the best weights
        there were, with a `DistillkitWarning` that names the step.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, soft_labels: Any = None) -> Self:
        """Train on rows with labels.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,) or None
        soft_labels : array-like of shape (n, n_classes) or None
            Probabilities to train on instead of y, columns in the order of the sorted labels of y.

        Raises
        ------
        DataError
            If the columns of `soft_labels` are not the classes of y, the network does not fit the rows, or the loss
            is not finite before an epoch has made it lower.
        """
        X, y = self._validated(X, y=y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if soft_labels is not None and np.shape(soft_labels) != (len(X), len(self.classes_)):
            raise DataError(
                f"soft_labels have shape {np.shape(soft_labels)}, but y has {len(X)} rows of {len(self.classes_)} classes."
            )

        def make_loss(device: torch.device) -> RowLoss:
            if soft_labels is None:
                return class_loss(torch.as_tensor(codes, device=device))
            return soft_label_loss(torch.as_tensor(np.asarray(soft_labels), dtype=torch.float32, device=device))

        self._train(X, len(self.classes_), make_loss, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loss(self, X: Any, classes: Any, make_loss: MakeLoss, sample_weight: Any = None) -> Self:
        """Train with another loss, which holds the targets.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        classes : array-like of shape (n_classes,)
            Sorted labels, one per output.
        make_loss : callable
            Returns the loss on a device; see `MakeLoss`.
        sample_weight : array-like of shape (n,) or None
        """
        X = self._validated(X)
        self.classes_ = np.asarray(classes)
        self._train(X, len(self.classes_), make_loss, sample_weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits (n, n_classes); their difference (n,) for two classes, as scikit-learn has it."""
        logits = self._outputs(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities (n, n_classes)."""
        logits = self._outputs(X)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> np.ndarray:
        """Most probable labels (n,)."""
        codes = self._outputs(X).argmax(axis=1)
        return self.classes_[codes]  # type: ignore[no-any-return]
