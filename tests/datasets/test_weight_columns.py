"""Weights and soft labels in files: what a distilled set wrote is read again as such, and not as features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from distillkit import KMeansCoreset, SoftLabels
from distillkit.datasets import load_dataset, load_rows
from distillkit.exceptions import DatasetError, DistillkitWarning

SUFFIXES = pytest.mark.parametrize("suffix", ["csv", "parquet"])


@pytest.fixture(scope="module")
def small():
    X, y = load_iris(as_frame=True, return_X_y=True)
    names = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    return (
        SoftLabels(KMeansCoreset(budget=8, random_state=0), LogisticRegression(max_iter=500)).fit(X, names).distilled_
    )


def save(frame, path):
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path, index=False)
    return str(path)


@SUFFIXES
def test_a_file_of_a_distilled_set_is_read_with_its_weights_and_without_its_soft_labels(small, tmp_path, suffix):
    path = save(small.to_pandas("kind"), tmp_path / f"small.{suffix}")
    with pytest.warns(DistillkitWarning) as warned:
        X, y, weight = load_rows(path, target="kind", return_weight=True)
    told = " ".join(str(warning.message) for warning in warned)
    assert "'sample_weight' was read as the weights of the rows" in told
    assert "'p_setosa', 'p_versicolor', 'p_virginica' were left out" in told
    assert "--no-weight" in told
    assert list(X.columns) == list(small.feature_names)
    np.testing.assert_array_equal(y, small.y)
    np.testing.assert_allclose(weight, small.sample_weight)
    with pytest.warns(DistillkitWarning):
        data = load_dataset(path, target="kind")
    assert data.feature_names == small.feature_names
    assert len(data.weight_train) == len(data.X_train)
    both = sorted(np.round(weight, 6))
    assert all(value in both for value in np.round(data.weight_train, 6))


@SUFFIXES
def test_a_column_of_that_name_can_be_data_and_another_can_hold_the_weights(tmp_path, suffix):
    frame = pd.DataFrame({"sample_weight": [61.5, 72, 58, 80], "mass": [1, 2, 0, 3], "kind": list("abab")})
    path = save(frame, tmp_path / f"rows.{suffix}")
    X, y, weight = load_rows(path, target="kind", weight="mass", return_weight=True)
    assert list(X.columns) == ["sample_weight"]
    assert weight.tolist() == [1, 2, 0, 3]
    X, y, weight = load_rows(path, target="kind", weight=False, return_weight=True)
    assert list(X.columns) == ["sample_weight", "mass"]
    assert weight is None
    assert load_dataset(path, target="kind", weight=False).weight_train is None
    with pytest.warns(DistillkitWarning, match="return_weight=True"):
        X, y = load_rows(path, target="kind")
    assert list(X.columns) == ["mass"]
    X, y, weight = load_rows(path, target="sample_weight", return_weight=True)
    assert (y[0], weight) == (61.5, None)
    X, y, weight = load_rows(path, target="kind", drop="sample_weight", return_weight=True)
    assert weight is None


def test_weights_stay_with_their_rows_where_rows_without_target_go(tmp_path):
    (tmp_path / "t.csv").write_text("x,sample_weight,y\n1,5,a\n2,6,\n3,7,b\n")
    with pytest.warns(DistillkitWarning):
        X, _, weight = load_rows(str(tmp_path / "t.csv"), target="y", return_weight=True)
    assert (X["x"].tolist(), weight.tolist()) == ([1, 3], [5, 7])


@pytest.mark.parametrize("values", ["-1,2", "heavy,2", ",2", "0,0", "2024-01-01,2024-01-02"])
def test_a_column_that_holds_no_weights_is_refused_with_the_remedy(tmp_path, values):
    first, second = values.split(",")
    (tmp_path / "t.csv").write_text(f"x,sample_weight,y\n1,{first},a\n3,{second},b\n")
    for load in (lambda path: load_rows(path, target="y"), lambda path: load_dataset(path, target="y")):
        with pytest.raises(DatasetError, match=r"'sample_weight' does not hold the weights .*--no-weight") as error:
            load(str(tmp_path / "t.csv"))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight": "mas"}, "did you mean 'mass'"),
        ({"weight": "y"}, "is the target column"),
        ({"weight": True}, "weight=True must be the name"),
        ({"weight": ""}, "weight='' must be the name"),
        ({"soft_labels": "no"}, "soft_labels='no' must be"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, words):
    (tmp_path / "t.csv").write_text("x,mass,y\n1,2,a\n3,4,b\n")
    with pytest.raises(DatasetError, match=words):
        load_rows(str(tmp_path / "t.csv"), target="y", **options)


def test_columns_that_only_look_like_soft_labels_stay(tmp_path):
    frame = pd.DataFrame({"p_a": [0.2, 0.9], "p_b": [0.3, 0.1], "y": ["a", "b"]})  # the first sums to 0.5
    assert list(load_rows(save(frame, tmp_path / "t.csv"), target="y")[0].columns) == ["p_a", "p_b"]
    frame["p_b"] = [0.8, 0.1]
    path = save(frame.assign(x=[1, 2]), tmp_path / "u.csv")
    with pytest.warns(DistillkitWarning, match="'p_a', 'p_b' were left out"):
        assert list(load_rows(path, target="y")[0].columns) == ["x"]
    assert list(load_rows(path, target="y", soft_labels=False)[0].columns) == ["p_a", "p_b", "x"]


def test_soft_labels_of_numbers_are_left_out(tmp_path):
    X = np.random.RandomState(0).normal(size=(40, 2))
    distilled = SoftLabels(KMeansCoreset(budget=5, random_state=0), LinearRegression()).fit(X, X[:, 0] + 0.5).distilled_
    path = save(distilled.to_pandas("price"), tmp_path / "small.csv")
    with pytest.warns(DistillkitWarning, match="'p_price' were left out"):
        X_read, _, weight = load_rows(path, target="price", return_weight=True)
    assert list(X_read.columns) == ["x0", "x1"]
    assert weight.sum() == pytest.approx(40)


def test_arrays_keep_their_weights(tmp_path):
    X, y, weight = np.arange(12.0).reshape(6, 2), np.array([0, 1] * 3), np.arange(6.0)
    np.savez(tmp_path / "a.npz", X=X, y=y, sample_weight=weight, mass=2 * weight)
    path = str(tmp_path / "a.npz")
    np.testing.assert_array_equal(load_rows(path, return_weight=True)[2], weight)
    np.testing.assert_array_equal(load_rows(path, weight="mass", return_weight=True)[2], 2 * weight)
    assert load_rows(path, weight=False, return_weight=True)[2] is None
    assert len(load_dataset(path).weight_train) == len(load_dataset(path).X_train)
    np.savez(tmp_path / "b.npz", X=X, y=y, sample_weight=weight[1:])
    with pytest.raises(DatasetError, match="one weight for each row"):
        load_rows(str(tmp_path / "b.npz"), return_weight=True)
    with pytest.raises(DatasetError, match="option of files"):
        load_rows("iris", weight="mass")


def test_infinite_weights_are_refused_by_the_name_of_their_column(tmp_path):
    (tmp_path / "t.csv").write_text("x,sample_weight,y\n1,inf,a\n3,2,b\n")
    with pytest.raises(DatasetError, match="'sample_weight'"):
        load_rows(str(tmp_path / "t.csv"), target="y")
