"""Constraints of the parameters that condensers share, for scikit-learn's validation."""

from __future__ import annotations

from numbers import Integral, Real
from os import PathLike
from typing import Any

from sklearn.utils._param_validation import HasMethods, Hidden, Interval, StrOptions

__all__ = [
    "CLIPPING_CONSTRAINTS",
    "COUNT",
    "DESCENT_CONSTRAINTS",
    "FRACTION",
    "LABEL_CONSTRAINTS",
    "POSITIVE",
    "SHARED_CONSTRAINTS",
    "TRAINING_CONSTRAINTS",
]

POSITIVE = Interval(Real, 0, None, closed="neither")
COUNT = Interval(Integral, 1, None, closed="left")
FRACTION = Interval(Real, 0, 1, closed="left")

SHARED_CONSTRAINTS: dict[str, Any] = {
    "network": [str, callable],
    "width": [COUNT, None],
    "depth": [COUNT, None],
    "hidden": ["array-like", None],
    "norm": [StrOptions({"instance", "none"})],
    "init": [str, HasMethods(["fit_resample", "get_params"])],  # a name is looked up in fit
    "downscale": [COUNT],
    "lr": [POSITIVE, None],
    "average": [FRACTION],
    "clip": ["boolean"],
    "max_iter": [COUNT, None],
    "tol": [FRACTION],
    "patience": [COUNT, StrOptions({"auto"}), None],
    "record_every": [COUNT],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
    "validation_every": [COUNT],
    "checkpoint": [str, PathLike, None],
    "on_interrupt": [StrOptions({"raise", "return"})],
    "device": [str],
}
"""Constraints of the parameters that all condensers have."""

CLIPPING_CONSTRAINTS: dict[str, Any] = {
    "clip_rms": [POSITIVE, None],
    "max_norm": [POSITIVE, None, Hidden(StrOptions({"deprecated"}))],
}
"""Constraints of the parameters of gradient clipping, with the former name."""

TRAINING_CONSTRAINTS: dict[str, Any] = {
    "augment": [StrOptions({"auto"}), "array-like", None],
    "precision": [StrOptions({"auto", "float32", "bfloat16"})],
}
"""Constraints of the parameters of how networks see training rows."""

DESCENT_CONSTRAINTS: dict[str, Any] = {
    "pad": ["boolean"],
    "momentum": [FRACTION],
    "schedule": [StrOptions({"constant", "linear"})],
    "target_lr": [POSITIVE, None],
    **CLIPPING_CONSTRAINTS,
    **TRAINING_CONSTRAINTS,
}
"""Constraints of the parameters of methods that update the rows by plain gradient descent."""

LABEL_CONSTRAINTS: dict[str, Any] = {
    "lr": [POSITIVE],
    "learn_labels": [StrOptions({"auto"}), "boolean"],
    "label_lr": [POSITIVE],
}
"""Constraints of the parameters of methods that can learn labels with the rows, by Adam."""
