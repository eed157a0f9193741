"""Common base of network estimators, with their parameters, scaling, training and pickling."""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from torch import nn

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn.augmentation._augment import Augmentation
from distillkit.nn.augmentation._row_augment import training_augmentation
from distillkit.nn.networks._build import make_network
from distillkit.nn.runtime._device import resolve_device
from distillkit.nn.runtime._seeding import make_generator
from distillkit.nn.training._losses import RowLoss
from distillkit.nn.training._recipe import Recipe
from distillkit.nn.training._train import DivergedError, embed_rows, predict_rows, train_network
from distillkit.utils._containers import label_array, to_numpy
from distillkit.utils._magnitude import within_range
from distillkit.utils._moments import mean_and_deviation
from distillkit.utils._numeric_rows import validate_rows
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._progress import shown_progress
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["MakeLoss", "NetworkEstimator"]

MakeLoss = Callable[[torch.device], RowLoss]
"""Function that returns a loss bound to its targets on the device on which the network is trained.

If the loss has a method ``parts()``, it is called after each epoch and must return a dict of
numbers,
which are added to the history."""

_BLOCK = 4096  # number of rows that are scaled at a time
_DTYPES = [np.float32, np.float64]
_FARTHEST = 1e15  # deviations from the training rows beyond which squares leave the range of float32
_LARGEST_RISE = 10.0  # of the loss over that of the initial weights, beyond which the training has diverged


