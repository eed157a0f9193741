"""The base class of coresets that score rows by short trainings of small networks."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval

from distillkit.base import iterative_constraints
from distillkit.coresets.scores._ensemble import Ensemble, OnBatch, ProxyTrainingData, train_ensemble
from distillkit.coresets.scores._scored import ScoredCoreset

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["DynamicsCoreset"]

_COUNT = Interval(Integral, 1, None, closed="left")


class DynamicsCoreset(ScoredCoreset):
    """Base class that adds the parameters of short trainings, and `_train`, to `ScoredCoreset`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ScoredCoreset._parameter_constraints,
        **iterative_constraints(),
        "members": [_COUNT],
        "hidden": [_COUNT],
        "max_iter": [_COUNT],
        "batch_size": [_COUNT],
        "lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        keep: str = "easy",
        among: float | None = None,
        members: int = 5,
        hidden: int = 32,
        max_iter: int = 5,
        batch_size: int = 64,
        lr: float = 0.01,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, keep=keep, among=among, task=task, random_state=random_state)
        self.members = members
        self.hidden = hidden
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.lr = lr
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _train(self, training_data: ProxyTrainingData, run: Run, on_batch: OnBatch | None = None) -> Ensemble:
        """Train the small networks on all rows; `on_batch` sees their outputs before each step."""
        return train_ensemble(
            training_data,
            run,
            members=self.members,
            hidden=self.hidden,
            epochs=self.max_iter,
            batch_size=self.batch_size,
            lr=self.lr,
            on_batch=on_batch,
        )
