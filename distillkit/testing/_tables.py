"""Checks of mixed tables: frames with text, categories, truth values, dates and gaps."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from distillkit.exceptions import DistillkitWarning
from distillkit.testing._problem import Scope, expect, fresh

__all__ = ["CHECKS"]


def check_mixed_table(estimator: Any, scope: Scope) -> None:
    """Selected rows of a mixed table are its rows; made rows have its columns, types and values."""
    if "table" not in scope.modalities:
        return
    problem = scope.problem(modality="table")
    frame = _mixed_frame(len(problem.X))
    before = frame.copy(deep=True)
    distiller = fresh(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DistillkitWarning)  # for example too few steps to converge
        rows, _ = distiller.fit_resample(frame, problem.y)
        transformed = distiller.transform(frame)
    expect(frame.equals(before), "fit and transform must not change a mixed table")
    expect(len(transformed) == len(frame), "transform must give one row for each row of a mixed table")
    indices = getattr(distiller, "sample_indices_", None)
    if indices is None:
        _check_made(distiller.distilled_.to_frame(), frame)
        return
    expected = frame.iloc[indices]
    expect(distiller.distilled_.to_frame().equals(expected), "distilled_.to_frame() must give the selected rows")
    if getattr(distiller, "preprocessing_", None) is None:
        _check_columns(rows, expected)
        expect(rows.equals(expected), "fit_resample must return the selected rows of a mixed table as they were")


def _mixed_frame(n_rows: int) -> Any:
    """Return a frame with a column of each kind, some with gaps, and with index labels."""
    import pandas as pd

    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n_rows) + 100,
            "count": rng.randint(3, 9, n_rows),
            "visits": pd.array(rng.randint(0, 5, n_rows), dtype="Int64"),
            "city": rng.choice(["Bern", "Oslo", "Rome"], n_rows),
            "plan": pd.Categorical(rng.choice(["S", "M"], n_rows), categories=["S", "M", "L"], ordered=True),
            "member": rng.random_sample(n_rows) < 0.5,
            "since": pd.date_range("1969-12-20", periods=n_rows),
        },
        index=[f"row{i}" for i in range(n_rows)],
    )
    for column, step in (("size", 7), ("visits", 5), ("city", 6)):
        frame.loc[frame.index[::step], column] = None
    return frame


def _check_columns(rows: Any, frame: Any) -> None:
    """Check the names and the types of the columns."""
    names = list(getattr(rows, "columns", ()))
    expect(names == list(frame.columns), f"rows of a mixed table must have its columns {list(frame.columns)}: {names}")
    for name, dtype in frame.dtypes.items():
        expect(rows[name].dtype == dtype, f"column {name!r} of a mixed table is {dtype}, but became {rows[name].dtype}")


def _check_made(rows: Any, frame: Any) -> None:
    """Check that made rows have the columns, types and values of the table."""
    _check_columns(rows, frame)
    for name in ("count", "visits", "since"):
        values = rows[name].dropna()
        within = values.between(frame[name].min(), frame[name].max())
        expect(within.all(), f"column {name!r} of made rows must be within the range of the table")
    for name in ("city", "plan", "member"):
        unknown = set(rows[name].dropna()) - set(frame[name].dropna())
        expect(not unknown, f"column {name!r} of made rows holds {unknown}, which the table does not")
    for name in ("count", "plan", "member", "since"):
        expect(not rows[name].isna().any(), f"column {name!r} of made rows has gaps, which the table has not")


CHECKS = (check_mixed_table,)
