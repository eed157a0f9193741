"""The table encoder: each type and container to numbers and back."""

from __future__ import annotations

import json
import pickle
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.tables import TableEncoder


def as_pandas(frame):
    if isinstance(frame, pd.DataFrame):
        return frame
    return (frame if hasattr(frame, "column_names") else frame.to_arrow()).to_pandas()


def assert_same(left, right):
    """Compare two frames of one container: types exactly, floats to the last bits."""
    assert type(left) is type(right)
    if not isinstance(left, pd.DataFrame):
        assert left.schema == right.schema
    pd.testing.assert_frame_equal(as_pandas(left), as_pandas(right), rtol=1e-6)


def test_encoded_rows_decode_to_the_table(table):
    before = pickle.dumps(table)
    encoder = TableEncoder().fit(table)
    encoded = encoder.transform(table)
    assert encoded.dtype == np.float64
    assert np.isfinite(encoded).all()
    assert encoded.shape == (60, len(encoder.get_feature_names_out()))
    expected = table.reset_index(drop=True) if isinstance(table, pd.DataFrame) else table
    assert_same(encoder.inverse_transform(encoded), expected)
    assert_same(pickle.loads(before), table)


def test_the_state_is_json_from_which_an_equal_encoder_is_made(table):
    encoder = TableEncoder().fit(table)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    encoded = encoder.transform(table)
    np.testing.assert_array_equal(again.transform(table), encoded)
    assert_same(again.inverse_transform(encoded), encoder.inverse_transform(encoded))
    pickled = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(pickled.transform(table), encoded)
    assert clone(encoder).get_params() == encoder.get_params()


def test_containers_give_the_same_numbers():
    pl = pytest.importorskip("polars")
    frame = pd.DataFrame(
        {"n": [1.5, np.nan, 3.0], "i": [1, 2, 3], "t": ["b", "a", None], "d": pd.date_range("2020", periods=3)}
    )
    expected = TableEncoder().fit_transform(frame)
    for other in (pl.from_pandas(frame), pl.from_pandas(frame).to_arrow()):
        np.testing.assert_allclose(TableEncoder().fit_transform(other), expected)


def test_made_rows_are_rounded_and_kept_in_range(table):
    encoder = TableEncoder().fit(table)
    noise = np.random.default_rng(1).normal(scale=3, size=(40, len(encoder.get_feature_names_out())))
    made = as_pandas(encoder.inverse_transform(noise))
    original = as_pandas(table)
    assert list(made.columns) == list(original.columns)
    for name in ("int", "uint8", "Int64", "whole gaps"):
        values = made[name].dropna()
        assert (values % 1 == 0).all()
        assert original[name].min() <= values.min() <= values.max() <= original[name].max()
    for name in ("text", "category", "category gaps", "bool", "boolean", "constant", "constant text"):
        assert set(made[name].dropna()) <= set(original[name].dropna())
    assert made["days"].dt.normalize().equals(made["days"])
    assert made["ISO dates"].str.fullmatch(r"2020-\d\d-\d\d").all()
    assert made["Int64"].isna().any()
    assert made["nothing"].isna().all()
    floats = as_pandas(encoder.inverse_transform(noise, rounded=False))
    assert (floats["int"] % 1 != 0).any()
    assert (floats["Int64"].dropna() % 1 != 0).any()
    assert set(floats["bool"]) <= {True, False}


def test_two_levels_are_the_root_of_two_apart():
    frame = pd.DataFrame({"city": ["Oslo", "Rome", None, "Oslo"], "flag": [True, False, True, False]})
    encoder = TableEncoder().fit(frame)
    encoded = encoder.transform(frame)
    for column in (encoded[:, :3], encoded[:, 3:]):
        assert np.linalg.norm(column[0] - column[1]) == pytest.approx(np.sqrt(2))
    assert np.linalg.norm(encoded[0, :3] - encoded[2, :3]) == pytest.approx(np.sqrt(2))
    assert encoder.get_feature_names_out().tolist() == ["city=Oslo", "city=Rome", "city=missing", "flag"]


