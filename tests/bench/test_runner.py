"""Whole runs: every cell ends as a row whatever happens to it, and nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import datetime

import numpy as np
import pytest

from distillkit.bench.execution import _group_runner as runner_module
from distillkit.bench.execution._job_folders import sweep
from distillkit.bench.execution._run_plan import pending_cells
from distillkit.bench.results._store import ResultsStore
from distillkit.distilled import DistilledSet


def snapshot(folder):
    """Contents and times of change of the finished cells."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted((folder / "cells").iterdir())}


@pytest.fixture(scope="module")
def finished(trouble, tmp_path_factory, plan_for, do):
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
    assert row["peak_mb"] == max(row["peak_mb_distil"], row["peak_mb_evaluate"])
    assert min(row["peak_mb_distil"], row["peak_mb_evaluate"]) > 10
    assert row["cpu_train"] > 0
    assert (row["n_timed_train"], row["steps_train"]) == (5, None)  # a short fit is repeated
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
    assert "distillkit-trouble==1.0" in environment["plugins"]
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


def test_resuming_runs_nothing_twice(finished, monkeypatch, do):
    plan, folder, _, _ = finished
    before = snapshot(folder)
    monkeypatch.setattr(runner_module, "run_job", None)  # calling it would raise
    assert do(plan, folder) == []
    assert snapshot(folder) == before


def test_a_hang_ends_at_the_limit_and_the_run_goes_on(finished, tmp_path, plan_for, do):
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


def test_data_that_cannot_be_prepared_fails_every_cell_once(trouble, tmp_path, plan_for, do):
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


def test_a_metric_that_fails_is_named(trouble, tmp_path, plan_for, do):
    (row,) = do(plan_for('["first"]', metrics='["broken"]'), tmp_path)
    assert (row["status"], row["phase"]) == ("failed", "evaluate")
    assert row["error"] == "ZeroDivisionError: 8 rows, 8 predictions (while computing the metric broken)"


def run_command(folder, suite, *more, **environment):
    command = [sys.executable, "-m", "distillkit", "run", str(suite), "-o", str(folder), *more]
    # a shell's background jobs, pytest too if it is one, ignore SIGINT, and so would their children
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=os.environ | environment, preexec_fn=heed, **streams)  # noqa: PLW1509


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_goes_on_where_it_stopped(trouble, tmp_path, blow, is_alive, wait_until, plan_for, do):
    folder, hold, pid = tmp_path / "run", tmp_path / "hold", tmp_path / "pid"
    hold.touch()
    waits = f'{{name = "first", label = "waits", how = "wait", hold = "{hold}", pid_file = "{pid}"}}'
    plan = plan_for(f'["first", {waits}, {{name = "first", log = "{tmp_path / "log"}", label = "last"}}]')
    suite, temporary = tmp_path / "s.toml", tmp_path / "temporary"
    suite.write_text(plan.suite.source)
    temporary.mkdir()
    with run_command(folder, suite, TMPDIR=str(temporary)) as run:
        try:
            assert wait_until(lambda: pid.exists() and pid.read_text() and len(snapshot(folder)) == 1)
        finally:
            run.send_signal(blow)
        told = run.communicate(timeout=60)[1]
    assert wait_until(lambda: not is_alive(int(pid.read_text()))), "no orphan goes on computing"
    before = snapshot(folder)
    assert set(before) == {f"{plan.cells[0].key}.json"}, "the cell under way has no row: it neither failed nor crashed"
    left = list(temporary.glob("distillkit-job-*"))
    if blow is signal.SIGKILL:
        assert len(left) == 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(temporary))
            sweep.__wrapped__()
        assert not left[0].exists()
    else:
        assert left == []
        assert run.returncode == 128 + blow
        how = "interrupted" if blow is signal.SIGINT else "ended by SIGTERM"
        assert told.splitlines()[-1].startswith(f"distillkit: {how}: 1 of 3 cells are done and stored in {folder}; ")
        assert "the same command goes on with the rest" in told
        assert "Traceback" not in told
    assert [cell.method for cell in pending_cells(plan, ResultsStore(folder))] == ["waits", "last"]

    hold.unlink()
    rows = do(plan, folder)
    assert [(row["method"], row["status"]) for row in rows] == [("waits", "ok"), ("last", "ok")]
    after = snapshot(folder)
    assert len(after) == 3
    assert before.items() <= after.items(), "what was finished is untouched"
    assert not list(folder.rglob("*.part"))
