"""Published and measured settings of gradient matching by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from distillkit.condensation.problem._defaults import loop_counts

__all__ = ["PRESETS", "preset_params"]

_ZHAO = {
    "width": 128,
    "norm": "instance",
    "pad": True,
    "distance": "layer-cosine",
    "real_batch": 256,
    "lr": 0.1,
    "momentum": 0.5,
    "network_lr": 0.01,
    "average": 0.0,
    "max_norm": None,
    "clip": False,
    "precision": "float32",
    "patience": None,
}

PRESETS: dict[str, dict[str, Any]] = {
    "dc": {**_ZHAO, "init": "noise", "augment": None},
    "dsa": {**_ZHAO, "init": "real", "augment": "auto"},
    "fast": {},  # the defaults are what was measured to be best within minutes
}
"""Parameters that a preset sets; counts of the loops follow from the budget, as they do without one."""

_NETWORKS = 1000  # fresh ones, in the published runs
_MLP_RATE = 0.01  # in place of `lr`, where the network is an MLP


def preset_params(cls: type, given: Mapping[str, Any], network: str, rows_per_class: float) -> dict[str, Any]:
    """Return all parameters that the preset in `given` stands for, which are those of an estimator without one.

    Values that differ from the default of the class win over the preset; one that equals it cannot be told from one that
    was not given.

    Parameters
    ----------
    cls : type
        The estimator.
    given : mapping of str to Any
        Its parameters, "preset" among them.
    network : str
        Name of the network that the rows get; "" for one of the user's own.
    rows_per_class : float
        Mean distilled rows of a class.
    """
    name = given["preset"]
    values = dict(PRESETS[name])
    if values:
        if network == "mlp":
            values["lr"] = _MLP_RATE
        values["max_iter"] = _NETWORKS * loop_counts(rows_per_class, given["outer_steps"])[0]
    defaults = {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}
    free = {key for key, value in values.items() if _equal(given[key], defaults[key])}
    return {**given, **{key: values[key] for key in free}, "preset": None}


def _equal(first: Any, second: Any) -> bool:
    # an array compared with None or a string would be an array again
    return type(first) is type(second) and bool(first == second)
