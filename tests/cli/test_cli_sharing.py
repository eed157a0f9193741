"""The commands reproduce, verify, compare, merge and publish: what they print, and their exit status."""

from __future__ import annotations

import json
import shutil

import pytest

from distillkit.bench.results._store import ResultsStore


@pytest.fixture
def flowers(finished, tmp_path, monkeypatch):
    """Work beside a copy of the finished run, in results/mini."""
    shutil.copytree(finished[0] / "results", tmp_path / "results", ignore=shutil.ignore_patterns(".lock"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results" / "mini"


def first_row(folder):
    path = min((folder / "cells").glob("*.json"))
    return path, json.loads(path.read_text())


def test_a_row_is_reproduced_by_key_or_by_path(flowers, distillkit_):
    path, row = first_row(flowers)
    for words in ((row["key"][:7],), (path,), (row["key"], flowers)):
        told = distillkit_("reproduce", *words)
        assert told.status == 0
        assert told.out.splitlines()[0].startswith(f"{row['key']}: iris split 0, {row['method']}, budget ")
        assert told.out.splitlines()[1] == "identical"


def test_what_differs_is_named_with_what_has_changed(flowers, distillkit_):
    path, row = first_row(flowers)
    (environment,) = (flowers / "environments").glob("*.json")
    older = json.loads(environment.read_text())
    older["versions"]["scikit-learn"] = "0.1"
    environment.write_text(json.dumps(older))
    path.write_text(json.dumps(row | {"metrics": row["metrics"] | {"accuracy": 0.125}}))
    told = distillkit_("reproduce", row["key"], flowers)
    assert told.status == 1
    assert f"  metrics.accuracy: 0.125 is stored, {row['metrics']['accuracy']!r} was found" in told.out.splitlines()
    assert "  changed since: scikit-learn 0.1 then, " in told.out


def test_keys_that_name_no_row_are_refused(flowers, refused):
    assert "key that begins with 'zz'" in refused("reproduce", "zz", flowers)
    assert "none of the results here" in refused("reproduce", "zz")
    assert "does not exist" in refused("reproduce", "zz", "elsewhere")


def test_a_verification_reports_like_a_test_run(flowers, distillkit_):
    told = distillkit_("verify", flowers, "--sample", "1")
    assert told.status == 0
    assert told.out.startswith("PASSED ")
    assert "2 rows checked, 1 run again: 1 passed, 0 failed in " in told.out.splitlines()[-1]
    path, row = first_row(flowers)
    path.write_text(json.dumps(row | {"n_train": 7}))
    told = distillkit_("verify", flowers, "--all")
    assert told.status == 1
    assert f"FAILED {row['key']} " in told.out
    assert "    n_train: 7 is stored, " in told.out
    path.write_text(json.dumps(row | {"metrics": {"accuracy": 0.0}}))
    told = distillkit_("verify", flowers, "--sample", "0")
    assert told.status == 1
    assert "its accuracy are not those of its predictions" in told.out


def test_results_are_compared_merged_and_published(flowers, distillkit_, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(flowers, other)
    told = distillkit_("compare", flowers, other)
    assert told.status == 0
    assert "2 identical." in told.out
    told = distillkit_("compare", flowers, other, "--format", "markdown", "-o", "c.md")
    assert told.out == "wrote c.md\n"
    assert "| dataset | evaluator | budget | method |" in (tmp_path / "c.md").read_text()
    assert distillkit_("compare", flowers, other, "--format", "csv").out.startswith("dataset,evaluator,label_mode,")
    told = distillkit_("merge", flowers, other, "-o", "union")
    assert told.status == 0
    assert "2 rows of 2 cells in union; 2 were there twice" in told.out
    assert (tmp_path / "union" / "leaderboard.md").is_file()
    told = distillkit_("publish", "site", flowers, "union")
    assert told.status == 0
    assert "mini: 2 rows" in told.out
    assert "2 rows added" in told.out
    assert distillkit_("verify", "site", "--base", "site").status == 0


def test_contradictions_are_one_sentence(flowers, refused, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(flowers, other)
    path, row = first_row(other)
    path.write_text(json.dumps(row | {"shared_rows": 99}))
    assert "--prefer" in refused("merge", flowers, other, "-o", "union")
    assert "--prefer" in refused("publish", "site", flowers, other)
    assert not (tmp_path / "union").exists()
    assert "give the folder of the site first" in refused("publish", flowers)


def test_only_cells_of_one_side_are_listed(flowers, distillkit_, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(flowers, other)
    path, row = first_row(other)
    path.unlink()
    told = distillkit_("compare", flowers, other)
    assert f"Only {flowers} has 1 cells:" in told.out
    assert f"- {row['method']} on iris" in told.out
    assert ResultsStore(other).exists()
