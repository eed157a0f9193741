"""Results on disk are whole or not there, and one run at a time writes them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from distillkit.bench.results._store import ResultsStore, part_of, read_record, write_json
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ResultsError

RECORD = {"whole": False, "rows": 2, "seconds_distil": 0.1, "data_metrics": {}}
ROW = {
    "key": "a",
    "dataset": "d",
    "task": "classification",
    "method": "m",
    "budget": "2",
    "evaluator": "e",
    "distil_seed": 0,
    "eval_seed": 0,
    "status": "ok",
    "metrics": {"accuracy": 0.5},
}
PLAN = {"suite": "s", "description": "", "primary": {}, "cells": []}


@pytest.fixture
def store(tmp_path):
    with ResultsStore(tmp_path / "results") as opened:
        yield opened


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_json_is_whole_readable_and_sorted(tmp_path):
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"b": "é", "a": [1, None]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": [1, None], "b": "é"}
    assert path.read_text(encoding="utf-8").index('"a"') < path.read_text(encoding="utf-8").index('"b"')
    write_json(path, {"c": 1})
    assert json.loads(path.read_text(encoding="utf-8")) == {"c": 1}
    assert everything(tmp_path) == ["deep", "deep/a.json"]


def test_json_that_cannot_be_written_leaves_the_old_one_and_no_part(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    assert json.loads(path.read_text()) == {"old": 1}
    assert everything(tmp_path) == ["a.json"]


def test_a_write_that_is_interrupted_leaves_the_old_one_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_json(path, {"new": 1})
    assert json.loads(path.read_text()) == {"old": 1}
    assert everything(tmp_path) == ["a.json"]


def test_files_have_the_rights_that_the_user_asks_for(tmp_path):
    before = os.umask(0o022)
    try:
        write_json(tmp_path / "a.json", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o644, "others on a shared disk can read it"


def test_rows_come_back_by_key(store):
    rows = {key: ROW | {"key": key} for key in "ab"}
    for row in rows.values():
        store.write_row(row)
    assert store.rows() == rows
    assert store.rows(["b", "c"]) == {"b": rows["b"]}
    assert store.row("c") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"key": "b", "status": "ok"}', '{"key": "a"}', '{"key": "a", "status": "ok"']
)
def test_a_damaged_row_is_an_unfinished_one(store, text):
    store.cell_path("a").write_text(text)
    assert store.row("a") is None
    assert store.rows() == {}


def test_a_row_that_is_no_text_is_an_unfinished_one(store):
    store.cell_path("a").write_bytes(b"\xff\x00\xfe")
    assert store.row("a") is None


def test_a_distilled_set_counts_only_with_its_record(store):
    path = store.artefact_path("k")
    assert store.record("k") is None
    DistilledSet(np.eye(2), np.arange(2)).save(path)
    assert store.record("k") is None, "the record is written last"
    store.write_record("k", RECORD)
    assert store.record("k") == RECORD == read_record(path)
    path.unlink()
    assert store.record("k") is None


def test_a_damaged_distilled_set_does_not_count(store):
    path = store.artefact_path("k")
    DistilledSet(np.eye(20), np.arange(20)).save(path)
    store.write_record("k", RECORD)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert store.record("k") is None, "cut off"
    path.write_bytes(whole[:-10] + b"0123456789")
    assert store.record("k") is None, "its checksum does not match"
    path.write_bytes(whole)
    assert store.record("k") == RECORD


def test_the_record_of_the_whole_set_stands_alone(store):
    store.write_record("k", RECORD | {"whole": True})
    assert store.record("k") == RECORD | {"whole": True}
    store.write_record("k", {"whole": True})
    assert store.record("k") is None, "of an older layout"


def test_what_a_killed_run_left_half_written_is_swept_up(tmp_path):
    with ResultsStore(tmp_path) as store:
        store.write_row({"key": "a", "status": "ok"})
        (store.data_path("k")).mkdir()
        (store.data_path("k") / "X.npy").touch()
        whole = everything(tmp_path)
    for path in (store.cell_path("b"), store.artefact_path("k"), tmp_path / "plan.json"):
        part_of(path).write_text("half")
    half = part_of(store.data_path("d"))
    half.mkdir()
    part_of(half / "X.npy").write_text("half")
    (half / "y.npy").write_text("half")
    assert len(everything(tmp_path)) == len(whole) + 6
    with ResultsStore(tmp_path):
        assert everything(tmp_path) == whole


def test_names_to_write_to_are_new_and_hidden(tmp_path):
    names = {part_of(tmp_path / "a.json").name for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(".a.json.") and name.endswith(".part") for name in names)


def test_one_run_at_a_time(tmp_path):
    with ResultsStore(tmp_path):
        with pytest.raises(ResultsError, match=r"another run is at work in .*: wait for it, or give another folder"):
            ResultsStore(tmp_path).__enter__()
        assert ResultsStore(tmp_path).rows() == {}, "reading needs no lock"
    with ResultsStore(tmp_path):
        pass


HOLD = """
import sys, time
from distillkit.bench.results._store import ResultsStore
with ResultsStore(sys.argv[1]):
    print("ready", flush=True)
    time.sleep(600)
"""


def test_a_killed_run_holds_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"ready\n"
            with pytest.raises(ResultsError, match="another run"):
                ResultsStore(tmp_path).__enter__()
        finally:
            other.kill()
    with ResultsStore(tmp_path):
        pass


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").write_text("a regular file")
    with pytest.raises(
        ResultsError, match=r"cannot write the results folder .*file.*: .*\. Give another one with --output"
    ):
        ResultsStore(tmp_path / name).__enter__()


def test_a_row_that_cannot_be_written(store):
    store.cell_path("a").mkdir()  # in the place of the file
    with pytest.raises(ResultsError, match=r"cannot write .*a.json: .*\. Free space or give another --output"):
        store.write_row({"key": "a", "status": "ok"})


def test_the_plan_is_kept_for_reports(store):
    assert not store.exists()
    with pytest.raises(ResultsError, match=r"holds no results \(plan.json is not there\): run the suite first"):
        store.plan()
    store.write_plan(PLAN)
    assert store.exists()
    assert store.plan() == PLAN
    for text in ("{", "{}", "[]"):
        (store.folder / "plan.json").write_text(text)
        with pytest.raises(ResultsError, match=r"plan.json is damaged"):
            store.plan()


def test_environments_are_kept_by_hash(store):
    store.write_environment("h", {"cores": 2})
    (store.folder / "environments" / "bad.json").write_text("{")
    assert store.environments() == {"h": {"cores": 2}}
