"""Checks of outputs: returned rows and labels, their space, and the budget."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from distillkit.budget import Budget
from distillkit.testing._problem import LABELS, Scope, expect, expect_equal, fresh, raises

__all__ = ["CHECKS"]


def _has_budget(estimator: Any) -> bool:
    """Whether the estimator has a parameter `budget`."""
    return "budget" in estimator.get_params(deep=False)


def _sizes(labels: np.ndarray) -> dict[Any, int]:
    """Return the number of rows of each class."""
    values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def check_budget_per_class(estimator: Any, scope: Scope) -> None:
    """An int, a share and a dict give exactly the rows per class of `Budget`."""
    if not (scope.can("classification") and _has_budget(estimator)):
        return
    problem = scope.problem("classification")
    for budget in (1, 3, 0.1, 0.5, {0: 4, 1: 1, 2: 2}):
        distiller = fresh(estimator, budget=budget).fit(problem.X, problem.y)
        expected, sizes = Budget(budget).per_class(problem.counts), _sizes(distiller.y_distilled_)
        expect(sizes == expected, f"budget={budget!r} asks for {expected} rows per class, but got {sizes}")


def check_budget_in_all(estimator: Any, scope: Scope) -> None:
    """Without classes an int is the total number of rows, and a share refers to all rows."""
    for task in ("regression", None):
        if not (scope.can(task) and _has_budget(estimator)):
            continue
        problem = scope.problem(task)
        for budget in (1, 5, 0.3):
            size, expected = (
                len(fresh(estimator, budget=budget).fit(problem.X, problem.y).X_distilled_),
                Budget(budget).total(27),
            )
            expect(
                size == expected,
                f"budget={budget!r} of 27 rows asks for {expected} in all (task {task}), but got {size}",
            )


def check_budget_errors(estimator: Any, scope: Scope) -> None:
    """Invalid budgets raise an error in `fit`, not in `__init__`, that names the budget."""
    if not _has_budget(estimator):
        return
    problem = scope.problem()
    budgets: list[Any] = [0, -1, 1.5, float("nan"), "many", None, 10_000]
    if scope.tasks[0] == "classification":
        budgets += [{0: 1, 1: 1}, {0: 1, 1: 1, 2: 1, 3: 1}, {0: 1, 1: 1, 2: 7}]
    for budget in budgets:
        distiller = fresh(estimator, budget=budget)
        raises(lambda d=distiller: d.fit(problem.X, problem.y), "budget", what=f"budget={budget!r}")


def check_fit_resample(estimator: Any, scope: Scope) -> None:
    """`fit_resample` returns a pair that equals the fitted attributes."""
    problem = scope.problem()
    distiller = fresh(estimator)
    result = distiller.fit_resample(problem.X, problem.y)
    expect(isinstance(result, tuple) and len(result) == 2, "fit_resample must return (X_distilled, y_distilled)")
    expect_equal(result[0], distiller.X_distilled_, "rows of fit_resample against X_distilled_")
    expect_equal(result[1], distiller.y_distilled_, "labels of fit_resample against y_distilled_")


def check_fit_transform(estimator: Any, scope: Scope) -> None:
    """`fit_transform` returns the distilled rows alone, never a tuple."""
    problem = scope.problem()
    distiller = fresh(estimator)
    rows = distiller.fit_transform(problem.X, problem.y)
    expect(not isinstance(rows, tuple), "fit_transform must return the rows alone, not a tuple")
    expect_equal(rows, distiller.X_distilled_, "fit_transform against X_distilled_")


def check_transform_keeps_rows(estimator: Any, scope: Scope) -> None:
    """`transform` returns one row for each row, independently of the other rows."""
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    whole = distiller.transform(problem.X)
    expect(len(whole) == len(problem.X), f"transform gave {len(whole)} rows for {len(problem.X)}: it must not distill")
    for n in (1, 4):
        part = distiller.transform(problem.X[:n])
        expect(part.shape == whole[:n].shape, f"transform of {n} rows gave shape {part.shape}")
        expect(np.allclose(part, whole[:n], rtol=1e-6), "transform of a row must not depend on the other rows")


def check_transform_needs_fit(estimator: Any, scope: Scope) -> None:
    """`transform` before `fit` raises scikit-learn's NotFittedError."""
    try:
        fresh(estimator).transform(scope.problem().X)
    except NotFittedError:
        return
    raise AssertionError("transform before fit must raise NotFittedError: call check_is_fitted(self) first")


