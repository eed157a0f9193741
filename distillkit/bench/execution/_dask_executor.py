"""The executor that runs cells on the workers of a dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from distillkit.bench.execution._bundles import Bundle, Rows, bundles, run_bundle
from distillkit.exceptions import ResultsError

__all__ = ["run"]

_START_SECONDS = 60


def run(
    groups: Iterable[Any],
    run_group: Callable[[Any], Rows],
    jobs: int,
    *,
    address: str | None = None,
    bundle: int = 1,
) -> Iterator[Rows]:
    """Run groups of cells on the workers of a dask cluster and yield the rows of finished ones.

    Each cell still runs in a child process of the worker, with its limits, and the worker writes
    its row. What a lost worker was running is not yielded. If this process ends, the workers
    complete and store what they are running, and nothing more.

    Parameters
    ----------
    groups : iterable of CellGroup
    run_group : callable
        Runs one group and returns its rows; it is sent to the workers.
    jobs : int
        Number of bundles that run at the same time, at most.
    address : str or None
        Address of the scheduler, such as ``"tcp://node7:8786"``. None starts a cluster on this
        machine that has `jobs` workers of one thread and ends with the run.
    bundle : int, default=1
        Number of groups that a worker runs as one task. More of them save the way to the worker
        where cells are short.

    Raises
    ------
    ResultsError
        If the scheduler cannot be reached, or no worker offers a resource that a group needs.
    """
    distributed: Any = import_module("distributed")  # in part without types
    waiting = bundles(groups, bundle)
    first = next(waiting, None)
    if first is None:
        return
    with ExitStack() as stack:
        client = _client(stack, address, jobs)
        running = distributed.as_completed()

        def submit(each: Bundle | None) -> None:
            if each is not None:
                needed = _reservation(client, each[0].resources)
                running.add(client.submit(run_bundle, run_group, each, pure=False, resources=needed))

        submit(first)
        for _ in range(jobs - 1):
            submit(next(waiting, None))
        for future in running:
            submit(next(waiting, None))
            yield _rows(future)


def _client(stack: ExitStack, address: str | None, jobs: int) -> Any:
    """Return a client of the cluster; both are closed with the stack."""
    distributed: Any = import_module("distributed")
    if address is None:
        cluster = distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs="ERROR"
        )
        return stack.enter_context(distributed.Client(stack.enter_context(cluster)))
    try:
        client = stack.enter_context(distributed.Client(address, timeout=_START_SECONDS, name="distillkit"))
        client.wait_for_workers(1, timeout=_START_SECONDS)
    except (OSError, ValueError) as exc:  # time-outs are among the first
        raise ResultsError(
            f"cannot reach workers by the dask scheduler {address!r}: {exc}. Check --scheduler and start workers."
        ) from exc
    return client


def _reservation(client: Any, resources: dict[str, float]) -> dict[str, float]:
    """Return what a task takes of the resources that the workers declare.

    A worker counts only what it was started with (``dask worker --resources "gpu=1"``), so that
    memory and processors are reserved where workers declare them, and devices always.
    """
    if not resources:
        return {}
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    most: dict[str, float] = {}
    for worker in workers:
        for name, amount in worker.get("resources", {}).items():
            most[name] = max(most.get(name, 0.0), amount)
    for name, amount in resources.items():
        if most.get(name, 0.0) < amount and (name == "gpu" or name in most):
            raise ResultsError(
                f'no dask worker offers {name} = {amount:g}: start workers with --resources "{name}={amount:g}", '
                "or change the resources of the method in the suite."
            )
    return {name: amount for name, amount in resources.items() if name in most}


def _rows(future: Any) -> Rows:
    """Return the rows of a finished task, none if the task was lost with its workers."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        return list(future.result())
    except (KilledWorker, FutureCancelledError, CommClosedError):
        return []
    except RuntimeError as exc:
        if "deserialization" not in str(exc):
            raise
        raise ResultsError(
            "the scheduler or the workers of dask cannot read what this process sends: "
            "install the same versions of distillkit, dask and the plugins on all machines."
        ) from exc
