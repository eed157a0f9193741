"""Whatever happens to the files of a results folder, each command ends in a right result or says why not."""

from __future__ import annotations

import json
import random
import shutil
import warnings

import pytest

from distillkit.bench.execution import _child_main
from distillkit.bench.execution import _group_runner as runner_module
from distillkit.bench.execution._job_process import JobResult
from distillkit.bench.execution._run_plan import pending_cells
from distillkit.bench.leaderboard import build_leaderboard
from distillkit.bench.planning._forecast import forecast
from distillkit.bench.reporters import _csv, _html, _markdown, _terminal
from distillkit.bench.results._schema import STATUSES, wrong_environment, wrong_plan, wrong_record, wrong_row
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import DistillkitError, DistillkitWarning

OTHERS = [None, True, -3, 10**400, 2.5, "text", [1], {"a": 1}]
"""Values of every type of JSON, and one that no float can hold."""


@pytest.fixture(autouse=True)
def jobs_here(monkeypatch, tmp_path):
    """Do the jobs in this process, which takes milliseconds."""
    numbers = iter(range(10_000))

    def run_job(action, payload, **_):
        folder = tmp_path / f"job-{next(numbers)}"
        folder.mkdir()
        (folder / "job.json").write_text(json.dumps({"action": action, "payload": payload, "threads": 1}))
        result = _child_main._perform(folder)
        return JobResult(result["status"], result.get("value") or {}, result.get("error"), 0.5, 10.0)

    monkeypatch.setattr(runner_module, "run_job", run_job)


@pytest.fixture(scope="module")
def finished(trouble, tmp_path_factory, plan_for, do):
    """A run with distilled sets, the whole set, a student and a failure."""
    methods = '["first", "whole", "shrunk", "raises", "far-off"]'
    plan = plan_for(methods, seeds="2")
    folder = tmp_path_factory.mktemp("finished")
    do(plan, folder)
    return plan, folder, outcome(ResultsStore(folder).rows())


def outcome(rows):
    return {key: (row["status"], row["error"], row["metrics"].get("right")) for key, row in rows.items()}


def report(store, reporters=(_csv, _markdown, _html, _terminal)):
    plan = store.plan()
    leaderboard = build_leaderboard(
        plan["cells"],
        store.rows(cell["key"] for cell in plan["cells"]),
        {},
        title=plan["suite"],
        description=plan["description"],
        primary=plan["primary"],
        environments=store.environments(),
        folder=store.folder,
    )
    for reporter in reporters:
        reporter.write(leaderboard, store.folder)


def error_of(function, *args):
    """Return the message of the package's own error that a call ends with, or None."""
    try:
        function(*args)
    except DistillkitError as exc:
        return str(exc)
    return None


