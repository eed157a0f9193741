"""DistilledSet: iteration, the formats of `save`, and the way back from a table."""

from __future__ import annotations

import datetime as dt
import sys
import types

import numpy as np
import pandas as pd
import pytest

from distillkit import DistilledSet, KMeansCoreset, RandomSubset
from distillkit.exceptions import ArtefactError, DataError, MissingPackageError


def mixed_frame(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": pd.array(rng.integers(18, 90, n), dtype="Int64"),
            "count": rng.integers(0, 9, n).astype(np.int16),
            "height": rng.normal(size=n).astype(np.float32),
            "city": pd.Categorical(rng.choice(["Oslo", "Rome"], n), categories=["Rome", "Oslo", "Bonn"]),
            "name": rng.choice(["a", "b", "c"], n),
            "member": rng.random(n) < 0.5,
            "born": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, n), unit="D"),
        }
    )
    frame.loc[3, "age"] = pd.NA
    return frame, rng.choice(["no", "yes"], n)


def plain(**fields):
    given = {"y": np.array(["b", "a", "b"]), "classes": np.array(["a", "b"]), "feature_names": ("u", "v")}
    return DistilledSet(
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), sample_weight=np.array([2.0, 3.0, 5.0]), **(given | fields)
    )


def test_iteration_yields_each_row_with_its_label_and_weight():
    rows = [(x.tolist(), y, weight) for x, y, weight in plain()]
    assert rows == [([1.0, 2.0], "b", 2.0), ([3.0, 4.0], "a", 3.0), ([5.0, 6.0], "b", 5.0)]
    assert [y for _, y, _ in DistilledSet(np.ones((2, 3)))] == [None, None]
    assert [x.shape for x, _, _ in DistilledSet(np.ones((2, 1, 4, 4)))] == [(1, 4, 4)] * 2


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".safetensors", ""])
def test_save_writes_the_format_of_the_ending(tmp_path, suffix):
    small = plain(soft_labels=np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]))
    path = small.save(tmp_path / f"small{suffix}", target="kind")
    assert [file.name for file in tmp_path.iterdir()] == [f"small{suffix}"]
    if suffix in {".csv", ".parquet"}:
        read = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
        pd.testing.assert_frame_equal(read, small.to_pandas("kind"), check_dtype=False)
    elif suffix == ".npz":
        with np.load(path) as arrays:
            again = DistilledSet(**arrays)
        for name in ("X", "y", "sample_weight", "soft_labels", "classes"):
            np.testing.assert_array_equal(getattr(again, name), getattr(small, name))
    else:
        np.testing.assert_array_equal(DistilledSet.load(path).soft_labels, small.soft_labels)


def test_to_csv_and_to_parquet_write_their_format_whatever_the_ending(tmp_path):
    small = plain()
    assert small.to_csv(tmp_path / "a.txt", "kind", None).read_text().startswith("u,v,kind\n")
    pd.testing.assert_frame_equal(pd.read_parquet(small.to_parquet(tmp_path / "b.pq")), small.to_pandas())


def test_an_ending_without_a_format_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(ArtefactError, match=r"must be one of \.safetensors, \.csv, \.parquet, \.npz"):
        plain().save(tmp_path / "small.pkl")
    assert not list(tmp_path.iterdir())


