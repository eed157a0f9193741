"""Children forked from a process that has done the imports do what spawned ones do."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import psutil
import pytest

from distillkit.bench.execution import _child_processes as _children
from distillkit.bench.execution._job_process import run_job

pytestmark = pytest.mark.skipif(not _children._CAN_FORK, reason="children are spawned here")


@pytest.fixture
def job(tmp_path, trouble):
    """Run a job whose dataset does what it is told."""

    def run(how="", *, imports=(), folder="data", seconds=60.0, **options):
        params = {"how": how, **options} if how else options
        payload = {"name": "tiny", "params": params, "root": None, "folder": str(tmp_path / folder)}
        return run_job("prepare", payload, seconds=seconds, memory_mb=3000.0, threads=1, imports=imports)

    return run


@contextlib.contextmanager
def no_servers():
    """Start with no server, and end those that were started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_children, "_servers", {})
        yield _children._servers
        for server in _children._servers.values():
            server.close()


@pytest.fixture
def fresh():
    with no_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def servers_of_module():
    with no_servers() as servers:
        yield servers


@pytest.fixture
def shared(servers_of_module, monkeypatch):
    """Start with the server that is shared by the tests that leave it alive: its imports take long."""
    monkeypatch.setattr(_children, "_servers", servers_of_module)
    return servers_of_module


def test_children_of_one_need_share_a_server_and_others_do_not(job, fresh):
    assert job(folder="a").status == "ok"
    assert job(folder="b", imports=("sklearn", "distillkit.coresets")).status == "ok"
    assert len(fresh) == 1
    assert job(folder="c", imports=("xml.dom",)).status == "ok"
    assert sorted(key[-1] for key in fresh) == [(), ("xml.dom",)]


def test_a_child_is_not_a_child_of_this_process(job, shared, tmp_path):
    job(folder="a")
    (server,) = shared.values()
    result = job("leave a child", folder="b", pid_file=str(tmp_path / "pid"))
    assert result.status == "ok"
    assert server._process.pid in {child.pid for child in psutil.Process().children()}


def test_environment_folder_and_path_are_those_of_the_moment(job, shared, tmp_path, monkeypatch):
    assert job(folder="a").status == "ok"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("DISTILLKIT_TEST_VALUE", "now")
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "distillkit_late.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "late"))
    result = job("tell place", folder="b", file=str(tmp_path / "told"), module="distillkit_late")
    assert result.status == "ok", result.error
    assert len(shared) == 1, "the same server as before the changes"
    assert (tmp_path / "told").read_text() == f"{tmp_path / 'here'} now"


def test_an_import_that_fails_is_left_to_the_child(job, fresh):
    assert job(imports=("distillkit.there_is_no_such_module",)).status == "ok"


def test_a_server_that_was_killed_is_replaced(job, fresh):
    assert job(folder="a").status == "ok"
    (server,) = fresh.values()
    server._process.kill()
    server._process.wait()
    assert job(folder="b").status == "ok", "spawned instead, if the death was not known yet"
    assert job(folder="c").status == "ok"
    assert server not in fresh.values()


def test_children_of_a_server_that_is_killed_are_crashed_jobs(job, fresh, tmp_path, wait_until, is_alive):
    (tmp_path / "hold").touch()
    results = []
    wait = lambda: results.append(job("wait", hold=str(tmp_path / "hold"), pid_file=str(tmp_path / "pid")))  # noqa: E731
    thread = threading.Thread(target=wait)
    thread.start()
    assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    (server,) = fresh.values()
    os.kill(server._process.pid, signal.SIGKILL)
    thread.join(15)
    assert [result.status for result in results] == ["crashed"]
    assert wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_many_at_once_get_their_own_results(job, shared):
    results = {}

    def run(number):
        results[number] = job(folder=f"n{number}", n=8 + 4 * number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: result.value["n_train"] for number, result in results.items()} == {
        number: 8 + 4 * number for number in range(6)
    }


def test_without_fork_children_are_spawned(job, fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(_children, "_CAN_FORK", False)
    assert job(folder="a").status == "ok"
    assert job("sigkill", folder="b").error.startswith("killed by SIGKILL")
    assert not fresh
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Exception, match="cannot start a child process"):
        job(folder="c")