def test_rare_and_unknown_levels_share_a_column():
    levels = ["a"] * 5 + ["b"] * 4 + ["c", "c", "d"]
    encoder = TableEncoder(max_levels=3).fit(pd.DataFrame({"x": levels}))
    assert encoder.get_feature_names_out().tolist() == ["x=a", "x=b", "x=(other)"]
    encoded = encoder.transform(pd.DataFrame({"x": ["a", "c", "d", "new", None]}))
    assert encoded.argmax(axis=1).tolist()[:4] == [0, 2, 2, 2]
    assert encoder.inverse_transform(encoded)["x"].tolist()[:4] == ["a", "c", "c", "c"]
    assert not TableEncoder().fit(pd.DataFrame({"x": levels})).transform(pd.DataFrame({"x": ["new"]})).any()


def test_identifiers_are_named_and_have_no_part_in_distances():
    frame = pd.DataFrame({"id": [f"c{i}" for i in range(30)], "n": range(30)})
    with pytest.warns(DistillkitWarning, match="column 'id' differs in nearly every row"):
        encoder = TableEncoder().fit(frame)
    assert encoder.identifiers_ == ("id",)
    assert encoder.transform(frame).shape == (30, 1)
    made = encoder.inverse_transform(encoder.transform(frame))
    assert made["id"].isna().all()
    assert made["id"].dtype == frame["id"].dtype


def test_numbers_held_as_text_are_numbers_that_come_back_as_text():
    words = [" " if i % 10 == 0 else f"{i * 3.25:.2f}".rstrip("0").rstrip(".") for i in range(200)]
    frame = pd.DataFrame({"charges": words, "code": [f"{i:04d}" for i in range(200)]})
    with pytest.warns(DistillkitWarning, match="column 'code' differs"):
        encoder = TableEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["charges", "charges=missing"]
    encoded = encoder.transform(frame)
    assert encoder.inverse_transform(encoded)["charges"].tolist() == words
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    np.testing.assert_array_equal(again.transform(frame), encoded)


def test_a_table_without_anything_to_measure_is_one_column_of_zeros():
    frame = pd.DataFrame({"x": ["same"] * 4, "y": [None] * 4})
    encoder = TableEncoder().fit(frame)
    assert encoder.transform(frame).tolist() == [[0.0]] * 4
    pd.testing.assert_frame_equal(encoder.inverse_transform(encoder.transform(frame)), frame)


def test_columns_are_found_by_name_and_in_other_types():
    frame = pd.DataFrame({"n": [1, 2, 3], "t": ["a", "b", "a"], "flag": [True, False, True]})
    encoder = TableEncoder().fit(frame)
    other = frame[["flag", "t", "n"]].astype({"n": "Float64", "t": "category", "flag": object}).assign(extra=1)
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(frame))


