"""Constraints on whole rows, as functions of the rows or as expressions in column names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._frames import is_frame, to_pandas

__all__ = ["constraint_list", "meets_constraints"]


def constraint_list(constraints: Any) -> list[Callable[[Any], Any] | str]:
    """Return one or several constraints as a list.

    Raises
    ------
    DataError
        If one is neither a function nor text.
    """
    if constraints is None:
        return []
    listed = [constraints] if callable(constraints) or isinstance(constraints, str) else list(constraints)
    for constraint in listed:
        if not callable(constraint) and not isinstance(constraint, str):
            raise DataError(
                f"the constraint {constraint!r} is neither a function of the rows nor an expression such as "
                "'age < 60 or hours > 20'."
            )
    return listed


def meets_constraints(rows: Any, constraints: Sequence[Callable[[Any], Any] | str]) -> np.ndarray:
    """Return which rows meet all constraints.

    Parameters
    ----------
    rows : frame or ndarray of shape (n, ...)
        In the units and types of the training rows.
    constraints : sequence of callable and str
        A function gets the rows and returns one truth value for each. An expression is evaluated by
        `pandas.DataFrame.eval`; columns of an array are named x0, x1, and so on.

    Returns
    -------
    ndarray of shape (n,), bool

    Raises
    ------
    DataError
        If a constraint fails, or does not return one truth value for each row.
    """
    mask = np.ones(len(rows), dtype=bool)
    for constraint in constraints:
        try:
            answer = constraint(rows) if callable(constraint) else _as_pandas(rows).eval(constraint, engine="python")
            truth = np.asarray(answer)
        except Exception as exc:
            raise DataError(
                f"the constraint {_name(constraint)} fails on the rows: {type(exc).__name__}: {exc}"
            ) from exc
        if truth.shape != (len(rows),) or (truth.dtype.kind != "b" and not _is_truth(truth)):
            raise DataError(
                f"the constraint {_name(constraint)} returned {truth.dtype} of shape {truth.shape} for {len(rows)} "
                "rows: it must return True or False for each row."
            )
        mask &= truth.astype(bool)
    return mask


def _is_truth(truth: np.ndarray) -> bool:
    """Whether an array of objects holds truth values, as pandas has them beside gaps."""
    return truth.dtype.kind == "O" and all(isinstance(value, (bool, np.bool_)) for value in truth.tolist())


def _as_pandas(rows: Any) -> Any:
    if is_frame(rows):
        return to_pandas(rows)
    import pandas as pd

    flat = np.asarray(rows).reshape(len(rows), -1)
    return pd.DataFrame(flat, columns=[f"x{column}" for column in range(flat.shape[1])])


def _name(constraint: Any) -> str:
    return repr(constraint) if isinstance(constraint, str) else getattr(constraint, "__name__", repr(constraint))
