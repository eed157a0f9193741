"""Splits into training and test rows: of every loader that holds rows out, and of no other."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from distillkit.datasets import load_dataset
from distillkit.datasets._loader import holds_out_rows
from distillkit.datasets._targets import holdout
from distillkit.plugins import get_manager

N_ROWS, N_CLASSES = 40, 4
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"x": RNG.normal(size=N_ROWS), "z": RNG.normal(size=N_ROWS)}).assign(
    y=np.array(list("abcd"))[np.arange(N_ROWS) % N_CLASSES]
)


def _png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


def _images(prefix=""):
    return {f"{prefix}{'abcd'[i % N_CLASSES]}/{i:02}.png": _png(i) for i in range(N_ROWS)}


def write(folder, kind, *, with_test):
    """Write a source with or without test rows of its own, and return the arguments that load it."""
    if kind in ("csv", "parquet"):
        save = TABLE.to_csv if kind == "csv" else TABLE.to_parquet
        for name in ("a", "b") if with_test else ("a",):
            save(folder / f"{name}.{kind}", index=False)
        test = {"test_path": str(folder / f"b.{kind}")} if with_test else {}
        return str(folder / f"a.{kind}"), {"target": "y", **test}
    if kind == "npz":
        X, y = TABLE[["x", "z"]].to_numpy(), TABLE["y"].to_numpy(dtype=str)
        np.savez(folder / "a.npz", X=X, y=y, **({"X_test": X[:8], "y_test": y[:8]} if with_test else {}))
        return str(folder / "a.npz"), {}
    if kind == "ts":
        head = "@problemName a\n@timeStamps false\n@univariate true\n@classLabel true a b c d\n@data\n"
        lines = [f"{i},{i + 1},{i - 1}:{'abcd'[i % N_CLASSES]}" for i in range(N_ROWS)]
        for part in ("TRAIN", "TEST") if with_test else ("TRAIN",):
            (folder / f"a_{part}.ts").write_text(head + "\n".join(lines) + "\n")
        return str(folder / "a_TRAIN.ts"), {}
    images = {**_images("train/"), **_images("test/")} if with_test else _images()
    if kind == "image-tar":
        with tarfile.open(folder / "a.tar", "w") as tar:
            for name, content in images.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return str(folder / "a.tar"), {}
    for name, content in images.items():
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / name).write_bytes(content)
    return str(folder / "images"), {}


KINDS = ["csv", "parquet", "npz", "ts", "image-folder", "image-tar"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_split_of_a_source_holds_other_rows_out(tmp_path, kind):
    path, options = write(tmp_path, kind, with_test=False)
    load = get_manager().get("dataset", kind).load()
    assert holds_out_rows(load, None, {"path": path, **options})
    _check_splits(lambda **split: load_dataset(path, **options, **split))


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_with_test_rows_of_its_own_has_no_splits(tmp_path, kind):
    path, options = write(tmp_path, kind, with_test=True)
    load = get_manager().get("dataset", kind).load()
    assert not holds_out_rows(load, None, {"path": path, **options})
    first, other = load_dataset(path, **options), load_dataset(path, split=5, **options)
    np.testing.assert_array_equal(first.X_train, other.X_train)
    np.testing.assert_array_equal(first.X_test, other.X_test)


@pytest.mark.parametrize("name", ["digits", "wine", "breast-cancer", "iris", "diabetes"])
def test_datasets_that_ship_hold_rows_out(name):
    assert holds_out_rows(get_manager().get("dataset", name).load(), None, {})
    _check_splits(lambda **split: load_dataset(name, **split))


def test_adult_and_eurosat_hold_rows_out_and_published_test_parts_stay():
    held_out = {
        name: holds_out_rows(get_manager().get("dataset", name).load(), None, {})
        for name in ("adult", "eurosat", "mnist", "cifar10-jpeg", "gunpoint", "covid3month")
    }
    assert held_out == {
        "adult": True,
        "eurosat": True,
        **dict.fromkeys(("mnist", "cifar10-jpeg", "gunpoint", "covid3month"), False),
    }


def test_a_function_of_a_plugin_says_by_its_parameter_that_it_holds_rows_out():
    assert holds_out_rows(lambda _root, split=0: split, None, {})
    assert not holds_out_rows(lambda _root, **options: options, None, {})


def _check_splits(load):
    """Check that the splits of a dataset divide the same rows in different ways, evenly."""
    default, splits = load(), [load(split=number) for number in range(3)]
    np.testing.assert_array_equal(default.X_test, splits[0].X_test)
    for data in splits:
        assert (len(data.X_train), len(data.X_test)) == (len(default.X_train), len(default.X_test))
        if data.classes:
            counts = [np.bincount(y, minlength=len(data.classes)) for y in (data.y_train, data.y_test)]
            np.testing.assert_array_equal(counts[0], np.bincount(default.y_train))
            np.testing.assert_array_equal(counts[1], np.bincount(default.y_test))
    assert not np.array_equal(splits[0].own_rows, splits[1].own_rows)
    assert not np.array_equal(splits[1].own_rows, splits[2].own_rows)
    again = load(split=2)
    np.testing.assert_array_equal(again.X_train, splits[2].X_train)


def test_over_many_splits_every_row_is_tested_about_equally_often():
    y = np.repeat([0, 1, 2], [40, 20, 4])
    times = np.zeros(64)
    for split in range(400):
        times[holdout("data", y, "classification", split)[1]] += 1
    for code in range(3):  # the standard deviation of a share of a quarter over 400 draws is .022
        np.testing.assert_allclose(times[y == code] / 400, 0.25, atol=0.1)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_in_held_out_rows_changes_the_training_rows(tmp_path, suffix, seed):
    """Text, gaps, dates with time zones, rare categories or huge numbers in a held-out cell."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "whole": rng.integers(0, 9, 60),
            "real": rng.normal(size=60).round(3),
            "flag": rng.random(60) < 0.5,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 40, 60), unit="D"),
            "word": rng.choice(["red", "green", "blue"], 60),
            "y": np.arange(60) % 2,
        }
    )
    test = holdout("a", frame["y"].to_numpy(), "classification")[1]
    changed = frame.copy()
    values = {
        "csv": {
            "whole": ["oops", "", "2.5", "007", "1e5"],
            "real": ["n/a", "", "3", "1,5"],
            "flag": ["maybe", "", "1"],
            "day": ["never", "", "2020-01-01T10:00:00+02:00", "1990-05-05"],
            "word": ["", "purple", "3"],
        },
        "parquet": {
            "whole": [None, 10**12],
            "real": [None, -5e9],
            "flag": [None],
            "day": [None, pd.Timestamp("1950-01-01")],
            "word": [None, "purple"],
        },
    }[suffix]
    changed = changed.astype(object)
    for row in test:
        for name in rng.permutation(list(values))[:3]:
            options = values[name]
            changed.loc[row, name] = options[rng.integers(len(options))]
    if suffix == "parquet":
        types = {"whole": "Int64", "real": float, "flag": "boolean", "day": "datetime64[ns]", "word": "category"}
        frame, changed = frame.astype(types), changed.astype({**types, "y": int})
    loaded = []
    for name, table in (("a", frame), ("b", changed)):
        path = tmp_path / f"{name}.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
        loaded.append(load_dataset(path, target="y"))
    before, after = loaded
    assert before.feature_names == after.feature_names
    np.testing.assert_array_equal(before.X_train, after.X_train)
    pd.testing.assert_frame_equal(before.rows_train, after.rows_train, check_dtype=False, check_categorical=False)
    assert not np.array_equal(before.X_test, after.X_test)
    assert np.isfinite(after.X_test).all()


@pytest.mark.parametrize(("name", "target"), [("titanic", "Survived"), ("california-housing", "median_house_value")])
def test_a_word_in_each_held_out_row_of_a_real_table_leaves_the_training_rows_alone(real_data, tmp_path, name, target):
    path = real_data(f"tables/{name}.csv")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).iloc[:800]
    frame.to_csv(tmp_path / "a.csv", index=False)
    before = load_dataset(tmp_path / "a.csv", target=target)
    test = np.setdiff1d(np.arange(len(frame)), before.rows_train.index)
    for place, name_ in enumerate(frame.columns.drop(target)):
        frame.loc[test[place::3], name_] = "oops"
    frame.to_csv(tmp_path / "b.csv", index=False)
    after = load_dataset(tmp_path / "b.csv", target=target)
    assert before.feature_names == after.feature_names
    np.testing.assert_array_equal(before.X_train, after.X_train)
