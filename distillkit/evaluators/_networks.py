"""The convolutional evaluators, with the training protocol of the literature and a quick one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from distillkit.evaluators._base import check_task
from distillkit.exceptions import DataError
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["NetworkEvaluator", "make_convnet", "make_lenet", "make_resnet18"]

_PROTOCOLS: dict[str, tuple[int, str | None]] = {
    "quick": (0, None),
    "standard": (1000, "auto"),
    "siamese": (1000, "siamese"),
    "plain": (300, None),
}
"""The epochs and the augmentation of each protocol; the epochs of "quick" follow from its steps."""

_MOST_UPDATES = 20_000


def _classifies(evaluator: NetworkEvaluator) -> bool:
    return evaluator.task == "classification"


class NetworkEvaluator(PicklesByPublicName, BaseEstimator):
    """A convolutional network that is trained by one of four protocols, without early stopping.

    "quick" is Adam with learning rate 0.001 and a one-cycle schedule, batches of 128, and as many
    epochs as give at least `steps` updates, but at least two. Only the ratios of the sample weights
    matter. It is meant to rank methods fast; its scores are not comparable with the literature.

    "standard" is the protocol of the condensation literature: SGD with learning rate 0.01, momentum
    0.9 and weight decay 0.0005, batches of 256, and 1,000 epochs with the learning rate divided by
    ten after half of them. Images are augmented at random: each gray image by one of crop, scale
    and rotation by up to 45 degrees, and each batch of color images by one of color, crop, cutout,
    flip, scale and rotation. Sample weights are not used. Sets whose 1,000 epochs would take more
    than 20,000 updates get fewer epochs.

    "siamese" and "plain" are the other two recipes of the same literature, and differ from
    "standard" only in what follows. "siamese" augments gray images as well by one change for each
    batch (color, crop, cutout, scale and rotation), as for sets that were condensed with Siamese
    augmentation. "plain" has 300 epochs and no augmentation, as for sets that were condensed
    without it, and for selected rows, on data other than MNIST.

    Parameters
    ----------
    network : {"convnet", "lenet", "resnet18"}
        "convnet" is one-dimensional for series, and has fewer blocks for images under 16 pixels.
    task : {"classification", "regression"}
    protocol : {"quick", "standard", "siamese", "plain"}
    width : int or None
        Channels of the ConvNet; None is 32 for "quick" and 128 for the others.
    steps : int
        Smallest number of updates of "quick".
    random_state : int or None

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021, and Zhao and
    Bilen, "Dataset condensation with differentiable Siamese augmentation", ICML 2021. The settings
    are those of their reference implementation, which uses the first paper's augmentation for MNIST
    and the second's for color images.
    """

    def __init__(
        self,
        network: str = "convnet",
        task: str = "classification",
        *,
        protocol: str = "quick",
        width: int | None = None,
        steps: int = 300,
        random_state: int | None = None,
    ) -> None:
        self.network = network
        self.task = task
        self.protocol = protocol
        self.width = width
        self.steps = steps
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, soft_labels: Any = None) -> Self:
        """Train on the rows.

        Parameters
        ----------
        X : array-like of shape (n, channels, height, width) or (n, channels, time)
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,) or None
            Used by "quick" alone.
        soft_labels : array-like of shape (n, n_classes) or None
            Probabilities to train on in place of y; for classification only.

        Raises
        ------
        DataError
            If the protocol is unknown, or if soft labels are given for regression.
        """
        from distillkit.nn import NetworkClassifier, NetworkRegressor

        if self.protocol not in _PROTOCOLS:
            raise DataError(f"protocol={self.protocol!r} is not known: give one of {', '.join(_PROTOCOLS)}.")
        cls = NetworkClassifier if self.task == "classification" else NetworkRegressor
        self.estimator_ = cls(**self._settings(np.shape(X)), random_state=self.random_state)
        extra: dict[str, Any] = {"sample_weight": sample_weight if self.protocol == "quick" else None}
        if soft_labels is not None:
            if self.task != "classification":
                raise DataError(
                    "soft labels are probabilities of classes, and task='regression' has none: leave them out."
                )
            extra["soft_labels"] = soft_labels
        self.estimator_.fit(X, y, **extra)
        return self

    def _settings(self, shape: tuple[int, ...]) -> dict[str, Any]:
        quick = self.protocol == "quick"
        batch = 128 if quick else 256
        updates_per_epoch = -(-shape[0] // batch)
        common = {
            "network": self._network_name(shape),
            "width": self.width or (32 if quick else 128),
            "depth": _depth(shape),
            "batch_size": batch,
        }
        if quick:
            return {
                **common,
                "epochs": max(2, -(-self.steps // updates_per_epoch)),
                "optimizer": "adam",
                "lr": 1e-3,
                "schedule": "onecycle",
            }
        most, augment = _PROTOCOLS[self.protocol]
        epochs = min(most, max(1, _MOST_UPDATES // updates_per_epoch))
        return {
            **common,
            "epochs": epochs,
            "optimizer": "sgd",
            "lr": 0.01,
            "schedule": "step",
            "augment": _siamese(shape) if augment == "siamese" else augment,
        }

    def _network_name(self, shape: tuple[int, ...]) -> str:
        if self.network == "convnet":
            return "convnet1d" if len(shape) == 3 else "convnet"
        return self.network

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers (n,)."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.estimator_.predict(X))

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, shape (n, n_classes), with columns as in `classes_`."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.estimator_.predict_proba(X))

    @property
    def classes_(self) -> np.ndarray:
        """Sorted labels, shape (n_classes,); for classification only."""
        return np.asarray(self.estimator_.classes_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy for labels, or R2 for numbers."""
        metric = accuracy_score if self.task == "classification" else r2_score
        return float(metric(y, self.predict(X), sample_weight=sample_weight))


