"""No process outlives its job, whatever it does to escape, and memory is counted once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import psutil
import pytest

from distillkit.bench.execution import _child_processes, _job_process, _process_tree
from distillkit.bench.execution._job_log import JobLog
from distillkit.bench.execution._job_process import run_job
from distillkit.bench.execution._process_tree import ProcessTree, kill_descendants

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")


@pytest.fixture
def job(tmp_path, trouble):
    """Run a job whose dataset does what it is told."""

    def run(how="", *, seconds=60.0, memory_mb=3000.0, **options):
        payload = {"name": "tiny", "params": {"how": how, **options}, "root": None, "folder": str(tmp_path / "data")}
        return run_job("prepare", payload, seconds=seconds, memory_mb=memory_mb, threads=1)

    return run


@pytest.fixture
def hold(tmp_path):
    (tmp_path / "hold").touch()
    return str(tmp_path / "hold")


def pid_in(path):
    return int(Path(path).read_text())


@pytest.fixture
def limit_after(monkeypatch):
    """Return a function that lets the limit of a job pass once a file exists, however slow the machine is."""

    def arm(path):
        clock = SimpleNamespace(
            monotonic=lambda: time.monotonic() + (1000 if path.exists() and path.read_text() else 0)
        )
        monkeypatch.setattr(_job_process, "time", clock)

    return arm


def test_a_job_that_changes_its_process_group_ends_at_its_limit(job, tmp_path, hold, limit_after, is_alive):
    limit_after(tmp_path / "pid")
    result = job("change group", hold=hold, pid_file=str(tmp_path / "pid"), seconds=60)
    assert (result.status, result.error) == ("timeout", "ran past its limit of 60 s")
    assert not is_alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize(
    ("then", "status"), [("", "ok"), ("raise", "failed"), ("_exit", "crashed"), ("segfault", "crashed")]
)
def test_a_process_that_left_its_session_and_parent_ends_with_the_job(job, tmp_path, is_alive, then, status):
    result = job("escape", pid_file=str(tmp_path / "pid"), then=then)
    assert result.status == status
    assert not is_alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize("fork", [True, False])
def test_a_process_that_left_its_session_and_parent_ends_at_the_limit(
    job, tmp_path, hold, limit_after, is_alive, monkeypatch, fork
):
    monkeypatch.setattr(_child_processes, "_CAN_FORK", fork)
    limit_after(tmp_path / "pid")
    result = job("escape", pid_file=str(tmp_path / "pid"), hold=hold, seconds=60)
    assert result.status == "timeout"
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_memory_of_a_process_that_left_its_session_and_parent_counts(job, tmp_path, hold, is_alive):
    result = job("escape", pid_file=str(tmp_path / "pid"), hold=hold, size=400_000_000, memory_mb=350)
    assert result.status == "out_of_memory"
    assert result.peak_mb > 350
    assert not tmp_path.joinpath("pid").exists() or not is_alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_left_its_session_ends_with_a_run_that_is_killed(
    trouble, tmp_path, hold, is_alive, wait_until, blow
):
    script = f"""
        import sys
        sys.path.insert(0, {str(trouble)!r})
        from distillkit.bench.execution._job_process import run_job
        params = {{"how": "escape", "hold": {hold!r}, "pid_file": {str(tmp_path / "pid")!r}}}
        payload = {{"name": "tiny", "params": params, "root": None, "folder": {str(tmp_path / "data")!r}}}
        run_job("prepare", payload, seconds=600, memory_mb=3000, threads=1)
    """
    with subprocess.Popen([sys.executable, "-c", dedent(script)]) as parent:
        try:
            assert wait_until((tmp_path / "pid").exists)
            assert is_alive(pid_in(tmp_path / "pid"))
        finally:
            parent.send_signal(blow)
    assert wait_until(lambda: not is_alive(pid_in(tmp_path / "pid")))


def test_memory_that_processes_share_counts_once(job):
    result = job("share", size=200_000_000, memory_mb=600)
    assert result.status == "ok", result.error
    assert 200_000_000 / 2**20 < result.peak_mb < 600


def test_the_log_of_a_job_stays_short(job, tmp_path):
    assert job("flood", size=60_000_000, told=str(tmp_path / "told")).status == "ok"
    assert 1_000_000 <= int((tmp_path / "told").read_text()) < 30_000_000


def test_a_log_that_was_shortened_keeps_its_end(tmp_path):
    path = tmp_path / "log"
    log = JobLog(path)
    log.shorten()
    assert log.tail() == "", "there is no file yet"
    with path.open("ab") as file:
        for number in range(30_000):
            file.write(f"line {number} of the log, long enough to fill it\n".encode())
        file.flush()
        log.shorten()
        assert path.stat().st_size == 0
        assert log.tail().endswith("line 29999 of the log, long enough to fill it")
        file.write(b"last\n")
        file.flush()
    assert log.tail().endswith("line 29999 of the log, long enough to fill it | last")
    assert len(log.tail()) == 800


def test_long_messages_are_cut_in_the_middle(job):
    result = job("rant", size=3_000_000)
    assert result.status == "failed"
    assert result.error.startswith("ValueError: beginxxx")
    assert result.error.endswith("xxxend")
    assert "[2998008 characters left out]" in result.error
    assert len(result.error) < 2100


def test_an_exception_without_readable_message_is_a_failure(job):
    result = job("unspeakable")
    assert (result.status, result.error) == ("failed", "UnspeakableError: (it has no readable message)")


SPAWN = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); {}"


def start_two(then, wait_until):
    """Start a process and its child, and return both."""
    root = subprocess.Popen([sys.executable, "-c", SPAWN.format(then)])
    tree = ProcessTree(root.pid)
    assert wait_until(lambda: len(tree.members()) == 2)
    return root, tree


def test_descendants_that_were_seen_belong_to_the_tree_when_their_parent_has_ended(wait_until):
    """This is what remains on systems that cannot adopt orphans."""
    root, tree = start_two("time.sleep(60)", wait_until)
    root.kill()
    root.wait()
    (orphan,) = tree.members()
    assert orphan.pid != root.pid
    tree.kill()
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert tree.members() == []


def test_children_that_are_spared_live_on(wait_until, is_alive):
    spared, tree = start_two("time.sleep(60)", wait_until)
    others = {child.pid for child in psutil.Process().children()} - {spared.pid}
    grandchild = tree.members()[1].pid
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        kill_descendants(spare={spared.pid, *others})
        assert is_alive(spared.pid)
        assert is_alive(grandchild)
        assert not is_alive(other.pid)
    finally:
        tree.kill()
        spared.wait()
        other.wait()


def test_a_process_that_cannot_be_killed_is_given_up(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        with monkeypatch.context() as patch:
            for name in ("kill", "suspend"):
                patch.setattr(psutil.Process, name, lambda _: None)
            patch.setattr(_process_tree, "_kill_group", lambda _: None)
            ProcessTree(child.pid).kill(0.1)
            assert child.poll() is None
        child.kill()


def test_without_shared_sizes_the_unique_ones_count(monkeypatch):
    class Sizes:
        rss, uss = 300, 100

    class Process:
        def memory_full_info(self):
            return Sizes

        def memory_info(self):
            return Sizes

    assert _process_tree._proportional(Process()) == 100

    def refuse(_):
        raise psutil.AccessDenied

    monkeypatch.setattr(Process, "memory_full_info", refuse)
    assert _process_tree._proportional(Process()) == 300


def test_a_tree_of_a_process_that_is_gone_is_empty():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    tree = ProcessTree(child.pid)
    with contextlib.suppress(OSError):
        os.kill(child.pid, 0)
    assert (tree.members(), tree.memory_mb()) == ([], 0.0)
    tree.kill()
