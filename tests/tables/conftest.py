"""A mixed table with every type of column, in each container."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

N_ROWS = 60


def with_gaps(column, every=5):
    """Return a Series in which every fifth value is missing."""
    column = pd.Series(column).copy()
    column.iloc[::every] = None
    return column


def pandas_table():
    """A pandas frame with a column of each type that the encoder knows, none of them an identifier."""
    rng = np.random.default_rng(0)
    n = N_ROWS
    letters, truth = rng.choice(list("abc"), n), rng.random(n) < 0.5
    days = pd.date_range("2020-01-01", periods=n)
    return pd.DataFrame(
        {
            "float": rng.normal(size=n),
            "float32": rng.normal(size=n).astype(np.float32),
            "int": rng.integers(0, 9, n),
            "uint8": rng.integers(0, 255, n).astype(np.uint8),
            "float gaps": with_gaps(rng.normal(size=n)),
            "whole gaps": with_gaps(rng.integers(0, 9, n).astype(float)),
            "Int64": with_gaps(pd.Series(rng.integers(0, 9, n), dtype="Int64")),
            "Float64": with_gaps(pd.Series(rng.normal(size=n), dtype="Float64")),
            "bool": truth,
            "boolean": with_gaps(pd.Series(truth, dtype="boolean")),
            "bool objects": with_gaps(pd.Series(truth, dtype=object)),
            "text": letters,
            "text objects": pd.Series(letters, dtype=object),
            "text gaps": with_gaps(letters),
            "string": pd.Series(letters, dtype="string"),
            "category": pd.Categorical(letters, categories=list("dcba"), ordered=True),
            "category gaps": with_gaps(pd.Categorical(letters)),
            "category of ints": pd.Categorical(rng.integers(0, 3, n)),
            "days": days,
            "days gaps": with_gaps(days),
            "hours with zone": pd.date_range("2020", periods=n, freq="h", tz="Europe/Oslo"),
            "dates": [dt.date(2020, 1, 1 + i % 28) for i in range(n)],
            "durations": pd.to_timedelta(rng.integers(0, 99, n), unit="h"),
            "ISO dates": days.strftime("%Y-%m-%d"),
            "ISO times": days.strftime("%Y-%m-%d 10:%d:00"),
            "constant": 7,
            "constant text": "x",
            "nothing": np.nan,
            "nothing as objects": pd.Series([None] * n, dtype=object),
            "mixed": pd.Series([1, "a"] * (n // 2), dtype=object),
        }
    ).set_axis([f"row {i}" for i in range(n)])


def arrow_table():
    """The same as a pyarrow table, without the types of pandas alone."""
    import pyarrow as pa

    frame = pandas_table().drop(columns=["mixed", "category of ints", "nothing as objects"]).reset_index(drop=True)
    return pa.Table.from_pandas(frame, preserve_index=False)


def polars_table():
    """The same as a polars frame, with an Enum and times of day."""
    pl = pytest.importorskip("polars")
    letters = np.random.default_rng(0).choice(list("ab"), N_ROWS)
    times = [dt.time(1 + i % 3) for i in range(N_ROWS)]
    return pl.from_arrow(arrow_table()).with_columns(
        enum=pl.Series(letters.tolist(), dtype=pl.Enum(["b", "a", "z"])), times=pl.Series(times)
    )


@pytest.fixture(params=[pandas_table, polars_table, arrow_table])
def table(request):
    """The mixed table in each container."""
    return request.param()
