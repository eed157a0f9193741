from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from distillkit.datasets._rows import load_rows
from distillkit.exceptions import DatasetError, DatasetNotFoundError, DistillkitWarning


@pytest.fixture
def table():
    return pd.DataFrame({"a": [1.0, 2.0, 3.0], "label": ["x", "y", "x"]})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_table_is_split_at_the_target(tmp_path, table, suffix):
    path = tmp_path / f"t.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    X, y = load_rows(str(path), target="label")
    assert list(X.columns) == ["a"]
    assert X["a"].tolist() == [1.0, 2.0, 3.0]
    assert y.tolist() == ["x", "y", "x"]


def test_without_a_target_all_columns_are_rows(tmp_path, table):
    table.to_csv(tmp_path / "t.csv", index=False)
    X, y = load_rows(str(tmp_path / "t.csv"))
    assert y is None
    assert X.shape == (3, 2)


def test_arrays(tmp_path):
    X, y = np.arange(24.0).reshape(2, 3, 4), np.array([1, 0])
    np.savez(tmp_path / "a.npz", X=X, y=y)
    X_read, y_read = load_rows(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(X_read, X)
    np.testing.assert_array_equal(y_read, y)


def test_named_dataset_gives_training_rows_with_class_names():
    X, y = load_rows("iris")
    assert X.columns.tolist()[0] == "sepal length (cm)"
    assert X["sepal length (cm)"].between(4, 8).all()
    assert X.shape[1] == 4
    assert len(X) < 150  # the holdout stays out
    assert set(y) == {"setosa", "versicolor", "virginica"}


@pytest.mark.parametrize("name", ["no.csv", "no.parquet", "no.npz"])
def test_missing_file(tmp_path, name):
    with pytest.raises(DatasetNotFoundError, match="there is no file"):
        load_rows(str(tmp_path / name))


def test_missing_target_names_the_nearest(tmp_path, table):
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DatasetError, match=r"no column 'labels' .*did you mean 'label'"):
        load_rows(str(tmp_path / "t.csv"), target="labels")


def test_rows_without_target_are_dropped_with_a_warning(tmp_path, table):
    table.loc[1, "label"] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(DistillkitWarning, match=r"1 row without target dropped"):
        X, y = load_rows(str(tmp_path / "t.csv"), target="label")
    assert (X["a"].tolist(), y.tolist()) == ([1.0, 3.0], ["x", "x"])


@pytest.mark.parametrize(
    ("name", "content"), [("e.csv", b""), ("h.csv", b"a,b\n"), ("j.parquet", b"junk"), ("z.npz", b"junk")]
)
def test_unreadable_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=name):
        load_rows(str(tmp_path / name))


def test_arrays_without_x(tmp_path):
    np.savez(tmp_path / "a.npz", data=np.zeros(3))
    with pytest.raises(DatasetError, match=r"no array X or X_train .it holds data"):
        load_rows(str(tmp_path / "a.npz"))


def test_arrays_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DatasetError, match=r"a\.npz"):
        load_rows(str(tmp_path / "a.npz"))


def test_a_target_column_is_only_for_tables(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 3)), y=np.zeros(2))
    with pytest.raises(DatasetError, match="names a column of a table"):
        load_rows(str(tmp_path / "a.npz"), target="y")
