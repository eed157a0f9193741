"""The first rows of real tables keep their columns and values through files, pandas and polars."""

from __future__ import annotations

import itertools
import warnings

import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

from distillkit import KCenterCoreset, KMeansCoreset
from distillkit.cli._group import cli
from distillkit.datasets import load_rows
from distillkit.distilled import DistilledSet
from distillkit.utils._targets import infer_task

TABLES = {
    "adult/adult.csv": "income",
    "tables/telco-churn.csv": "Churn",
    "tables/california-housing.csv": "median_house_value",
    "tables/titanic.csv": "Survived",
    "tables/mushroom.csv": "class",
    "tables/kc-house.csv": "price",
    "tables/bank-marketing.csv": "y",
    "tables/online-shoppers.csv": "Revenue",
}
pytestmark = pytest.mark.filterwarnings("ignore::distillkit.exceptions.DistillkitWarning")


@pytest.fixture(params=TABLES)
def table(request, real_data, tmp_path):
    """Path, target and option of a file with 400 rows of both classes."""
    with real_data(request.param).open(encoding="utf-8") as file:
        head = list(itertools.islice(file, 801))
    path = tmp_path / "head.csv"
    path.write_text("".join([head[0], *head[1::2]]), encoding="utf-8")
    return str(path), TABLES[request.param], "?" if "adult" in request.param else "nothing"


def kind(column):
    """Return the kind of a column, by which made rows resemble the rows of the file."""
    types = pd.api.types
    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_numeric_dtype(column.dtype):
        return "integer" if types.is_integer_dtype(column.dtype) else "number"
    return "date" if types.is_datetime64_any_dtype(column.dtype) else "text"


@pytest.mark.parametrize("method", ["kmeans", "kcenter"])
def test_distill_writes_the_columns_and_values_of_the_file(table, method, tmp_path):
    path, target, missing = table
    arguments = ["distill", method, path, "--target", target, "--budget", "5", "--missing", missing, "-o"]
    result = CliRunner().invoke(cli, [*arguments, str(tmp_path / "small.csv")])
    assert result.exit_code == 0, result.output

    X, y = load_rows(path, target=target, missing=missing)
    small, labels = load_rows(str(tmp_path / "small.csv"), target=target, drop="sample_weight")
    assert list(small.columns) == list(X.columns)
    if method == "kcenter":
        rows = {tuple(row) for row in X.assign(target=y).astype(object).where(X.notna(), None).astype(str).to_numpy()}
        small = small.astype(X.dtypes.to_dict())
        picked = small.assign(target=labels).astype(object).where(small.notna(), None).astype(str).to_numpy()
        assert {tuple(row) for row in picked} <= rows
        return
    for name in X.columns[small.notna().any()]:
        if kind(X[name]) == "text":
            assert set(small[name].dropna().astype(str)) <= set(X[name].dropna())
        elif kind(X[name]) == "number":
            assert kind(small[name]) in ("number", "integer")
        else:
            assert kind(small[name]) == kind(X[name])
        if kind(X[name]) != "text":
            assert small[name].min() >= X[name].min()
            assert small[name].max() <= X[name].max()
    if infer_task(y) == "classification":
        assert set(labels) == set(y)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_keep_their_columns_types_and_rows(table, container, tmp_path):
    path, target, missing = table
    X, y = load_rows(path, target=target, missing=missing)
    frame = X if container == "pandas" else pl.from_pandas(X)
    for distiller in (KCenterCoreset(budget=5), KMeansCoreset(budget=5, random_state=0)):
        small = distiller.fit(frame, y).distilled_
        rows = small.to_frame()
        small.save(tmp_path / "small.safetensors")
        again = DistilledSet.load(tmp_path / "small.safetensors").to_frame()
        assert type(rows) is type(again) is type(frame)
        if container == "pandas":
            pd.testing.assert_frame_equal(again, rows, check_index_type=False)
            pd.testing.assert_series_equal(rows.dtypes, X.dtypes)
        else:
            assert again.equals(rows)
            assert rows.schema == frame.schema
        if small.indices is not None:
            picked = X.iloc[small.indices] if container == "pandas" else frame[small.indices.tolist()]
            assert rows.equals(picked)


def test_a_share_says_how_many_rows_were_kept(real_data, tmp_path):
    path = str(real_data("tables/titanic.csv"))
    arguments = ["distill", "random", path, "--target", "Survived", "--budget", "5%", "-o", str(tmp_path / "s.csv")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(cli, arguments)
    n_rows = len(pd.read_csv(tmp_path / "s.csv"))
    assert result.exit_code == 0
    assert abs(n_rows - 0.05 * 891) < 2
    assert f"{n_rows} of 891 rows ({n_rows / 891:.2%})" in result.output
