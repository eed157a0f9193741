"""Checks of the method that reduces a stream, and of each chunk after the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.plugins._methods import make_method

if TYPE_CHECKING:
    from distillkit.base import BaseDistiller
    from distillkit.coresets.streaming._merge_reduce import Tree

__all__ = ["check_chunk", "reducing_method"]


def reducing_method(name: str, value: Any) -> BaseDistiller:
    """Return the method for a parameter of `StreamingCoreset`, checked to support row weights.

    Parameters
    ----------
    name : str
        Name of the parameter, for error messages.
    value : str or distiller
        Value of the parameter: a registered name, optionally with a preset (``name:preset``), or an
        instance.

    Raises
    ------
    DataError
        If the method does not use row weights, or has no budget.
    UnknownNameError
        If no method or preset has this name.
    """
    method: BaseDistiller = make_method(value) if isinstance(value, str) else value
    if not getattr(method, "_weighs_rows", False):
        raise DataError(
            f"{name}={value!r} does not use row weights, which summaries of a stream have: "
            "give 'kmeans', 'kcenter' or 'random'."
        )
    if "budget" not in method.get_params(deep=False):
        raise DataError(
            f"{name}={value!r} has no budget, so it cannot bound the summaries of a stream: "
            "give 'kmeans', 'kcenter' or 'random'."
        )
    method._validate_params()  # noqa: SLF001 (scikit-learn's own way)
    return method


def check_chunk(X: np.ndarray, y: np.ndarray | None, tree: Tree, shape: tuple[int, ...], *, guessed: bool) -> None:
    """Raise an error for a chunk whose rows or labels are inconsistent with the earlier chunks.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
    tree : Tree
        State before the chunk.
    shape : tuple of int
        Shape of a row in the earlier chunks.
    guessed : bool
        Whether the task was inferred from the earlier chunks.

    Raises
    ------
    DataError
        If the shape of the rows, the presence of y, or the kind of labels differs.
    """
    if X.shape[1:] != shape:
        raise DataError(f"its rows have shape {X.shape[1:]}, but those before had {shape}.")
    before = tree.buffer[0].y
    if y is None or before is None:
        if y is not before:
            raise DataError(
                "it has no y, but those before had." if y is None else "it has y, but those before had none."
            )
        return
    if (y.dtype.kind in "iufb") != (before.dtype.kind in "iufb"):
        raise DataError(f"its y is of type {y.dtype}, but before it was {before.dtype}: give one kind of labels.")
    if guessed and tree.task == "classification" and y.dtype.kind == "f" and (y != np.rint(y)).any():
        raise DataError(
            "its y has fractions, but before it held class labels: set task='regression' if these are numbers."
        )
