"""Factories of unfitted copies of own objects, which are the targets of their specs."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from distillkit.bench.own._pickles import read_object
from distillkit.utils._seeds import seed_model

__all__ = ["OwnEvaluator", "OwnMethod", "seeded_copy"]


def unfitted_copy(value: Any) -> Any:
    """Return a clone of an estimator of scikit-learn, or a copy of any other object."""
    return clone(value) if hasattr(value, "get_params") else deepcopy(value)


def seeded_copy(estimator: Any, random_state: int) -> Any:
    """Return an unfitted copy of an estimator, seeded where its `random_state` is None.

    Parameters
    ----------
    estimator : estimator
    random_state : int
    """
    copy = unfitted_copy(estimator)
    return seed_model(copy, np.random.RandomState(random_state)) if hasattr(copy, "get_params") else copy


class _Stored:
    """An object in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def value(self) -> Any:
        """The object."""
        return read_object(self.path)


class OwnEvaluator(_Stored):
    """Makes copies of an own estimator, as the target of an `EvaluatorSpec`."""

    def __call__(self, task: str, random_state: int) -> Any:
        """Return an unfitted copy with a seed."""
        return seeded_copy(self.value, random_state)


class OwnMethod(_Stored):
    """Makes copies of an own distiller, as the target of a `MethodSpec`."""

    def make(self, common: Mapping[str, Any], **params: Any) -> Any:
        """Return an unfitted copy with the budget, the seed and the task of a cell.

        Parameters
        ----------
        common : mapping of str to Any
            The budget and the seed are set wherever the distiller has them on its outermost level
            that does, and the task where it is still to be inferred; None leaves it as it is.
        **params
            Further parameters.
        """
        copy = unfitted_copy(self.value).set_params(**params)
        values = {name: value for name, value in common.items() if value is not None}
        own = copy.get_params(deep=True)
        settings = {place: value for name, value in values.items() for place in _places(own, name)}
        if own.get("task", "auto") != "auto":
            settings.pop("task", None)
        return copy.set_params(**settings)


def _places(params: Mapping[str, Any], name: str) -> list[str]:
    """Return the parameters of this name on the outermost level of an estimator that has it."""
    found = [key for key in params if key == name or key.endswith(f"__{name}")]
    outermost = min((key.count("__") for key in found), default=0)
    return [key for key in found if key.count("__") == outermost]
