"""Checks of inputs: containers, dtypes, shapes, tasks, and rows that must raise an error."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from distillkit.exceptions import DistillkitWarning
from distillkit.testing._problem import LABELS, Scope, expect, expect_equal, fresh, raises

__all__ = ["CHECKS"]


def check_tasks(estimator: Any, scope: Scope) -> None:
    """Each task gives labels of its kind: classes, floats or none."""
    for task in scope.tasks:
        problem = scope.problem(task)
        distiller = fresh(estimator).fit(problem.X, problem.y)
        labels, m = distiller.y_distilled_, len(distiller.X_distilled_)
        if task is None:
            expect(labels is None, "y_distilled_ must be None without y")
            continue
        expect(labels.shape == (m,), f"y_distilled_ has shape {labels.shape}, not ({m},) for {task}")
        if task == "regression":
            low, high = problem.y.min(), problem.y.max()
            tolerance = high - low
            expect(labels.dtype.kind == "f", f"y_distilled_ must be floats for regression, not {labels.dtype}")
            expect(
                (labels > low - tolerance).all() and (labels < high + tolerance).all(),
                "y_distilled_ is far outside the range of y",
            )


def check_modalities(estimator: Any, scope: Scope) -> None:
    """Rows of each modality keep their shape in `X_distilled_` and in `transform`."""
    for modality in scope.modalities:
        problem = scope.problem(modality=modality)
        distiller = fresh(estimator).fit(problem.X, problem.y)
        for name, rows in (("X_distilled_", distiller.X_distilled_), ("transform(X)", distiller.transform(problem.X))):
            expect(
                rows.shape[1:] == problem.X.shape[1:],
                f"{name} has rows of shape {rows.shape[1:]} for rows of shape {problem.X.shape[1:]} ({modality})",
            )


def check_dtypes(estimator: Any, scope: Scope) -> None:
    """Selected and transformed rows keep the dtype of X: floats of 16 to 64 bits and integers.

    Synthetic rows keep the dtype of floats; those of integers are floats, unrounded.
    """
    problem = scope.problem()
    for dtype in (np.float64, np.float32, np.float16, np.int64, np.uint8):
        X = np.rint(problem.X).astype(dtype)
        distiller = fresh(estimator).fit(X, problem.y)
        if getattr(distiller, "preprocessing_", None) is None:
            got = distiller.X_distilled_.dtype
            is_made = np.dtype(dtype).kind != "f" and not hasattr(distiller, "sample_indices_")
            expect(got.kind == "f" if is_made else got == dtype, f"X_distilled_ is {got} where X is {np.dtype(dtype)}")
            transformed = distiller.transform(X)
            expect(transformed.dtype == dtype, f"transform gives {transformed.dtype} where X is {np.dtype(dtype)}")
        else:
            expect(distiller.X_distilled_.dtype.kind == "f", "rows in the space of a preprocessing must be floats")


def check_inputs_untouched(estimator: Any, scope: Scope) -> None:
    """Neither `fit` nor `transform` modifies X or y, also if they are read-only memory maps."""
    problem = scope.problem()
    X, y = problem.X.copy(), None if problem.y is None else problem.y.copy()
    fresh(estimator).fit(X, y).transform(X)
    expect_equal(X, problem.X, "X after fit and transform")
    expect_equal(y, problem.y, "y after fit and transform")
    expected = fresh(estimator).fit(problem.X, problem.y).X_distilled_
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "X.npy", problem.X)
        mapped = np.load(Path(folder) / "X.npy", mmap_mode="r")
        distiller = fresh(estimator).fit(mapped, problem.y)
        distiller.transform(mapped)
        del mapped
    expect_equal(distiller.X_distilled_, expected, "X_distilled_ of a read-only memory map")


def check_layouts(estimator: Any, scope: Scope) -> None:
    """Lists, Fortran order and strided views give the same result as the rows themselves."""
    problem = scope.problem()
    expected = fresh(estimator).fit(problem.X, problem.y).X_distilled_
    wide = np.repeat(problem.X, 2, axis=0)
    y = None if problem.y is None else problem.y.tolist()
    for name, X in (
        ("a list", problem.X.tolist()),
        ("Fortran order", np.asfortranarray(problem.X)),
        ("a strided view", wide[::2]),
    ):
        result = fresh(estimator).fit(X, y).X_distilled_
        expect(np.allclose(result, expected, rtol=1e-6), f"X as {name} gives other rows")


def check_pandas(estimator: Any, scope: Scope) -> None:
    """Pandas input gives pandas output with its column names, label name and index labels."""
    if "table" not in scope.modalities:
        return
    import pandas as pd

    problem = scope.problem(modality="table")
    index = [f"row{i}" for i in range(len(problem.X))]
    X = pd.DataFrame(problem.X, columns=[f"f{i}" for i in range(problem.X.shape[1])], index=index)
    y = None if problem.y is None else pd.Series(problem.y, name="kind", index=index)
    distiller = fresh(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as "X does not have valid feature names"
        warnings.simplefilter("ignore", DistillkitWarning)  # for example too few steps to converge
        rows, labels = distiller.fit_resample(X, y)
        transformed = distiller.transform(X)
    expect(
        list(getattr(rows, "columns", ())) == list(X.columns),
        "fit_resample must give a DataFrame with the columns of X",
    )
    expect(list(distiller.feature_names_in_) == list(X.columns), "feature_names_in_ must hold the columns of X")
    expect_equal(rows.to_numpy(), distiller.X_distilled_, "rows of fit_resample against X_distilled_")
    expect(list(getattr(transformed, "index", ())) == index, "transform of a DataFrame must give one with its index")
    if y is not None:
        expect(
            isinstance(labels, pd.Series) and labels.name == "kind", "fit_resample must give y as a Series of its name"
        )
        expect_equal(labels.to_numpy(), distiller.y_distilled_, "labels of fit_resample against y_distilled_")
    if hasattr(distiller, "sample_indices_"):
        expected = X.index[distiller.sample_indices_]
        expect(list(rows.index) == list(expected), "picked rows must keep their index labels")
    raises(lambda: distiller.transform(X[X.columns[::-1]]), "feature names", "order", what="columns in another order")


def check_pandas_labels(estimator: Any, scope: Scope) -> None:
    """A Series of categories or nullable integers keeps its dtype, also with an unused category."""
    if not (scope.can("classification") and "table" in scope.modalities):
        return
    import pandas as pd

    problem = scope.problem("classification", "table")
    with_unused = pd.CategoricalDtype([*LABELS, "dodo"])
    categories = pd.Series(pd.Categorical.from_codes(problem.y, dtype=with_unused))
    for y in (categories, pd.Series(problem.y, dtype="Int64"), pd.Series(categories.astype(str))):
        labels = fresh(estimator).fit_resample(problem.X, y)[1]
        expect(
            getattr(labels, "dtype", None) == y.dtype,
            f"labels came back as {getattr(labels, 'dtype', type(labels))}, not {y.dtype}",
        )
        expect(set(labels) == set(y), f"classes of a Series of {y.dtype}")


def check_torch(estimator: Any, scope: Scope) -> None:
    """Tensors give tensors with the result of the arrays; skipped if torch is not installed."""
    if find_spec("torch") is None:
        return
    import torch

    problem = scope.problem()
    X = problem.X.astype(np.float32)
    expected = fresh(estimator).fit(X, problem.y)
    distiller = fresh(estimator)
    tensor, y = torch.from_numpy(X).requires_grad_(), None if problem.y is None else torch.from_numpy(problem.y)
    rows, labels = distiller.fit_resample(tensor, y)
    expect(
        isinstance(rows, torch.Tensor) and rows.dtype == torch.float32,
        "fit_resample of a tensor must give a tensor of its dtype",
    )
    expect_equal(rows.numpy(), expected.X_distilled_, "rows of a tensor against those of the array")
    expect(isinstance(distiller.transform(tensor), torch.Tensor), "transform of a tensor must give a tensor")
    if y is not None:
        expect(
            isinstance(labels, torch.Tensor) and labels.dtype == y.dtype,
            "labels of a tensor must be a tensor of its dtype",
        )


def check_unusable_rows(estimator: Any, scope: Scope) -> None:
    """NaN, infinity, text, empty input and different lengths raise errors that name the cause."""
    problem = scope.problem()
    X, y = problem.X, problem.y
    for value in (np.nan, np.inf):
        invalid = X.copy()
        invalid.flat[3] = value
        raises(lambda rows=invalid: fresh(estimator).fit(rows, y), "NaN", "infinity", what=f"X with {value}")
    raises(lambda: fresh(estimator).fit(X.astype(str), y), "text", "string", "numbers", what="X of text")
    raises(lambda: fresh(estimator).fit(X + 1j, y), "complex", what="X of complex numbers")
    raises(lambda: fresh(estimator).fit(X[:0], None if y is None else y[:0]), "sample", "rows", what="X without rows")
    raises(lambda: fresh(estimator).fit(X.ravel(), y), "array", "shape", what="X of one axis")
    if y is not None:
        raises(lambda: fresh(estimator).fit(X, y[:-1]), "samples", "rows", "length", what="y shorter than X")
        missing = y.astype(float)
        missing[0] = np.nan
        raises(lambda: fresh(estimator).fit(X, missing), "NaN", "missing", what="y with a missing value")
    if not scope.can(None):
        raises(lambda: fresh(estimator).fit(X), "y", what="no y, where the method needs it")


def check_few_rows(estimator: Any, scope: Scope) -> None:
    """One row per class, one row in all and duplicates work, or raise an error with a message."""
    problem = scope.problem()
    X, y = problem.X, problem.y
    first = np.arange(3) if y is None else np.unique(y, return_index=True)[1][:3]
    cases = {"one row per class": first, "one row": first[:1], "repeated rows": np.tile(first, 4)}
    for name, rows in cases.items():
        distiller = fresh(estimator, budget=1)
        try:
            distiller.fit(X[rows], None if y is None else y[rows])
        except ValueError as exc:
            expect(str(exc), f"{name}: the error has no message")
            continue
        expect(np.isfinite(distiller.X_distilled_).all(), f"{name}: X_distilled_ holds NaN or infinity")
        expect(
            np.isclose(distiller.sample_weight_.sum(), len(rows)),
            f"{name}: sample_weight_ must sum to the {len(rows)} rows",
        )


CHECKS = (
    check_tasks,
    check_modalities,
    check_dtypes,
    check_inputs_untouched,
    check_layouts,
    check_pandas,
    check_pandas_labels,
    check_torch,
    check_unusable_rows,
    check_few_rows,
)
