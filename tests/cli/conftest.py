"""The command line in this process, and one finished run."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from distillkit.cli import main

SUITE = """
name = "mini"
description = "Two controls on flowers."
datasets = ["iris"]
methods = ["random", "whole"]
evaluators = ["knn"]
budgets = [2]
splits = 1
controls = false
seeds = 1
metrics = ["accuracy", "rows"]
"""


class Told:
    """How a command ended and what it printed."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def distillkit_(capsys, monkeypatch):
    """Run the command line in this process."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back afterwards

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["distillkit", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Told(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(distillkit_):
    """Run a command that must end with one sentence on stderr, and return the sentence."""

    def run(*args):
        told = distillkit_(*args)
        assert told.status not in (0, None)
        assert told.out == ""
        assert told.err.startswith("distillkit: ")
        assert told.err.count("\n") == 1
        assert "Traceback" not in told.err
        assert "unexpected" not in told.err
        return told.err

    return run


@pytest.fixture
def table(tmp_path):
    """A CSV file of 60 rows with text labels."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"width": rng.normal(size=60), "height": 100 * rng.normal(size=60)})
    frame["animal"] = ["cat", "dog"] * 30
    frame.to_csv(tmp_path / "animals.csv", index=False)
    return tmp_path / "animals.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A suite file and the folder of its finished run, by a command line of its own."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "mini.toml").write_text(SUITE)
    command = [sys.executable, "-m", "distillkit", "run", "mini.toml", "--jobs", "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    return folder, Told(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def mini():
    """Return the text of a small suite."""
    return SUITE
