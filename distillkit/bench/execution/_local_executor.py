"""The default executor, which runs cells on this machine, in child processes.

Each of its threads waits for one child process at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import sleep
from typing import Any

from distillkit.bench.execution._job_process import kill_children

__all__ = ["run"]


def run(
    groups: Iterable[Any], run_group: Callable[[Any], list[dict[str, Any]]], jobs: int
) -> Iterator[list[dict[str, Any]]]:
    """Run groups of cells in parallel and yield the rows of each group when it is done.

    Parameters
    ----------
    groups : iterable of CellGroup
    run_group : callable
        Runs one group and returns its rows; failures of a cell are recorded in its row.
    jobs : int
        Number of groups that run at the same time.
    """
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="distillkit")
    futures = [pool.submit(run_group, group) for group in groups]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:  # On an interrupt, kill the children repeatedly, because a thread may just be starting one.
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            kill_children()
            sleep(0.02)
        pool.shutdown(wait=True)
