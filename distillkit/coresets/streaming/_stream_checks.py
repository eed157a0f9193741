"""What a stream needs of the method that reduces it and of each chunk after the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.plugins._methods import make_method

if TYPE_CHECKING:
    from distillkit.base import BaseDistiller
    from distillkit.coresets.streaming._merge_reduce import Tree

__all__ = ["check_chunk", "reducing_method"]


def reducing_method(name: str, given: Any) -> BaseDistiller:
    """Return the method of a registered name, optionally ``name:preset``, or the instance itself, checked.

    Parameters
    ----------
    name : str
        Of the parameter.
    given : str or distiller
        Its value.

    Raises
    ------
    DataError
        If it does not heed the weights of rows.
    UnknownNameError
        If there is no method or preset of the name.
    """
    method: BaseDistiller = make_method(given) if isinstance(given, str) else given
    if not getattr(method, "_weighs_rows", False):
        raise DataError(
            f"{name}={given!r} does not heed the weights of rows, which summaries have: "
            "give 'kmeans', 'kcenter' or 'random'."
        )
    method._validate_params()  # noqa: SLF001 (scikit-learn's own way)
    return method


def check_chunk(X: np.ndarray, y: np.ndarray | None, tree: Tree, shape: tuple[int, ...], *, guessed: bool) -> None:
    """Refuse a chunk whose rows or labels are not like those before.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
    tree : Tree
        State before the chunk.
    shape : tuple of int
        Of a row, so far.
    guessed : bool
        Whether the task was inferred from earlier chunks.

    Raises
    ------
    DataError
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
