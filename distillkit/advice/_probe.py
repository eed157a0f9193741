"""Measures a method on small samples, and estimates what it takes on all rows."""

from __future__ import annotations

import inspect
import tracemalloc
import warnings
from typing import Any

import numpy as np

from distillkit.advice._cost_estimate import CostEstimate
from distillkit.advice._data import Data
from distillkit.advice._extrapolation import extrapolate
from distillkit.plugins._methods import make_method
from distillkit.specs import MethodSpec
from distillkit.utils._cpu_time import timed_cpu

__all__ = ["Probe", "is_time_bound"]

_FIRST_ROWS = 200
_GROWTH = 3
_SHORT = 0.02
_WORTH, _MOST_SECONDS = 0.05, 2.0
"""Share of the estimated seconds that one sample may take, and its seconds at most."""
_STEPS_SECONDS = 0.1
"""Seconds of steps in the probe of a method that takes steps until a limit."""


def is_time_bound(spec: MethodSpec) -> bool:
    """Whether a method takes steps until `max_seconds` has passed, if it is given nothing else."""
    parameters = inspect.signature(spec.load()).parameters
    return "max_seconds" in parameters and "max_iter" in parameters and parameters["max_iter"].default is None


class Probe:
    """Fits of methods to samples of growing size.

    Parameters
    ----------
    data : Data
    device : str
    """

    def __init__(self, data: Data, device: str) -> None:
        self.data, self.device = data, device

    def estimate(self, name: str, limit: float | None, share: float) -> CostEstimate:
        """Return what a method takes on all rows.

        Parameters
        ----------
        name : str
            Registered name.
        limit : float or None
            For a method that takes steps until a limit: its `max_seconds`.
        share : float
            Seconds for the samples. At least two samples are fitted to, unless the first takes far
            longer than that.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._estimate(name, limit, share)

    def _estimate(self, name: str, limit: float | None, share: float) -> CostEstimate:
        size = self._first_size()
        first = self._seconds(name, size, limit)  # Imports and compiles what the method needs.
        memory = self._memory(name, size, limit) if first < share else self._formula()
        sizes, costs = self._measured(name, size, limit, share)
        seconds = extrapolate(sizes, costs, self.data.n_rows)
        return CostEstimate(seconds + (limit or 0.0), memory / 1e6)

    def _measured(self, name: str, size: int, limit: float | None, share: float) -> tuple[list[int], list[float]]:
        """Return the seconds of samples of growing size, less those of steps up to a limit."""
        sizes: list[int] = []
        costs: list[float] = []
        spent = 0.0
        while True:
            cost = self._seconds(name, size, limit)
            if cost < _SHORT:
                cost = min(cost, self._seconds(name, size, limit))
            sizes.append(size)
            costs.append(max(cost - _STEPS_SECONDS, 0.0) if limit else cost)
            spent += cost
            after = min(_GROWTH * size, self.data.n_rows)
            if after == size or self._is_enough(sizes, costs, spent, share):
                return sizes, costs
            size = after

    def _is_enough(self, sizes: list[int], costs: list[float], spent: float, share: float) -> bool:
        """Return whether another sample would take longer than it is worth.

        A method that will take long may take longer here, because errors grow with the distance.
        """
        if len(sizes) == 1:
            return spent > 3 * share
        after = min(_GROWTH * sizes[-1], self.data.n_rows)
        allowed = max(2 * share - spent, min(_WORTH * extrapolate(sizes, costs, self.data.n_rows), _MOST_SECONDS))
        return extrapolate(sizes, costs, after) > allowed

    def _first_size(self) -> int:
        fixed = 0 if isinstance(self.data.budget.value, float) else 2 * self.data.budget_rows
        return min(self.data.n_rows, max(_FIRST_ROWS, 4 * len(self.data.counts), fixed))

    def _seconds(self, name: str, size: int, limit: float | None) -> float:
        method, X, y = self._prepared(name, size, limit)
        _, *seconds = timed_cpu(lambda: method.fit(X, y))
        return min(seconds)  # Wall-clock seconds, but not those in which other programs had the processor.

    def _memory(self, name: str, size: int, limit: float | None) -> float:
        """Return the peak in bytes in proportion to a sample's, and at least half the rows' own."""
        method, X, y = self._prepared(name, size, limit)
        tracing = tracemalloc.is_tracing()
        if not tracing:
            tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            method.fit(X, y)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            if not tracing:
                tracemalloc.stop()
        return max(peak * self.data.n_rows / size, self.data.n_bytes / 2)

    def _formula(self) -> float:
        """Return the bytes of three copies of the rows, for methods that are too slow to trace."""
        return 3.0 * self.data.n_bytes

    def _prepared(self, name: str, size: int, limit: float | None) -> tuple[Any, Any, Any]:
        X, y = self.data.take(self.data.order[:size])
        common = {
            "budget": self._budget(y),
            "random_state": 0,
            "device": self.device,
            "max_seconds": min(limit, _STEPS_SECONDS) if limit else None,
        }
        return make_method(name, common=common), X, y

    def _budget(self, y: Any) -> Any:
        """Return the budget of a sample: the same share, or as many rows as the sample allows."""
        data = self.data
        if isinstance(data.budget.value, float):
            return data.budget.value
        if data.task == "regression":
            return min(data.budget_rows, len(y))
        labels, counts = _label_counts(y)
        return {label: min(data.quotas[label], count) for label, count in zip(labels, counts, strict=True)}


def _label_counts(y: Any) -> tuple[list[Any], list[int]]:
    """Return the labels of a sample, sorted, and how many rows each has."""
    labels, counts = np.unique(y, return_counts=True)
    return labels.tolist(), counts.tolist()
