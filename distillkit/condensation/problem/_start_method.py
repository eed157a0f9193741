"""Rows to start from that another method picks or makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plugins._methods import make_method
from distillkit.utils._json import to_jsonable
from distillkit.utils._seeds import seed_model

if TYPE_CHECKING:
    from distillkit.base import Group, Run
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["rows_of_method"]


def rows_of_method(
    init: Any, starts: tuple[str, ...], problem: CondensationProblem, run: Run
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Fit a method on the training rows, within the time that is left, and return its rows for each group.

    Classes are told apart by some methods, so that these see all rows; groups of a continuous target are reduced one by one.

    Parameters
    ----------
    init : str or distiller
        A registered name, or an unfitted one, which is cloned.
    starts : tuple of str
        What `init` could have been instead, for the message.
    problem : Problem
    run : Run
        Seeds each `random_state` that is None.

    Returns
    -------
    list of (ndarray of shape (size, ...), ndarray of shape (size,) or None)
        Rows in the units of the data; continuous targets, None for classes.

    Raises
    ------
    DataError
        If there is no such method, or it does not give as many rows as are wanted.
    """
    rows = problem.rows
    assert rows.y is not None
    if rows.task == "regression":
        return [
            _numbers(init, rows.X[group.rows], rows.y[group.rows], group, _prepared(init, starts, run, rows.task))
            for group in rows.groups
        ]
    method = _prepared(init, starts, run, rows.task)
    quotas = {to_jsonable(group.label): group.size for group in rows.groups}
    X, y = _fitted(method.set_params(budget=quotas), rows.X, rows.y)
    return [(_as_many(init, X[y == group.label], group), None) for group in rows.groups]


def _numbers(init: Any, X: np.ndarray, y: np.ndarray, group: Group, method: Any) -> tuple[np.ndarray, np.ndarray]:
    made, targets = _fitted(method.set_params(budget=group.size), X, y)
    return _as_many(init, made, group), np.asarray(targets, dtype=np.float64)


def _prepared(init: Any, starts: tuple[str, ...], run: Run, task: str | None) -> Any:
    if isinstance(init, str):
        try:
            method = make_method(init)
        except UnknownNameError as exc:
            raise DataError(
                f"The 'init' parameter must be one of {', '.join(starts)}, a registered method or a distiller, got {init!r}: {exc}"
            ) from None
    else:
        method = clone(init)
    params = method.get_params(deep=True)
    if "budget" not in params:
        raise DataError(f"init={init!r} has no budget: give a method that makes as many rows as it is asked for.")
    left: dict[str, Any] = {}
    if run.max_seconds is not None and params.get("max_seconds", 0) is None:
        left["max_seconds"] = max(1e-3, run.max_seconds - run.seconds)
    if "task" in params:
        left["task"] = task
    return seed_model(method.set_params(**left), run.rng)


def _fitted(method: Any, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    made, labels = method.fit_resample(X, y)
    carried = getattr(method, "preprocessing_", None)
    made = np.asarray(made) if carried is None else np.asarray(carried.inverse_transform(made))
    return made.reshape(len(made), *X.shape[1:]), np.asarray(labels)


def _as_many(init: Any, made: np.ndarray, group: Group) -> np.ndarray:
    if len(made) != group.size:
        whose = "" if group.label is None else f" of class {to_jsonable(group.label)!r}"
        raise DataError(
            f"init={init!r} gives {len(made)} rows{whose} where {group.size} are wanted: give a method that heeds its budget."
        )
    return made
