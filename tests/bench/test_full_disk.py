"""A full disk is trouble of the machine: it is told, and no cell has a row for it."""

from __future__ import annotations

import contextlib
import errno
import shutil
import subprocess
import tempfile

import pytest

from distillkit.bench.execution import _job_process
from distillkit.bench.execution._job_process import run_job
from distillkit.bench.execution._run_plan import pending_cells
from distillkit.bench.results import _store
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import ArtefactError, ResultsError
from distillkit.utils._disk_full import can_write, is_disk_full

SIZES = {"one page": 4, "a few files": 48, "no room for the result": 200, "a little": 700}
"""Sizes of file systems in kB; a job needs more than each of them."""


@contextlib.contextmanager
def mounted(folder, kilobytes):
    """Mount a small file system; this takes the rights of root."""
    folder.mkdir()
    mount = shutil.which("mount")
    options = f"size={kilobytes}k,nr_inodes=64"
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder]).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run([shutil.which("umount"), "-l", folder], check=True)


@pytest.fixture(params=SIZES)
def small_disk(request, tmp_path):
    with mounted(tmp_path / "small", SIZES[request.param]) as folder:
        yield folder


def nothing_is_recorded(plan, folder):
    return pending_cells(plan, ResultsStore(folder)) == list(plan.cells)


def test_a_full_temporary_folder_writes_no_rows(trouble, small_disk, tmp_path, plan_for, do, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    plan = plan_for('["first"]', datasets='[{name = "tiny", how = "fill", size = 1000000}]', seeds="2")
    with pytest.raises(ResultsError, match=r"no space was left|cannot create a temporary folder|cannot start a child"):
        do(plan, tmp_path / "run")
    assert nothing_is_recorded(plan, tmp_path / "run")
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert [row["status"] for row in do(plan, tmp_path / "run")] == ["ok", "ok"], "with room, the same command goes on"


def test_a_full_results_folder_writes_no_rows(trouble, small_disk, plan_for, do):
    plan = plan_for('["first"]', datasets='[{name = "tiny", n = 60000}]')
    with pytest.raises(ResultsError, match=r"no space was left|cannot write"):
        do(plan, small_disk / "run")
    assert nothing_is_recorded(plan, small_disk / "run")


@pytest.fixture
def job(tmp_path, trouble):
    """Run a job whose dataset does what it is told."""

    def run(how="", **options):
        payload = {"name": "tiny", "params": {"how": how, **options}, "root": None, "folder": str(tmp_path / "data")}
        return run_job("prepare", payload, seconds=20, memory_mb=3000, threads=1)

    return run


def test_a_crash_on_a_full_disk_is_no_result(job, tmp_path, monkeypatch):
    with mounted(tmp_path / "small", 1000) as small:
        monkeypatch.setattr(tempfile, "tempdir", str(small))
        with pytest.raises(
            ResultsError, match=r"during the job 'prepare tiny', .* the job itself used [01]\.\d MB"
        ) as told:
            job("fill and die", size=5_000_000)
    assert "ended with exit status" in str(told.value)
    assert "set TMPDIR" in str(told.value)


def test_a_crash_on_a_disk_with_room_is_a_result(job):
    assert job("fill and die", size=500_000).status == "crashed"


def test_a_crash_after_which_nothing_can_be_written_is_no_result(job, monkeypatch):
    monkeypatch.setattr(_job_process, "can_write", lambda *_: False)
    with pytest.raises(ResultsError, match="no space was left"):
        job("_exit")
    assert job("raise").status == "failed", "what the child could still write is its result"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_the_numbers_of_the_system_are_recognized(number):
    assert is_disk_full(OSError(number, "x"))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
        OSError("8000 requested and 511 written"),
        ValueError("database or disk is full"),
    ],
)
def test_messages_without_a_number_are_recognized(error):
    assert is_disk_full(error)


def test_an_error_that_was_caused_by_a_full_disk_is_recognized():
    error, between = ArtefactError("cannot write"), ValueError("x")
    error.__cause__, between.__context__ = between, OSError(errno.ENOSPC, "x")
    between.__context__.__context__ = error  # a circle does not keep it busy
    assert is_disk_full(error)


def test_other_errors_are_not_taken_for_it():
    class UnspeakableError(Exception):
        def __str__(self):
            raise RuntimeError

    for error in (OSError(errno.EACCES, "x"), MemoryError(), ValueError("space"), UnspeakableError()):
        assert not is_disk_full(error)


def test_a_folder_has_room_for_a_file_or_not(tmp_path):
    assert can_write(tmp_path, 1000)
    assert can_write(tmp_path / "missing", 1000), "this is another trouble"
    assert list(tmp_path.iterdir()) == []
    with mounted(tmp_path / "small", 100) as small:
        assert can_write(small, 50_000)
        assert not can_write(small, 200_000)
        assert list(small.iterdir()) == []


def test_a_row_that_a_full_disk_refuses_ends_the_run_and_leaves_no_part(trouble, tmp_path, plan_for, do, monkeypatch):
    real = _store.write_json

    def refuse(path, value):
        if path.parent.name == "cells":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, value)

    plan = plan_for('["first"]')
    monkeypatch.setattr(_store, "write_json", refuse)
    with pytest.raises(ResultsError, match=r"cannot write .*: No space left on device\. Free space"):
        do(plan, tmp_path)
    assert nothing_is_recorded(plan, tmp_path)
    assert not list(tmp_path.rglob("*.part"))
    assert ResultsStore(tmp_path).rows() == {}
