"""Phases, resuming and costs, with jobs that only play: every case in milliseconds."""

from __future__ import annotations

import dataclasses
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from distillkit.bench.execution import _group_runner as runner_module
from distillkit.bench.execution import _run_plan as run_plan_module
from distillkit.bench.execution._data_facts import data_facts
from distillkit.bench.execution._group_runner import GroupRunner
from distillkit.bench.execution._job_process import JobResult
from distillkit.bench.execution._prepared_data import store_prepared
from distillkit.bench.execution._privacy_job import PANEL
from distillkit.bench.results._store import ResultsStore, read_record, write_json
from distillkit.datasets import Dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ResultsError, UnknownNameError

TINY = Dataset("tiny", "classification", "table", *(np.eye(2, dtype=np.float32), np.arange(2)) * 2, classes=("a", "b"))


@pytest.fixture
def scripted(trouble, tmp_path, monkeypatch, do):
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
            store_prepared(TINY, Path(payload["folder"]))
            write_json(Path(payload["targets"]), data_facts(TINY))
        if action == "distil":
            record = read_record(Path(payload["artefact"]))
            DistilledSet(np.eye(2), np.arange(2)).save(payload["artefact"])
            value = {
                "whole": False,
                "rows": 2,
                "seconds_distil": 1.0,
                "data_metrics": dict.fromkeys(payload["metrics"], 0.25),
            }
            if record is not None:
                value["privacy"] = record["privacy"]
        if action == "privacy":
            value = {"verdict": "pass", "reasons": [], "version": PANEL}
        if action == "evaluate":
            value = {"metrics": {"right": 0.5}, "seconds_train": 0.1, "seconds_predict": 0.1}
        return JobResult(
            "ok", value, None, {"prepare": 1.0, "distil": 3.0, "privacy": 0.5, "evaluate": 2.0}[action], 100.0
        )

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
def test_the_phase_is_the_one_that_broke(scripted, status, phase, plan_for):
    scripted.ends[phase] = end(status)
    (row,), calls = scripted(plan_for('["first"]'))
    assert (row["status"], row["phase"], row["error"], row["seconds"]) == (status, phase, f"it {status}", 4.0)
    phases = ["prepare", "distil", "privacy", "evaluate"]
    assert calls == phases[: phases.index(phase) + 1]
    assert row["metrics"] == ({"farthest": 0.25} if phase == "evaluate" else {}), "what was measured is kept"


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory", "crashed"])
def test_a_panel_that_cannot_be_made_leaves_the_cells_and_is_tried_again(scripted, status, plan_for):
    plan = plan_for('["first"]')
    scripted.ends["privacy"] = end(status)
    (row,), _ = scripted(plan)
    assert (row["status"], row["phase"]) == ("ok", None)
    assert row["privacy"]["verdict"] == "unknown"
    assert row["privacy"]["reasons"] == [f"{status}: it {status}"]
    scripted.ends.clear()
    (row,), calls = scripted(plan, retry=frozenset({"ok"}))
    assert (row["privacy"]["verdict"], calls) == ("pass", ["privacy", "evaluate"])
    assert scripted(plan, retry=frozenset({"ok"}))[1] == ["evaluate"], "a panel that is there is not made again"


def test_rows_with_a_status_can_be_run_again_and_others_not(scripted, plan_for):
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


def test_a_method_whose_package_has_come_is_no_longer_skipped(scripted, plan_for):
    plan = plan_for('["far-off"]')
    assert [row["phase"] for row in scripted(plan)[0]] == ["plan"]
    assert scripted(plan) == ([], [])
    here = dataclasses.replace(plan, cells=tuple(dataclasses.replace(cell, skip=None) for cell in plan.cells))
    assert [row["status"] for row in scripted(here)[0]] == ["ok"]


def test_what_the_rows_cannot_meet_stays_skipped(scripted, plan_for):
    scripted.ends["distil"] = end("skipped")
    plan = plan_for('["first"]')
    assert [(row["status"], row["phase"]) for row in scripted(plan)[0]] == [("skipped", "distil")]
    assert scripted(plan) == ([], [])


def test_a_damaged_row_is_run_again_with_the_distilled_set_that_is_there(scripted, plan_for):
    plan = plan_for('["first"]', evaluators='["nearest", {name = "nearest", how = "", label = "n2"}]')
    scripted(plan)
    path = ResultsStore(scripted.folder).cell_path(plan.cells[1].key)
    path.write_text(path.read_text()[:50])
    rows, calls = scripted(plan)
    assert [row["evaluator"] for row in rows] == ["n2"]
    assert calls == ["evaluate"]


def test_a_damaged_distilled_set_is_made_again(scripted, plan_for):
    plan = plan_for('["first"]')
    scripted(plan)
    store = ResultsStore(scripted.folder)
    store.artefact_path(plan.cells[0].distil_key).write_bytes(b"damaged")
    store.cell_path(plan.cells[0].key).unlink()
    rows, calls = scripted(plan)
    assert calls == ["distil", "privacy", "evaluate"]
    assert rows[0]["status"] == "ok"


