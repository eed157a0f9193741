"""First synthetic rows that another method, such as a coreset, selects or generates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plugins._methods import make_method
from distillkit.utils._json import to_jsonable
from distillkit.utils._seeds import seed_model
from distillkit.utils._weights import require_weight_support, weight_argument

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["rows_of_method"]


def rows_of_method(
    init: Any, starts: tuple[str, ...], problem: CondensationProblem, run: Run
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Fit a method on the training rows, within the time left, and return its rows for each group.

    Rows of all classes are given to the method at once, because some methods need to tell classes
    apart. Groups of a continuous target are reduced one by one.

    Parameters
    ----------
    init : str or distiller
        A registered name, or an unfitted distiller, which is cloned.
    starts : tuple of str
        Other valid values of `init`, which the error message lists.
    problem : CondensationProblem
    run : Run
        Gives a seed to each `random_state` that is None.

    Returns
    -------
    list of (ndarray of shape (size, ...), ndarray of shape (size,) or None)
        Rows in the units of the data; continuous targets, None for classes.

    Raises
    ------
    DataError
        If the method is unknown, has no budget, returns another number of rows than asked for, or
        cannot use the weights of the rows.
    """
    rows = problem.rows
    assert rows.y is not None
    if rows.task == "regression":
        return [
            _start_of_group(
                init,
                replace(rows, X=rows.X[group.rows], y=rows.y[group.rows], weight=rows.weight_in(group)),
                group,
                _configured(init, starts, run, rows.task),
            )
            for group in rows.groups
        ]
    method = _configured(init, starts, run, rows.task)
    budget = {to_jsonable(group.label): group.size for group in rows.groups}
    X, y = _fit_resample(method.set_params(budget=budget), rows)
    return [(_require_size(init, X[y == group.label], group), None) for group in rows.groups]


def _start_of_group(init: Any, rows: TrainingRows, group: Group, method: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the continuous targets that a method gives for one group."""
    X_start, targets = _fit_resample(method.set_params(budget=group.size), rows)
    return _require_size(init, X_start, group), np.asarray(targets, dtype=np.float64)


def _configured(init: Any, starts: tuple[str, ...], run: Run, task: str | None) -> Any:
    """Return an unfitted method with the task, a seed and the time that is left."""
    if isinstance(init, str):
        try:
            method = make_method(init)
        except UnknownNameError as exc:
            raise DataError(
                f"The 'init' parameter must be one of {', '.join(starts)}, a registered method or a distiller, "
                f"got {init!r}: {exc}"
            ) from None
    else:
        method = clone(init)
    params = method.get_params(deep=True)
    if "budget" not in params:
        raise DataError(f"init={init!r} has no budget: give a method whose parameter budget sets the number of rows.")
    overrides: dict[str, Any] = {}
    if run.max_seconds is not None and params.get("max_seconds", 0) is None:
        overrides["max_seconds"] = max(1e-3, run.max_seconds - run.seconds)
        # The start takes its usual number of updates, so that it leaves time for the condenser.
        if params.get("max_iter", 0) is None:
            overrides["max_iter"] = getattr(method, "_default_max_iter", None)
    if "task" in params:
        overrides["task"] = task
    return seed_model(method.set_params(**overrides), run.rng)


def _fit_resample(method: Any, rows: TrainingRows) -> tuple[np.ndarray, np.ndarray]:
    """Fit a method and return its rows in the units and the shape of X, and their labels."""
    require_weight_support("init", method, rows.weight)
    X_start, labels = method.fit_resample(rows.X, rows.y, **weight_argument(rows.weight))
    preprocessing = getattr(method, "preprocessing_", None)
    X_start = np.asarray(X_start) if preprocessing is None else np.asarray(preprocessing.inverse_transform(X_start))
    return X_start.reshape(len(X_start), *rows.X.shape[1:]), np.asarray(labels)


def _require_size(init: Any, X_start: np.ndarray, group: Group) -> np.ndarray:
    if len(X_start) != group.size:
        of_class = "" if group.label is None else f" of class {to_jsonable(group.label)!r}"
        raise DataError(
            f"init={init!r} returned {len(X_start)} rows{of_class}, but the budget asks for {group.size}: "
            "give a method that returns as many rows as its budget."
        )
    return X_start
