"""Whole runs: every cell ends as a row whatever happens to it, and nothing is done twice."""

from __future__ import annotations

import dataclasses
import json
import pickle
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from distillkit.bench import runner as runner_module
from distillkit.bench._process import JobResult
from distillkit.bench.plan import make_plan
from distillkit.bench.runner import GroupRunner, pending_cells, run_plan
from distillkit.bench.store import ResultsStore
from distillkit.bench.suite import parse_suite
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ResultsError, UnknownNameError


def plan_for(methods, **keys):
    """Plan a suite on the tiny dataset; keys are TOML."""
    defaults = {
        "name": '"s"',
        "datasets": '["tiny"]',
        "evaluators": '["nearest"]',
        "budgets": "[2]",
        "seeds": "1",
        "metrics": '["right", "rows", "farthest"]',
        "primary": '{classification = "right"}',
        "limits": "{seconds = 60, memory_mb = 700}",
    }
    lines = defaults | {"methods": methods} | keys
    return make_plan(parse_suite("\n".join(f"{key} = {value}" for key, value in lines.items()), "s.toml"))


def do(plan, folder, **options):
    with ResultsStore(folder) as store:
        return list(run_plan(plan, store, **options))


def snapshot(folder):
    """Contents and times of change of the finished cells."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted((folder / "cells").iterdir())}


@pytest.fixture(scope="module")
def finished(trouble, tmp_path_factory):
    """One run with misbehaving methods, two jobs at a time; the third model raises."""
    folder = tmp_path_factory.mktemp("run")
    methods = (
        f'["raises", "dies", "eats", "far-off", {{name = "first", log = "{folder / "log.txt"}", label = "first"}}]'
    )
    models = '["nearest", {name = "nearest", how = "raise", label = "raising"}]'
    plan = plan_for(methods, budgets="[2, 1000]", evaluators=models)
    told = []
    return plan, folder, do(plan, folder, jobs=2, on_row=told.append), told


def rows_of(finished, **wanted):
    return [row for row in finished[2] if wanted.items() <= row.items()]


@pytest.mark.parametrize(
    ("method", "budget", "evaluator", "status", "phase", "error"),
    [
        ("raises", "-", "nearest", "failed", "distil", "ValueError: first line second line"),
        ("dies", "-", "nearest", "crashed", "distil", "killed by SIGSEGV: last words"),
        ("eats", "-", "nearest", "out_of_memory", "distil", "over its limit of 700 MB"),
        ("first", "2", "nearest", "ok", None, None),
        ("first", "2", "raising", "failed", "evaluate", "ValueError: first line second line"),
        ("first", "1000", "nearest", "skipped", "distil", "budget=1000 asks for 1000 rows of class 0"),
        ("far-off", "2", "nearest", "skipped", "plan", "needs no_such_package, which is not installed"),
    ],
)
def test_every_cell_ends_as_a_row_with_its_status(finished, method, budget, evaluator, status, phase, error):
    (row,) = rows_of(finished, method=method, budget=budget, evaluator=evaluator)
    assert (row["status"], row["phase"]) == (status, phase)
    assert error is None if row["error"] is None else error in row["error"]
    assert "\n" not in (row["error"] or "")


def test_there_is_one_row_for_each_cell_on_disk_and_told(finished):
    plan, folder, rows, told = finished
    keys = sorted(cell.key for cell in plan.cells)
    assert sorted(row["key"] for row in rows) == sorted(row["key"] for row in told) == keys
    stored = ResultsStore(folder).rows()
    assert sorted(stored) == keys
    assert all(stored[row["key"]] == row for row in rows)
    assert ResultsStore(folder).plan()["cells"] == [cell.identity() for cell in plan.cells]


def test_a_row_holds_what_was_measured(finished):
    (row,) = rows_of(finished, method="first", budget="2", status="ok")
    assert row["metrics"] == {"right": 1.0, "rows": 4.0, "farthest": pytest.approx(12, abs=3)}
    assert (row["rows"], row["rows_seen"], row["bytes"], row["bytes_seen"]) == (4, 24, 4 * 20, 24 * 20)
    assert row["stopped_by"] == "max_iter"
    assert row["n_concurrent"] == 2
    assert row["seconds_distil"] < row["seconds_distil_job"]
    assert 0 < row["seconds_train"] < row["seconds"]
    assert 10 < row["peak_mb"] < 700
    assert datetime.fromisoformat(row["started"]).tzinfo is not None
    assert row["schema"] == 1


def test_a_row_says_where_its_distilled_set_is(finished):
    folder = finished[1]
    (row,) = rows_of(finished, method="first", budget="2", status="ok")
    small = DistilledSet.load(folder / row["artefact"])
    assert small.X.shape == (4, 3)
    assert sorted(small.y.tolist()) == [0, 0, 1, 1]
    (row,) = rows_of(finished, method="raises", evaluator="nearest")
    assert row["artefact"] is None


def test_a_row_says_with_what_it_was_made(finished):
    environments = ResultsStore(finished[1]).environments()
    assert {row["environment"] for row in finished[2]} == set(environments)
    (environment,) = environments.values()
    assert environment["plugins"] == ["distillkit-trouble==1.0"]
    assert environment["versions"]["numpy"] == np.__version__
    row = rows_of(finished, method="first")[0]
    assert (row["plugin"], row["plugin_version"]) == ("distillkit-trouble", "1.0")


def test_a_distilled_set_is_made_once_and_shared(finished):
    log = (finished[1] / "log.txt").read_text().splitlines()
    assert sorted(log) == ["1000 0", "2 0"], "one fit for each budget, not one for each model"


def test_rows_are_valid_json_for_everybody(finished):
    def refuse(word):
        raise AssertionError(word)

    for path in (finished[1] / "cells").iterdir():
        json.loads(path.read_text(), parse_constant=refuse)  # NaN and Infinity are no JSON


def test_resuming_runs_nothing_twice(finished, monkeypatch):
    plan, folder, _, _ = finished
    before = snapshot(folder)
    monkeypatch.setattr(runner_module, "run_job", None)  # calling it would raise
    assert do(plan, folder) == []
    assert snapshot(folder) == before


def test_a_hang_ends_at_the_limit_and_the_run_goes_on(finished, tmp_path):
    """The data is prepared already, so that the short limit is the method's alone."""
    _, folder, _, _ = finished
    (tmp_path / "hold").touch()
    waits = (
        f'[{{name = "first", label = "waits", how = "wait", hold = "{tmp_path / "hold"}"}}, "first", "numbers-only"]'
    )
    plan = plan_for(waits, limits="{seconds = 3, memory_mb = 700}")
    rows = do(plan, folder)
    assert [(row["method"], row["status"], row["phase"]) for row in rows] == [
        ("waits", "timeout", "distil"),
        ("first", "ok", None),
        ("numbers-only", "skipped", "plan"),
    ]
    assert rows[0]["error"] == "ran past its limit of 3 s"
    assert rows[0]["seconds"] >= 3