def test_prepared_data_is_rebuilt_when_missing(scripted, plan_for):
    plan = plan_for('["first"]')
    assert scripted(plan)[1] == ["prepare", "distil", "privacy", "evaluate"]
    assert scripted(plan, retry=frozenset({"ok"}))[1] == ["evaluate"]
    shutil.rmtree(ResultsStore(scripted.folder).data_path(plan.cells[0].data_key))
    assert scripted(plan, retry=frozenset({"ok"}))[1] == ["prepare", "evaluate"]


@pytest.mark.parametrize("phase", ["distil", "evaluate"])
@pytest.mark.parametrize("status", ["failed", "crashed"])
def test_a_job_that_met_data_damaged_during_the_run_is_repeated_on_new_data(scripted, plan_for, phase, status):
    plan = plan_for('["first"]')
    path = ResultsStore(scripted.folder).data_path(plan.cells[0].data_key) / "X_train.npy"

    def meet(_payload):
        path.write_bytes(b"")
        scripted.ends.clear()
        return end(status)

    scripted.ends[phase] = meet
    (row,), calls = scripted(plan)
    assert row["status"] == "ok"
    assert calls[calls.index(phase) :][:3] == [phase, "prepare", phase]


def test_costs_of_a_distilled_set_of_an_earlier_run_are_kept(scripted, plan_for):
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


def test_a_metric_of_the_rows_is_computed_again_when_its_version_changes(scripted, plan_for):
    plan = plan_for('["first"]')
    scripted(plan)
    (cell,) = plan.cells
    newer = tuple(metric.replace("farthest@1", "farthest@2") for metric in cell.metrics)
    changed = dataclasses.replace(plan, cells=(dataclasses.replace(cell, key="0" * 16, metrics=newer),))
    _, calls = scripted(changed)
    assert calls == ["distil", "evaluate"]
    assert scripted.calls[0][1]["metrics"] == ["farthest@2"]


def test_numbers_that_are_none_are_left_out(scripted, plan_for):
    value = {"metrics": {"right": float("nan"), "rows": float("inf")}, "seconds_train": 0.1, "seconds_predict": 0.1}
    scripted.ends["evaluate"] = JobResult("ok", value, None, 1.0, 1.0)
    (row,), _ = scripted(plan_for('["first"]'))
    assert row["metrics"] == {"farthest": 0.25}


@pytest.mark.parametrize(("jobs", "cores"), [(1, 8), (3, 8), (3, None)])
@pytest.mark.parametrize("threads", [1, 4])
def test_limits_and_threads_of_the_suite_reach_the_jobs(scripted, monkeypatch, plan_for, jobs, cores, threads):
    real = run_plan_module.collect_environment()
    monkeypatch.setattr(run_plan_module, "collect_environment", lambda: real | {"cores": cores})
    plan = plan_for('["first"]', limits="{seconds = 7, memory_mb = 123}", threads=str(threads))
    (row,), _ = scripted(plan, jobs=jobs)
    expected = {"seconds": 7.0, "memory_mb": 123.0, "threads": threads}
    assert scripted.calls
    assert all({name: limits[name] for name in expected} == expected for _, _, limits in scripted.calls)
    assert row["threads"] == threads


def test_jobs_of_a_plugin_find_nothing_of_its_own_imported(scripted, plan_for):
    scripted(plan_for('["first", "kmeans"]'))
    imports = {payload.get("method", action): limits["imports"] for action, payload, limits in scripted.calls}
    assert imports["first"] == ()
    assert "distillkit.coresets" in imports["kmeans"]


def test_a_method_never_gets_test_rows_or_the_seed_of_the_judge(scripted, plan_for):
    scripted(plan_for('["first"]', seeds="[5]", evaluation_seeds="[9]"))
    payloads = {action: payload for action, payload, _ in scripted.calls}
    assert payloads["distil"]["seed"] == 5
    assert payloads["evaluate"]["seed"] == [5, 9]
    assert "evaluator" not in payloads["distil"]


def test_a_row_that_cannot_be_written_ends_the_run(scripted, monkeypatch, plan_for):
    plan = plan_for('["first"]', seeds="3")
    monkeypatch.setattr(ResultsStore, "cell_path", lambda self, key: self.folder / "plan.json" / key)
    with pytest.raises(ResultsError, match="cannot write"):
        scripted(plan)


def test_an_unknown_engine_is_refused_before_anything_is_written(scripted, plan_for):
    with pytest.raises(UnknownNameError, match="unknown executor 'lokal': did you mean 'local'"):
        scripted(plan_for('["first"]'), executor="lokal")
    assert not ResultsStore(scripted.folder).exists()


def test_the_runner_can_be_sent_to_other_machines(trouble, tmp_path):
    runner = GroupRunner(tmp_path, None, 1.0, 2.0, 3, 4, "hash", on_row=print)
    copy = pickle.loads(pickle.dumps(runner))
    assert (copy.folder, copy.seconds, copy.threads, copy.on_row) == (tmp_path, 1.0, 3, None)
    with copy._guard:
        pass