def check_transform_shape(estimator: Any, scope: Scope) -> None:
    """`transform` raises an error for rows of a different shape, on any axis."""
    for modality in scope.modalities:
        problem = scope.problem(modality=modality)
        transform = fresh(estimator).fit(problem.X, problem.y).transform
        for axis in range(1, problem.X.ndim):
            wider = np.repeat(problem.X, 2, axis=axis)
            what = f"transform of rows of shape {wider.shape[1:]} after fit on {problem.X.shape[1:]}"
            raises(partial(transform, wider), "shape", "features", what=what)


def check_one_space(estimator: Any, scope: Scope) -> None:
    """Distilled rows and transformed rows are in the same space.

    Selected rows equal their transformed originals, and synthetic rows have values of the same
    order.
    """
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    transformed = distiller.transform(problem.X).reshape(len(problem.X), -1)
    rows = distiller.X_distilled_.reshape(len(distiller.X_distilled_), -1)
    indices = getattr(distiller, "sample_indices_", None)
    if indices is not None:
        expect(np.allclose(transformed[indices], rows), "transform(X)[sample_indices_] must equal X_distilled_")
    low, high = transformed.min(axis=0), transformed.max(axis=0)
    middle, tolerance = np.median(rows, axis=0), 3 * (high - low)
    inside = ((middle >= low - tolerance) & (middle <= high + tolerance)).all()
    expect(
        inside,
        "X_distilled_ and transform(X) are in different units: "
        "models would predict rows unlike those on which they were trained",
    )


def check_set_output(estimator: Any, scope: Scope) -> None:
    """`set_output(transform="pandas")` gives DataFrames with the same columns."""
    if "table" not in scope.modalities:
        return
    problem = scope.problem(modality="table")
    distiller = fresh(estimator).set_output(transform="pandas")
    rows, transformed = distiller.fit_transform(problem.X, problem.y), distiller.transform(problem.X)
    for name, frame in (("fit_transform", rows), ("transform", transformed)):
        expect(hasattr(frame, "columns"), f"{name} must give a DataFrame after set_output(transform='pandas')")
    expect(list(rows.columns) == list(transformed.columns) == list(distiller.get_feature_names_out()), "columns differ")
    expect_equal(rows.to_numpy(), distiller.X_distilled_, "fit_transform as DataFrame against X_distilled_")
    expect(len(transformed) == len(problem.X), "transform must keep every row after set_output")


def check_label_kinds(estimator: Any, scope: Scope) -> None:
    """Labels keep their dtype: text, objects, booleans, floats, small integers."""
    if not scope.can("classification"):
        return
    problem = scope.problem("classification")
    y = np.asarray(problem.y)
    kinds = (np.array(LABELS)[y], np.array(LABELS, dtype=object)[y], y > 0, y.astype(float), y.astype(np.uint8), y - 5)
    for labels in kinds:
        distiller = fresh(estimator).fit(problem.X, labels)
        distilled_labels = distiller.y_distilled_
        expect(
            distilled_labels.dtype == labels.dtype,
            f"y_distilled_ is {distilled_labels.dtype} where y is {labels.dtype}",
        )
        expect_equal(np.unique(distilled_labels), np.unique(labels), f"classes of {labels.dtype} labels")


CHECKS = (
    check_budget_per_class,
    check_budget_in_all,
    check_budget_errors,
    check_fit_resample,
    check_fit_transform,
    check_transform_keeps_rows,
    check_transform_needs_fit,
    check_transform_shape,
    check_one_space,
    check_set_output,
    check_label_kinds,
)
