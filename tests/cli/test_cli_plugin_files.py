"""Single-file plugins on the command line and in suites: their cells, and which of them run again after an edit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import distillkit

PLUGIN = """
import numpy as np
from distillkit import hookimpl
from distillkit.base import BaseDistiller, Outcome
from distillkit.specs import MethodSpec


class Firsts(BaseDistiller):
    "Keep the first rows of each class."

    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


@hookimpl
def distillkit_methods():
    return [MethodSpec(name="firsts", target=Firsts, summary="The first rows of each class", deterministic=True)]
"""
SUITE = """
name = "mini"
datasets = ["iris"]
methods = ["random", "firsts"]
evaluators = ["knn"]
budgets = [2]
splits = 1
controls = false
metrics = ["accuracy", "rows"]
"""


@pytest.fixture
def cli(tmp_path):
    (tmp_path / "firsts.py").write_text(PLUGIN)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DISTILLKIT_")}
    environment["PYTHONPATH"] = str(Path(distillkit.__file__).parents[1])

    def run(*args):
        command = [sys.executable, "-m", "distillkit", *map(str, args)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)

    return run


def rows_of(folder):
    return [json.loads(path.read_text()) for path in sorted((folder / "cells").glob("*.json"))]


def test_an_edit_runs_the_cells_of_the_file_again_and_no_others(cli, tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "firsts.py").rename(tmp_path / "place" / "firsts.py")
    (tmp_path / "place" / "s.toml").write_text(SUITE + 'plugins = ["firsts.py"]\n')  # relative to the suite
    done = cli("run", "place/s.toml", "-o", "out", "--strict", "-q")
    assert done.returncode == 0, done.stderr
    first = rows_of(tmp_path / "out")
    rows = {row["method"]: row for row in first}
    assert set(rows) == {"random", "firsts"}
    assert rows["firsts"]["plugin"] == "file+firsts"
    assert rows["firsts"]["metrics"]["rows"] == 6
    path = tmp_path / "place" / "firsts.py"
    path.write_text(PLUGIN.replace("group.rows[: group.size]", "group.rows[-group.size :]"))
    done = cli("run", "place/s.toml", "-o", "out", "--strict", "-q")
    assert done.returncode == 0, done.stderr
    again = rows_of(tmp_path / "out")
    assert len(again) == len(first) + 1  # the rows of the earlier file stay on disk
    (new,) = (row for row in again if row["key"] not in {row["key"] for row in first})
    assert new["method"] == "firsts"
    assert new["plugin_version"] != rows["firsts"]["plugin_version"]
    assert new["set_digest"] != rows["firsts"]["set_digest"]


def test_commands_take_a_file(cli, tmp_path):
    listed = json.loads(cli("list", "methods", "--plugin", "firsts.py", "--json").stdout)
    assert [(entry["name"], entry["plugin"]) for entry in listed] == [("firsts", "file+firsts")]
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "".join(f"{i},{i * i},{'xy'[i % 2]}\n" for i in range(20)))
    done = cli(
        "distill", "firsts", "rows.csv", "--target", "kind", "--budget", "2", "-o", "o.csv", "--plugin", "firsts.py"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith("0,0")
    checked = cli("check", "firsts.py")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "checks passed" in checked.stdout


def test_a_suite_that_names_no_file_is_refused_with_its_line(cli, tmp_path):
    (tmp_path / "s.toml").write_text(SUITE + 'plugins = ["gone.py"]\n')
    done = cli("plan", "s.toml")
    assert done.returncode == 2
    assert "line 10: plugins names 'gone.py', which is no Python file: correct the path." in done.stderr
    done = cli("plan", "s.toml", "--plugin", "gone.py")
    assert "cannot read the plugin file" in done.stderr


def test_cells_never_run_an_edit_that_is_made_during_the_run(cli, tmp_path):
    path = tmp_path / "firsts.py"
    # The first fit edits the file, as its author might meanwhile.
    edit = "        with open(__file__, 'a') as file: file.write('# edited')\n"
    path.write_text(PLUGIN.replace("        return Outcome", f"{edit}        return Outcome"))
    suite = SUITE.replace("[2]", "[2, 3]") + "seeds = 1\nplugins = ['firsts.py']\n"
    (tmp_path / "s.toml").write_text(suite)
    done = cli("run", "s.toml", "-o", "out", "-q")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out")
    assert [row["status"] for row in rows if row["method"] == "random"] == ["ok", "ok"]
    first, second = sorted((row for row in rows if row["method"] == "firsts"), key=lambda row: row["budget"])
    assert (first["status"], second["status"]) == ("ok", "failed")
    assert first["plugin_version"] == second["plugin_version"]
    assert f"the plugin file {path} is not the one that the run began with" in second["error"]
    assert path.read_text().endswith("\n# edited")
