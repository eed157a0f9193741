"""What suites and the command line say about engines and resources, and what the run makes of it."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from distillkit.bench.execution import _engine_options
from distillkit.bench.execution._bundles import bundles, run_bundle
from distillkit.bench.execution._group_runner import GroupRunner
from distillkit.bench.execution._rounds import LOST
from distillkit.bench.planning._cells import CellGroup
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.cli._engine_options import parsed_engine_options
from distillkit.exceptions import ResultsError, SuiteError

GOOD = """\
datasets = ["digits"]
methods = [{name = "random", resources = {gpu = 2, memory_mb = 900}}, "kmeans"]
evaluators = ["knn"]
budgets = [1]
"""


class Manager:
    """A registry of two engines: one with options, and one that takes any."""

    def get(self, kind, name):
        assert kind == "executor"
        return self

    def load(self):
        def run(groups, run_group, jobs, *, address=None, bundle=1):
            return groups, address, bundle

        return run


@pytest.fixture
def engine_of(monkeypatch):
    monkeypatch.setattr(_engine_options, "get_manager", Manager)

    def of(text, name=None, **options):
        return _engine_options.engine_of(parse_suite(GOOD + text, "s.toml"), name, options)

    return of


@pytest.mark.parametrize(
    ("text", "name", "options", "expected"),
    [
        ("", None, {}, (None, 1)),
        ('engine = "dask"', None, {}, (None, 1)),
        ('engine = {name = "dask", bundle = 3}', None, {}, (None, 3)),
        ('engine = {name = "dask", bundle = 3}', "dask", {"address": "a"}, ("a", 3)),
        ('engine = {name = "dask", bundle = 3}', None, {"bundle": 4}, (None, 4)),
        ('engine = {name = "dask", bundle = 3}', "ray", {"address": "a"}, ("a", 1)),
    ],
)
def test_options_of_the_suite_count_for_its_own_engine(engine_of, text, name, options, expected):
    assert engine_of(text, name, **options)([], None, 1) == ([], *expected)


def test_an_option_that_the_engine_lacks_is_refused(engine_of):
    with pytest.raises(SuiteError, match=r"'dask' has no option 'partition': its options are address, bundle\."):
        engine_of("", "dask", partition="gpu")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("engine = 3", "engine must be a name, or a table"),
        ("engine = {bundle = 3}", "engine must be a name, or a table"),
    ],
)
def test_an_engine_that_is_none(line, message):
    with pytest.raises(SuiteError, match=message):
        parse_suite(GOOD + line, "s.toml")


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("3", r"line 2: methods has resources = 3, which is no table"),
        ("{tpu = 1}", "methods has no resource 'tpu': known are cpu, gpu, memory_mb"),
        ("{gpu = -1}", "methods has gpu = -1: it must be a number from 0"),
        ('{gpu = "a"}', "methods has gpu = 'a': it must be a number from 0"),
        ("{gpu = inf}", "methods has gpu = inf: it must be a number from 0"),
        ("{memory_mb = 0}", "methods has memory_mb = 0, and no process runs in that"),
    ],
)
def test_resources_that_are_none(resources, message):
    with pytest.raises(SuiteError, match=message):
        parse_suite(GOOD.replace("{gpu = 2, memory_mb = 900}", resources), "s.toml")


def test_resources_reach_the_groups_and_their_limit(trouble, plan_for, do, tmp_path):
    plan = plan_for('[{name = "first", label = "a", resources = {memory_mb = 650}}, {name = "eats"}]')
    assert [group.resources for group in plan.groups()] == [{"memory_mb": 650.0}, {}]
    limits = {row["method"]: row["limit_mb"] for row in do(plan, tmp_path / "results", executor="local")}
    assert limits == {"a": 650.0, "eats": 700.0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("bundle=3", "partition=gpu", 'account="7"'), {"bundle": 3, "partition": "gpu", "account": "7"}),
        (("cpus-per-task=2", "x=a=b"), {"cpus_per_task": 2, "x": "a=b"}),
        ((), {}),
    ],
)
def test_options_of_the_command_line(given, expected):
    assert parsed_engine_options(None, given) == expected
    assert parsed_engine_options("a", given) == {"address": "a", **expected}


@pytest.mark.parametrize("text", ["bundle", "=3", "a b=3"])
def test_options_of_the_command_line_that_are_none(text):
    with pytest.raises(click.BadParameter, match="write NAME=VALUE"):
        parsed_engine_options(None, (text,))


def test_bundles_hold_groups_of_the_same_needs():
    groups = [CellGroup((number,), resources={"gpu": 1.0} if number % 3 == 0 else {}) for number in range(8)]
    made = list(bundles(groups, 2))
    assert sorted(group.cells[0] for bundle in made for group in bundle) == list(range(8))
    assert all(bundle[0].resources == group.resources for bundle in made for group in bundle)
    assert max(map(len, made)) == 2
    assert len(made) == 5


def test_a_worker_that_does_not_see_the_results_says_so(tmp_path):
    runner = GroupRunner(tmp_path, None, 1.0, 1.0, 1, 1, "e")
    with pytest.raises(ResultsError, match="does not see the results folder"):
        run_bundle(runner, [])
    (tmp_path / "plan.json").touch()
    assert run_bundle(runner, []) == []


@pytest.mark.parametrize("n_losses", [0, 2, 3])
def test_groups_that_an_engine_loses_are_submitted_again(trouble, plan_for, do, tmp_path, monkeypatch, n_losses):
    plan, submitted = plan_for('["first"]', seeds="2"), []

    def run(groups, run_group, jobs):
        """Lose the first group so many times."""
        for group in groups:
            submitted.append(group.key)
            if group.key != submitted[0] or submitted.count(group.key) > n_losses:
                yield run_group(group)

    monkeypatch.setattr("distillkit.bench.execution._run_plan.engine_of", lambda *_: run)
    rows = do(plan, tmp_path / "results")
    assert sorted(row["key"] for row in rows) == sorted(cell.key for cell in plan.cells)
    (first,) = [row for row in rows if row["distil_key"] == submitted[0]]
    assert (first["status"], first["error"]) == (("crashed", LOST) if n_losses == 3 else ("ok", None))
    assert len(submitted) == 2 + min(n_losses, 2)
    if n_losses == 3:  # such cells can be repeated like any other
        (again,) = do(plan, tmp_path / "results", retry=frozenset({"crashed"}))
        assert again["key"] == first["key"]
        assert again["status"] == "ok"


def test_a_row_that_another_process_has_written_is_taken(trouble, plan_for, do, tmp_path):
    plan, results = plan_for('["raises"]'), tmp_path / "results"
    (row,) = do(plan, results, executor="local")
    runner = GroupRunner(results, None, 60.0, 700.0, 1, 1, "e")
    (group,) = plan.groups()
    assert runner(group) == [row]  # written since the run was planned
    (again,) = runner(replace(group, replaced={row["key"]: row}))  # what the run is to repeat
    assert again["status"] == "failed"
    assert again["environment"] == "e"