def test_a_table_that_parquet_cannot_hold_is_one_sentence_and_leaves_no_file(tmp_path):
    small = plain(y=np.array([1, "b", 2.5], dtype=object), classes=None)
    with pytest.raises(ArtefactError, match="Turn columns of mixed types into text"):
        small.save(tmp_path / "small.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("suffix", "remedy"), [(".csv", "DistilledSet.from_pandas"), (".npz", "numpy.load")])
def test_load_of_another_format_names_the_way(tmp_path, suffix, remedy):
    path = plain().save(tmp_path / f"small{suffix}")
    with pytest.raises(ArtefactError, match=remedy):
        DistilledSet.load(path)


@pytest.mark.parametrize("method", [RandomSubset, KMeansCoreset])
def test_a_mixed_table_comes_back_with_its_values_and_types(method):
    frame, y = mixed_frame()
    small = method(5, random_state=0).fit(frame, y).distilled_
    expected = small.to_pandas(target="churn")
    again = DistilledSet.from_pandas(expected, target="churn")
    pd.testing.assert_frame_equal(again.to_pandas(target="churn"), expected)
    assert again.classes.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(again.sample_weight, small.sample_weight)


def test_a_table_survives_a_parquet_file_and_trains_a_model(tmp_path):
    frame, y = mixed_frame()
    small = RandomSubset(5, random_state=0).fit(frame, y).distilled_
    read = pd.read_parquet(small.save(tmp_path / "small.parquet"))
    again = DistilledSet.from_pandas(read)
    pd.testing.assert_frame_equal(again.to_pandas(), read)
    assert again.transform(frame).shape == (len(frame), again.X.shape[1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8, bool])
def test_columns_of_numbers_keep_their_type(dtype):
    frame = pd.DataFrame({"a": np.array([0, 1, 1], dtype), "b": np.array([1, 0, 1], dtype), "y": [1.5, 2.25, 0.1]})
    again = DistilledSet.from_pandas(frame, target="y")
    assert again.X.dtype == dtype
    pd.testing.assert_frame_equal(again.to_pandas("y", None), frame)


@pytest.mark.parametrize(
    ("labels", "soft", "classes"),
    [
        (["b", "a", "b"], np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]), ["a", "b"]),
        ([10, 2, 10], np.array([[0.2, 0.7, 0.1], [0.9, 0.1, 0.0], [0.5, 0.5, 0.0]]), [2, 7, 10]),  # 7 has no row
        ([1.0, 0.0, 1.0], np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]), [0.0, 1.0]),
        ([True, True, True], np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]), [False, True]),
    ],
)
def test_soft_labels_come_back_in_the_order_of_the_classes(labels, soft, classes):
    small = plain(y=np.array(labels), soft_labels=soft, classes=np.array(classes))
    again = DistilledSet.from_pandas(small.to_pandas())
    assert again.classes.tolist() == classes
    assert small.classes.dtype.kind in (again.classes.dtype.kind, "U")
    np.testing.assert_array_equal(again.soft_labels, soft)
    np.testing.assert_array_equal(again.X, small.X)


def test_soft_numbers_come_back_and_features_named_like_probabilities_stay_features():
    numbers = plain(y=np.array([0.5, 1.5, 2.5]), classes=None, soft_labels=np.array([[0.4], [1.4], [2.4]]))
    again = DistilledSet.from_pandas(numbers.to_pandas("price"), "price")
    np.testing.assert_array_equal(again.soft_labels, numbers.soft_labels)
    assert again.classes is None
    features = plain(feature_names=("p_a", "p_value"))
    again = DistilledSet.from_pandas(features.to_pandas())
    assert again.feature_names == ("p_a", "p_value")
    assert again.soft_labels is None


def test_the_task_and_the_weight_can_be_given():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [3, 25, 31], "mass": [1, 2, 3]})
    assert DistilledSet.from_pandas(frame, "y", None).classes is None
    small = DistilledSet.from_pandas(frame, "y", "mass", task="classification")
    assert (small.classes.tolist(), small.sample_weight.tolist()) == ([3, 25, 31], [1.0, 2.0, 3.0])
    assert small.provenance == {"task": "classification"}
    without = DistilledSet.from_pandas(frame, target=None)
    assert (without.y, without.X.shape) == (None, (3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (DistilledSet.from_pandas, "target='target' is no column of the frame, which has a, y, w"),
        (lambda frame: DistilledSet.from_pandas(frame, "y", "mass"), "weight='mass' is no column"),
        (lambda frame: DistilledSet.from_pandas(frame, "y", "w"), "weight='w' holds values that are missing"),
        (lambda frame: DistilledSet.from_pandas(frame[["y"]], "y"), "no columns besides y"),
        (lambda frame: DistilledSet.from_pandas(frame.to_numpy(), "y"), "frame is of type ndarray"),
        (lambda frame: DistilledSet.from_pandas(frame, "a"), "1 of 2 values are missing"),
        (lambda frame: DistilledSet.from_pandas(frame, "y", task="ranking"), "task='ranking' must be"),
        (lambda frame: DistilledSet.from_pandas(frame, "y", task="regression"), "task='regression' needs numbers"),
    ],
)
def test_a_frame_that_is_no_set_is_refused(call, message):
    frame = pd.DataFrame({"a": [1.0, np.nan], "y": ["no", "yes"], "w": [1.0, 0.0]})
    with pytest.raises(DataError, match=message):
        call(frame)


