"""Rows of Python objects are not checkable: a verification counts them apart, and goes on."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from distillkit import KMeansCoreset, compare
from distillkit.bench.sharing._reproduction import reproduce
from distillkit.bench.sharing._row_source import open_source
from distillkit.bench.sharing._verification import verify
from distillkit.cli._group import cli
from distillkit.exceptions import ResultsError


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Four rows: of a named and an own method, by a named and an own evaluator."""
    folder = tmp_path_factory.mktemp("own") / "board"
    compare(
        *load_iris(return_X_y=True),
        methods=["random", KMeansCoreset(budget=2)],
        evaluators=["knn", DecisionTreeClassifier()],
        name="iris",
        folder=folder,
        budgets=[2],
        splits=1,
        seeds=1,
        metrics=["accuracy"],
        controls=False,
        verbose=False,
    )
    return folder


def test_only_rows_of_registered_names_run_again(results):
    outcome = verify(open_source(results), sample=None)
    assert outcome.holds
    assert [(check.row["method_name"], check.row["evaluator_name"]) for check in outcome.checks] == [("random", "knn")]
    assert sum(outcome.not_checkable.values()) == 3
    assert {reason.split()[1] for reason in outcome.not_checkable} == {"method", "evaluator"}


def test_they_take_no_place_in_the_sample(results):
    for seed in range(4):
        (check,) = verify(open_source(results), sample=1, seed=seed).checks
        assert check.outcome == "identical"


def test_the_command_says_so_and_ends_well(results):
    told = CliRunner().invoke(cli, ["verify", str(results)])
    assert told.exit_code == 0, told.output
    assert "ERROR" not in told.output
    lines = [line for line in told.output.splitlines() if line.startswith("NOT CHECKABLE ")]
    assert [line.split()[2] for line in lines] in (["2", "1"], ["1", "2"])
    assert all("is a Python object of whoever ran the comparison" in line for line in lines)
    assert "4 rows checked, 1 run again: 1 passed, 0 failed, 3 not checkable in " in told.output


def test_a_changed_metric_of_theirs_is_still_a_failure(results, tmp_path):

    folder = tmp_path / "changed"
    shutil.copytree(results, folder, ignore=shutil.ignore_patterns("data", ".lock"))
    source = open_source(folder)
    row = next(row for row in source.rows.values() if row["method_name"].startswith("own/"))
    path = source.store.cell_path(row["key"])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": {"accuracy": 0.0}}))
    assert not verify(open_source(folder), sample=0).holds


def test_reproduce_refuses_such_a_row_in_a_sentence(results):
    source = open_source(results)
    row = next(row for row in source.rows.values() if row["evaluator_name"].startswith("own/"))
    with pytest.raises(ResultsError, match=r"cannot run again: the .* is a Python object"):
        reproduce(row, source)
