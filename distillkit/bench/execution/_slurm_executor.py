"""The executor that runs cells as jobs of SLURM, by submitit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from distillkit.bench.execution._bundles import Bundle, Rows, bundles, run_bundle
from distillkit.exceptions import ResultsError

__all__ = ["run"]

_POLL_SECONDS = 0.2
_TASKS_PER_JOB = 4
"""Bundles per job at the same time, unless the size of bundles is given."""


def run(
    groups: Iterable[Any],
    run_group: Callable[[Any], Rows],
    jobs: int,
    *,
    cluster: str = "slurm",
    bundle: int | None = None,
    minutes: int | None = None,
    logs: str | None = None,
    **slurm: Any,
) -> Iterator[Rows]:
    """Run groups of cells as jobs of SLURM and yield the rows of finished ones.

    Each cell still runs in a child process of the job, with its limits, and the job writes its row.
    What a lost job was running is not yielded. A job that SLURM preempts is queued again and goes
    on with the cells that have no row. If this process ends, its jobs go on.

    Parameters
    ----------
    groups : iterable of CellGroup
    run_group : callable
        Runs one group and returns its rows; it is sent to the jobs.
    jobs : int
        Number of jobs in the queue at the same time, at most.
    cluster : {"slurm", "local"}, default="slurm"
        "local" runs the same jobs as processes on this machine, to try a suite out.
    bundle : int or None
        Number of groups of one job; None divides all groups into four jobs for each of `jobs`.
    minutes : int or None
        Time limit of a job; None takes what the limits of the cells add up to.
    logs : str or None
        Folder for the logs of the jobs, which all machines share; None is ``.jobs`` in the results
        folder.
    **slurm
        Options of ``sbatch`` such as ``partition = "gpu"`` and ``account``; those of submitit
        itself (``cpus_per_task``, ``mem_gb``) replace the resources of methods.

    Raises
    ------
    ResultsError
        If there is no SLURM on this machine, or it refuses a job.
    """
    groups = list(groups)
    if not groups:
        return
    folder = Path(logs) if logs is not None else getattr(run_group, "folder", Path()) / ".jobs"
    size = bundle or max(1, math.ceil(len(groups) / (_TASKS_PER_JOB * jobs)))
    waiting = bundles(groups, size)
    running: list[Any] = []
    try:
        while True:
            for each in waiting if len(running) < jobs else ():
                running.append(_submit(run_group, each, folder, cluster, _limits(run_group, each, minutes), slurm))
                if len(running) >= jobs:
                    break
            if not running:
                return
            done = [job for job in running if job.done()]
            running = [job for job in running if job not in done]
            for job in done:
                yield _rows(job)
            if not done:
                time.sleep(_POLL_SECONDS)
    finally:
        for job in running if cluster == "local" else ():
            job.cancel()


class _Task:
    """One job: a bundle of groups, which submitit submits again if SLURM ends it early."""

    def __init__(self, run_group: Callable[[Any], Rows], bundle: Bundle) -> None:
        self.run_group, self.bundle = run_group, bundle

    def __call__(self) -> Rows:
        return run_bundle(self.run_group, self.bundle)

    def checkpoint(self) -> Any:
        """Return what to submit when the job is preempted; cells with a row are not repeated."""
        return import_module("submitit.helpers").DelayedSubmission(_Task(self.run_group, self.bundle))


def _limits(run_group: Any, bundle: Bundle, minutes: int | None) -> int:
    """Return the time limit of a job in minutes: each phase of each cell may need its own limit."""
    if minutes is not None:
        return minutes
    n_jobs = sum(len(group.cells) + 3 for group in bundle)  # and to prepare, to distil and to check
    return math.ceil(n_jobs * getattr(run_group, "seconds", 600.0) / 60) + 1


def _submit(
    run_group: Callable[[Any], Rows], bundle: Bundle, folder: Path, cluster: str, minutes: int, slurm: dict[str, Any]
) -> Any:
    submitit: Any = import_module("submitit")
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        own = {"cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "tasks_per_node", "name"}
        options = {name if name in own or name.startswith("slurm_") else f"slurm_{name}": slurm[name] for name in slurm}
        executor.update_parameters(**({"name": "distillkit", "timeout_min": minutes} | _asked(bundle) | options))
        return executor.submit(_Task(run_group, bundle))
    except (RuntimeError, OSError, NameError, TypeError, ValueError, submitit.core.utils.FailedJobError) as exc:
        raise ResultsError(f"cannot submit a job to {cluster}: {exc}. Check the options of the engine.") from exc


def _asked(bundle: Bundle) -> dict[str, Any]:
    """Return the resources of a bundle in submitit's words."""
    resources = bundle[0].resources
    asked: dict[str, Any] = {}
    if "cpu" in resources:
        asked["cpus_per_task"] = math.ceil(resources["cpu"])
    if "gpu" in resources:
        asked["gpus_per_node"] = math.ceil(resources["gpu"])
    if "memory_mb" in resources:
        asked["mem_gb"] = resources["memory_mb"] / 1024
    return asked


def _rows(job: Any) -> Rows:
    """Return the rows of a job that has ended, none if it was lost."""
    core: Any = import_module("submitit.core.utils")
    try:
        return list(job.result())
    except core.FailedJobError as exc:  # What the job has raised is a problem of the machine.
        if "ResultsError" in str(exc):
            raise ResultsError(str(exc).strip().splitlines()[-1]) from exc
        return []
    except (core.UncompletedJobError, OSError):
        return []
