"""The executor that runs cells on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from distillkit.bench.execution._bundles import Bundle, Rows, bundles, run_bundle
from distillkit.exceptions import ResultsError

__all__ = ["run"]


def run(
    groups: Iterable[Any],
    run_group: Callable[[Any], Rows],
    jobs: int,
    *,
    address: str | None = None,
    bundle: int = 1,
) -> Iterator[Rows]:
    """Run groups of cells on a Ray cluster and yield the rows of finished ones.

    Each cell still runs in a child process of the worker, with its limits, and the worker writes
    its row. What a lost worker was running is not yielded.

    Parameters
    ----------
    groups : iterable of CellGroup
    run_group : callable
        Runs one group and returns its rows; it is sent to the workers.
    jobs : int
        Number of bundles that run at the same time, at most.
    address : str or None
        Address of the cluster, such as ``"node7:6379"``, or ``"auto"`` for the one on this machine.
        None starts one that has `jobs` workers and ends with the run.
    bundle : int, default=1
        Number of groups that a worker runs as one task.

    Raises
    ------
    ResultsError
        If the cluster cannot be reached, or has not what a group needs.
    """
    waiting = bundles(groups, bundle)
    first = next(waiting, None)
    if first is None:
        return
    with _cluster(address, jobs) as ray:
        # Ray would start a task again of itself, without a word to this process.
        task = ray.remote(max_retries=0)(run_bundle)
        sent = ray.put(run_group)
        running: list[Any] = []

        def submit(each: Bundle | None) -> None:
            if each is not None:
                running.append(task.options(**_reservation(ray, each[0].resources)).remote(sent, each))

        submit(first)
        for _ in range(jobs - 1):
            submit(next(waiting, None))
        while running:
            (done, *_), running[:] = ray.wait(running, num_returns=1)
            submit(next(waiting, None))
            yield _rows(ray, done)


@contextmanager
def _cluster(address: str | None, jobs: int) -> Iterator[Any]:
    """Yield the module `ray`, connected to a cluster until the end."""
    # Otherwise Ray starts workers by `uv run`, if that has started this program.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray: Any = import_module("ray")
    options: dict[str, Any] = {"num_cpus": jobs, "include_dashboard": False} if address is None else {}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, ValueError, RuntimeError, OSError) as exc:
        raise ResultsError(f"cannot connect to a Ray cluster at {address!r}: {exc}. Check --address.") from exc
    try:
        yield ray
    finally:
        ray.shutdown()


def _reservation(ray: Any, resources: dict[str, float]) -> dict[str, float]:
    """Return what a task takes, in Ray's words: one processor unless told otherwise."""
    most = ray.cluster_resources()
    asked = {"num_cpus": resources.get("cpu", 1.0), "num_gpus": resources.get("gpu", 0.0)}
    if "memory_mb" in resources:
        asked["memory"] = resources["memory_mb"] * 2**20
    for name, amount in (("CPU", asked["num_cpus"]), ("GPU", asked["num_gpus"]), ("memory", asked.get("memory", 0.0))):
        if amount > most.get(name, 0.0):
            raise ResultsError(
                f"the Ray cluster has {most.get(name, 0.0):g} of {name}, and a method needs {amount:g}: "
                "add nodes, or change the resources of the method in the suite."
            )
    return asked


def _rows(ray: Any, done: Any) -> Rows:
    """Return the rows of a finished task, none if it was lost with its worker."""
    try:
        return list(ray.get(done))
    except ray.exceptions.RayTaskError as exc:  # What the task has raised is a problem of the machine.
        raise exc.as_instanceof_cause() from None
    except ray.exceptions.RayError:
        return []
