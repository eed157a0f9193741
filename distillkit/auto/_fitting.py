"""Fits of candidates to parts of the training rows, in standardized units."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn import config_context

from distillkit.auto._source import Source
from distillkit.distilled import DistilledSet
from distillkit.plugins._methods import make_method
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._row_scaling import fit_scaling
from distillkit.utils._weights import weight_argument

__all__ = ["Fitted", "fit_candidate"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted candidate.

    Parameters
    ----------
    distiller : distiller
    scaling : Preprocessing or None
        Map into the standardized units in which it was fitted; None if it was fitted in those of
        the data.
    seconds : float
        Wall-clock seconds of the fit.
    """

    distiller: Any
    scaling: Preprocessing | None
    seconds: float

    @property
    def small(self) -> DistilledSet:
        """The distilled set, in the units in which the candidate was fitted."""
        found: DistilledSet = self.distiller.distilled_
        return found

    @property
    def judged(self) -> DistilledSet:
        """The distilled set with a preprocessing that maps rows of the data into its units."""
        if self.scaling is None:
            return self.small
        rows = self.small.in_original_units()
        return replace(self.small, X=rows, preprocessing=self.scaling, stored=None, table=None)

    @property
    def rows(self) -> np.ndarray:
        """The distilled rows in the units of the data, those of mixed tables as numbers."""
        rows = self.small.in_original_units()
        return rows if self.scaling is None else self.scaling.inverse_transform(rows)


def fit_candidate(
    name: str,
    source: Source,
    indices: np.ndarray | None,
    quotas: dict[Any, int],
    *,
    seed: int,
    device: str,
    seconds: float | None,
) -> Fitted:
    """Fit a registered method to training rows.

    Columns of tables and channels of series are standardized by the rows that the method sees, as
    the bench does it, so that distances do not depend on units. Images keep their pixels.

    Parameters
    ----------
    name : str
        Registered name.
    source : Source
    indices : ndarray of int or None
        Positions of the rows; None takes all rows, with their weights as they are.
    quotas : dict
        Rows of each class, or of all rows under the key None.
    seed : int
    device : str
    seconds : float or None
        `max_seconds` of methods that have it.
    """
    started = time.perf_counter()
    positions = np.arange(source.n_rows) if indices is None else indices
    X, y = source.rows(positions), source.targets(positions)
    weight = source.weight if indices is None else source.weights(positions)
    scaling = None
    if source.standardize and not source.is_mixed and X.ndim < 4:
        scaling = fit_scaling(X, weight)
        X = scaling.transform(X)
    budget: Any = quotas if source.task == "classification" else quotas[None]
    common = {
        "budget": budget,
        "task": source.task,
        "random_state": seed,
        "device": device,
        "max_seconds": None if seconds is None else max(seconds, 1e-3),
    }
    distiller = make_method(name, common=common)
    distiller._standardizes = source.standardize  # noqa: SLF001 (as the command line sets it)
    # The base class switches parameter validation off for what it calls.
    with config_context(skip_parameter_validation=False):
        distiller.fit(X, y, **weight_argument(weight))
    return Fitted(distiller, scaling, time.perf_counter() - started)
