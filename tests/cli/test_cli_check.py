"""The command ``distillkit check metric``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import distillkit
from distillkit.cli._new_plugin import write_plugin
from distillkit.cli._plugin_kinds import PLUGIN_KINDS
from distillkit.specs import MetricSpec


class AlwaysTheSame:
    """A metric that cannot tell a good set from a bad one."""

    def __call__(self, X, y, distilled, random_state=0):
        return 0.5


@pytest.fixture
def own_metric(monkeypatch):
    """Register a metric that cannot tell a good set from a bad one."""
    spec = MetricSpec(name="own", target=AlwaysTheSame(), stage="data", summary="The same for all sets")
    from distillkit.plugins import get_manager

    known = type(get_manager()).get
    monkeypatch.setattr(
        type(get_manager()), "get", lambda self, kind, name: spec if name == "own" else known(self, kind, name)
    )


def test_a_right_metric_passes_each_check(distillkit_):
    told = distillkit_("check", "metric", "accuracy")
    assert told.status == 0
    lines = told.out.splitlines()
    assert lines[-1] == f"accuracy: {len(lines) - 1} of {len(lines) - 1} checks passed"
    assert all(line.startswith("ok     ") for line in lines[:-1])
    assert "ok     row_order: The order of the test rows has no effect." in lines


def test_a_wrong_metric_ends_with_status_one_and_the_remedy(distillkit_, own_metric):
    told = distillkit_("check", "metric", "own")
    assert told.status == 1
    failed = [line for line in told.out.splitlines() if line.startswith("FAILED ")]
    assert [line.split()[1] for line in failed] == ["not_finite:", "response:"]
    assert "raise a DataError, or return None, never a number" in failed[0]
    assert told.out.splitlines()[-1].startswith("own: ")


def test_checks_can_be_skipped_and_printed_as_json(distillkit_, own_metric):
    told = distillkit_("check", "metric", "own", "--json", "--skip", "response", "--skip", "check_not_finite")
    assert told.status == 0
    results = json.loads(told.out)
    assert all(result["passed"] for result in results)
    assert not {"check_response", "check_not_finite"} & {result["name"] for result in results}


def test_what_cannot_be_checked(refused, distillkit_):
    assert "unknown metric 'acuracy': did you mean 'accuracy'" in refused("check", "metric", "acuracy")
    assert "unknown check 'check_oder': did you mean 'check_row_order'" in refused(
        "check", "metric", "accuracy", "--skip", "oder"
    )
    assert "unknown kind 'metrics': did you mean 'metric'" in refused("check", "metrics", "rows")
    assert "unknown name 'kmean': did you mean 'kmeans'" in refused("check", "kmean")
    assert "is no package of a plugin: it needs a pyproject.toml" in refused("check", str(Path(__file__).parent))
    assert "cannot read the plugin file" in refused("check", "missing.py")
    told = distillkit_("check")
    assert told.status == 2
    assert "give the NAME or PATH" in told.err


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        (["kmeans:medoids"], "method", "kmeans:medoids"),
        (["iris"], "dataset", "iris"),
        (["knn"], "evaluator", "knn"),
        (["reporter", "csv"], "reporter", "csv"),
        (["local"], "executor", "local"),
        (["metric", "rows"], "metric", "rows"),
    ],
)
def test_things_of_each_kind_are_found_by_name_and_pass(distillkit_, words, kind, name):
    told = distillkit_("check", *words, "--json")
    results = json.loads(told.out)
    assert [result for result in results if not result["passed"]] == []
    assert {(result["kind"], result["subject"]) for result in results} == {(kind, name)}
    assert told.status == 0


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_what_new_plugin_writes_passes_where_it_lies(tmp_path, kind):
    """In a process of its own, because it imports the package."""
    write_plugin("my-own", tmp_path, kind)
    command = [sys.executable, "-m", "distillkit", "check", "distillkit-my-own"]
    path = str(Path(distillkit.__file__).parents[1])
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
