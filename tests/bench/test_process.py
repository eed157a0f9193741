"""A job in a child process always comes back as one result with the right status, whatever the child does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from textwrap import dedent

import pytest

from distillkit.bench.execution import _child_main, _job_process, _jobs
from distillkit.bench.execution._job_process import JobInterrupted, kill_children, run_job
from distillkit.exceptions import BudgetError, ResultsError
from distillkit.utils._error_line import error_line


@pytest.fixture
def job(tmp_path, trouble):
    """Run a job whose dataset does what it is told."""

    def run(how="", *, seconds=60.0, memory_mb=3000.0, threads=1, **options):
        params = {"how": how, **options} if how else options
        payload = {"name": "tiny", "params": params, "root": None, "folder": str(tmp_path / "data")}
        return run_job("prepare", payload, seconds=seconds, memory_mb=memory_mb, threads=threads)

    return run


def test_a_job_that_works_returns_its_value_and_its_memory(job, tmp_path):
    result = job(n=30)
    assert (result.status, result.error, result.value) == ("ok", None, {"n_train": 30, "n_test": 10, "shared_rows": 0})
    assert 10 < result.peak_mb < 2000
    assert result.seconds > 0
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "X_test.npy",
        "X_train.npy",
        "checksums.json",
        "dataset.json",
        "y_test.npy",
        "y_train.npy",
    ]


@pytest.mark.parametrize(
    ("how", "status", "error"),
    [
        ("raise", "failed", "ValueError: first line second line"),
        ("exit", "failed", "SystemExit: bye"),
        ("interrupt", "failed", "KeyboardInterrupt"),
        ("_exit", "crashed", "ended with exit status 7 and no result"),
        ("sigkill", "crashed", "killed by SIGKILL (the kernel does so where memory runs out)"),
        ("segfault", "crashed", "killed by SIGSEGV: last words"),
    ],
)
def test_every_way_to_fail_has_its_status_and_a_message_of_one_line(job, how, status, error):
    result = job(how)
    assert (result.status, result.error, result.value) == (status, error, {})


def test_an_allocation_that_fails_is_out_of_memory(job):
    result = job("allocate")
    assert result.status == "out_of_memory"
    assert "Unable to allocate" in result.error


def test_runaway_memory_is_ended_at_its_limit(job):
    result = job("eat", memory_mb=400)
    assert result.status == "out_of_memory"
    assert result.peak_mb > 400
    assert result.error == f"used {result.peak_mb:.0f} MB, over its limit of 400 MB"


def test_a_hang_is_ended_at_its_limit(job, tmp_path, is_alive):
    (tmp_path / "hold").touch()
    result = job("wait", hold=str(tmp_path / "hold"), pid_file=str(tmp_path / "pid"), seconds=3)
    assert (result.status, result.error) == ("timeout", "ran past its limit of 3 s")
    assert result.seconds >= 3
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_chatty_child_does_not_stall(job):
    assert job("shout", size=2_000_000).status == "ok"


def test_of_a_chatty_child_that_dies_the_end_is_kept(job):
    result = job("shout and die", size=2_000_000)
    assert result.status == "crashed"
    assert result.error.startswith("ended with exit status 1 and no result: ")
    assert result.error.endswith("x" * 700)
    assert len(result.error) < 1000


@pytest.mark.parametrize("status", ["ok", "timeout"])
def test_children_of_the_child_end_with_it(job, tmp_path, is_alive, wait_until, status):
    (tmp_path / "hold").touch()
    more = {"hold": str(tmp_path / "hold"), "seconds": 4} if status == "timeout" else {}
    result = job("leave a child", pid_file=str(tmp_path / "pid"), **more)
    assert result.status == status
    assert wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_memory_of_children_of_the_child_counts(job):
    result = job("feed a child")
    assert result.status == "ok"
    assert result.peak_mb > 300_000_000 / 2**20
    assert job("feed a child", memory_mb=250).status == "out_of_memory"


def test_memory_of_the_parent_does_not_count(job):
    ballast = bytearray(os.urandom(1)) * 500_000_000
    assert job().peak_mb < 400
    assert len(ballast) == 500_000_000


def test_threads_are_limited_in_the_child(job, tmp_path):
    assert job("tell", file=str(tmp_path / "told"), threads=3).status == "ok"
    assert (tmp_path / "told").read_text() == "3 3"


def test_files_in_the_working_folder_do_not_shadow_the_library(job, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "random.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    assert job().status == "ok"


def test_jobs_that_are_interrupted_have_no_result(job, tmp_path, wait_until):
    (tmp_path / "hold").touch()
    ends = []

    def run():
        try:
            ends.append(job("wait", hold=str(tmp_path / "hold"), pid_file=str(tmp_path / "pid")))
        except JobInterrupted as exc:
            ends.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    assert wait_until((tmp_path / "pid").exists)
    kill_children()
    thread.join(15)
    assert [type(end) for end in ends] == [JobInterrupted]
    assert job().status == "ok", "what comes after is not interrupted"
    assert not _job_process._running
    assert not _job_process._interrupted


def test_the_child_ends_with_a_parent_that_is_killed(trouble, tmp_path, is_alive, wait_until):
    (tmp_path / "hold").touch()
    script = f"""
        import sys
        sys.path.insert(0, {str(trouble)!r})
        from distillkit.bench.execution._job_process import run_job
        params = {{"how": "wait", "hold": {str(tmp_path / "hold")!r}, "pid_file": {str(tmp_path / "pid")!r}}}
        payload = {{"name": "tiny", "params": params, "root": None, "folder": {str(tmp_path / "data")!r}}}
        run_job("prepare", payload, seconds=600, memory_mb=3000, threads=1)
    """
    with subprocess.Popen([sys.executable, "-c", dedent(script)]) as parent:
        try:
            assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
            child = int((tmp_path / "pid").read_text())
            assert is_alive(child)
        finally:
            parent.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not is_alive(child))


def test_that_no_child_can_be_started_is_not_the_fault_of_the_job(job, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ResultsError, match="cannot start a child process"):
        job()


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (BudgetError("budget=9 asks for 9 rows"), "skipped"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"), "out_of_memory"),
        (OSError(12, "Cannot allocate memory"), "out_of_memory"),
        (RuntimeError("boom"), "failed"),
    ],
)
def test_exceptions_have_statuses(exc, status):
    assert _child_main._status_of(exc) == status


def test_notes_are_part_of_the_message():
    exc = ZeroDivisionError("no rows")
    exc.add_note("while computing the metric mmd")
    assert error_line(exc) == "ZeroDivisionError: no rows (while computing the metric mmd)"


def test_a_result_that_cannot_be_told_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(_jobs, "odd", lambda: {"value": object()}, raising=False)
    (tmp_path / "job.json").write_text(json.dumps({"action": "odd", "payload": {}, "threads": 1}))
    answer = _child_main._perform(tmp_path)
    assert answer["status"] == "failed"
    assert "not JSON serializable" in answer["error"]


@pytest.mark.parametrize(
    ("code", "text"), [(-11, "killed by SIGSEGV"), (-50, "killed by signal 50"), (3, "exit status 3")]
)
def test_causes_of_death_are_named(code, text):
    assert text in _job_process._cause(code)
