r"""Kill runs of a suite, and processes of such runs, at random moments, and compare the results.

Usage::

    python benchmarks/robustness/kills.py [--heads 100] [--children 30] [--jobs 2] \
        [--minutes 30] [--seed 0] [--seeds 9] [--share 0.33] [--engine local]

A suite of cheap cells, eight for each of `--seeds`, is first run without disturbance. Then

- runs of the same suite are killed by SIGKILL at a random moment, and the same command continues
  each time; when all cells are done, the next run starts in a new folder;
- in further runs, a process that the run has started (a job, or the server that forks the jobs) is
  killed at random moments; a last command repeats the cells that crashed.

After each kill, no process of the run may survive for more than some seconds, and the rows that
were stored must remain as they were. At the end of each folder, every cell must have one row, equal
to that of the undisturbed run but for times, and no temporary file or folder may be left. The
script prints what it found and exits with status 1 if anything differs.

With ``--engine dask`` the cells run on two workers of a cluster on this machine, which the kills do
not reach, so that workers go on while there is no command.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from distillkit.distilled import DistilledSet

SUITE = """
name = "kills"
datasets = ["digits"]
methods = ["random", "kmeans"]
controls = false
splits = 1
evaluators = ["knn", "knn:5"]
budgets = [1, 5]
seeds = %d
metrics = ["accuracy"]
"""
CELLS_PER_SEED = 8
MARK = "DISTILLKIT_KILLS"
"""Environment variable by which all processes of a run are found."""
TIMES = ("seconds", "cpu_", "started", "peak_mb")
"""Beginnings of the names of columns that may differ."""
SECONDS_TO_END = 10.0


class Trial:
    """One results folder in which runs are started and disturbed.

    Parameters
    ----------
    folder : Path
        A new folder, which gets the suite, the results and the temporary files.
    options : argparse.Namespace
        The number of cells at the same time, the number of seeds and the engine.
    """

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.results, self.temporary = folder, folder / "results", folder / "temporary"
        self.options, self.mark = ["--jobs", str(options.jobs), *options.of_engine], uuid.uuid4().hex
        self.problems: list[str] = []
        self.temporary.mkdir(parents=True)
        (folder / "suite.toml").write_text(SUITE % options.seeds, encoding="utf-8")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the command that runs the suite, or continues it."""
        command = [sys.executable, "-m", "distillkit", "run", str(self.folder / "suite.toml"), "-o", str(self.results)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, *self.options, "--quiet", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "TMPDIR": str(self.temporary), MARK: self.mark},
                start_new_session=True,
            )

    def finish(self, *options: str) -> None:
        """Run the command to its end."""
        code = self.start(*options).wait(600)
        if code != 0:
            self.problems.append(f"the command ended with status {code}: see {self.folder / 'log'}")

    def processes(self) -> list[psutil.Process]:
        """Return all running processes of this trial, the command itself included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def check_orphans(self) -> None:
        """Report processes that survive the command, and end them."""
        deadline = time.monotonic() + SECONDS_TO_END
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            self.problems.append(f"process {process.pid} survived the command by {SECONDS_TO_END:g} s")
            process.kill()

    def stored(self) -> dict[str, tuple[bytes, int]]:
        """Return the contents and the time of change of each stored row."""
        paths = sorted((self.results / "cells").glob("*.json"))
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}

    def check_stored(self, before: dict[str, tuple[bytes, int]]) -> None:
        """Report rows that were stored and are now lost or changed."""
        after = self.stored()
        for name in before.keys() - after.keys():
            self.problems.append(f"row {name} is lost")
        for name in before.keys() & after.keys():
            if before[name] != after[name]:
                self.problems.append(f"row {name} was written again or changed")

    def check_complete(self, expected: dict[str, Any]) -> None:
        """Compare the rows with those of the undisturbed run, and report what was left behind."""
        actual = comparable(self.results)
        for key in sorted(expected.keys() | actual.keys()):
            if actual.get(key) != expected.get(key):
                self.problems.append(f"row {key} differs: {actual.get(key)} instead of {expected.get(key)}")
        self.finish()  # The next start removes what killed runs have left.
        leftovers = [*self.results.rglob("*.part"), *self.temporary.glob("distillkit-*")]
        self.problems += [f"left behind: {path}" for path in leftovers]
        self.check_orphans()


@contextmanager
def dask_cluster(folder: Path, n_workers: int) -> Iterator[str]:
    """Start a scheduler and workers of one thread, and yield the address of the scheduler."""
    place, processes = folder / "scheduler.json", []
    with (folder / "cluster.log").open("ab") as log:
        for number in range(n_workers + 1):
            program = "worker" if number else "scheduler"
            own = ["--nthreads", "1", "--no-nanny"] if number else ["--port", "0"]
            command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--scheduler-file", str(place)]
            options = ["--host", "127.0.0.1", "--no-dashboard", *own]
            processes.append(subprocess.Popen([*command, *options], cwd=folder, stdout=log, stderr=log))
    try:
        while not place.exists():
            time.sleep(0.1)
        yield json.loads(place.read_text(encoding="utf-8"))["address"]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def comparable(results: Path) -> dict[str, Any]:
    """Return the rows of a results folder without times, and their distilled arrays, by key."""
    rows: dict[str, Any] = {}
    for path in sorted((results / "cells").glob("*")):
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            rows[path.name] = "damaged"
            continue
        kept = {name: value for name, value in row.items() if not name.startswith(TIMES)}
        small = DistilledSet.load(results / row["artefact"]) if row["artefact"] else None
        arrays = (small.X, small.y, small.sample_weight) if small is not None else ()
        rows[path.stem] = kept, [np.asarray(array).tobytes() for array in arrays]
    return rows


def kill_heads(
    folder: Path, n: int, options: argparse.Namespace, expected: dict[str, Any], longest: float
) -> Counter[str]:
    """Kill the command itself `n` times at random moments; see the top of the file."""
    rng, counts, trial = np.random.default_rng(options.seed), Counter[str](), None
    deadline = time.monotonic() + 60 * options.minutes
    while counts["kills"] < n and time.monotonic() < deadline:
        if trial is None:
            trial = Trial(folder / f"heads-{counts['folders']}", options)
            counts["folders"] += 1
        before, head = trial.stored(), trial.start()
        try:
            head.wait(rng.uniform(0, longest))
        except subprocess.TimeoutExpired:
            head.send_signal(signal.SIGKILL)
            head.wait()
            counts["kills"] += 1
        trial.check_orphans()
        trial.check_stored(before)
        if len(trial.stored()) == options.cells or counts["kills"] == n or time.monotonic() >= deadline:
            before = trial.stored()
            trial.finish()
            trial.check_stored(before)
            trial.check_complete(expected)
            report(trial, counts)
            trial = None
    return counts


def kill_children(folder: Path, n: int, options: argparse.Namespace, expected: dict[str, Any]) -> Counter[str]:
    """Kill `n` processes that the command has started; see the top of the file."""
    rng, counts = np.random.default_rng(options.seed + 1), Counter[str]()
    deadline = time.monotonic() + 60 * options.minutes
    while counts["kills"] < n and time.monotonic() < deadline:
        trial = Trial(folder / f"children-{counts['folders']}", options)
        counts["folders"] += 1
        head = trial.start()
        if counts["folders"] % 4:  # A kill while the data are prepared fails all cells at once.
            while head.poll() is None and not list((trial.results / "data").glob("[!.]*")):
                time.sleep(0.05)
        while head.poll() is None:
            time.sleep(rng.uniform(0, 1.5))
            victims = [process for process in trial.processes() if process.pid != head.pid]
            if victims and counts["kills"] < n:
                try:
                    victims[rng.integers(len(victims))].kill()
                    counts["kills"] += 1
                except psutil.Error:
                    continue
        trial.check_orphans()
        rows = [json.loads(text) for text, _ in trial.stored().values()]
        crashed = [row for row in rows if row["status"] == "crashed"]
        counts["crashed rows, all repeated"] += len(crashed)
        if len(rows) != options.cells:
            trial.problems.append(f"{len(rows)} rows instead of {options.cells}")
        for row in rows:
            if row["status"] != "ok" and (row["status"] != "crashed" or "SIGKILL" not in row["error"]):
                trial.problems.append(f"row {row['key']} is {row['status']}: {row['error']}")
        trial.finish("--retry", "crashed")
        trial.check_complete(expected)
        report(trial, counts)
    return counts


def report(trial: Trial, counts: Counter[str]) -> None:
    """Print the problems of a trial and count them."""
    counts["problems"] += len(trial.problems)
    for problem in trial.problems:
        print(f"  {trial.folder.name}: {problem}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heads", type=int, default=100, help="kills of the command itself")
    parser.add_argument("--children", type=int, default=30, help="kills of processes that it started")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=30.0, help="longest time for each kind of kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=9, help="seeds of the suite, with eight cells each")
    parser.add_argument("--share", type=float, default=1 / 3, help="latest kill, as a share of the time of a calm run")
    parser.add_argument("--engine", choices=("local", "dask"), default="local")
    options = parser.parse_args()
    options.cells = CELLS_PER_SEED * options.seeds
    with tempfile.TemporaryDirectory(prefix="kills-") as name, ExitStack() as stack:
        folder = Path(name)
        options.of_engine = ["--engine", options.engine]
        if options.engine == "dask":
            options.of_engine += ["--scheduler", stack.enter_context(dask_cluster(folder, options.jobs))]
        # 1. Run once without disturbance, for the expected rows and the time that a run takes.
        calm = Trial(folder / "calm", options)
        started = time.monotonic()
        calm.finish()
        seconds = time.monotonic() - started
        expected = comparable(calm.results)
        assert len(expected) == options.cells, len(expected)
        assert all(row["status"] == "ok" for row, _ in expected.values())
        print(f"{options.cells} cells without disturbance: {seconds:.1f} s", flush=True)
        # 2. Disturb further runs.
        heads = kill_heads(folder, options.heads, options, expected, longest=seconds * options.share)
        print("kills of the command:", dict(heads), flush=True)
        children = kill_children(folder, options.children, options, expected)
        print("kills of its processes:", dict(children), flush=True)
    return 1 if heads["problems"] or children["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