def test_arrow_and_polars_have_the_columns_of_pandas():
    pl = pytest.importorskip("polars")
    frame, y = mixed_frame()
    small = RandomSubset(5, random_state=0).fit(frame, y).distilled_
    expected = small.to_pandas("churn")
    assert small.to_arrow("churn").to_pylist()[0]["born"] == expected["born"].iloc[0]
    table = small.to_polars("churn")
    assert table.columns == expected.columns.tolist()
    assert table["churn"].to_list() == expected["churn"].tolist()
    assert table.schema["born"].base_type() is pl.Datetime
    assert isinstance(table["born"][0], dt.datetime)


@pytest.mark.parametrize(
    ("package", "way"), [("datasets", "to_huggingface"), ("polars", "to_polars"), ("torch", "to_torch")]
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, package, way):
    monkeypatch.setitem(sys.modules, package, None)
    message = f"DistilledSet.{way} needs {package}, which is not installed: pip install {package}."
    with pytest.raises(MissingPackageError, match=message):
        getattr(plain(), way)()


def stand_in(monkeypatch):
    """Put a module with the names used of `datasets` in its place; it keeps what it is given."""

    class Dataset:
        def __init__(self, table, features=None):
            self.table, self.features, self.casts = table, features, {}

        @classmethod
        def from_dict(cls, columns, features):
            return cls(columns, features)

        def cast_column(self, name, feature):
            self.casts[name] = feature
            return self

    module = types.ModuleType("datasets")
    module.Dataset, module.Features = Dataset, dict
    module.Value = lambda name: name
    module.ClassLabel = lambda names: names
    module.Array2D = module.Array3D = module.Array4D = lambda shape, dtype: (shape, dtype)
    monkeypatch.setitem(sys.modules, "datasets", module)


def test_a_table_becomes_a_hugging_face_dataset_with_named_classes(monkeypatch):
    stand_in(monkeypatch)
    dataset = plain().to_huggingface("kind")
    assert dataset.table.to_pylist()[1] == {"u": 3.0, "v": 4.0, "kind": "a", "sample_weight": 3.0}
    assert dataset.casts == {"kind": ["a", "b"]}
    assert plain(y=np.array([1, 0, 1]), classes=np.array([0, 1])).to_huggingface().casts == {}


def test_images_become_a_column_of_arrays(monkeypatch):
    stand_in(monkeypatch)
    X = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    soft = np.array([[0.25, 0.75], [1.0, 0.0]])
    small = DistilledSet(X, y=np.array([1, 0]), classes=np.array([0, 1]), soft_labels=soft)
    dataset = small.to_huggingface(weight=None)
    assert dataset.features == {"x": ((1, 4, 4), "uint8"), "target": "int64", "p_0": "float64", "p_1": "float64"}
    np.testing.assert_array_equal(dataset.table["x"], X)
    with pytest.raises(DataError, match="X has 7 axes"):
        DistilledSet(np.ones((2,) * 7)).to_huggingface()


def test_hugging_face_itself_gives_the_rows_back():
    datasets = pytest.importorskip("datasets")
    dataset = plain().to_huggingface("kind")
    assert dataset.features["kind"] == datasets.ClassLabel(names=["a", "b"])
    assert dataset["kind"][:] == [1, 0, 1]
    X = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    images = DistilledSet(X, y=np.array(["b", "a"]), classes=np.array(["a", "b"])).to_huggingface()
    np.testing.assert_array_equal(images.with_format("numpy")["x"][:], X)
    assert images["target"][:] == [1, 0]