def places(value, path=()):
    """Yield the path of every value inside a value of JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def change(path, rng, how):
    """Change a file in one way; what does not suit it is cut off instead."""
    content = path.read_bytes()
    if how == "delete":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "garble":
        place = rng.randrange(len(content))
        path.write_bytes(content[:place] + rng.randbytes(8).replace(b"\n", b"\xff") + b"\xff" + content[place + 9 :])
    elif how == "folder":
        path.unlink()
        path.mkdir()
    elif how in ("swap type", "drop field") and path.suffix == ".json":
        value = json.loads(content)
        *outer, last = rng.choice([place for place in places(value) if place[-2:-1] != ("metrics",)])
        holder = value
        for key in outer:
            holder = holder[key]
        if how == "drop field":
            del holder[last]
        else:
            holder[last] = rng.choice([other for other in OTHERS if type(other) is not type(holder[last])])
        path.write_text(json.dumps(value))
    else:
        path.write_bytes(content[: rng.randrange(len(content))])


WAYS = ("swap type", "truncate", "drop field", "delete", "swap type", "garble", "drop field", "empty", "folder")
KINDS = ("cells", "plan.json", "artefacts", "cells", "data", "environments", "cells")


@pytest.mark.parametrize("seed", range(64))
def test_a_changed_file_costs_at_most_the_work_that_it_held(finished, tmp_path, do, seed):
    plan, before, expected = finished
    shutil.copytree(before, tmp_path / "run")
    store, rng = ResultsStore(tmp_path / "run"), random.Random(seed)  # noqa: S311
    files = sorted(path for path in store.folder.rglob("*") if path.is_file() and path.name != ".lock")
    kind = KINDS[seed % len(KINDS)]  # every kind of file in turn, since there are many cells but one plan
    path = rng.choice([path for path in files if path.relative_to(store.folder).parts[0] == kind])
    change(path, rng, WAYS[(seed // len(KINDS)) % len(WAYS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DistillkitWarning)
        error = error_of(report, store)
        assert error is None or (path.name == "plan.json" and "plan.json" in error)
        rows = store.rows(cell.key for cell in plan.cells)
        kept = {key: told for key, told in outcome(rows).items() if told == expected[key]}
        assert len(kept) >= len(expected) - 1
        forecast(pending_cells(plan, store), rows.values())
        error = error_of(do, plan, store.folder)
        if error is not None:  # What lies in the place of a file is named, and not removed.
            assert path.is_dir()
            assert path.name in error
            return
        assert pending_cells(plan, store) == []
        report(store, reporters=[_csv])
    again = outcome(store.rows())
    assert {key: told[0] for key, told in again.items()} == {key: told[0] for key, told in expected.items()}
    assert {key: again[key] for key in kept} == {key: expected[key] for key in kept}


def complete_row(finished):
    return next(row for row in ResultsStore(finished[1]).rows().values() if row["status"] == "ok" and row["artefact"])


@pytest.mark.parametrize("field", ["metrics", "status", "seconds", "distil_seed", "error", "dataset_params", "task"])
@pytest.mark.parametrize("value", OTHERS, ids=repr)
def test_fields_of_wrong_types_are_named(finished, field, value):
    row = complete_row(finished)
    right = {"metrics": dict, "status": (), "seconds": (int, float, type(None)), "distil_seed": int}
    right |= {"error": (str, type(None)), "dataset_params": dict, "task": ()}
    wrong = wrong_row(row | {field: value})
    if (
        (isinstance(value, right[field]) and value not in (True, 10**400) and field != "metrics")
        or (field == "distil_seed" and value == 10**400)
        or (field == "metrics" and value == {"a": 1})
    ):
        assert wrong is None
    else:
        assert wrong.startswith(f"the field {field} is ")
        assert len(wrong) < 400


def test_what_was_written_is_right(finished):
    store = ResultsStore(finished[1])
    assert all(wrong_row(row) is None for row in store.rows().values())
    assert {row["status"] for row in store.rows().values()} <= set(STATUSES)
    assert wrong_plan(store.plan()) is None
    assert all(wrong_environment(environment) is None for environment in store.environments().values())
    records = [json.loads(path.read_text()) for path in (store.folder / "artefacts").glob("*.json")]
    assert records
    assert all(wrong_record(record) is None for record in records)


def test_a_row_of_another_schema_is_named_and_its_cell_runs_again(finished, tmp_path):
    shutil.copytree(finished[1], tmp_path / "run")
    store, key = ResultsStore(tmp_path / "run"), complete_row(finished)["key"]
    store.write_row(store.row(key) | {"schema": 2})
    message = (
        rf"cells/{key}\.json is damaged: the field schema is 2, but this version of distillkit reads 1\. Its cell runs"
    )
    with pytest.warns(DistillkitWarning, match=message):
        assert [cell.key for cell in pending_cells(finished[0], store)] == [key]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": {}}, r"the field cells is \{\}, which is not a list"),
        ({"cells": [1]}, r"the field cells\[0\] is not an object"),
        ({"cells": [{"key": 5}]}, r"the field cells\[0\]\.key is 5, which is not text"),
        (
            {"primary": {"classification": 3}},
            r"the field primary is \{'classification': 3\}, which is not an object whose",
        ),
        ({"suite": None}, "the field suite is None, which is not text"),
    ],
)
def test_a_plan_of_wrong_types_is_named(finished, tmp_path, change, message):
    store = ResultsStore(tmp_path)
    store.write_plan(ResultsStore(finished[1]).plan() | change)
    with pytest.raises(DistillkitError, match=rf"plan\.json is damaged: {message}"):
        store.plan()


def test_a_plan_cell_without_a_field_is_named(finished):
    plan = ResultsStore(finished[1]).plan()
    del plan["cells"][2]["task"]
    assert wrong_plan(plan) == "the field cells[2].task is missing"
