"""What is wrong is told in one sentence, before anything is done."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["distill", "kmean", "T", "-o", "s.csv"], "unknown method 'kmean': did you mean 'kmeans'"),
        (["distill", "kmeans", "nowhere.csv", "-o", "s.csv"], "distillkit: there is no file or folder nowhere.csv"),
        (["distill", "kmeans", "digit", "-o", "s.csv"], "unknown dataset 'digit': did you mean 'digits'"),
        (
            ["distill", "kmeans", "T", "-t", "animals", "-o", "s.csv"],
            "has no column 'animals' (target): did you mean 'animal'?",
        ),
        (["distill", "kmeans", "T", "-t", "zzz", "-o", "s.csv"], "has no column 'zzz' (target): it has width, height"),
        (["distill", "kmeans", "T", "-t", "animal", "-b", "31", "-o", "s.csv"], "which has n_samples = 30"),
        (["distill", "kmeans", "T", "-t", "animal", "-b", "cow=1", "-o", "s.csv"], "names class 'cow'"),
        (["distill", "kmeans", "T", "-t", "animal", "-b", "lots", "-o", "s.csv"], "budget 'lots' is not understood"),
        (["distill", "kmeans", "T", "-t", "animal", "-b", "-1", "-o", "s.csv"], "budget=-1 must be at least 1"),
        (["distill", "kmeans", "T", "-t", "animal", "-o", "s.pkl"], "the suffix must be one of .safetensors, .csv"),
        (["distill", "kmeans", "T", "-t", "animal", "-o", "T/s.csv"], "cannot write"),
        (["distill", "kmeans", "T", "-t", "animal", "-o", "T"], "it is the file to distil, which would be lost"),
        (["distill", "kmeans", "T", "-t", "animal", "-o", "."], "it is a folder; name a file in it"),
        (
            ["distill", "kmeans", "T", "-t", "animal", "--separator", ";", "-o", "s.csv"],
            "its lines were read as one column; is ',' the separator?",
        ),
        (["show", "zzzzzz"], "unknown name 'zzzzzz': `distillkit list` says what there is."),
        (["distill", "kmeans", "T", "-t", "animal", "-p", "n_init=0", "-o", "s.csv"], "The 'n_init' parameter"),
        (
            ["distill", "kmeans", "T", "-t", "animal", "-p", "ninit=1", "-o", "s.csv"],
            "unknown parameter of kmeans 'ninit'",
        ),
        (
            ["distill", "random", "T", "-t", "animal", "--max-seconds", "1", "-o", "s.csv"],
            "max_seconds: random takes no",
        ),
        (["run", "quikstart"], "unknown suite 'quikstart': did you mean 'quickstart'?"),
        (["run", "nothing.toml"], "there is no suite file nothing.toml: check the path"),
        (["plan", "T"], "is not valid TOML"),
        (["plan", "quickstart", "--methods", "kmeens"], "unknown method 'kmeens': did you mean"),
        (["plan", "quickstart", "--evaluators", "zzz"], "unknown evaluator 'zzz': known: boosting, convnet, forest"),
        (["plan", "quickstart", "--datasets", "iris"], "unknown dataset of this suite 'iris'"),
        (["plan", "quickstart", "--budgets", "0"], "budget=0 must be at least 1"),
        pytest.param(
            ["plan", "mnist", "--data-root", "."],
            "mnist is not in the data folder .",
            marks=pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed"),
        ),
        (["run", "quickstart", "-o", "T/results"], "cannot write the results folder"),
        (["run", "quickstart", "-o", "T"], "cannot write the results folder"),
        (["report", "nothing"], "nothing holds no results (plan.json is not there): run the suite first"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(refused, table, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert message in refused(*[arg.replace("T", str(table)) if arg[0] == "T" else arg for arg in args])
    assert sorted(tmp_path.iterdir()) == before, "nothing is left behind"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds = 1", "seed = 1", "s.toml, line 10: seed is not a key of a suite: did you mean 'seeds'?"),
        ("[2]", "[-2]", "s.toml, line 7: budgets are not valid: budget=-2"),
        ('"random"', '"randam"', "unknown method 'randam': did you mean 'random'"),
        ('["iris"]', '[{path = "gone.csv", target = "y"}]', "path: there is no file or folder gone.csv"),
        ('["iris"]', '[{path = "data.csv", target = "y"}]', "'y'"),
        ('["iris"]', '[{path = "data.csv", target = "b", sep = "?"}]', "'sep' is not an option of this dataset"),
    ],
)
def test_a_broken_suite_is_told_before_anything_runs(refused, tmp_path, monkeypatch, old, new, message, mini):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n1,x\n2,y\n" * 10)
    (tmp_path / "s.toml").write_text(mini.replace(old, new))
    assert message in refused("run", "s.toml")
    assert not (tmp_path / "results").exists()


def test_values_that_are_infinite_are_told(refused, table, tmp_path):
    frame = pd.read_csv(table)
    frame.loc[4, "width"] = np.inf
    frame.to_csv(tmp_path / "holes.csv", index=False)
    said = refused("distill", "kmeans", tmp_path / "holes.csv", "-t", "animal", "-o", tmp_path / "s.csv")
    assert "infinite values in column 'width' (1): replace them or drop those rows first" in said


def test_rows_without_target_are_left_out_with_a_warning(distillkit_, table, tmp_path):
    frame = pd.read_csv(table)
    frame.loc[7, "animal"] = None
    frame.to_csv(tmp_path / "holes.csv", index=False)
    result = distillkit_("distill", "kmeans", tmp_path / "holes.csv", "-t", "animal", "-o", tmp_path / "s.csv")
    assert result.status == 0
    assert f" of {len(frame) - 1} rows" in result.out
    assert "1 row without target dropped" in result.err


def test_damaged_files_are_told(refused, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"damaged")
    (tmp_path / "x.parquet").write_bytes(b"damaged")
    (tmp_path / "x.csv").write_text("")
    for name, reason in (("x.npz", "cannot be read"), ("x.parquet", "cannot be read"), ("x.csv", "is empty")):
        sentence = refused("distill", "random", tmp_path / name, "-o", tmp_path / "s.csv")
        assert f"{tmp_path / name} {reason}" in sentence


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "quickstart", "--retry", "sometimes"], "known are failed, timeout"),
        (["run", "quickstart", "--jobs", "0"], "0 is not in the range"),
        (["plan", "quickstart", "--methods", ","], "names nothing"),
        (["distill", "kmeans", "iris", "-o", "s.csv", "-p", "n_init"], "is not NAME=VALUE"),
        (["distill", "kmeans", "iris"], "Missing option '--output'"),
        (["distill", "kmeans", "iris", "-o", "s.csv", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_wrong_options_are_told_by_usage(distillkit_, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    told = distillkit_(*args)
    assert told.status == 2
    assert message in told.err
    assert "Traceback" not in told.err