class NetworkEstimator(PicklesByPublicName, BaseEstimator):
    """Base class of network estimators; see `NetworkClassifier` for the parameters."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "network": [str, callable],
        "width": [Interval(Integral, 1, None, closed="left"), None],
        "depth": [Interval(Integral, 1, None, closed="left"), None],
        "hidden": ["array-like", None],
        "norm": [StrOptions({"instance", "batch", "none"})],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions({"sgd", "adam", "adamw"})],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions({"constant", "step", "cosine", "onecycle"})],
        "augment": [StrOptions({"auto"}), "array-like", None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "device": [str],
        "verbose": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        network: str | Callable[..., nn.Module] = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        epochs: int = 100,
        batch_size: int = 256,
        optimizer: str = "adam",
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        schedule: str = "onecycle",
        augment: Any = None,
        precision: str = "auto",
        max_seconds: float | None = None,
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.augment = augment
        self.precision = precision
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.device = device
        self.random_state = random_state

    def _validated(self, X: Any, **checks: Any) -> Any:
        """Validate X, or X and y, and return them as finite arrays."""
        if "y" in checks:
            checks["y"] = label_array(checks["y"])
        valid = validate_rows(self, to_numpy(X), dtype=_DTYPES, **checks)
        if checks.get("reset", True):
            names = getattr(self, "feature_names_in_", None)
            valid = (
                (within_range(valid[0], names), valid[1]) if isinstance(valid, tuple) else within_range(valid, names)
            )
        return valid

    @standard_settings()
    def _train(self, X: np.ndarray, n_outputs: int, make_loss: MakeLoss, sample_weight: Any) -> None:
        """Standardize the rows, build the network and train it.

        The random state always draws exactly two seeds.
        """
        # 1. Draw the seeds, standardize the rows, and build the network.
        rng = check_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=2)
        device = resolve_device(self.device)
        self.shape_ = X.shape[1:]
        self.preprocessing_ = _scaling(X)
        self.network_ = self._network(n_outputs, int(seeds[0])).to(device)
        recipe_fields = ("epochs", "batch_size", "optimizer", "lr", "momentum", "weight_decay", "schedule", "precision")
        self.history_: list[dict[str, Any]] = []
        self.stopped_by_ = "max_iter"
        # 2. Prepare the loss, the history and the time limit.
        started = time.perf_counter()
        loss = make_loss(device)
        parts = getattr(loss, "parts", dict)

        def record_epoch(epoch: int, mean: float) -> None:
            self.history_.append({"epoch": epoch, "loss": mean, **parts(), "seconds": time.perf_counter() - started})

        def elapsed() -> float:
            return (time.perf_counter() - started) / (self.max_seconds or math.inf)

        def out_of_time() -> bool:
            if elapsed() < 1:
                return False
            self.stopped_by_ = "max_seconds"
            return True

        # 3. Train the network.
        try:
            with shown_progress(enabled=bool(getattr(self, "verbose", False))):
                train_network(
                    self.network_,
                    self._tensor(X, device),
                    loss,
                    Recipe(**{name: getattr(self, name) for name in recipe_fields}),
                    generator=make_generator(int(seeds[1])),
                    weight=self._weight(sample_weight, X, device),
                    augment=self._augmentation(),
                    should_stop=out_of_time,
                    elapsed=elapsed,
                    on_epoch=record_epoch,
                    largest_rise=_LARGEST_RISE,
                )
        except DivergedError as exc:
            self._fall_back(exc)
        self.n_iter_ = len(self.history_)

    def _network(self, n_outputs: int, seed: int) -> nn.Module:
        """Build the network with its options."""
        options = {name: getattr(self, name) for name in ("width", "depth", "norm", "hidden")}
        return make_network(self.network, self.shape_, n_outputs, seed=seed, **options)

    def _weight(self, sample_weight: Any, X: np.ndarray, device: torch.device) -> torch.Tensor | None:
        """Validate the weights of the rows."""
        if sample_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if not weight.any():
            raise DataError("sample_weight is zero for every row, so nothing can be learned: give a positive weight.")
        return torch.as_tensor(weight, dtype=torch.float32, device=device)

    def _fall_back(self, exc: DivergedError) -> None:
        """Warn that the best weights were restored, or fail if they are the initial weights."""
        remedy = f"lower lr={self.lr:g}, or scale y and the weights"
        if exc.epoch == 0:
            raise DataError(f"{exc}, and no epoch before has made the loss lower: {remedy}.") from exc
        self.stopped_by_ = "not_finite"
        warnings.warn(
            f"{exc}: the network is left as it was after epoch {exc.epoch}; {remedy}.", DistillkitWarning, stacklevel=5
        )

    def _augmentation(self) -> Augmentation | None:
        """Resolve the parameter `augment`; "auto" changes images only."""
        if self.augment is None or (isinstance(self.augment, str) and len(self.shape_) != 3):
            return None
        if len(self.shape_) != 3:
            raise DataError(
                f"augment={self.augment!r} is for images (n, channels, height, width): "
                f"leave it out for rows of shape {self.shape_}."
            )
        return (
            training_augmentation(self.shape_[0])
            if isinstance(self.augment, str)
            else Augmentation(tuple(self.augment))
        )

    def _tensor(self, X: np.ndarray, device: torch.device) -> torch.Tensor:
        """Standardize rows and move them to a device.

        Rows are scaled block by block, because the scaling needs temporary arrays in float64.
        """
        scaled = np.empty(X.shape, dtype=np.float32)
        for start in range(0, len(X), _BLOCK):
            block = self.preprocessing_.transform(X[start : start + _BLOCK])
            if np.abs(block).max(initial=0.0) > _FARTHEST:
                raise DataError(
                    f"X holds values up to {np.abs(X[start : start + _BLOCK]).max():.3g}, too far from the training "
                    "rows for float32 numbers: replace them, or drop their rows."
                )
            scaled[start : start + _BLOCK] = block
        return torch.as_tensor(scaled, device=device)

    @standard_settings()
    def embed(self, X: Any) -> np.ndarray:
        """Compute the features of rows before the last layer of the network.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        ndarray of shape (n, d)

        Raises
        ------
        DataError
            If the network has no method ``embed``; all networks of distillkit have one.
        """
        rows = self._rows(X)
        if not hasattr(self.network_, "embed"):
            raise DataError(
                f"network={self.network!r} has no method embed(x): add one that returns the inputs of its last layer."
            )
        return embed_rows(self.network_, rows).cpu().numpy().astype(np.float64)

    @standard_settings()
    def _outputs(self, X: Any) -> np.ndarray:
        """Compute the outputs of the network for rows, in float64."""
        rows = self._rows(X)  # first, since it checks that the network exists
        return predict_rows(self.network_, rows).cpu().numpy().astype(np.float64)

    def _rows(self, X: Any) -> torch.Tensor:
        """Validate and standardize rows for the trained network, and move them to its device."""
        check_is_fitted(self, "network_")
        X = self._validated(X, reset=False)
        if X.shape[1:] != self.shape_:
            raise DataError(f"rows have shape {X.shape[1:]}, but the network was trained on {self.shape_}.")
        return self._tensor(X, next(self.network_.parameters()).device)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the network on the CPU, so that a machine without a GPU can load it."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
        return state

    def __sklearn_tags__(self) -> Any:
        """Declare that rows may have more than two axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _scaling(X: np.ndarray) -> Preprocessing:
    """Fit the standardization of the rows.

    Tables are standardized by the mean and the standard deviation of each column, and images and
    series by those of all their values.
    """
    if X.ndim == 2:
        return Preprocessing.standardize(X)
    mean, deviation = mean_and_deviation(X)
    size = int(np.prod(X.shape[1:]))
    return Preprocessing(np.full(size, mean), np.full(size, deviation), kind="standardize")
