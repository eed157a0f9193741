"""A network as a scikit-learn classifier, used for teachers, students and evaluations."""

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
    """Network classifier that is trained with cross-entropy on hard or soft labels.

    Parameters
    ----------
    network : str, callable or Module, default="auto"
        One of "mlp", "convnet", "convnet1d", "lenet" and "resnet18", or "auto", which selects a
        network by the shape of a row. A callable of (shape, n_outputs) must return a module. A
        module is copied with its current weights.
    width, depth, hidden, norm
        Options of the named networks; those that a network does not have are ignored.
    epochs, batch_size, optimizer, lr, momentum, weight_decay, schedule, precision
        Hyperparameters of the training, see `distillkit.nn.Recipe`.
    augment : "auto", sequence of str or None, default=None
        Random changes of images during the training, see `distillkit.nn.Augmentation`. "auto" is
        `distillkit.nn.training_augmentation` for images, and no augmentation for other rows.
    max_seconds : float or None, default=None
        Time limit of the training in seconds, checked between steps; None means no limit. From half
        of the time on, if the remaining epochs will not fit, the learning rate schedule follows the
        clock, so that it is complete when the time is over.
    device : str, default="auto"
        Device of the network: "auto" is a GPU if there is one, and "cpu" or "cuda" select one.
    verbose : bool, default=False
        Whether to show the progress of the training on standard error, or in the notebook.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the order of the rows and the augmentation. The same seed
        gives the same network in any thread. A network of your own that draws random numbers, for
        example by dropout, uses torch's global generator: its fits take turns and restore the state
        of the generator, but another thread must not draw from it meanwhile.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    network_ : Module
        The trained network.
    history_ : list of dict
        The number of each epoch, its mean loss, and the seconds since the start of the training,
        under the keys "epoch", "loss" and "seconds".
    n_iter_ : int
        Number of epochs done.
    stopped_by_ : {"max_iter", "max_seconds", "not_finite"}
        Reason why the training ended: all epochs were done, the time was over, or the loss was not
        finite. In the last case the best weights so far are restored, and a `DistillkitWarning`
        names the step.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, soft_labels: Any = None) -> Self:
        """Train on rows with labels.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows; None gives equal weights.
        soft_labels : array-like of shape (n, n_classes) or None, default=None
            Class probabilities to train on instead of y, with columns in the order of the sorted
            labels of y.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If `soft_labels` does not have one row per row of X and one column per class of y, if
            the network does not fit the rows, or if the loss is not finite before an epoch has
            lowered it.
        """
        X, y = self._validated(X, y=y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if soft_labels is not None and np.shape(soft_labels) != (len(X), len(self.classes_)):
            raise DataError(
                f"soft_labels have shape {np.shape(soft_labels)}, "
                f"but y has {len(X)} rows of {len(self.classes_)} classes: "
                "give one row per row of X, and one column per class of y."
            )

        def make_loss(device: torch.device) -> RowLoss:
            if soft_labels is None:
                return class_loss(torch.as_tensor(codes, device=device))
            return soft_label_loss(torch.as_tensor(np.asarray(soft_labels), dtype=torch.float32, device=device))

        self._train(X, len(self.classes_), make_loss, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_loss(self, X: Any, classes: Any, make_loss: MakeLoss, sample_weight: Any = None) -> Self:
        """Train with a custom loss that is bound to its own targets.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        classes : array-like of shape (n_classes,)
            Sorted labels, one per output of the network.
        make_loss : callable
            Function of a device that returns the loss, see `MakeLoss`.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights of the rows; None gives equal weights.

        Returns
        -------
        self
        """
        X = self._validated(X)
        self.classes_ = np.asarray(classes)
        self._train(X, len(self.classes_), make_loss, sample_weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the decision values of rows.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        ndarray of shape (n, n_classes) or (n,)
            The logits, or for two classes the difference of the second and the first logit, as is
            the convention in scikit-learn.
        """
        logits = self._outputs(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Compute the class probabilities of rows.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        logits = self._outputs(X)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable label of each row.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        ndarray of shape (n,)
        """
        codes = self._outputs(X).argmax(axis=1)
        return self.classes_[codes]  # type: ignore[no-any-return]
