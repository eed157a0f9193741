"""`distillkit distill`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

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
