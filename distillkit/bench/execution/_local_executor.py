"""The default engine: threads on this machine, each waiting for one child process at a time."""

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
    """Run groups, `jobs` at a time, and yield their rows as they are done.

    Parameters
    ----------
    groups : iterable of CellGroup
    run_group : callable
        Runs one group and returns its rows; it does not raise for what goes wrong inside a cell.
    jobs : int
        Groups at a time.
    """
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="distillkit")
    futures = [pool.submit(run_group, group) for group in groups]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:  # on an interrupt: start nothing new and end what runs, also what a thread was just about to start
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            kill_children()
            sleep(0.02)
        pool.shutdown(wait=True)
