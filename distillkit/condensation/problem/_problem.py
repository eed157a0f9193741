"""The training problem of a condenser: scaled rows in groups, with their loss and batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from distillkit.exceptions import DataError
from distillkit.nn import RowLoss, class_loss, number_loss
from distillkit.utils._moments import mean_and_deviation
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["Batch", "CondensationProblem", "Loss"]

Batch = tuple[torch.Tensor, torch.Tensor]
"""Scaled rows (b, ...) with their targets (b,).

Targets are class codes, or numbers in standard deviations.
"""

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""``loss(outputs, targets)``: outputs (b, k) and targets (b,) -> mean loss ()."""


def _squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (outputs[:, 0] - targets).square().mean()


@dataclass(frozen=True, eq=False)
class CondensationProblem:
    """Training rows in the units of the data, with the scaling to the units of the network.

    Parameters
    ----------
    rows : TrainingRows
    scaling : Preprocessing
        Standardizes tables by the mean and standard deviation of each column, images and series by
        a single mean and standard deviation.
    y_mean, y_scale : float
        Mean and standard deviation of a continuous target; 0 and 1 for classes.
    device : torch.device
    """

    rows: TrainingRows
    scaling: Preprocessing
    y_mean: float
    y_scale: float
    device: torch.device

    @classmethod
    def of(cls, rows: TrainingRows, device: torch.device) -> CondensationProblem:
        """Make the problem of some training rows, from which the scaling is computed.

        Raises
        ------
        DataError
            If there is only one class.
        """
        if rows.task == "classification" and len(rows.groups) < 2:
            raise DataError(
                f"y holds one class only, {str(rows.groups[0].label)!r}: give rows of two or more classes, "
                "because a network has nothing to learn from one."
            )
        numbers = rows.y if rows.task == "regression" else None
        if numbers is None:
            mean, scale = 0.0, 1.0
        else:
            mean, scale = mean_and_deviation(np.asarray(numbers, dtype=np.float64), rows.weight)
        return cls(rows, _scaling(rows.X, rows.weight), mean, scale, device)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self.rows.X.shape[1:]

    @property
    def n_outputs(self) -> int:
        """Number of outputs of a network: one per class, or one for a continuous target."""
        return len(self.rows.groups) if self.rows.task == "classification" else 1

    @property
    def largest_group(self) -> int:
        """Number of training rows in the largest group."""
        return max(len(group.rows) for group in self.rows.groups)

    @property
    def loss(self) -> Loss:
        """Mean loss over rows: cross-entropy for classes, squared error for numbers."""
        return F.cross_entropy if self.rows.task == "classification" else _squared_error

    def row_loss(self, targets: torch.Tensor) -> RowLoss:
        """Return the same loss row by row, bound to the targets (n,) of the training rows."""
        return class_loss(targets) if self.rows.task == "classification" else number_loss(targets)

    def scaled(self, X: np.ndarray) -> torch.Tensor:
        """Scale rows from the units of the data to those of the network."""
        return torch.as_tensor(self.scaling.transform(X), dtype=torch.float32, device=self.device)

    @cached_property
    def rows_scaled(self) -> torch.Tensor:
        """All training rows (n, ...) in the units of the network, on the device; computed once."""
        return self.scaled(self.rows.X)

    def in_units(self, X: torch.Tensor) -> np.ndarray:
        """Scale rows from the units of the network back to those of the data."""
        rows = X.detach().cpu().numpy().astype(np.float64)
        # Downscaled images and series have fewer numbers per row. All numbers of an image share one
        # mean and one scale, so that the first ones serve for any size.
        size = rows[0].size
        scaling = replace(self.scaling, mean=self.scaling.mean[:size], scale=self.scaling.scale[:size])
        return scaling.inverse_transform(rows)

    def numbers(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the continuous targets of some rows in float64, or None for classes."""
        y = self.rows.y
        return None if y is None or self.rows.task == "classification" else y[rows].astype(np.float64)

    def targets(self, group: int, y: np.ndarray | None, n_rows: int) -> torch.Tensor:
        """Return the targets of `n_rows` rows of a group: its class code, or scaled numbers."""
        if self.rows.task == "classification":
            return torch.full((n_rows,), group, device=self.device)
        assert y is not None
        scaled = (np.asarray(y, dtype=np.float64) - self.y_mean) / self.y_scale
        return torch.as_tensor(scaled, dtype=torch.float32, device=self.device)

    def batch(self, rows: TrainingRows, seed: int = 0) -> Batch:
        """Return other rows of the same groups, such as held-out rows, as one batch.

        If the rows have weights, as many of them are drawn in proportion to these; `seed` decides.
        """
        parts = [
            self.targets(number, None if rows.y is None else rows.y[group.rows], len(group.rows))
            for number, group in enumerate(rows.groups)
        ]
        order, targets = np.concatenate([group.rows for group in rows.groups]), torch.cat(parts)
        if rows.weight is not None:
            picks = weighted_draw(rows.weight[order], len(order), np.random.default_rng(seed))
            order, targets = order[picks], targets[torch.as_tensor(picks, device=targets.device)]
        return self.scaled(rows.X[order]), targets

    def limits(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lowest and highest values of the training rows, scaled.

        They are taken over each column of a table, and over all numbers of images and series.
        """
        X = self.rows.X
        low, high = X.min(axis=0, keepdims=True), X.max(axis=0, keepdims=True)
        if X.ndim > 2:
            low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
        return self.scaled(low), self.scaled(high)


def _scaling(X: np.ndarray, weight: np.ndarray | None) -> Preprocessing:
    if X.ndim == 2:
        return Preprocessing.standardize(X, weight)
    mean, scale = mean_and_deviation(X, weight)
    size = int(np.prod(X.shape[1:]))
    return Preprocessing(np.full(size, mean), np.full(size, scale), kind="standardize")
