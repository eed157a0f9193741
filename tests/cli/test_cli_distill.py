"""`distillkit distill`."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from distillkit.base import BaseDistiller, Outcome
from distillkit.cli import _single
from distillkit.distilled import DistilledSet


@pytest.mark.parametrize("suffix", [".safetensors", ".csv", ".parquet", ".npz"])
def test_distilling_a_table(distillkit_, table, tmp_path, suffix):
    output = tmp_path / f"small{suffix}"
    told = distillkit_("distill", "kmeans", table, "--target", "animal", "--budget", "3", "-o", output)
    assert told.status == 0, told.err
    assert told.out.startswith("6 of 60 rows (10.00%) in ")
    assert told.out.endswith(f"written to {output}\n")
    if suffix == ".safetensors":
        small = DistilledSet.load(output)
        labels, rows = list(small.y), small.X
        assert small.feature_names == ("width", "height")
    elif suffix == ".npz":
        with np.load(output) as arrays:
            labels, rows = list(arrays["y"]), arrays["X"]
    else:
        frame = pd.read_csv(output) if suffix == ".csv" else pd.read_parquet(output)
        labels, rows = list(frame["animal"]), frame[["width", "height"]].to_numpy()
    assert labels == ["cat"] * 3 + ["dog"] * 3
    assert np.abs(rows).max(axis=0)[1] > 10, "in the units of the table"


def test_distilling_is_repeatable_and_takes_parameters(distillkit_, table, tmp_path):
    common = ["distill", "kmeans:medoids", table, "-t", "animal", "-b", "cat=2,dog=3", "-p", "n_init=2", "--seed", "4"]
    for name in ("a.csv", "b.csv"):
        assert distillkit_(*common, "-o", tmp_path / name).status == 0
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    small = pd.read_csv(tmp_path / "a.csv")
    assert small["animal"].value_counts().to_dict() == {"dog": 3, "cat": 2}
    rows = pd.read_csv(table)[["width", "height"]].round(9).to_numpy().tolist()
    assert all(row in rows for row in small[["width", "height"]].round(9).to_numpy().tolist())


def test_distilling_arrays_and_a_dataset(distillkit_, tmp_path):
    np.savez(tmp_path / "x.npz", X=np.random.default_rng(0).normal(size=(40, 1, 6)), y=np.arange(40) % 2)
    assert distillkit_("distill", "random", tmp_path / "x.npz", "-b", "10%", "-o", tmp_path / "s.npz").status == 0
    with np.load(tmp_path / "s.npz") as arrays:
        assert arrays["X"].shape == (4, 1, 6)
    told = distillkit_("distill", "kcenter", "digits", "-b", "1", "-o", tmp_path / "digits.safetensors")
    assert told.out.startswith("10 of 1348 rows")
    assert DistilledSet.load(tmp_path / "digits.safetensors").X.shape == (10, 1, 8, 8)


def test_distilling_rows_without_a_target(distillkit_, table, tmp_path):
    pd.read_csv(table).drop(columns="animal").to_csv(tmp_path / "x.csv", index=False)
    assert distillkit_("distill", "kmeans", tmp_path / "x.csv", "-b", "5", "-o", tmp_path / "s.csv").status == 0
    assert pd.read_csv(tmp_path / "s.csv").columns.tolist() == ["width", "height", "sample_weight"]
    assert len(pd.read_csv(tmp_path / "s.csv")) == 5


def distil(distillkit_, tmp_path, text, *options):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return distillkit_("distill", "random", path, "-t", "y", "-o", tmp_path / "small.csv", *options)


def test_a_numeric_target_is_named_with_the_way_to_the_other_task(distillkit_, tmp_path):
    many = "x,y\n" + "".join(f"{i},{i * 3}\n" for i in range(100))
    told = distil(distillkit_, tmp_path, many, "-b", "5%")
    assert (told.status, told.out.split(" rows")[0]) == (0, "5 of 100")
    assert "task: regression, 100 different values; --task classification otherwise" in told.out
    told = distil(distillkit_, tmp_path, many, "-b", "5%", "--task", "classification")
    assert (told.status, told.out.split(" rows")[0]) == (0, "100 of 100")
    assert "task:" not in told.out


def test_a_share_that_cannot_be_met_is_a_warning(distillkit_, tmp_path):
    told = distil(distillkit_, tmp_path, "x,y\n" + "".join(f"{i},c{i}\n" for i in range(100)), "-b", "5%")
    assert told.status == 0
    assert "kept 100 of 100 rows" in told.err


def test_options_of_the_reader(distillkit_, tmp_path):
    text = "id;x;z;y\n" + "a;1,5;?;no\nb;2,5;3;yes\nc;1;4;yes\nd;2;3;no\n".replace("?", "4")
    told = distil(distillkit_, tmp_path, text, "-b", "1", "--decimal", ",", "--drop", "id, z", "--separator", ";")
    assert told.status == 0, told.err
    assert set(pd.read_csv(tmp_path / "small.csv").columns) >= {"x", "y"}
    assert not {"id", "z"} & set(pd.read_csv(tmp_path / "small.csv").columns)
    assert "--missing" in distillkit_("distill", "--help").out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,no\n2,yes,5\n", "line 3 has 3 values, but the header line has 2 names"),
        ("x,y,y\n1,no,no\n2,yes,no\n", "two columns are called 'y'"),
    ],
)
def test_files_that_shift_columns_are_refused(distillkit_, tmp_path, text, message):
    told = distil(distillkit_, tmp_path, text)
    assert told.status == 2
    assert message in told.err


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        ({"Label": [1.5, 2.5, 3.5, 4.5], "x": [1.0, 2.0, 3.0, 4.0]}, "--target 'Label' if that column is the target"),
        ({"x": [1.0, 2.0, 3.0, 4.0], "animal": ["cat", "dog", "cat", "dog"]}, "--target 'animal' if that column"),
        ({"animal": ["cat", "dog", "cat", "dog"], "x": [1.5, 2.5, 3.5, 4.5]}, "--target COLUMN names one"),
        ({"x": [1.0, 2.0, 3.0, 4.0], "name": ["a", "b", "c", "d"]}, "--target COLUMN names one"),
    ],
)
def test_without_a_target_the_likely_column_is_named(distillkit_, tmp_path, columns, hint):
    pd.DataFrame(columns).to_csv(tmp_path / "x.csv", index=False)
    told = distillkit_("distill", "random", tmp_path / "x.csv", "-b", "2", "-o", tmp_path / "s.csv")
    assert told.status == 0
    assert "target: none, all columns are features; " + hint in told.out
    (column,) = [name for name in columns if name in hint] or [None]
    if column is not None:
        told = distillkit_("distill", "random", tmp_path / "x.csv", "-t", column, "-b", "1", "-o", tmp_path / "s.csv")
        assert "target:" not in told.out


def distilled_frame(distillkit_, tmp_path, method, source, *options):
    output = tmp_path / "small.csv"
    told = distillkit_("distill", method, source, "-b", "2", "-o", output, *options)
    assert told.status == 0, told.err
    return pd.read_csv(output)


def test_named_tables_keep_their_units_and_names(distillkit_, tmp_path):
    from sklearn.datasets import load_wine

    bunch = load_wine()
    rows = {tuple(row) for row in bunch.data.tolist()}
    for method in ("kmeans:medoids", "random", "kcenter"):
        small = distilled_frame(distillkit_, tmp_path, method, "wine")
        assert small.columns.tolist() == [*bunch.feature_names, "target", "sample_weight"]
        assert all(tuple(row) in rows for row in small[bunch.feature_names].to_numpy().tolist())
    made = distilled_frame(distillkit_, tmp_path, "kmeans", "wine")
    assert made["proline"].between(bunch.data[:, -1].min(), bunch.data[:, -1].max()).all()
    assert made["proline"].mean() > 100


def test_named_images_keep_their_units_shape_and_places(distillkit_, tmp_path):
    from sklearn.datasets import load_digits

    rows = {tuple(row) for row in load_digits().data.tolist()}
    small = distilled_frame(distillkit_, tmp_path, "kmeans:medoids", "digits")
    assert small.columns.tolist() == [*load_digits().feature_names, "target", "sample_weight"]
    assert all(tuple(row) in rows for row in small.iloc[:, :64].to_numpy().tolist())
    assert small.iloc[:, :64].to_numpy().max() == 16
    assert distillkit_("distill", "kcenter", "digits", "-b", "1", "-o", tmp_path / "s.safetensors").status == 0
    saved = DistilledSet.load(tmp_path / "s.safetensors")
    assert saved.X.shape == (10, 1, 8, 8)
    assert {tuple(row) for row in saved.X.reshape(10, -1).tolist()} <= rows


def test_series_files_keep_their_units_and_places(distillkit_, tmp_path):
    rng = np.random.default_rng(0)
    X = np.stack([rng.normal(100, 1, (20, 4)), rng.normal(-5, 1000, (20, 4))], axis=1).round(3)
    cases = [":".join(",".join(map(str, channel)) for channel in case) + f":{'ab'[i % 2]}" for i, case in enumerate(X)]
    head = "@problemName p\n@univariate false\n@dimensions 2\n@equalLength true\n@classLabel true a b\n@data\n"
    (tmp_path / "p_TRAIN.ts").write_text(head + "\n".join(cases) + "\n")
    (tmp_path / "p_TEST.ts").write_text(head + "\n".join(cases[:4]) + "\n")
    small = distilled_frame(distillkit_, tmp_path, "kmeans:medoids", tmp_path / "p_TRAIN.ts")
    names = [f"c{channel}_t{time}" for channel in range(2) for time in range(4)]
    assert small.columns.tolist() == [*names, "target", "sample_weight"]
    rows = {tuple(row) for row in X.reshape(20, -1).tolist()}
    assert all(tuple(row) in rows for row in small[names].to_numpy().tolist())
    # The channels count alike in spite of their units: scaling one changes no choice.
    X[:, 1] /= 1000
    cases = [":".join(",".join(map(str, channel)) for channel in case) + f":{'ab'[i % 2]}" for i, case in enumerate(X)]
    (tmp_path / "p_TRAIN.ts").write_text(head + "\n".join(cases) + "\n")
    again = distilled_frame(distillkit_, tmp_path, "kmeans:medoids", tmp_path / "p_TRAIN.ts")
    np.testing.assert_array_equal(again[names[:4]], small[names[:4]])


def test_bytes_stay_bytes_in_selected_images(distillkit_, tmp_path):
    from distillkit.datasets import load_rows

    X = np.random.default_rng(0).integers(0, 255, (30, 3, 5, 5)).astype(np.uint8)
    np.savez(tmp_path / "x.npz", X=X, y=np.arange(30) % 2)
    assert load_rows(str(tmp_path / "x.npz"))[0].dtype == np.uint8
    small = tmp_path / "s.npz"
    assert distillkit_("distill", "random", tmp_path / "x.npz", "-b", "1", "-o", small).status == 0
    with np.load(small) as arrays:
        assert arrays["X"].dtype == np.uint8
        assert all((row == X).all(axis=(1, 2, 3)).any() for row in arrays["X"])


def test_a_terminal_shows_the_progress_and_takes_it_away(distillkit_, table, tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    told = distillkit_("distill", "herding", table, "-t", "animal", "-b", "3", "-o", tmp_path / "small.csv")
    assert told.status == 0
    assert "HerdingCoreset" in told.err
    assert "ended" not in told.err
    assert "\x1b[?25h" in told.err, "the cursor is shown again"
    assert "HerdingCoreset" not in told.out


def test_other_streams_get_no_progress(distillkit_, table, tmp_path):
    told = distillkit_("distill", "herding", table, "-t", "animal", "-b", "3", "-o", tmp_path / "small.csv")
    assert told.err == ""


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_its_own_output_is_distilled_again_with_its_weights(distillkit_, table, tmp_path, suffix):
    first, second = tmp_path / f"first{suffix}", tmp_path / "second.csv"
    target = [] if suffix == ".npz" else ["--target", "animal"]
    assert distillkit_("distill", "kmeans", table, "--target", "animal", "-b", "10", "-o", first).status == 0
    told = distillkit_("distill", "kmeans", first, *target, "-b", "3", "-o", second)
    assert told.status == 0, told.err
    if suffix != ".npz":
        assert "'sample_weight' was read as the weights of the rows" in told.err
    small = pd.read_csv(second)
    assert small.shape[1] == 4, "two features, the target and the weights"
    assert small["sample_weight"].sum() == pytest.approx(60)
    assert small.groupby(small.columns[2])["sample_weight"].sum().tolist() == pytest.approx([30, 30])


def test_a_column_of_weights_can_be_named_or_be_data(distillkit_, refused, table, tmp_path):
    frame = pd.read_csv(table).assign(mass=2.0).assign(sample_weight=np.arange(60.0))
    frame.to_csv(tmp_path / "own.csv", index=False)
    common = ["-t", "animal", "-b", "3"]
    told = distillkit_(
        "distill", "random", tmp_path / "own.csv", *common, "--weight", "mass", "-o", tmp_path / "s.safetensors"
    )
    assert told.status == 0, told.err
    small = DistilledSet.load(tmp_path / "s.safetensors")
    assert small.feature_names == ("width", "height", "sample_weight")
    assert small.sample_weight.sum() == pytest.approx(120)
    told = distillkit_(
        "distill", "random", tmp_path / "own.csv", *common, "--no-weight", "-o", tmp_path / "s.safetensors"
    )
    assert DistilledSet.load(tmp_path / "s.safetensors").feature_names == ("width", "height", "mass", "sample_weight")
    sentence = refused("distill", "random", tmp_path / "own.csv", *common, "--no-weight", "-o", tmp_path / "s.csv")
    assert "column 'sample_weight' of its own" in sentence
    told = distillkit_("distill", "random", table, *common, "--no-weight", "--weight", "mass", "-o", tmp_path / "s.csv")
    assert (told.status, "give one" in told.err) == (2, True)
    assert "has no column" in refused("distill", "random", table, *common, "--weight", "no", "-o", tmp_path / "s.csv")


class FirstRows(BaseDistiller):
    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def test_weights_for_a_method_that_takes_none_are_refused(refused, table, tmp_path, monkeypatch):
    monkeypatch.setattr(_single, "make_distiller", lambda *_: FirstRows())
    frame = pd.read_csv(table).assign(mass=2.0)
    frame.to_csv(tmp_path / "own.csv", index=False)
    sentence = refused(
        "distill",
        "first",
        tmp_path / "own.csv",
        "-t",
        "animal",
        "-b",
        "3",
        "--weight",
        "mass",
        "-o",
        tmp_path / "s.csv",
    )
    assert "which method 'first' cannot use" in sentence


def test_standardizing_weighs_the_rows(distillkit_, table, tmp_path):
    weight = np.random.default_rng(0).integers(0, 4, size=60)
    frame = pd.read_csv(table)
    frame.assign(sample_weight=weight).to_csv(tmp_path / "weighted.csv", index=False)
    frame.loc[np.repeat(np.arange(60), weight)].to_csv(tmp_path / "repeated.csv", index=False)
    found = []
    for name in ("weighted", "repeated"):
        output = tmp_path / f"{name}-small.csv"
        told = distillkit_("distill", "kcenter", tmp_path / f"{name}.csv", "-t", "animal", "-b", "4", "-o", output)
        assert told.status == 0, told.err
        found.append(pd.read_csv(output))
    pd.testing.assert_frame_equal(*found)


def test_an_identifier_is_named_by_one_warning(distillkit_, table, tmp_path):
    frame = pd.read_csv(table)
    frame.insert(0, "code", [f"c{i:03}" for i in range(len(frame))])
    frame.to_csv(tmp_path / "t.csv", index=False)
    told = distillkit_("distill", "kmeans", tmp_path / "t.csv", "-t", "animal", "-b", "2", "-o", tmp_path / "s.csv")
    assert told.status == 0
    assert told.err.count("'code'") == 1
    assert told.err.count("warning") == 1


def test_columns_to_drop_add_up(distillkit_, table, tmp_path):
    frame = pd.read_csv(table).assign(a=1.5, b=range(60), c=0)
    frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = ("distill", "random", tmp_path / "t.csv", "-t", "animal", "-b", "2", "-o", tmp_path / "s.csv")
    assert distillkit_(*arguments, "--drop", "a,b", "--drop", "c").status == 0
    assert list(pd.read_csv(tmp_path / "s.csv")) == ["width", "height", "animal", "sample_weight"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsx", "is an Excel file, which is not read: save the sheet as CSV"),
        ("t.json", "is in a format that is not read: read it with pandas"),
        ("t.safetensors", "is not read as a table: a distilled set is written as one by"),
        ("t.dat", "cannot tell from its suffix how to read"),
    ],
)
def test_files_of_other_formats_are_told_before_their_options(refused, tmp_path, name, message):
    (tmp_path / name).write_bytes(b"PK")
    said = refused("distill", "kmeans", tmp_path / name, "-t", "y", "--drop", "a", "-o", tmp_path / "s.csv")
    assert message in said


def test_a_link_to_the_source_is_the_source(refused, table, tmp_path):
    (tmp_path / "link.csv").symlink_to(table)
    before = table.read_bytes()
    said = refused("distill", "kmeans", table, "-t", "animal", "-o", tmp_path / "link.csv")
    assert "it is the file to distil" in said
    assert table.read_bytes() == before
