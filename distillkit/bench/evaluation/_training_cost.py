"""Measures what the training of an evaluator costs: CPU time, by repeats, and optimizer steps."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distillkit.utils._cpu_time import interleaved_cpu_seconds

__all__ = ["TrainingCost", "optimizer_steps", "repeated"]

_SHORT = 0.3
"""CPU seconds of a first fit up to which it is repeated."""
_ROUNDS = 5
_MODELS = ("estimator_", "model_", "regressor_", "best_estimator_")
_AUTO_BATCH = 200
"""Largest batch of scikit-learn's perceptrons."""


@dataclass(frozen=True)
class TrainingCost:
    """What the training of an evaluator on a distilled set cost.

    Parameters
    ----------
    cpu_seconds : float or None
        CPU seconds of one fit: the median of the repeats, or those of the only fit; None if they
        were not measured.
    n_timed : int
        Number of fits that were measured.
    steps : int or None
        Optimizer steps of one fit, if the model has them.
    """

    cpu_seconds: float | None = None
    n_timed: int = 0
    steps: int | None = None

    def fields(self) -> dict[str, float | None]:
        """Return the fields of a results row."""
        return {"cpu_train": self.cpu_seconds, "n_timed_train": self.n_timed, "steps_train": self.steps}


def repeated(first: TrainingCost, fit: Callable[[], Any]) -> TrainingCost:
    """Measure the CPU time of a fit, which has been made once, by repeating it if it is short.

    The first fit also loads libraries and fills caches, so that it does not count where it can be
    repeated. A fit of more than 0.3 CPU seconds is not repeated; the fits of the other seeds are
    its repeats.

    Parameters
    ----------
    first : TrainingCost
        Cost of the first fit.
    fit : callable
        Fits a new model to the same rows.
    """
    if first.cpu_seconds is None or first.cpu_seconds > _SHORT:
        return first
    (seconds,) = interleaved_cpu_seconds([fit], repeats=_ROUNDS, long=_SHORT)
    return replace(first, cpu_seconds=statistics.median(seconds), n_timed=len(seconds))


def optimizer_steps(model: Any, n_rows: int) -> int | None:
    """Return the updates that the training of a fitted model made, or None if it has none.

    These are the iterations of a solver (`n_iter_`), for models that count passes over the rows
    multiplied by the batches of one pass.

    Parameters
    ----------
    model : fitted estimator
    n_rows : int
        Number of rows that it was trained on.
    """
    for name in _MODELS:
        if hasattr(model, name) and not hasattr(model, "n_iter_"):
            return optimizer_steps(getattr(model, name), n_rows)
    iterations = getattr(model, "n_iter_", None)
    if iterations is None or not np.size(iterations) or np.asarray(iterations).dtype.kind not in "iu":
        return None
    batch = getattr(model, "batch_size", None)
    if batch == "auto":
        batch = _AUTO_BATCH
    batches = 1 if not isinstance(batch, int) else -(-n_rows // max(1, min(batch, n_rows)))
    return int(np.max(iterations)) * batches
