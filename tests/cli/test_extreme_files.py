"""Files with values of any size are distilled without empty cells, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
@pytest.mark.parametrize("method", ["kmeans", "herding", "class-means", "kcenter"])
def test_a_cell_of_1e200_gives_no_empty_cells(distillkit_, tmp_path, suffix, method):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.repeat(["a", "b", "c"], 20)
    X[7, 2] = 1e200
    frame, source = pd.DataFrame(X, columns=["p", "q", "r", "s"]).assign(label=y), tmp_path / f"rows.{suffix}"
    if suffix == "npz":
        np.savez(source, X=X, y=y)
    else:
        frame.to_csv(source, index=False) if suffix == "csv" else frame.to_parquet(source)
    options = [] if suffix == "npz" else ["--target", "label"]
    options += [] if method == "class-means" else ["--budget", "3"]

    # Standardized columns are within the range of floats, so that the result is right.
    told = distillkit_("distill", method, source, *options, "-o", tmp_path / "small.csv")
    assert told.status == 0, told.err
    numbers = pd.read_csv(tmp_path / "small.csv").select_dtypes("number").iloc[:, :4]
    assert numbers.shape[1] == 4
    assert np.isfinite(numbers.to_numpy()).all()
    assert (numbers.iloc[:, [0, 1, 3]].std() > 0).all()

    # The squares of the values themselves are not.
    told = distillkit_("distill", method, source, *options, "--no-standardize", "-o", tmp_path / "plain.csv")
    assert told.status != 0
    assert "holds the value 1e+200" in told.err
    assert not (tmp_path / "plain.csv").exists()
