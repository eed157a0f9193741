from __future__ import annotations

import numpy as np
import pytest

from distillkit.datasets import _series, load_dataset
from distillkit.datasets._series import fill_gaps, load_ts
from distillkit.datasets._ts import read_ts
from distillkit.exceptions import DatasetError, DatasetNotFoundError

HEADER = "# a comment\n@problemName Toy\n@univariate true\n@classLabel true up down\n@data\n"


@pytest.fixture
def save(tmp_path):
    def write(text, name="toy.ts"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def cases(X, y):
    """Write arrays the way the archives do."""
    return "".join(
        ":".join([*(",".join(map(repr, channel)) for channel in case), str(label)]) + "\n"
        for case, label in zip(X.tolist(), y, strict=True)
    )


def test_reads_back_what_was_written(save):
    X, y = np.random.default_rng(0).normal(size=(5, 3, 7)), ["up", "down", "up", "up", "down"]

    series = read_ts(save("@dimensions 3\n@seriesLength 7\n@classLabel true up down\n@data\n" + cases(X, y)))

    np.testing.assert_array_equal(series.X, X)
    assert series.y.tolist() == y
    assert series.task == "classification"


def test_reads_regression_targets_comments_and_any_case_of_keys(save):
    X, y = np.random.default_rng(0).normal(size=(4, 1, 3)), [0.5, -1.25, 3.0, 1e-7]

    series = read_ts(
        save("# é\n\n@PROBLEMNAME x\n@univariate TRUE\n@TargetLabel true\n@Data\n# between\n\n" + cases(X, y))
    )

    assert series.task == "regression"
    np.testing.assert_array_equal(series.y, y)
    np.testing.assert_array_equal(series.X, X)


def test_missing_values_are_nan(save):
    series = read_ts(save(HEADER + "1,?,3:up\nNaN,2, ? :down\n"))

    np.testing.assert_array_equal(series.X[:, 0], [[1, np.nan, 3], [np.nan, 2, np.nan]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "1,2:up\n1,x:down\n", r"line 7: a value is not a number \(.*'x'\)"),
        (HEADER + "1,2:up\n1,:down\n", "line 7: a value is not a number"),
        (HEADER + "1,2:up\n1,inf:down\n", "line 7: a value is infinite"),
        (
            HEADER + "1,2:up\n1,2,3:down\n",
            "line 7: a series of 3 values stands where 2 are expected: all series must have one length",
        ),
        (HEADER + "1,2:up\n1,2\n", "line 7: the case has 0 dimensions and a label, but 1 dimensions"),
        (HEADER + "1,2:3,4:up\n", "line 6: the case has 2 dimensions"),
        (HEADER + "1,2:left\n", r"line 6: the class 'left' is not one that the header names \(down, up\)"),
        ("@dimensions 2\n@classLabel true a\n@data\n1,2:3:a\n", "line 4: a series of 1 values"),
        (
            "@univariate true\n@equalLength false\n@classLabel true a\n@data\n",
            "line 4: the header says @equalLength false",
        ),
        ("@univariate true\n@timeStamps true\n@classLabel true a\n@data\n", "line 4: series with time stamps"),
        ("@univariate true\n@classLabel false\n@data\n1:2\n", "line 3: the cases have neither classes"),
        ("@dimensions two\n@classLabel true a\n@data\n", "line 3: @dimensions is 'two', not a whole number"),
        ("@targetLabel true\n@data\n1,2:high\n", "line 3: the target 'high' is not a finite number"),
        ("@targetLabel true\n@data\n1,2:nan\n", "line 3: the target 'nan' is not a finite number"),
        ("1,2,3\n", "line 1: values come before a line @data"),
        ("@classLabel true a\n", "has no line @data"),
        ("", "has no line @data"),
        (HEADER, "has no cases after @data"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(save, text, message):
    with pytest.raises(DatasetError, match=rf"toy\.ts.*{message}"):
        read_ts(save(text))


def test_gaps_are_filled_in_a_straight_line():
    X = np.array([[[np.nan, 1, np.nan, np.nan, 4, np.nan], [np.nan] * 6]])
    before = X.copy()

    filled = fill_gaps(X)

    np.testing.assert_allclose(filled[0, 0], [1, 1, 2, 3, 4, 4])
    assert np.isnan(filled[0, 1]).all()
    np.testing.assert_array_equal(X, before)


def test_test_file_is_found_beside_the_training_file_and_scaled_like_it(save, tmp_path):
    rng = np.random.default_rng(0)
    X, X_test = rng.normal(3, 2, size=(6, 2, 5)), rng.normal(3, 2, size=(4, 2, 5))
    header = "@dimensions 2\n@classLabel true 1 2 10\n@data\n"
    path = save(header + cases(X, [1, 10, 2, 1, 10, 2]), "Toy_TRAIN.ts")
    save(header + cases(X_test, [10, 2, 1, 1]), "Toy_TEST.ts")

    by_file, by_folder = load_ts(None, path=str(path)), load_ts(None, path=str(tmp_path))

    assert by_file.classes == ("1", "2", "10")
    assert (by_file.name, by_file.modality) == ("Toy", "series")
    assert by_file.y_test.tolist() == [2, 1, 0, 0]
    mean, deviation = X.mean(axis=(0, 2), keepdims=True), X.std(axis=(0, 2), keepdims=True)
    np.testing.assert_allclose(by_file.X_train, (X - mean) / deviation, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_file.X_test, (X_test - mean) / deviation, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(by_file.X_test, by_folder.X_test)
    assert [file.name for file in load_ts.files(None, path=str(tmp_path))] == ["Toy_TRAIN.ts", "Toy_TEST.ts"]


def test_a_single_file_has_rows_held_out_and_another_file_may_be_given(save, tmp_path):
    X, y = np.random.default_rng(0).normal(size=(8, 1, 5)), ["up", "down"] * 4
    path = save(HEADER + cases(X, y))
    other = save(HEADER + cases(X[:3], y[:3]), "other.ts")

    held = load_ts(None, path=str(path))
    given = load_ts(None, path=str(path), test_path=str(other))

    assert (len(held.X_train), len(held.X_test), len(given.X_train), len(given.X_test)) == (6, 2, 8, 3)
    assert "held out" in held.preparation
    assert "held out" not in given.preparation


def test_gaps_are_filled_and_counted(save):
    text = HEADER + "1,?,3:up\n1,2,3:down\n?,?,?:up\n1,2,3:down\n" * 2

    data = load_ts(None, path=str(save(text)))

    assert np.isfinite(data.X_train).all()
    assert np.isfinite(data.X_test).all()
    assert "8 missing values filled" in data.preparation


def test_files_that_do_not_fit_each_other_are_errors(save):
    train = save(HEADER + "1,2:up\n2,1:down\n", "Toy_TRAIN.ts")

    save(HEADER + "1,2,3:up\n", "Toy_TEST.ts")
    with pytest.raises(DatasetError, match=r"series of shape \(1, 3\).*they do not belong together"):
        load_ts(None, path=str(train))

    save("@targetLabel true\n@data\n1,2:0.5\n", "Toy_TEST.ts")
    with pytest.raises(DatasetError, match="holds regression of series"):
        load_ts(None, path=str(train))

    save(HEADER.replace("down", "down left") + "1,2:left\n", "Toy_TEST.ts")
    with pytest.raises(DatasetError, match=r"no training row has \('left'\)"):
        load_ts(None, path=str(train))


def test_a_channel_without_values_is_an_error(save):
    with pytest.raises(DatasetError, match="dimension 2 has no values in any training series"):
        load_ts(None, path=str(save("@dimensions 2\n@classLabel true a b\n@data\n" + "1,2:?,?:a\n3,4:?,?:b\n" * 4)))


def test_missing_files_and_ambiguous_folders_are_errors(save, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="no file or folder"):
        load_ts(None, path=str(tmp_path / "gone.ts"))
    with pytest.raises(DatasetError, match=r"must hold one file NAME_TRAIN.ts, but has none"):
        load_ts(None, path=str(tmp_path))
    save(HEADER, "a_TRAIN.ts")
    save(HEADER, "b_TRAIN.ts")
    with pytest.raises(DatasetError, match=r"but has a_TRAIN.ts, b_TRAIN.ts"):
        load_ts(None, path=str(tmp_path))


@pytest.mark.parametrize("name", ["gunpoint", "italypowerdemand", "basicmotions", "covid3month"])
def test_named_series_say_where_they_were_looked_for(tmp_path, name):
    with pytest.raises(
        DatasetNotFoundError, match=rf"{name} is not in the data folder {tmp_path}: ucr.*put .*_TRAIN.ts"
    ):
        load_dataset(name, tmp_path)
    with pytest.raises(DatasetNotFoundError, match="set DISTILLKIT_DATA or give --data-root"):
        getattr(_series, f"load_{name}")(None)


@pytest.mark.parametrize(
    ("name", "folder", "n_train", "n_test", "channels", "length", "n_classes"),
    [
        ("gunpoint", "GunPoint", 50, 150, 1, 150, 2),
        ("italypowerdemand", "ItalyPowerDemand", 67, 1029, 1, 24, 2),
        ("basicmotions", "BasicMotions", 40, 40, 6, 100, 4),
        ("covid3month", "Covid3Month", 140, 61, 1, 84, 0),
    ],
)
def test_real_series(real_data, name, folder, n_train, n_test, channels, length, n_classes):
    path = real_data(f"ucr/{folder}/{folder}_TRAIN.ts")

    data = load_dataset(name, path.parents[2])

    assert data.X_train.shape == (n_train, channels, length)
    assert data.X_test.shape == (n_test, channels, length)
    assert len(data.classes) == n_classes
    np.testing.assert_allclose(data.X_train.mean(axis=(0, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(data.X_train.std(axis=(0, 2)), 1, atol=1e-4)
    # an oracle that knows nothing of the reader: the last case, cut from the text
    *last, label = path.read_text(encoding="utf-8").strip().splitlines()[-1].split(":")
    values = np.array([channel.split(",") for channel in last], dtype=float)
    correlation = np.corrcoef(values.ravel(), data.X_train[-1].ravel())[0, 1] if channels == 1 else 1.0
    assert correlation > 1 - 1e-6
    assert (data.classes[data.y_train[-1]] == label.strip()) if n_classes else (data.y_train[-1] == float(label))
    by_path = load_ts(None, path=str(path))
    np.testing.assert_array_equal(by_path.X_test, data.X_test)