def _siamese(shape: tuple[int, ...]) -> tuple[str, ...] | None:
    """Return the changes of Siamese augmentation for images; there are none for series."""
    from distillkit.nn import Augmentation

    return Augmentation.for_images(shape[1]).strategies if len(shape) == 4 else None


def _depth(shape: tuple[int, ...]) -> int | None:
    """Return the number of blocks for rows of a shape (n, channels, ...).

    Images have three blocks, or fewer if the last normalization layer would see less than 4x4
    pixels. None leaves the depth for series to the network.
    """
    return min(3, max(1, min(shape[2:]).bit_length() - 2)) if len(shape) == 4 else None


def make_convnet(
    task: str, random_state: int, *, protocol: str = "quick", width: int | None = None, steps: int = 300
) -> NetworkEvaluator:
    """Make the ConvNet of the condensation literature, for images or series.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    protocol, width, steps
        As for `NetworkEvaluator`.

    Raises
    ------
    DataError
        If the task is none of these.
    """
    check_task("convnet", task, "classification", "regression")
    return NetworkEvaluator("convnet", task, protocol=protocol, width=width, steps=steps, random_state=random_state)


def make_lenet(task: str, random_state: int, *, protocol: str = "quick", steps: int = 300) -> NetworkEvaluator:
    """Make LeNet, for images of at least 12x12 pixels; parameters as for `make_convnet`."""
    check_task("lenet", task, "classification", "regression")
    return NetworkEvaluator("lenet", task, protocol=protocol, steps=steps, random_state=random_state)


def make_resnet18(task: str, random_state: int, *, protocol: str = "quick", steps: int = 300) -> NetworkEvaluator:
    """Make ResNet-18 with instance normalization, for images; parameters as for `make_convnet`."""
    check_task("resnet18", task, "classification", "regression")
    return NetworkEvaluator("resnet18", task, protocol=protocol, steps=steps, random_state=random_state)
