"""Students of growing size among which the smallest is searched."""

from __future__ import annotations

from typing import Any

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit.nn import NetworkClassifier, NetworkRegressor

__all__ = ["default_students", "named_students"]

_LEAVES = (8, 32, 128)
_HIDDEN = (8, 32, 128)
_WIDTHS = (4, 8, 16, 32)


def default_students(task: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return students by name for rows of some shape.

    Parameters
    ----------
    task : {"classification", "regression"}
    shape : tuple of int
        Shape of a row. Tables have a linear model, an additive model, trees and perceptrons; series
        and images have networks of growing width.
    """
    classifies = task == "classification"
    network: Any = NetworkClassifier if classifies else NetworkRegressor
    training: dict[str, Any] = {"batch_size": 256, "lr": 5e-3}
    if len(shape) > 1:
        return {f"network of width {width}": network(width=width, hidden=(2 * width,), **training) for width in _WIDTHS}
    tree: Any = DecisionTreeClassifier if classifies else DecisionTreeRegressor
    trees = {f"tree of {leaves} leaves": tree(max_leaf_nodes=leaves) for leaves in _LEAVES}
    networks = {f"mlp of {hidden} units": network(hidden=(hidden,), **training) for hidden in _HIDDEN}
    return {"linear": "linear", "gam": "gam", **trees, **networks}


def named_students(students: Any, task: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the students of a list or a dict by name, and the default ones for None."""
    if students is None:
        return default_students(task, shape)
    if isinstance(students, dict):
        return dict(students)
    names = [one if isinstance(one, str) else repr(one) for one in students]
    return {
        name if names.count(name) == 1 else f"{name} ({place})": one
        for place, (name, one) in enumerate(zip(names, students, strict=True))
    }
