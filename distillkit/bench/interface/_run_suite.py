"""Runs a suite that is given as a dict, a file, or the name of a shipped one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from distillkit.bench.interface._execution import RunOptions, plain, run_and_rank
from distillkit.bench.interface._leaderboard import Leaderboard
from distillkit.bench.interface._own_entries import OwnEntries
from distillkit.bench.interface._results_folder import ResultsFolder
from distillkit.bench.planning._load_suite import load_suite
from distillkit.bench.planning._narrowing import narrowed
from distillkit.bench.planning._suite import Suite
from distillkit.bench.planning._suite_parser import Parser
from distillkit.exceptions import SuiteError

__all__ = ["run_suite"]


def run_suite(
    suite: Mapping[str, Any] | str | os.PathLike[str],
    *,
    folder: str | os.PathLike[str] | None = None,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    evaluators: Sequence[str] = (),
    budgets: Iterable[Any] = (),
    seeds: int | None = None,
    splits: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    download: bool = False,
    prune: bool = False,
    n_jobs: int = 1,
    max_seconds: float | None = None,
    limits: Mapping[str, float] | None = None,
    executor: str | None = None,
    retry: Iterable[str] | str = (),
    verbose: bool = True,
) -> Leaderboard:
    """Run or resume a suite, and return the leaderboard of its folder, as ``distillkit run`` does.

    Parameters
    ----------
    suite : dict, str or Path
        The keys of a suite, a TOML file, or the name of a shipped suite. A dict may hold distillers
        and estimators in ``methods`` and ``evaluators``, as for `compare`, and tables with ``X``,
        ``y`` and ``label`` (and ``X_test``, ``y_test``, ``sample_weight``, ``task``) in
        ``datasets``.
    folder : str, Path or None
        Folder of the results, which later calls and ``distillkit run --output`` go on with. None
        uses a temporary folder, which is removed with the leaderboard.
    datasets : sequence of str
        Labels of datasets of the suite, to use only these.
    methods, evaluators : sequence of str
        Labels or registered names in place of those of the suite.
    budgets : iterable
        Budgets in place of those of the suite.
    seeds, splits : int or None
        Numbers of seeds and of splits in place of those of the suite.
    data_root : str, Path or None
        Folder in which datasets are searched for; None takes ``DISTILLKIT_DATA``.
    download : bool
        Whether to download missing datasets into it, where they offer a download.
    prune : bool
        Whether cells of earlier runs that are not in the suite leave the leaderboard.
    n_jobs, max_seconds, limits, executor, retry, verbose
        As for `compare`. `limits` replace those of the suite.

    Returns
    -------
    Leaderboard

    Raises
    ------
    SuiteError
        If the suite is not valid; the message names the file, line and key.
    DistillkitError
        As for `compare`.

    Warns
    -----
    DistillkitWarning
        If the folder holds cells that are not in the suite, or were measured in another way.

    Examples
    --------
    >>> from distillkit import run_suite
    >>> suite = {"name": "small", "datasets": ["iris"], "methods": ["random", "kmeans"],
    ...          "evaluators": ["knn"], "budgets": [2], "splits": 2, "controls": False,
    ...          "metrics": ["accuracy"]}
    >>> board = run_suite(suite, verbose=False)
    >>> sorted(board.frame.method)
    ['kmeans', 'random']
    """
    options = RunOptions(n_jobs, max_seconds, limits or {}, executor, retry, verbose)
    results = ResultsFolder(folder)
    try:
        chosen = narrowed(
            _loaded(suite, results.path),
            datasets=_names(datasets),
            methods=_names(methods),
            evaluators=_names(evaluators),
            budgets=[budgets] if isinstance(budgets, str) else plain(list(budgets)),
            seeds=seeds,
            splits=splits,
            download=download,
        )
        root = None if data_root is None else Path(data_root)
        return run_and_rank(chosen, results, options, root, prune=prune)
    except BaseException:
        results.remove()
        raise


def _loaded(suite: Any, folder: Path) -> Suite:
    """Return a suite that is given in any form, with its objects in the results folder."""
    if isinstance(suite, Mapping):
        return Parser(plain(OwnEntries(folder).suite(suite)), "", "suite", None).suite()
    if isinstance(suite, str | os.PathLike):
        return load_suite(os.fspath(suite))
    raise SuiteError(f"suite is a {type(suite).__name__}: give a dict of its keys, a TOML file or a name.")


def _names(given: Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
