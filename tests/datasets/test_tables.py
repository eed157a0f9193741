from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from distillkit import KMeansCoreset
from distillkit.cli._single import distil_rows
from distillkit.datasets import load_rows
from distillkit.datasets._table import load_adult, load_csv, load_parquet
from distillkit.datasets._targets import holdout
from distillkit.exceptions import DatasetError, DatasetNotFoundError


@pytest.fixture
def save(tmp_path):
    def write(content, name="rows.csv"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path) if name.endswith(".parquet") else content.to_csv(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def mixed(n=80, seed=0):
    """A table with numbers, gaps, a constant and text."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, size=n),
            "height": rng.normal(170, 10, size=n),
            "one": 1.5,
            "colour": rng.choice(["red", "green", "blue"], size=n),
            "label": np.tile(["yes", "no"], n // 2),
        }
    )
    frame.loc[::7, "height"] = np.nan
    return frame


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_encodes_as_scikit_learn_does_on_the_training_rows_alone(save, name):
    frame = mixed()
    load = load_csv if name.endswith("csv") else load_parquet

    data = load(None, path=save(frame, name), target="label")

    codes = (frame["label"] == "yes").to_numpy(dtype=int)
    train, test = holdout("rows", codes, "classification")
    gaps_at_the_mean = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0))
    oracle = make_column_transformer(
        (gaps_at_the_mean, ["age", "height"]),
        (MissingIndicator(), ["height"]),
        (OneHotEncoder(sparse_output=False, categories=[["red", "green", "blue"]]), ["colour"]),
    ).fit(frame.iloc[train])
    names = ["age", "height", "height=missing", "colour=red", "colour=green", "colour=blue"]
    places = [data.feature_names.index(name) for name in names]
    np.testing.assert_allclose(data.X_train[:, places], oracle.transform(frame.iloc[train]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(data.X_test[:, places], oracle.transform(frame.iloc[test]), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(data.y_test, codes[test])
    assert sorted(data.feature_names) == sorted(names)
    assert data.classes == ("no", "yes")
    assert (data.name, data.task, data.modality, data.X_train.dtype) == ("rows", "classification", "table", np.float32)
    assert "gaps marked by a column of their own" in data.preparation
    assert "left out, being empty, constant or different in nearly every row: one" in data.preparation


@pytest.mark.parametrize("columns", [["age", "height", "colour", "flag", "day"], ["age", "flag", "one"]])
def test_the_bench_the_api_and_distill_measure_distances_in_the_same_columns(save, columns):
    """On the training rows of a file, a distiller computes with the numbers that a suite gives it."""

    frame = mixed()
    frame["flag"] = frame["age"] > 50
    frame["day"] = pd.Timestamp("2020-02-28") + pd.to_timedelta(frame["age"], unit="D")
    path = save(frame[[*columns, "label"]])

    data = load_csv(None, path=path, target="label")

    X, y = load_rows(path, target="label")
    train, _ = holdout("rows", (y == "yes").astype(int), "classification")
    seen = {}

    class Seen(KMeansCoreset):
        def _distill(self, rows, *args):
            seen["X"] = np.array(rows.X)
            return super()._distill(rows, *args)

    distil_rows(Seen(budget=3), X.iloc[train].reset_index(drop=True), y[train], standardize=True)
    np.testing.assert_array_equal(seen["X"].astype(np.float32), data.X_train)


@pytest.mark.parametrize("target", ["label", 4, -1, " label "])
def test_the_target_goes_by_name_or_position(save, target):
    assert load_csv(None, path=save(mixed()), target=target).classes == ("no", "yes")


def test_a_numeric_target_is_a_regression_or_classes_by_its_values(save):
    path = save(mixed())

    assert load_csv(None, path=path, target="height").task == "regression"
    assert load_csv(None, path=path, target="age").task == "regression"  # 50 whole numbers are not 50 classes
    assert load_csv(None, path=path, target="age", task="classification").task == "classification"
    few = load_csv(None, path=save("x,y\n" + "1,3\n2,1\n5,2\n" * 8), target="y")
    assert (few.task, few.classes) == ("classification", ("1", "2", "3"))


def test_boolean_classes_keep_their_names(save):
    assert load_csv(None, path=save("x,y\n" + "1,True\n2,False\n" * 8), target="y").classes == ("False", "True")


def test_rows_without_target_are_dropped_and_counted(save):
    data = load_csv(None, path=save("x,y\n" + "1,3\n2,1\n5,\n" * 8), target="y")

    assert len(data.X_train) + len(data.X_test) == 16
    assert data.classes == ("1", "3")
    assert "8 rows without target dropped" in data.preparation


def test_test_rows_of_their_own_are_encoded_with_the_training_rows(save):
    train, test = mixed(seed=0), mixed(seed=1)[["label", "colour", "one", "height", "age"]]
    test.loc[0, "colour"] = "unheard of"

    data = load_csv(None, path=save(train), test_path=save(test, "test.csv"), target=-1)

    assert (len(data.X_train), len(data.X_test)) == (80, 80)
    np.testing.assert_allclose(
        data.X_test[:, 0], (test["age"] - train["age"].mean()) / train["age"].std(ddof=0), rtol=1e-4, atol=1e-5
    )
    assert data.X_test[0, 3:].tolist() == [0, 0, 0]
    assert (data.X_test[1:, 3:].sum(axis=1) == 1).all()
    assert "held out" not in data.preparation


def test_text_is_stripped_and_missing_text_is_a_category(save):
    text = "a,b,y\n" + "red , ?, yes\n red,2, no\n?,3,yes \n" * 6

    data = load_csv(None, path=save(text), target="y", missing="?")

    assert data.feature_names == ("a=red", "a=missing", "b", "b=missing")
    assert data.classes == ("no", "yes")


def test_question_marks_are_text_unless_said_to_be_missing(save):
    assert "a=?" in load_csv(None, path=save("a,y\n" + "red,1\n?,0\n" * 6), target="y").feature_names


def test_rare_categories_share_a_column(save):
    words = ["common"] * 40 + ["usual"] * 20 + [f"rare{i}" for i in range(20)]
    frame = pd.DataFrame({"word": words, "x": range(80), "y": ["a", "b"] * 40})

    data = load_csv(None, path=save(frame), target="y", max_categories=3)

    assert data.feature_names == ("word=common", "word=usual", "word=(other)", "x")
    assert (data.X_train[:, :3].sum(axis=1) == 1).all()
    assert (data.X_test[:, :3].sum(axis=1) == 1).all()


def test_the_number_of_columns_per_text_column_is_bounded(save):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"word": rng.integers(0, 500, size=5000).astype(str), "y": ["a", "b"] * 2500})
    frame["word"] = "w" + frame["word"]

    path = save(frame)

    assert len(load_csv(None, path=path, target="y").feature_names) == 64
    assert len(load_csv(None, path=path, target="y", max_categories=10).feature_names) == 10
    with pytest.raises(DatasetError, match="max_categories=1 must be"):
        load_csv(None, path=path, target="y", max_categories=1)


def test_identifiers_and_empty_columns_are_left_out_and_named(save):
    n = 20_000
    frame = pd.DataFrame(
        {"id": [f"person {i}" for i in range(n)], "gap": np.nan, "x": range(n), "y": ["a", "b"] * (n // 2)}
    )

    data = load_csv(None, path=save(frame), target="y")

    assert data.feature_names == ("x",)
    assert "left out, being empty, constant or different in nearly every row: id, gap" in data.preparation


def test_dates_booleans_and_categories_of_parquet(save):
    n = 24
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2020-01-01", periods=n, freq="D", tz="Europe/Paris"),
            "wait": pd.to_timedelta(range(n), unit="min"),
            "flag": [True, False] * (n // 2),
            "code": pd.Categorical(["3", "7"] * (n // 2)),
            "maybe": pd.array([1, None, 3] * (n // 3), dtype="Int64"),
            "y": ["a", "b"] * (n // 2),
        }
    )

    data = load_parquet(None, path=save(frame, "rows.parquet"), target="y")

    assert data.feature_names == ("day", "wait", "flag", "code=3", "code=7", "maybe", "maybe=missing")
    # days and minutes both count 0, 1, 2 ...: standardized they are the same
    np.testing.assert_allclose(data.X_train[:, 0], data.X_train[:, 1], atol=1e-5)
    assert np.isfinite(data.X_train).all()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,label\n1,x\n", {"target": "lable"}, "has no column 'lable' .*did you mean 'label'"),
        ("a,label\n1,x\n", {"target": "zzz"}, "it has a, label"),
        ("a,label\n1,x\n", {"target": 7}, "has no column 7"),
        ("a,label\n1,x\n", {}, "give target, the column to predict: one of a, label"),
        ("", {"target": "y"}, "is empty: it needs a header line"),
        ("\n\n", {"target": "y"}, "is empty"),
        ("a,y\n", {"target": "y"}, "has a header but no rows"),
        ("a,y\n1,\n2,\n", {"target": "y"}, "no row has a value in the target column 'y'"),
        ("a,y\n1,2\n1,2,3,4\n", {"target": "y"}, "cannot be read as CSV .*line 3"),
        ("a;y\n1;2\n", {"target": "y", "separator": ","}, "has no column 'y' .*did you mean 'a;y'"),
        ("a,y\n1,2\n1,2,3\n", {"target": "y"}, "line 3 has 3 values, but the header line has 2 names"),
        ("a,a ,y\n1,2,x\n", {"target": "y"}, "two columns are called 'a'"),
        (
            "a,y\n" + "inf,0\n2,1\n3,0\n4,1\n" * 3,
            {"target": "y"},
            r"rows.csv: there are infinite values in column 'a' \(3\)",
        ),
        ("a,y\n1,x\n2,x\n3,x\n", {"target": "y"}, "all rows have the class 'x'"),
        ("a,y\n1,x\n2,z\n", {"target": "y", "task": "regression"}, "needs numbers as target"),
        ("a,y\n1,x\n2,z\n", {"target": "y", "task": "sorting"}, "task='sorting' is not known"),
        ("id,y\n" + "".join(f"p{i},{i % 2}\n" for i in range(40)), {"target": "y"}, r"no column can be used.* \(id\)"),
        ("y\n0\n1\n0\n1\n", {"target": "y"}, "no column beside the target 'y'"),
        (b"a,y\n\xff\xfe\xfa,1\n", {"target": "y"}, "cannot be read as CSV .*encoding"),
        ("a,y\n1,2\n", {"target": "y", "separator": "::"}, "separator='::' must be one character"),
        ("a,y\n1,2\n", {"target": "y", "separator": 7}, "separator=7 must be one character"),
        ("a,y\n1,2\n", {"target": "y", "missing": 7}, "missing=7 must be a text"),
        ("a,y\n1,2\n", {"target": "y", "missing": [7]}, r"missing=\[7\] must be a text"),
    ],
)
def test_bad_files_say_what_is_wrong(save, text, options, message):
    with pytest.raises(DatasetError, match=message):
        load_csv(None, path=save(text), **options)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("a,b,y\n1,x,0\n", "has no column 'c', which the training rows have"),
        ("a,b,c,y\noops,x,1,0\n", "the column 'a' holds text, but only numbers in the training rows"),
        ("a,b,c,y\n1,x,1,5\n", r"no training row has \('5'\)"),
        ("a,b,c\n1,x,1\n", "has no column 'y'"),
    ],
)
def test_test_rows_that_do_not_fit_are_errors(save, test, message):
    path = save("a,b,c,y\n" + "1,x,1,0\n2,z,3,1\n" * 4)

    with pytest.raises(DatasetError, match=message):
        load_csv(None, path=path, test_path=save(test, "test.csv"), target="y")


@pytest.mark.parametrize(("value", "shown"), [("1e300", "1e.300"), ("-1.7e308", "-1.7e.308")])
def test_test_rows_far_beyond_the_training_rows_are_an_error(save, value, shown):
    path = save("a,y\n" + "1.5,0\n2,1\n" * 4)

    with pytest.raises(DatasetError, match=f"test.csv: column 'a' holds the value {shown}, which is too far"):
        load_csv(None, path=path, test_path=save(f"a,y\n{value},0\n", "test.csv"), target="y")


def test_numbers_of_any_size_are_standardized(save):
    numbers = np.array([1e300, -1e300, 5e299, 0.0] * 4)
    tiny = np.array([3e-310, 1e-310, 2e-310, 4e-310] * 4)
    frame = pd.DataFrame({"a": numbers, "b": tiny, "y": ["p", "q"] * 8})

    data = load_csv(None, path=save(frame), target="y")

    np.testing.assert_allclose(data.X_train[:, 0].std(), 1, rtol=1e-5)
    np.testing.assert_allclose(data.X_train[:, 1].std(), 1, rtol=1e-2)


@pytest.mark.parametrize("code", ["7", "07", "7.0"])
def test_text_of_the_training_rows_stays_text_in_test_rows_of_digits(save, code):
    path = save("code,y\n" + f"{code},{code}\nA,B\n" * 4)

    data = load_csv(None, path=path, test_path=save(f"code,y\n{code},{code}\n" * 1, "test.csv"), target="y")

    assert data.feature_names == (f"code={code}", "code=A")
    assert data.classes == (code, "B")
    assert (data.X_test.tolist(), data.y_test.tolist()) == ([[1, 0]], [0])


def test_numbers_as_text_in_one_parquet_file_and_as_numbers_in_the_other(save):
    train = pd.DataFrame({"code": ["7", "A"] * 4, "y": ["1", "x"] * 4})
    test = pd.DataFrame({"code": [7], "y": [1.0]})

    data = load_parquet(None, path=save(train, "a.parquet"), test_path=save(test, "b.parquet"), target="y")

    assert (data.X_test.tolist(), data.y_test.tolist()) == ([[1, 0]], [0])


def test_true_and_false_are_the_same_classes_however_they_are_written(save):
    path = save("x,y\n" + "1,TRUE\n2,FALSE\n" * 4)

    data = load_csv(None, path=path, test_path=save("x,y\n1,True\n", "test.csv"), target="y")

    assert (data.classes, data.y_test.tolist()) == (("False", "True"), [1])


def test_separators_and_the_byte_order_mark(save):
    rows = "1;0\n2;1\n" * 4
    for text, name, options in (
        ("x;y\n" + rows, "a.csv", {"separator": ";"}),
        ("x;y\n" + rows, "a.csv", {}),
        (("x;y\n" + rows).replace(";", "|"), "a.csv", {}),
        (("x;y\n" + rows).replace(";", "\t"), "b.tsv", {}),
        (b"\xef\xbb\xbf" + ("x;y\n" + rows).replace(";", ",").encode(), "c.CSV", {}),
    ):
        data = load_csv(None, path=save(text, name), target="y", **options)
        assert (data.name, data.feature_names) == (name[0], ("x",))


def test_missing_and_damaged_files(save, tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"there is no file or folder .*gone.csv"):
        load_csv(None, path=str(tmp_path / "gone.csv"), target="y")
    with pytest.raises(DatasetError, match="cannot be read as Parquet"):
        load_parquet(None, path=save(b"PAR1 but no more", "rows.parquet"), target="y")
    with pytest.raises(DatasetError, match="the column 'x' holds"):
        load_parquet(None, path=save(pd.DataFrame({"x": [[1], [2]], "y": [0, 1]}), "lists.parquet"), target="y")


def test_adult_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=rf"adult is not in the data folder {tmp_path}: adult/adult.csv is missing; put"
    ):
        load_adult(tmp_path)


def test_real_adult(real_data):
    path = real_data("adult/adult.csv")

    data = load_adult(path.parents[1])

    frame = pd.read_csv(path, skipinitialspace=True)  # the oracle keeps "?" as text
    assert len(data.X_train) + len(data.X_test) == len(frame) == 32561
    assert data.classes == ("<=50K", ">50K")
    assert data.y_train.sum() + data.y_test.sum() == (frame["income"] == ">50K").sum()
    for column in ("workclass", "occupation", "native-country"):
        place = data.feature_names.index(f"{column}=missing")
        assert data.X_train[:, place].sum() + data.X_test[:, place].sum() == (frame[column] == "?").sum()
    numbers = [data.feature_names.index(name) for name in frame.columns[frame.dtypes == np.int64]]
    np.testing.assert_allclose(data.X_train[:, numbers].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(data.X_train[:, numbers].std(axis=0), 1, atol=1e-4)
