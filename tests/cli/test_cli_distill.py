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