def test_data_that_cannot_be_prepared_fails_every_cell_once(trouble, tmp_path):
    plan = plan_for('["first"]', datasets='[{name = "tiny", how = "raise"}]', seeds="3")
    calls = []
    real = runner_module.run_job
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            runner_module, "run_job", lambda action, *args, **more: calls.append(action) or real(action, *args, **more)
        )
        rows = do(plan, tmp_path)
    assert [(row["status"], row["phase"]) for row in rows] == [("failed", "prepare")] * 3
    assert calls == ["prepare"]


def test_a_metric_that_fails_is_named(trouble, tmp_path):
    (row,) = do(plan_for('["first"]', metrics='["broken"]'), tmp_path)
    assert (row["status"], row["phase"]) == ("failed", "evaluate")
    assert row["error"] == "ZeroDivisionError: 8 rows, 8 predictions (while computing the metric broken)"


def run_command(folder, suite, *more):
    command = [sys.executable, "-m", "distillkit", "run", str(suite), "-o", str(folder), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_goes_on_where_it_stopped(trouble, tmp_path, blow, is_alive, wait_until):
    folder, hold, pid = tmp_path / "run", tmp_path / "hold", tmp_path / "pid"
    hold.touch()
    waits = f'{{name = "first", label = "waits", how = "wait", hold = "{hold}", pid_file = "{pid}"}}'
    plan = plan_for(f'["first", {waits}, {{name = "first", log = "{tmp_path / "log"}", label = "last"}}]')
    suite = tmp_path / "s.toml"
    suite.write_text(plan.suite.source)
    with run_command(folder, suite) as run:
        try:
            assert wait_until(lambda: pid.exists() and pid.read_text() and len(snapshot(folder)) == 1)
        finally:
            run.send_signal(blow)
        told = run.communicate(timeout=15)[1]
    assert wait_until(lambda: not is_alive(int(pid.read_text()))), "no orphan goes on computing"
    before = snapshot(folder)
    assert set(before) == {f"{plan.cells[0].key}.json"}, "the cell under way has no row: it neither failed nor crashed"
    if blow is signal.SIGINT:
        assert run.returncode == 130
        assert told.splitlines()[-1].startswith("distillkit: interrupted; a run goes on where it stopped")
        assert "Traceback" not in told
    assert [cell.method for cell in pending_cells(plan, ResultsStore(folder))] == ["waits", "last"]

    hold.unlink()
    rows = do(plan, folder)
    assert [(row["method"], row["status"]) for row in rows] == [("waits", "ok"), ("last", "ok")]
    after = snapshot(folder)
    assert len(after) == 3
    assert before.items() <= after.items(), "what was finished is untouched"
    assert not list(folder.rglob("*.part"))


@pytest.fixture
def scripted(trouble, tmp_path, monkeypatch):
    """Runs in which jobs only play: each writes what the real one would, or ends as it is told."""
    calls, ends = [], {}

    def run_job(action, payload, **limits):
        calls.append((action, payload, limits))
        end = ends.get(action)
        if callable(end):
            return end(payload)
        if end is not None:
            return end
        value = {}
        if action == "prepare":
            Path(payload["folder"]).mkdir()
        if action == "distil":
            DistilledSet(np.eye(2), np.arange(2)).save(payload["artefact"])
            value = {
                "whole": False,
                "rows": 2,
                "seconds_distil": 1.0,
                "data_metrics": dict.fromkeys(payload["metrics"], 0.25),
            }
        if action == "evaluate":
            value = {"metrics": {"right": 0.5}, "seconds_train": 0.1, "seconds_predict": 0.1}
        return JobResult("ok", value, None, {"prepare": 1.0, "distil": 3.0, "evaluate": 2.0}[action], 100.0)

    monkeypatch.setattr(runner_module, "run_job", run_job)

    def run(plan, **options):
        calls.clear()
        rows = do(plan, tmp_path / "results", **options)
        return rows, [action for action, _, _ in calls]

    run.ends, run.calls, run.folder = ends, calls, tmp_path / "results"
    return run


def end(status):
    return JobResult(status, {}, f"it {status}", 4.0, 50.0)


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory", "crashed"])
@pytest.mark.parametrize("phase", ["prepare", "distil", "evaluate"])
def test_the_phase_is_the_one_that_broke(scripted, status, phase):
    scripted.ends[phase] = end(status)
    (row,), calls = scripted(plan_for('["first"]'))
    assert (row["status"], row["phase"], row["error"], row["seconds"]) == (status, phase, f"it {status}", 4.0)
    phases = ["prepare", "distil", "evaluate"]
    assert calls == phases[: phases.index(phase) + 1]
    assert row["metrics"] == ({"farthest": 0.25} if phase == "evaluate" else {}), "what was measured is kept"


def test_rows_with_a_status_can_be_run_again_and_others_not(scripted):
    plan = plan_for('["first"]', seeds="2")
    scripted.ends["evaluate"] = lambda payload: end("timeout") if payload["seed"][0] == 0 else end("failed")
    scripted(plan)
    scripted.ends.clear()
    rows, calls = scripted(plan, retry=frozenset({"failed"}))
    assert [(row["distil_seed"], row["status"]) for row in rows] == [(1, "ok")]
    assert calls == ["evaluate"], "the distilled set is there"
    rows, calls = scripted(plan, retry=frozenset({"failed", "timeout", "crashed"}))
    assert [(row["distil_seed"], row["status"]) for row in rows] == [(0, "ok")]
    assert scripted(plan, retry=frozenset({"failed", "timeout"})) == ([], [])


def test_a_method_whose_package_has_come_is_no_longer_skipped(scripted):
    plan = plan_for('["far-off"]')
    assert [row["phase"] for row in scripted(plan)[0]] == ["plan"]
    assert scripted(plan) == ([], [])
    here = dataclasses.replace(plan, cells=tuple(dataclasses.replace(cell, skip=None) for cell in plan.cells))
    assert [row["status"] for row in scripted(here)[0]] == ["ok"]


def test_what_the_rows_cannot_meet_stays_skipped(scripted):
    scripted.ends["distil"] = end("skipped")
    plan = plan_for('["first"]')
    assert [(row["status"], row["phase"]) for row in scripted(plan)[0]] == [("skipped", "distil")]
    assert scripted(plan) == ([], [])


def test_a_damaged_row_is_run_again_with_the_distilled_set_that_is_there(scripted):
    plan = plan_for('["first"]', evaluators='["nearest", {name = "nearest", how = "", label = "n2"}]')
    scripted(plan)
    path = ResultsStore(scripted.folder).cell_path(plan.cells[1].key)
    path.write_text(path.read_text()[:50])
    rows, calls = scripted(plan)
    assert [row["evaluator"] for row in rows] == ["n2"]
    assert calls == ["evaluate"]


def test_a_damaged_distilled_set_is_made_again(scripted):
    plan = plan_for('["first"]')
    scripted(plan)
    store = ResultsStore(scripted.folder)
    store.artefact_path(plan.cells[0].distil_key).write_bytes(b"damaged")
    store.cell_path(plan.cells[0].key).unlink()
    rows, calls = scripted(plan)
    assert calls == ["distil", "evaluate"]
    assert rows[0]["status"] == "ok"


def test_prepared_data_is_rebuilt_when_missing(scripted):
    plan = plan_for('["first"]')
    assert scripted(plan)[1] == ["prepare", "distil", "evaluate"]
    assert scripted(plan, retry=frozenset({"ok"}))[1] == ["evaluate"]
    ResultsStore(scripted.folder).data_path(plan.cells[0].data_key).rmdir()
    assert scripted(plan, retry=frozenset({"ok"}))[1] == ["prepare", "evaluate"]


def test_costs_of_a_distilled_set_of_an_earlier_run_are_kept(scripted):
    def distil(payload):
        value = {
            "whole": True,
            "rows": 2,
            "seconds_distil": 1.0,
            "data_metrics": dict.fromkeys(payload["metrics"], 0.25),
        }
        return JobResult("ok", value, None, 9.0, 555.0)

    scripted.ends["distil"] = distil
    (first,), _ = scripted(plan_for('["first"]'), jobs=4)
    (second,), calls = scripted(plan_for('["first"]', evaluators='[{name = "nearest", how = ""}]'), jobs=1)
    assert "distil" not in calls
    for row in (first, second):
        assert (row["peak_mb"], row["n_concurrent"], row["seconds_distil_job"]) == (555.0, 4, 9.0)


def test_a_metric_of_the_rows_is_computed_again_when_its_version_changes(scripted):
    plan = plan_for('["first"]')
    scripted(plan)
    (cell,) = plan.cells
    newer = tuple(metric.replace("farthest@1", "farthest@2") for metric in cell.metrics)
    changed = dataclasses.replace(plan, cells=(dataclasses.replace(cell, key="0" * 16, metrics=newer),))
    _, calls = scripted(changed)
    assert calls == ["distil", "evaluate"]
    assert scripted.calls[0][1]["metrics"] == ["farthest@2"]


def test_numbers_that_are_none_are_left_out(scripted):
    value = {"metrics": {"right": float("nan"), "rows": float("inf")}, "seconds_train": 0.1, "seconds_predict": 0.1}
    scripted.ends["evaluate"] = JobResult("ok", value, None, 1.0, 1.0)
    (row,), _ = scripted(plan_for('["first"]'))
    assert row["metrics"] == {"farthest": 0.25}


def test_limits_and_threads_reach_the_jobs(scripted, monkeypatch):
    real = runner_module.collect_environment()
    monkeypatch.setattr(runner_module, "collect_environment", lambda: real | {"cores": 8})
    scripted(plan_for('["first"]', limits="{seconds = 7, memory_mb = 123}"), jobs=3)
    assert all(limits == {"seconds": 7.0, "memory_mb": 123.0, "threads": 2} for _, _, limits in scripted.calls)


def test_a_method_never_gets_test_rows_or_the_seed_of_the_judge(scripted):
    scripted(plan_for('["first"]', seeds="[5]", evaluation_seeds="[9]"))
    payloads = {action: payload for action, payload, _ in scripted.calls}
    assert payloads["distil"]["seed"] == 5
    assert payloads["evaluate"]["seed"] == [5, 9]
    assert "evaluator" not in payloads["distil"]


def test_a_row_that_cannot_be_written_ends_the_run(scripted, monkeypatch):
    plan = plan_for('["first"]', seeds="3")
    monkeypatch.setattr(ResultsStore, "cell_path", lambda self, key: self.folder / "plan.json" / key)
    with pytest.raises(ResultsError, match="cannot write"):
        scripted(plan)


def test_an_unknown_engine_is_refused_before_anything_is_written(scripted):
    with pytest.raises(UnknownNameError, match="unknown executor 'lokal': did you mean 'local'"):
        scripted(plan_for('["first"]'), executor="lokal")
    assert not ResultsStore(scripted.folder).exists()


def test_the_runner_can_be_sent_to_other_machines(trouble, tmp_path):
    runner = GroupRunner(tmp_path, None, 1.0, 2.0, 3, 4, "hash", on_row=print)
    copy = pickle.loads(pickle.dumps(runner))
    assert (copy.folder, copy.seconds, copy.threads, copy.on_row) == (tmp_path, 1.0, 3, None)
    with copy._guard:
        pass
