"""Every command that looks names up takes ``--plugin FILE.py``, and what the file provides counts."""

from __future__ import annotations

import json
import shutil

import pytest

from distillkit.cli._group import cli
from distillkit.plugins import reset_manager
from distillkit.plugins._files import FILES_VARIABLE

PLUGIN = """
import numpy as np
from distillkit import hookimpl
from distillkit.base import BaseDistiller, Outcome
from distillkit.specs import MethodSpec, ReporterSpec


class Firsts(BaseDistiller):
    "Keep the first rows of each class."

    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def count(leaderboard, folder):
    path = folder / "count.txt"
    path.write_text(str(len(leaderboard.rows)))
    return [path]


@hookimpl
def distillkit_methods():
    return [MethodSpec(name="firsts", target=Firsts, summary="The first rows of each class", deterministic=True)]


@hookimpl
def distillkit_reporters():
    return [ReporterSpec(name="count", target=count, summary="Number of rows", extension="txt")]
"""
LOOK_UP = (
    *("run", "plan", "report", "reproduce", "verify", "compare", "merge", "publish"),
    *("show", "check", "distill", "recommend", "report-set"),
)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a plugin file; afterwards it is no longer in use."""
    monkeypatch.setenv(FILES_VARIABLE, "")
    monkeypatch.setenv("DISTILLKIT_DISABLE_PLUGINS", "")
    reset_manager()
    path = tmp_path / "firsts.py"
    path.write_text(PLUGIN)
    yield path
    reset_manager()


def test_each_command_is_in_the_list():
    other = {"list", "new-plugin"}  # `list --plugin` names what to list, a file among others.
    assert set(cli.commands) - other >= set(LOOK_UP)
    assert {name for name in cli.commands if cli.commands[name].callback.__module__.startswith("distillkit.")} == {
        *LOOK_UP,
        *other,
    }


@pytest.mark.parametrize("name", LOOK_UP)
def test_each_takes_the_option(name):
    (option,) = (option for option in cli.commands[name].params if "--plugin" in option.opts)
    assert option.multiple
    assert option.is_eager


def test_a_recommendation_has_the_methods_of_a_file(distillkit_, plugin, table):
    told = distillkit_("recommend", table, "-t", "animal", "-b", "5", "--no-probe", "--json", "--plugin", plugin)
    assert told.status == 0, told.err
    methods = json.loads(told.out)
    assert "firsts" in {one["method"] for one in [*methods["methods"], *methods["excluded"]]}


def test_a_report_runs_the_reporter_of_a_file(distillkit_, plugin, finished, tmp_path):
    folder = tmp_path / "mini"
    shutil.copytree(finished[0] / "results" / "mini", folder, ignore=shutil.ignore_patterns(".lock"))
    told = distillkit_("report", folder, "--format", "count", "--plugin", plugin)
    assert told.status == 0, told.err
    assert (folder / "count.txt").read_text() == "2"
    assert str(folder / "count.txt") in told.out
