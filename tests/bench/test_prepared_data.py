"""Prepared data that is damaged is made anew, and none of its cells fails for it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from distillkit.bench.execution import _prepared_data
from distillkit.bench.execution._prepared_data import is_intact, load_prepared, store_prepared
from distillkit.bench.results._store import ResultsStore
from distillkit.datasets import load_dataset
from distillkit.exceptions import ResultsError

IRIS = load_dataset("iris")


def truncate(folder):
    path = folder / "X_train.npy"
    path.write_bytes(path.read_bytes()[:-8])


def garble(folder):
    """Keep the length, so that the array is still read without an error."""
    path = folder / "X_test.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def replace_by_file(folder):
    shutil.rmtree(folder)
    folder.write_text("")


DAMAGE = {
    "truncated array": truncate,
    "garbled array": garble,
    "empty folder": empty,
    "no folder": shutil.rmtree,
    "a file in its place": replace_by_file,
    "bad facts": lambda folder: (folder / "dataset.json").write_text("{"),
    "other facts": lambda folder: (folder / "dataset.json").write_text("[]"),
    "bad checksums": lambda folder: (folder / "checksums.json").write_text('{"dataset.json": '),
    "checksums of a wrong type": lambda folder: (folder / "checksums.json").write_text("[1, null]"),
    "no checksums, as of earlier versions": lambda folder: (folder / "checksums.json").unlink(),
    "a missing array": lambda folder: (folder / "y_test.npy").unlink(),
    "a foreign array": lambda folder: np.save(folder / "weight_train.npy", np.ones(3)),
}


@pytest.fixture
def folder(tmp_path):
    store_prepared(IRIS, tmp_path / "iris")
    return tmp_path / "iris"


def test_what_was_stored_is_intact_and_leaves_nothing_else(folder):
    assert is_intact(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["iris"]
    np.testing.assert_array_equal(load_prepared(folder, "train").X_train, IRIS.X_train)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_of_every_kind_is_seen(folder, damage):
    DAMAGE[damage](folder)
    assert not is_intact(folder)


def test_the_files_are_on_disk_before_the_folder_has_its_name(tmp_path, monkeypatch):
    events = []
    real_sync, real_rename = _prepared_data.os.fsync, _prepared_data._rename
    monkeypatch.setattr(_prepared_data.os, "fsync", lambda number: events.append("fsync") or real_sync(number))
    monkeypatch.setattr(_prepared_data, "_rename", lambda *paths: events.append("rename") or real_rename(*paths))
    store_prepared(IRIS, tmp_path / "iris")
    assert events.index("rename") >= 6, "four arrays, the facts and the checksums"


def test_what_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_prepared_data, "_checksum", fail)
    with pytest.raises(OSError, match="No space left"):
        store_prepared(IRIS, tmp_path / "iris")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_folder_in_the_place_is_not_taken_for_the_work_of_another_job(tmp_path):
    (tmp_path / "iris").mkdir()
    (tmp_path / "iris" / "X_train.npy").write_bytes(b"")
    with pytest.raises(OSError, match="not empty"):
        store_prepared(IRIS, tmp_path / "iris")


@pytest.fixture(scope="module")
def prepared_run(trouble, tmp_path_factory, plan_for, do):
    folder = tmp_path_factory.mktemp("run")
    plan = plan_for('["first"]')
    (row,) = do(plan, folder)
    return plan, folder, row


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_data_is_made_anew_and_its_cells_are_ok(prepared_run, tmp_path, do, damage):
    plan, before, row = prepared_run
    shutil.copytree(before, tmp_path / "run")
    store = ResultsStore(tmp_path / "run")
    folder = store.data_path(plan.cells[0].data_key)
    DAMAGE[damage](folder)
    (again,) = do(plan, tmp_path / "run", retry=frozenset({"ok"}))
    assert (again["status"], again["metrics"]) == ("ok", row["metrics"])
    assert is_intact(folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_damaged_data_that_cannot_be_removed_is_told(tmp_path, monkeypatch):
    store = ResultsStore(tmp_path)
    store.data_path("k").mkdir(parents=True)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(ResultsError, match=r"cannot remove the damaged data in .*: Permission denied\. Remove it"):
        store.discard_data("k")
