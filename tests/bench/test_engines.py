"""Every engine gives the same rows, whatever happens to a cell, a worker or the head."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import distillkit
from distillkit.bench.results._store import ResultsStore

WAYS = {
    "raise": ("failed", "ValueError: first line second line"),
    "segfault": ("crashed", "killed by SIGSEGV: last words"),
    "sigkill": ("crashed", "killed by SIGKILL"),
    "eat": ("out_of_memory", "over its limit of 400 MB"),
    "hang": ("timeout", "ran past its limit of 3 s"),
    **{f"ok-{number}": ("ok", None) for number in range(4)},
}


def fault_table(plan_for, folder):
    """Plan nine cells: five that go wrong, each in its own way, among four that do not."""
    hold = folder / "hold"
    hold.touch()
    entries = []
    for label in ("hang", "ok-0", "raise", "ok-1", "sigkill", "ok-2", "segfault", "eat", "ok-3"):
        how = {"hang": f'how = "wait", hold = "{hold}"'}.get(label, f'how = "{label}"')
        how = f'log = "{folder / label}.log"' if label.startswith("ok") else how
        entries.append(f'{{name = "first", label = "{label}", {how}}}')
    return plan_for(f"[{', '.join(entries)}]", limits="{seconds = 60, memory_mb = 400}")


def run_fault_table(do, plan, folder, **options):
    """Run the cell that hangs after the others, so that only it has to keep a short limit."""
    others = tuple(cell for cell in plan.cells if cell.method != "hang")
    rows = do(replace(plan, cells=others), folder, **options)
    new = do(replace(plan, limits=replace(plan.limits, seconds=3.0)), folder, **options)
    assert [row["method"] for row in new] == ["hang"]
    return rows + new


def check_fault_table(rows):
    assert sorted(row["method"] for row in rows) == sorted(WAYS)
    for row in rows:
        status, error = WAYS[row["method"]]
        assert row["status"] == status, row["error"]
        assert error is None or error in row["error"]


@contextmanager
def dask_cluster(folder, n_workers=2):
    """Start a scheduler and workers of one thread as processes of their own, on loopback."""
    distributed = pytest.importorskip("distributed")
    place, processes = folder / "scheduler.json", []
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(Path(distillkit.__file__).parents[1])])

    def start(program, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--scheduler-file", place, *options]
        with (folder / f"{program}-{len(processes)}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    command,
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": path},
                )
            )
        return processes[-1]

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
        workers = [start("worker", *options) for _ in range(n_workers)]
        with closing(distributed.Client(scheduler_file=str(place), timeout=60)) as client:
            client.wait_for_workers(n_workers, timeout=60)
            yield client.scheduler.address, workers
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def dask(trouble, tmp_path_factory):
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


def test_local_gives_the_fault_table(trouble, plan_for, do, tmp_path):
    check_fault_table(
        run_fault_table(do, fault_table(plan_for, tmp_path), tmp_path / "results", jobs=2, executor="local")
    )


def options_of(engine, request):
    """Return the options of an engine; skip the test where it is not installed."""
    pytest.importorskip({"dask": "distributed", "ray": "ray", "slurm": "submitit"}[engine])
    request.getfixturevalue("trouble")
    if engine == "dask":
        return {"address": request.getfixturevalue("dask")[0]}
    return {} if engine == "ray" else {"cluster": "local", "bundle": 5}


@pytest.mark.parametrize("engine", ["dask", "ray", "slurm"])
def test_a_cluster_gives_the_fault_table(engine, request, plan_for, do, tmp_path):
    options, told, folder = options_of(engine, request), [], tmp_path / "results"
    plan = fault_table(plan_for, tmp_path)
    rows = run_fault_table(do, plan, folder, jobs=2, executor=engine, options=options, on_row=told.append)
    check_fault_table(rows)
    assert told == rows
    assert sorted(ResultsStore(folder).rows()) == sorted(row["key"] for row in rows)
    for label in (label for label in WAYS if label.startswith("ok")):
        assert (tmp_path / f"{label}.log").read_text().count("\n") == 1
    assert not list((folder / ".claims").iterdir())


def slow_plan(plan_for, folder, n=4):
    """Plan cells that wait for a file to vanish, each of which logs every time it is fitted."""
    (folder / "hold").touch()
    held = f'how = "wait", hold = "{folder / "hold"}", log = "{folder / "log.txt"}"'
    return plan_for(f'[{{name = "first", label = "slow", {held}}}]', seeds=str(n), budgets="[2]")


def meanwhile(action):
    """Run an action beside the test, which fails with it."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(action)
    pool.shutdown(wait=False)
    return future


def began(log, n):
    return log.exists() and log.read_text().count("\n") >= n


def owners(results):
    """Return the ids of the processes that are at work on a group."""
    claims = (path for path in (results / ".claims").iterdir() if not path.name.startswith(("data-", ".")))
    return [json.loads(path.read_text())["pid"] for path in claims]


@pytest.mark.parametrize("engine", ["dask"])  # the others pass as well, and take long to start
def test_a_killed_worker_loses_and_doubles_nothing(engine, request, plan_for, do, tmp_path, wait_until):
    options = options_of(engine, request)
    plan, told, log = slow_plan(plan_for, tmp_path, 3), [], tmp_path / "log.txt"

    def disturb():
        both_work = wait_until(lambda: began(log, 2), 90)
        victim = psutil.Process(owners(tmp_path / "results")[0])
        children = victim.children(recursive=True)
        victim.kill()
        psutil.wait_procs([victim, *children], timeout=30)
        (tmp_path / "hold").unlink()
        return both_work

    disturbance = meanwhile(disturb)
    rows = do(plan, tmp_path / "results", jobs=2, executor=engine, options=options, on_row=told.append)
    assert disturbance.result()
    keys = sorted(cell.key for cell in plan.cells)
    assert sorted(row["key"] for row in rows) == sorted(row["key"] for row in told) == keys
    assert all(row["status"] == "ok" for row in rows)
    assert log.read_text().count("\n") == len(keys) + 1  # what was in the killed worker began twice
    assert not list((tmp_path / "results" / ".claims").iterdir())


HEAD = """
import sys, tomllib
from pathlib import Path
from distillkit.bench.execution._run_plan import run_plan
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.bench.results._store import ResultsStore
plan = make_plan(parse_suite(Path(sys.argv[1]).read_text(), "s.toml"))
with ResultsStore(sys.argv[2]) as store:
    for _ in run_plan(plan, store, jobs=2, executor="dask", options={"address": sys.argv[3]}):
        pass
"""


def test_a_killed_head_loses_and_doubles_nothing(dask, plan_for, do, tmp_path, wait_until):
    address, _ = dask
    plan, log, results = slow_plan(plan_for, tmp_path), tmp_path / "log.txt", tmp_path / "results"
    (tmp_path / "suite.toml").write_text(plan.suite.source)
    head = subprocess.Popen([sys.executable, "-c", HEAD, tmp_path / "suite.toml", results, address])
    assert wait_until(lambda: began(log, 1), 60)
    head.kill()
    head.wait()

    def release():
        time.sleep(1)  # the next head meets the claim of the worker
        (tmp_path / "hold").unlink()

    release_later = meanwhile(release)
    # The next head works without the cluster, and does not repeat what a worker of the cluster is at.
    rows = do(plan, results, jobs=2, executor="local")
    release_later.result()
    assert sorted(row["key"] for row in rows) == sorted(cell.key for cell in plan.cells)
    assert all(row["status"] == "ok" for row in rows)
    assert log.read_text().count("\n") == len(plan.cells)
    assert not list((results / ".claims").iterdir())
