"""The temporary folders of jobs: removed at the end, and swept where their process was killed."""

from __future__ import annotations

import os
import tempfile

import pytest

from distillkit.bench.execution import _job_folders
from distillkit.bench.execution._job_folders import job_folder, remove_all, sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def old_folder(parent, name="distillkit-job-old", lock=True):
    folder = parent / name
    folder.mkdir()
    (folder / "job.json").write_text("{}")
    if lock:
        (folder / ".lock").touch()
    os.utime(folder, (0, 0))
    return folder


def test_a_folder_lives_as_long_as_its_job(temporary):
    def work():
        with job_folder() as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text("x")
            assert folder.parent == temporary
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(temporary.iterdir()) == []
    assert not _job_folders._present


def test_folders_of_dead_processes_are_swept_and_no_others(temporary):
    dead = old_folder(temporary)
    other = old_folder(temporary, "distillkit-other")
    unmarked = old_folder(temporary, "distillkit-job-unmarked", lock=False)
    with job_folder() as alive:
        os.utime(alive, (0, 0))
        recent = old_folder(temporary, "distillkit-job-recent")
        os.utime(recent)
        sweep.__wrapped__()
        assert not dead.exists()
        assert not recent.exists(), "the kernel has released its lock, so its process has ended"
        assert all(folder.exists() for folder in (alive, other, unmarked))


@pytest.mark.parametrize("begun", [False, True])
def test_a_folder_that_is_not_locked_yet_is_swept_once_it_is_old_and_holds_nothing(temporary, begun):
    folder = temporary / "distillkit-job-begun"
    folder.mkdir()
    if begun:
        (folder / ".lock.part").touch()
    sweep.__wrapped__()
    assert folder.exists(), "its process may be about to lock it"
    os.utime(folder, (0, 0))
    sweep.__wrapped__()
    assert not folder.exists()


def test_a_process_that_ends_at_once_removes_its_folders(temporary):
    with job_folder() as folder:
        remove_all()
        assert not folder.exists()


def test_a_fork_server_whose_parent_has_ended_ends_without_a_traceback(monkeypatch):
    from distillkit.bench.execution import _fork_server

    def end(status):
        raise SystemExit(status)

    reader, writer = os.pipe()
    os.close(reader)
    server = _fork_server._Server.__new__(_fork_server._Server)
    server.answers = os.fdopen(writer, "w")
    monkeypatch.setattr(_fork_server.os, "_exit", end)
    monkeypatch.setattr(_fork_server, "kill_descendants", lambda: None)
    with pytest.raises(SystemExit) as ended:
        server.answer(started=1)
    assert ended.value.code == 0
    with pytest.raises(BrokenPipeError):  # what it could not write is still in its buffer
        server.answers.close()
