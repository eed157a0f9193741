"""One distillation outside a suite: parameters, units and formats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from distillkit.budget import Budget
from distillkit.cli._single import check_output, distil_rows, make_distiller
from distillkit.coresets import KCenterCoreset, KMeansCoreset
from distillkit.datasets import load_rows
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError, DataError, PluginError, UnknownNameError
from distillkit.plugins import get_manager
from distillkit.specs import MethodSpec
from distillkit.utils._preprocessing import Preprocessing


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"metres": rng.normal(size=60), "grams": 1e6 * rng.normal(size=60)})
    return frame, np.array(["cat", "dog", "eel"] * 20, dtype=object)


def test_a_distiller_by_name_with_what_it_takes():
    made = make_distiller(
        "kmeans:medoids", Budget(3), {"n_init": 2}, {"random_state": 5, "task": None, "max_seconds": None}
    )
    by_hand = KMeansCoreset(3, representative="member", n_init=2, random_state=5)
    assert made.get_params() == by_hand.get_params()
    whole = make_distiller("whole", Budget(3), {}, {"random_state": 5, "task": "regression"})
    assert whole.get_params() == {"task": "regression"}
    assert make_distiller("random", Budget({"a": 1}), {}, {}).budget == {"a": 1}


@pytest.mark.parametrize(
    ("name", "params", "given", "error", "message"),
    [
        ("kmean", {}, {}, UnknownNameError, "unknown method 'kmean': did you mean 'kmeans'"),
        ("kmeans:medoid", {}, {}, UnknownNameError, "unknown preset of kmeans 'medoid': did you mean 'medoids'"),
        ("kmeans", {"ninit": 3}, {}, UnknownNameError, "unknown parameter of kmeans 'ninit': did you mean 'n_init'"),
        ("random", {}, {"max_seconds": 3.0}, DataError, "max_seconds: random takes no steps"),
    ],
)
def test_what_is_refused(name, params, given, error, message):
    with pytest.raises(error, match=message):
        make_distiller(name, Budget(1), params, given)


def test_a_method_whose_package_is_missing_is_refused_with_its_name(monkeypatch):
    monkeypatch.setattr(MethodSpec, "missing", lambda _: ["faiss"])
    assert get_manager().get("method", "kmeans").missing() == ["faiss"]
    with pytest.raises(PluginError, match="method 'kmeans' needs faiss, which is not installed: pip install faiss-cpu"):
        make_distiller("kmeans", Budget(1), {}, {})


def test_picked_rows_in_standardized_units_are_rows_of_the_table(table):
    X, y = table
    small = distil_rows(KCenterCoreset(2, random_state=0), X, y, standardize=True)
    by_hand = KCenterCoreset(2, random_state=0).fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_array_equal(small.indices, by_hand.sample_indices_)
    np.testing.assert_array_equal(small.X, X.to_numpy()[small.indices])
    plain = distil_rows(KCenterCoreset(2, random_state=0), X, y, standardize=False)
    assert set(plain.indices) != set(small.indices), "one column's unit would drown the other"
    assert small.feature_names == ("metres", "grams")


def test_made_rows_in_standardized_units_are_in_those_of_the_table(table):
    X, y = table
    scaler = StandardScaler().fit(X)
    small = distil_rows(KMeansCoreset(2, random_state=0), X, y, standardize=True)
    by_hand = KMeansCoreset(2, random_state=0).fit(scaler.transform(X), y)
    np.testing.assert_allclose(small.X, scaler.inverse_transform(by_hand.X_distilled_), rtol=1e-9)
    assert small.preprocessing is None
    assert small.provenance["standardized"] is True


class _Whitens:
    """A method that hands its rows over in a space of its own."""

    def fit(self, X, y):
        scaling = Preprocessing(np.array([3.0, 4.0]), np.array([2.0, 5.0]))
        self.distilled_ = DistilledSet(scaling.transform(X[:4]), y[:4], preprocessing=scaling)
        return self


def test_a_method_with_a_space_of_its_own_still_gives_rows_of_the_table(table):
    X, y = table
    small = distil_rows(_Whitens(), X, y, standardize=True)
    np.testing.assert_allclose(small.X, X.to_numpy()[:4], rtol=1e-9)
    assert small.preprocessing is None


@pytest.mark.parametrize("standardize", [True, False])
def test_infinite_values_are_told_by_column(table, standardize):
    X, y = table
    X.loc[[3, 5], "grams"] = np.nan, np.inf
    with pytest.raises(
        DataError, match=r"infinite values in column 'grams' \(1\): replace them or drop those rows first"
    ):
        distil_rows(KCenterCoreset(2), X, y, standardize=standardize)
    holes = X.to_numpy().copy()
    holes[0, 0] = np.inf
    with pytest.raises(DataError, match="X holds 3 values that are NaN or infinite"):
        distil_rows(KCenterCoreset(2), holes, y, standardize=standardize)


@pytest.mark.parametrize("standardize", [True, False])
def test_what_scikit_learn_refuses_is_an_error_of_ours(table, standardize):
    X, y = table
    with pytest.raises(DataError, match=r"KMeansCoreset: The 'n_init' parameter .* must be .*'many'"):
        distil_rows(KMeansCoreset(2, n_init="many"), X, y, standardize=standardize)


@pytest.mark.parametrize("standardize", [True, False])
def test_text_and_gaps_are_encoded_and_come_back(table, standardize):
    X, y = table
    X = X.assign(colour="red")
    X.loc[::4, "grams"] = np.nan
    small = distil_rows(KMeansCoreset(2, random_state=0), X, y, standardize=standardize)
    rows = small.to_pandas("animal", weight=None)
    assert list(rows.columns) == ["metres", "grams", "colour", "animal"]
    assert set(rows["colour"]) == {"red"}
    picked = distil_rows(KCenterCoreset(2, random_state=0), X, y, standardize=standardize)
    pd.testing.assert_frame_equal(
        picked.to_pandas("animal", weight=None).drop(columns="animal"), X.iloc[picked.indices]
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".csv", ".parquet", ".npz"])
def test_every_format_holds_rows_labels_and_weights(table, tmp_path, suffix):
    X, y = table
    small = distil_rows(KMeansCoreset(2, random_state=0), X, y, standardize=True)
    path = tmp_path / f"small{suffix}"
    small.save(path, "animal")
    if suffix == ".safetensors":
        again = DistilledSet.load(path)
        rows, labels, weights = again.X, again.y, again.sample_weight
    elif suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            rows, labels, weights = arrays["X"], arrays["y"], arrays["sample_weight"]
        np.testing.assert_array_equal(load_rows(str(path))[1], labels)
    else:
        frame = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
        assert frame.columns.tolist() == ["metres", "grams", "animal", "sample_weight"]
        rows, labels, weights = frame[["metres", "grams"]].to_numpy(), frame["animal"], frame["sample_weight"]
    np.testing.assert_allclose(rows, small.X, rtol=1e-12)
    assert list(labels) == list(small.y) == ["cat", "cat", "dog", "dog", "eel", "eel"]
    assert sum(weights) == pytest.approx(60)


def test_outputs_are_checked_before_any_work(tmp_path):
    with pytest.raises(ArtefactError, match=r"cannot write .*x.pickle: the suffix must be one of .safetensors, .csv"):
        check_output(tmp_path / "x.pickle", "digits")
    (tmp_path / "file").touch()
    with pytest.raises(ArtefactError, match=r"cannot write .*x.csv: .*\. Choose another folder"):
        check_output(tmp_path / "file" / "x.csv", "digits")
    check_output(tmp_path / "new" / "folder" / "x.csv", "digits")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_file_that_cannot_be_written(table, tmp_path):
    X, y = table
    small = distil_rows(KMeansCoreset(2, random_state=0), X, y, standardize=True)
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(ArtefactError, match=r"cannot write .*x.csv: Is a directory"):
        small.save(tmp_path / "x.csv", "animal")
