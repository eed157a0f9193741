"""A selector of apricot as a method, which maximizes a submodular function of each class."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError
from distillkit_samplers._compile_once import compile_once
from distillkit_samplers._lookup import make

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["ApricotCoreset"]


class ApricotCoreset(BaseDistiller):
    """Select the rows of each class by a selector of apricot, in the order of their gains.

    apricot refuses tables with negative numbers, so that the rows are shifted first: the least
    value of each column becomes zero. Distances between rows are the same then. All rows of a class
    have the same weight.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        Number of rows to keep: per class, as a share of the rows, or as a dict by class label.
    selector : str or object, default="FacilityLocationSelection"
        Name of a class in ``apricot``, or a selector, which is copied.
    options : dict or None, default=None
        Arguments of the class, such as ``{"metric": "cosine"}``.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of target.
    random_state : int, RandomState instance or None, default=None
        Seed of the selector.

    References
    ----------
    Schreiber, Bilmes and Noble, "apricot: Submodular selection for data summarization in Python",
    JMLR 21, 2020.
    """

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        selector: Any = "FacilityLocationSelection",
        options: dict[str, Any] | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.selector = selector
        self.options = options

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks, weights = [], []
        for group in rows.groups:
            picks.append(group.rows[self._ranking(rows, group, run)])
            weights.append(np.full(group.size, len(group.rows) / group.size))
            run.record(label=group.label, rows=len(group.rows), size=group.size)
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weights), ranked=True)

    def _ranking(self, rows: TrainingRows, group: Group, run: Run) -> np.ndarray:
        """Return the positions within a group of the rows that are selected."""
        # 1. Give the selector the rows as it wants them.
        points = rows.flat_of(group).astype(np.float64)
        points = points - points.min(axis=0)
        if len(points) == 1:
            return np.zeros(1, dtype=np.int64)
        options = {"n_samples": group.size, "random_state": run.seed(), "verbose": False, **(self.options or {})}
        if isinstance(self.selector, str):
            compile_once()
        selector = make("selector", self.selector, "apricot", options, "fit")
        if selector is self.selector:
            selector = deepcopy(selector)
            selector.n_samples = group.size
        # 2. Select. A selector may end early, when no row has a gain any more.
        try:
            selector.fit(points)
        except (ValueError, IndexError, AssertionError) as exc:
            raise DataError(f"{type(selector).__name__} cannot select from these rows: {exc}") from exc
        ranking = np.asarray(selector.ranking, dtype=np.int64)
        ranking = ranking[np.sort(np.unique(ranking, return_index=True)[1])][: group.size]
        rest = np.setdiff1d(np.arange(len(points)), ranking)
        return np.concatenate([ranking, rest[: group.size - len(ranking)]])
