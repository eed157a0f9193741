"""The training rows of a choice, of which candidates see a part and judges another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.tables._frames import is_frame, take_rows

__all__ = ["Source"]


@dataclass(frozen=True, eq=False)
class Source:
    """Training rows with their targets, weights and quotas.

    Parameters
    ----------
    X : ndarray of shape (n, ...), or mixed frame of shape (n, d)
    y : ndarray of shape (n,) or None
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    task : {"classification", "regression", None}
    quotas : dict
        Rows of each class in the distilled set; the key None stands for a set without classes.
    is_share : bool
        Whether the budget is a share of the rows, so that a part of the rows has smaller quotas.
    standardize : bool
        Whether candidates see tables and series in standardized units; see `Space`.
    """

    X: Any
    y: np.ndarray | None
    weight: np.ndarray | None
    task: str | None
    quotas: dict[Any, int]
    is_share: bool = False
    standardize: bool = True

    @property
    def n_rows(self) -> int:
        """Number of training rows."""
        return len(self.X)

    @property
    def is_mixed(self) -> bool:
        """Whether the rows are a frame that the methods encode."""
        return is_frame(self.X)

    @property
    def modality(self) -> str:
        """Kind of the rows: table, series or image."""
        return "table" if self.is_mixed else {2: "table", 3: "series", 4: "image"}[self.X.ndim]

    @property
    def total(self) -> int:
        """Number of rows of the distilled set."""
        return sum(self.quotas.values())

    def rows(self, indices: np.ndarray) -> Any:
        """Return rows by position."""
        return take_rows(self.X, indices) if self.is_mixed else self.X[indices]

    def targets(self, indices: np.ndarray) -> np.ndarray | None:
        """Return targets by position."""
        return None if self.y is None else self.y[indices]

    def weights(self, indices: np.ndarray) -> np.ndarray | None:
        """Return the weights of rows by position, with mean 1.

        What is measured must not depend on the unit of the weights, and some models have a penalty
        that does.
        """
        if self.weight is None:
            return None
        part = self.weight[indices]
        scaled: np.ndarray = part / part.mean()
        return scaled

    def quotas_of(self, indices: np.ndarray, share: float = 1.0) -> dict[Any, int]:
        """Return the quotas of a part of the rows.

        Parameters
        ----------
        indices : ndarray of int
            Positions of the part.
        share : float, default=1.0
            Share by which the quotas of a budget that is a share are reduced.
        """
        factor = share if self.is_share else 1.0
        if self.task != "classification" or self.y is None:
            return {None: min(max(1, round(self.total * factor)), len(indices))}
        labels, counts = np.unique(self.y[indices], return_counts=True)
        return {
            label: min(max(1, round(self.quotas[label] * factor)), count)
            for label, count in zip(labels.tolist(), counts.tolist(), strict=True)
        }
