"""Presets of gradient matching: published settings by name, and the default."""

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
    "clip_rms": None,
    "clip": False,
    "precision": "float32",
    "patience": None,
}

PRESETS: dict[str, dict[str, Any]] = {
    "dc": {**_ZHAO, "init": "noise", "augment": None},
    "dsa": {**_ZHAO, "init": "real", "augment": "auto"},
    "fast": {},  # the defaults of the estimator, which are tuned for runs of a few minutes
}
"""Parameters that each preset sets.

The numbers of loop iterations are not among them; they follow from the budget, as without a preset.
"""

_NETWORKS = 1000  # networks drawn in the published runs
_MLP_RATE = 0.01  # in place of `lr`, where the network is an MLP


def preset_params(cls: type, params: Mapping[str, Any], network: str, rows_per_class: float) -> dict[str, Any]:
    """Return the parameters of an equivalent estimator without a preset.

    Parameters that differ from the default of the class take precedence over the preset. A
    parameter that was explicitly set to its default cannot be told from one that was not set.

    Parameters
    ----------
    cls : type
        Class of the estimator.
    params : mapping of str to Any
        Parameters of the estimator, including "preset".
    network : str
        Name of the network that the rows are condensed for; "" for a network of the user's own.
    rows_per_class : float
        Mean number of distilled rows per class.
    """
    values = dict(PRESETS[params["preset"]])
    if values:
        if network == "mlp":
            values["lr"] = _MLP_RATE
        values["max_iter"] = _NETWORKS * loop_counts(rows_per_class, params["outer_steps"])[0]
    defaults = {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}
    unset = {key for key, value in values.items() if _equal(params[key], defaults[key])}
    return {**params, **{key: values[key] for key in unset}, "preset": None}


def _equal(first: Any, second: Any) -> bool:
    # An array compared with None or a string gives an array, so that types are compared first.
    return type(first) is type(second) and bool(first == second)
