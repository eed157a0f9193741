"""Runs that follow one another in a results folder: filtered, of a changed suite, and of another version."""

from __future__ import annotations

import json

import pytest

SUITE = """
name = "flowers"
datasets = ["iris"]
methods = ["random", "kmeans"]
evaluators = ["knn"]
budgets = [2]
splits = 1
seeds = 1
metrics = ["accuracy"]
"""


@pytest.fixture
def flowers(tmp_path, monkeypatch, distillkit_):
    """Run the suite in a folder, and return the function that runs it again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers.toml").write_text(SUITE)

    def run(*options, text=None):
        if text is not None:
            (tmp_path / "flowers.toml").write_text(text)
        return distillkit_("run", "flowers.toml", "-o", "out", "--quiet", *options)

    assert run().status == 0
    return run


def cells(folder):
    return json.loads((folder / "out" / "plan.json").read_text())["cells"]


def methods(folder):
    return [cell["method"] for cell in cells(folder)]


def test_a_filtered_run_leaves_the_leaderboard_whole(flowers, tmp_path):
    before = cells(tmp_path)
    assert {cell["method"] for cell in before} == {"random", "kmeans", "whole", "class-means"}
    told = flowers("--methods", "kmeans")
    assert told.status == 0
    assert cells(tmp_path) == before
    board = (tmp_path / "out" / "leaderboard.txt").read_text()
    assert all(name in board for name in methods(tmp_path))
    assert "note:" not in told.err


def test_a_filtered_run_adds_its_cells(flowers, tmp_path):
    before = methods(tmp_path)
    assert flowers("--methods", "herding").status == 0
    assert methods(tmp_path) == [*before, "herding"]
    assert "herding" in (tmp_path / "out" / "leaderboard.txt").read_text()


def test_a_changed_suite_names_what_it_no_longer_has_and_how_to_drop_it(flowers, tmp_path):
    told = flowers(text=SUITE.replace(', "kmeans"]', ', "herding"]').replace("budgets", "controls = false\nbudgets"))
    assert "3 cells of earlier runs are not in this suite (method kmeans, whole, class-means)" in told.err
    assert "--prune" in told.err
    assert set(methods(tmp_path)) == {"random", "kmeans", "whole", "class-means", "herding"}
    told = flowers("--prune")
    assert "3 cells taken off" in told.err
    assert set(methods(tmp_path)) == {"random", "herding"}
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 5  # The rows stay.
    assert "note:" not in flowers().err


def test_results_of_another_version_are_named(flowers, tmp_path, distillkit_):
    (path,) = (tmp_path / "out" / "environments").glob("*.json")
    environment = json.loads(path.read_text())
    environment["versions"]["distillkit"] = "0.0.7"
    (tmp_path / "out" / "environments" / "old.json").write_text(json.dumps(environment))
    row = next((tmp_path / "out" / "cells").glob("*.json"))
    row.write_text(json.dumps(json.loads(row.read_text()) | {"environment": "old", "protocol": 1}))
    told = distillkit_("report", "out")
    assert "made by distillkit 0.0.7 (1 rows)" in told.err
    assert "measured by protocol 1 (1 rows)" in told.err
    for name in ("leaderboard.txt", "leaderboard.md", "leaderboard.html"):
        text = " ".join((tmp_path / "out" / name).read_text().replace("\\", "").split())
        assert "Several versions of distillkit made these results: 0.0.7 (1 rows), " in text
        assert "protocol 1 (1 rows), protocol 2 (3 rows)" in text


def test_a_filtered_run_that_could_not_stand_beside_the_others_is_refused(flowers, tmp_path, refused):
    path = tmp_path / "out" / "plan.json"
    plan = json.loads(path.read_text())
    plan["cells"] = [cell | {"protocol": 1, "key": f"old{place}"} for place, cell in enumerate(plan["cells"])]
    path.write_text(json.dumps(plan))
    message = refused("run", "flowers.toml", "-o", "out", "--quiet", "--methods", "kmeans")
    assert "3 cells that cannot be compared" in message
    assert "protocol 1 in place of 2" in message
    assert "--prune" in message
    assert len(cells(tmp_path)) == 4
    told = flowers()  # A whole run measures them anew.
    assert "4 cells of earlier runs leave the leaderboard" in told.err
    assert not [cell for cell in cells(tmp_path) if cell["protocol"] == 1]
