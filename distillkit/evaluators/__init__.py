"""Evaluators: models with training recipes that measure the quality of distilled sets.

Each factory has the signature ``make(task, random_state, **params)`` and returns an unfitted
scikit-learn estimator that can be trained on ten rows as well as on sixty thousand, with one row
per class, and with a single class. Names are imported on first use, so that
`distillkit.evaluators._specs` can be imported without scikit-learn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.evaluators._knn import make_knn as make_knn
    from distillkit.evaluators._linear import make_logistic as make_logistic
    from distillkit.evaluators._linear import make_ridge as make_ridge
    from distillkit.evaluators._mlp import make_mlp as make_mlp
    from distillkit.evaluators._networks import make_convnet as make_convnet
    from distillkit.evaluators._networks import make_lenet as make_lenet
    from distillkit.evaluators._networks import make_resnet18 as make_resnet18
    from distillkit.evaluators._trees import make_boosting as make_boosting
    from distillkit.evaluators._trees import make_forest as make_forest

_HOMES = {
    "make_boosting": "_trees",
    "make_convnet": "_networks",
    "make_forest": "_trees",
    "make_knn": "_knn",
    "make_lenet": "_networks",
    "make_logistic": "_linear",
    "make_mlp": "_mlp",
    "make_resnet18": "_networks",
    "make_ridge": "_linear",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (a list of strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'distillkit.evaluators' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"distillkit.evaluators.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