def test_numbers_in_their_own_units_are_the_matrix_itself():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, 1.5, 1.5], "c": [True, False, True]})
    np.testing.assert_array_equal(TableEncoder(standardize=False).fit_transform(frame), frame.to_numpy(dtype=float))


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "UInt64"])
def test_the_largest_integers_come_back_within_their_type(dtype):
    limits = np.iinfo(dtype.lower())
    frame = pd.DataFrame({"x": pd.Series([limits.min, 5, limits.max], dtype=dtype), "t": ["a", "b", "a"]})
    made = TableEncoder().fit(frame).inverse_transform(np.array([[100.0, 1, 0], [-100.0, 0, 1]]))
    assert made["x"].dtype == dtype
    assert made["x"].iloc[0] > limits.max // 2
    assert made["x"].iloc[1] <= max(0, limits.min // 2)


def test_without_standardizing_numbers_keep_their_units_and_dates_are_days():
    frame = pd.DataFrame(
        {
            "n": [10.0, None, 30.0],
            "d": pd.to_datetime(["2020-01-03 00:00", "2020-01-01 12:00", None]),
            "t": [True, None, False],
            "c": ["a", "b", "a"],
        }
    )
    encoder = TableEncoder(standardize=False).fit(frame)
    names = ["n", "n=missing", "d", "d=missing", "t", "t=missing", "c=a", "c=b"]
    assert encoder.get_feature_names_out().tolist() == names
    expected = [[10, 0, 1.5, 0, 1, 0, 1, 0], [20, 1, 0, 0, 0.5, 1, 0, 1], [30, 0, 0.75, 1, 0, 0, 1, 0]]
    np.testing.assert_array_equal(encoder.transform(frame), expected)
    pd.testing.assert_frame_equal(encoder.inverse_transform(expected), frame)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    np.testing.assert_array_equal(again.transform(frame), expected)


def test_huge_numbers_are_standardized_without_overflow():
    frame = pd.DataFrame({"x": [1e300, -1e300, 1e300, 0.0], "y": [1e-300, 2e-300, 3e-300, 0.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = TableEncoder().fit(frame)
        encoded = encoder.transform(frame)
        assert np.abs(encoded).max() < 3
        np.testing.assert_allclose(encoder.inverse_transform(encoded), frame, atol=1e285, rtol=1e-9)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (np.ones((3, 2)), "X is of type ndarray, but a table is a pandas, polars or pyarrow frame"),
        (pd.DataFrame({"x": []}), "0 sample"),
        (pd.DataFrame(index=range(3)), "0 feature"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns named a"),
        (pd.DataFrame({"x": [1.0, np.inf]}), "column 'x' holds infinity in 1 rows"),
        (pd.DataFrame({"x": [1j, 2j]}), "column 'x' holds complex numbers"),
        (pd.DataFrame({"x": [[1], [2]]}), "column 'x' holds values that cannot be compared"),
    ],
)
def test_tables_that_cannot_be_encoded_are_refused(frame, words):
    with pytest.raises(DataError, match=words):
        TableEncoder().fit(frame)


def test_lazy_and_nested_polars_frames_are_refused():
    pl = pytest.importorskip("polars")
    with pytest.raises(DataError, match="collect"):
        TableEncoder().fit(pl.LazyFrame({"x": [1]}))
    with pytest.raises(DataError, match="column 'x' holds values of type"):
        TableEncoder().fit(pl.DataFrame({"x": [[1], [2]]}))


def test_new_rows_that_do_not_fit_are_refused():
    frame = pd.DataFrame({"n": [1.0, 2.0], "d": pd.date_range("2020", periods=2)})
    encoder = TableEncoder().fit(frame)
    for other, words in (
        (frame.assign(n=["a", "b"]), "column 'n' holds text or labels, but numbers"),
        (frame.assign(n=frame["d"]), "column 'n' holds dates or times, but numbers"),
        (frame.assign(d=[1, 2]), "column 'd' holds numbers, but dates"),
        (frame.assign(d=["x", "y"]), "column 'd' holds text that is no date"),
        (frame[["n"]], "X lacks the columns d"),
    ):
        with pytest.raises(DataError, match=words):
            encoder.transform(other)
    with pytest.raises(DataError, match="encoded rows have 2 columns"):
        encoder.inverse_transform(np.ones((2, 3)))
    with pytest.raises(NotFittedError):
        TableEncoder().transform(frame)
    with pytest.raises(DataError, match="of type tuple, which no file can hold"):
        TableEncoder().fit(pd.DataFrame({"x": [(1, 2), (3, 4)]})).to_dict()


def test_thirty_thousand_rows_are_encoded_within_a_second():
    rng = np.random.default_rng(0)
    columns = {f"t{i}": rng.choice([f"level {j}" for j in range(12)], 32_561) for i in range(8)}
    frame = pd.DataFrame(columns | {f"n{i}": rng.integers(0, 99, 32_561) for i in range(6)})
    started = time.process_time()
    encoder = TableEncoder().fit(frame)
    encoder.inverse_transform(encoder.transform(frame)[:100])
    assert time.process_time() - started < 1
