"""What a comparison has to know of an own object before it runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from distillkit.base import BaseDistiller
from distillkit.exceptions import DistillkitError
from distillkit.plugins import get_manager
from distillkit.specs import ALL_MODALITIES, BOTH_TASKS, MethodSpec, Trait

__all__ = ["evaluator_traits", "method_traits", "reduces_model"]


def evaluator_traits(estimator: Any) -> dict[str, Any]:
    """Return the fields of the `EvaluatorSpec` of an own estimator, in types that JSON has."""
    from sklearn.base import is_classifier, is_regressor
    from sklearn.utils import get_tags

    tasks = {"classification": is_classifier(estimator), "regression": is_regressor(estimator)}
    known = [task for task, does in tasks.items() if does] or sorted(BOTH_TASKS)
    accepted = inspect.signature(estimator.fit).parameters
    learns_soft = "soft_labels" in accepted or "sample_weight" in accepted or known == ["regression"]
    shaped = hasattr(estimator, "__sklearn_tags__") and get_tags(estimator).input_tags.three_d_array
    return {
        "tasks": known,
        "label_modes": ["hard", "soft"] if learns_soft else ["hard"],
        "flatten": not shaped,
    }


def method_traits(distiller: Any) -> dict[str, Any]:
    """Return the fields of the `MethodSpec` of an own distiller, in types that JSON has.

    They are those of the registered method of the same class, if there is one. Any other class does
    every task on rows of every kind, and gives rows with hard labels.
    """
    spec = _registered(distiller)
    params = distiller.get_params(deep=False)
    if spec is None:
        return {
            "family": "own",
            "tasks": sorted(BOTH_TASKS),
            "modalities": sorted(ALL_MODALITIES),
            "label_mode": str(getattr(distiller, "label_mode", "hard")),
        }
    return {
        "family": spec.kind,
        "tasks": sorted(spec.tasks),
        "modalities": sorted(spec.modalities),
        "reduces": spec.reduces,
        "budgeted": spec.budgeted,
        "label_mode": spec.label_mode,
        "version": spec.version,
        "requires": list(spec.requires),
        "deterministic": spec.is_deterministic(_changed(distiller, params)),
        "exposes_originals": _has(spec.exposes_originals, params, "exposes_originals"),
        "starts_from_real": _has(spec.starts_from_real, params, "starts_from_real"),
    }


def reduces_model(value: Any) -> bool:
    """Return whether an object is of the class of a registered method that reduces a model."""
    spec = _registered(value)
    return spec is not None and spec.reduces == "model"


def _registered(distiller: Any) -> MethodSpec | None:
    """Return the registered method of the class of a distiller, one without parameters first."""
    specs: Mapping[str, Any] = get_manager().specs("method")
    name = type(distiller).__name__
    same = [spec for spec in specs.values() if str(getattr(spec.target, "__name__", spec.target)).endswith(name)]
    for spec in sorted(same, key=lambda spec: len(spec.params)):
        try:
            if spec.load() is type(distiller):
                return spec  # type: ignore[no-any-return]
        except DistillkitError:  # A method of another plugin that cannot be loaded here.
            continue
    return None


def _changed(distiller: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that differ from the defaults of the class."""
    defaults = {name: each.default for name, each in inspect.signature(type(distiller)).parameters.items()}
    return {name: value for name, value in params.items() if not _equal(value, defaults.get(name))}


def _has(trait: Trait, params: Mapping[str, Any], name: str) -> bool:
    """Return whether a method has a property with its parameters, or by a distiller within it."""
    if isinstance(trait, bool):
        return trait
    for param, values in trait.items():
        value = params.get(param)
        if any(_equal(value, each) for each in values):
            return True
        if isinstance(value, BaseDistiller) and method_traits(value).get(name):
            return True
    return False


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and isinstance(one, str | int | float | bool | None) and one == other
