"""What is known of the data, the machine and the wishes when a method is recommended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Situation"]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Facts by which the rules judge methods.

    Parameters
    ----------
    n_rows, n_features : int
        Size of the training rows; `n_features` counts the values of one row.
    modality : {"table", "series", "image"}
    task : {"classification", "regression"}
    n_classes : int
        0 for a continuous target.
    imbalance : float
        Rows of the largest class per row of the smallest one; 1 for a continuous target.
    n_mixed : int
        Columns that are not numbers.
    n_gaps : int
        Columns with missing values.
    budget_rows : int
        Rows of the distilled set.
    score_all, score_random : float
        Accuracy or R2 of the judge on validation rows, trained on the other rows and on random
        subsets of the size of the budget.
    noise : float
        Standard error of the difference of the two.
    seconds_all : float
        Estimated seconds to train the judge on all rows.
    seconds : float or None
        Seconds that a distillation may take.
    accelerated : bool
        Whether the device is a GPU.
    privacy : bool
        Whether the set must not reveal training rows.
    gradients : bool
        Whether the model to be trained is differentiable, or not known.
    linear : bool
        Whether the model to be trained is linear.
    """

    n_rows: int
    n_features: int
    modality: str
    task: str
    n_classes: int = 0
    imbalance: float = 1.0
    n_mixed: int = 0
    n_gaps: int = 0
    budget_rows: int
    score_all: float
    score_random: float
    noise: float = 0.0
    seconds_all: float = 0.0
    seconds: float | None = None
    accelerated: bool = False
    privacy: bool = False
    gradients: bool = True
    linear: bool = False

    @property
    def loss(self) -> float:
        """What a random subset loses against all rows."""
        return self.score_all - self.score_random

    @property
    def homogeneous(self) -> bool:
        """Whether a random subset loses less than .01, or nothing that can be told from chance."""
        return self.loss < max(0.01, self.noise)

    @property
    def small(self) -> bool:
        """Whether there are so few rows that little is gained by distilling them."""
        return self.n_rows < 500

    @property
    def wide(self) -> bool:
        """Whether a table has at least half as many columns as rows."""
        return self.modality == "table" and self.n_features >= self.n_rows / 2

    @property
    def compute(self) -> bool:
        """Whether there is time to train networks: five minutes, or one on a GPU."""
        return self.seconds is not None and self.seconds >= (60 if self.accelerated else 300)

    @property
    def share(self) -> float:
        """Budget as a share of the rows."""
        return self.budget_rows / self.n_rows

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain values, with those that follow from them."""
        derived = {name: getattr(self, name) for name in ("loss", "homogeneous", "small", "wide", "compute", "share")}
        return asdict(self) | derived
