"""Runs a suite that was given in Python, and returns its leaderboard."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.interface._cell_progress import CellProgress
from distillkit.bench.interface._leaderboard import Leaderboard
from distillkit.bench.interface._results_folder import ResultsFolder
from distillkit.bench.interface._suite_run import SuiteRun
from distillkit.bench.leaderboard._from_store import leaderboard_of
from distillkit.bench.planning._suite import Suite
from distillkit.bench.results._schema import STATUSES
from distillkit.bench.results._store import ResultsStore
from distillkit.budget import Budget
from distillkit.exceptions import DataError, DistillkitWarning, ResultsError

__all__ = ["RunOptions", "plain", "run_and_rank"]

_LIMITS = ("seconds", "memory_mb")


@dataclass(frozen=True)
class RunOptions:
    """How a comparison runs, whatever it compares; see `distillkit.compare`.

    Raises
    ------
    DataError
        If an option has a value that cannot be used.
    """

    n_jobs: int = 1
    max_seconds: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    executor: str | None = None
    retry: Iterable[str] | str = ()
    verbose: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.n_jobs, bool) or not isinstance(self.n_jobs, int) or self.n_jobs == 0 or self.n_jobs < -1:
            raise DataError(
                f"n_jobs={self.n_jobs!r} must be a number of cells at a time from 1 on, or -1 for all cores."
            )
        for name, value in {"max_seconds": self.max_seconds, **dict(self.limits)}.items():
            if name not in ("max_seconds", *_LIMITS):
                raise DataError(f"limits: {name!r} is not a limit: known are {' and '.join(_LIMITS)}.")
            if value is not None and (isinstance(value, bool) or not isinstance(value, Real) or not value > 0):
                raise DataError(f"{name}={value!r} must be a positive number.")
        unknown = self.statuses - set(STATUSES)
        if unknown:
            raise DataError(
                f"retry: {', '.join(sorted(unknown))} is not a status: known are {', '.join(STATUSES[1:])}."
            )

    @property
    def statuses(self) -> frozenset[str]:
        """The statuses whose cells run again."""
        return frozenset([self.retry] if isinstance(self.retry, str) else self.retry)

    @property
    def jobs(self) -> int:
        """The number of cells at a time."""
        return self.n_jobs if self.n_jobs > 0 else max(1, os.cpu_count() or 1)


def run_and_rank(
    suite: Suite, results: ResultsFolder, options: RunOptions, data_root: Path | None = None, *, prune: bool = False
) -> Leaderboard:
    """Run the cells of a suite that have no row in a folder, and return its leaderboard.

    Parameters
    ----------
    suite : Suite
    results : ResultsFolder
    options : RunOptions
    data_root : Path or None
        Folder in which datasets are searched for; None takes ``DISTILLKIT_DATA``.
    prune : bool
        Whether cells of earlier runs that the suite does not have leave the leaderboard.

    Raises
    ------
    DistillkitError
        If a name, a parameter or a dataset cannot be used, or if no cell can run.
    """
    try:
        return _ranked(suite, results, options, data_root, prune=prune)
    except ResultsError as exc:
        raise ResultsError(_in_python(str(exc))) from exc


def _ranked(
    suite: Suite, results: ResultsFolder, options: RunOptions, data_root: Path | None, *, prune: bool
) -> Leaderboard:
    store = ResultsStore(results.path)
    run = SuiteRun(suite, store, data_root, options.limits)
    _refuse_nothing(run)
    with store:
        if prune:
            run.prune()
        for note in run.notes():
            warnings.warn(_in_python(note), DistillkitWarning, stacklevel=4)
        total, statuses = len(run.plan.cells), options.statuses
        progress = CellProgress(suite.name, total, total - len(run.pending(statuses)), verbose=options.verbose)
        try:
            run.run(
                progress,
                jobs=options.jobs,
                executor=options.executor,
                retry=statuses,
                max_seconds=options.max_seconds,
            )
        except KeyboardInterrupt as exc:
            if not results.is_temporary:
                exc.add_note(f"{progress.done} of {total} cells are done in {store.folder}; the same call goes on.")
            raise
    return Leaderboard(leaderboard_of(store), results)


def _in_python(text: str) -> str:
    """Return a sentence in which options of the command line are parameters of the functions."""
    for option, parameter in (("--prune", "prune=True"), ("with --output", "by folder"), ("--output", "folder")):
        text = text.replace(option, parameter)
    return text


def _refuse_nothing(run: SuiteRun) -> None:
    """Raise an error if no cell of the suite can run."""
    cells = run.plan.cells
    reasons = dict.fromkeys(cell.failure or cell.skip for cell in cells)
    if None not in reasons:
        shown = "; ".join(list(map(str, reasons))[:3])
        raise DataError(f"nothing of {run.plan.suite.name} can run: {shown}.")


def plain(value: Any) -> Any:
    """Return a value of Python as one that a suite file could hold, where there is one."""
    if isinstance(value, Budget):
        return plain(value.value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {plain(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | range | np.ndarray):
        return [plain(item) for item in value]
    return value
