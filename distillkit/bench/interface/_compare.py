"""Compares methods on rows that are there in Python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.interface._execution import RunOptions, plain, run_and_rank
from distillkit.bench.interface._leaderboard import Leaderboard
from distillkit.bench.interface._own_entries import OwnEntries
from distillkit.bench.interface._results_folder import ResultsFolder
from distillkit.bench.planning._suite import N_SPLITS
from distillkit.bench.planning._suite_parser import Parser
from distillkit.budget import Budget
from distillkit.datasets import Dataset, load_dataset
from distillkit.exceptions import BudgetError, DataError
from distillkit.plugins import get_manager

__all__ = ["compare"]

_METHODS = ("kmeans", "kcenter", "herding")
_EVALUATORS = {"classification": ("logistic", "knn"), "regression": ("ridge", "knn")}
_NAME = "comparison"


def compare(
    X: Any,
    y: Any = None,
    *,
    methods: Any = _METHODS,
    budgets: Any = (10,),
    evaluators: Any = None,
    seeds: Any = None,
    splits: int | Iterable[int] = N_SPLITS,
    metrics: Any = "standard",
    primary: str | None = None,
    controls: bool = True,
    X_test: Any = None,
    y_test: Any = None,
    sample_weight: Any = None,
    task: str | None = None,
    name: str | None = None,
    n_jobs: int = 1,
    max_seconds: float | None = None,
    limits: Mapping[str, float] | None = None,
    threads: int = 1,
    executor: str = "local",
    retry: Iterable[str] | str = (),
    prune: bool = False,
    folder: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> Leaderboard:
    """Compare methods on your rows, and return their leaderboard.

    Each method makes distilled sets of each size, models are trained on these, and predict test
    rows that no method has seen. It is the same run as that of ``distillkit run``: every cell in a
    child process of its own with limits, and one row each, also for a cell that fails.

    Parameters
    ----------
    X : array-like of shape (n, ...) or frame of shape (n, d)
        Training rows: a table as array or as frame of pandas, polars or pyarrow, also with text,
        categories, dates and gaps; series (n, channels, time); images (n, channels, height, width).
        Tensors of torch and sparse matrices will do as well, and so will the name of a registered
        dataset and the path of a file (``"data.csv"``).
    y : array-like of shape (n,) or str
        Labels or numbers, or the name of their column in `X` or in the file.
    methods : list, dict, or "all"
        Registered names, see `list_methods`, optionally with a preset (``"kmeans:medoids"``);
        tables as in a suite (``{"name": "kmeans", "representative": "mean"}``); and distillers of
        your own, whose budget and seed the comparison sets. A dict gives each entry a label.
    budgets : list
        Rows per class (int), shares of the rows (float in (0, 1)) or dicts; see `Budget`.
    evaluators : list, dict or None
        Registered names (``distillkit list evaluators``), and estimators of your own with `fit` and
        `predict`, which are cloned, seeded where their `random_state` is None, and trained on the
        distilled rows, with their weights where `fit` takes them. None takes logistic regression
        (ridge regression for numbers) and nearest neighbors.
    seeds : int, list of int or None
        Distillation seeds, combined with each split. None takes one a split.
    splits : int or list of int
        Divisions into training and test rows, if there are no test rows.
    metrics : list, "standard" or "all"
        Registered names, see ``distillkit list metrics``.
    primary : str or None
        Metric to rank by; None takes the one that suits the task and the classes.
    controls : bool
        Whether the whole set, random rows, k-means and class means are compared as well.
    X_test, y_test : array-like or None
        Test rows; None holds 25 % of the rows out in each split.
    sample_weight : array-like of shape (n,) or None
        Weights of the training rows.
    task : {"classification", "regression"} or None
        None infers it from `y`; see `BaseDistiller`.
    name : str or None
        Name of the data on the leaderboard; None takes "data", or the name of the dataset or file.
    n_jobs : int
        Number of cells at a time; -1 takes all cores. The results do not depend on it.
    max_seconds : float or None
        Seconds after which no further cell begins. The leaderboard then shows what is done, and
        the same call with the same `folder` goes on.
    limits : dict or None
        Limits of each child process: ``{"seconds": 600, "memory_mb": 8000}``.
    threads : int
        Threads of each child process.
    executor : str
        Registered executor.
    retry : list of str
        Statuses of finished cells that run again, such as ``["failed", "timeout"]``.
    prune : bool
        Whether cells of earlier calls with the same `folder` that are not among those of this call
        leave the leaderboard. Otherwise they stay on it.
    folder : str, Path or None
        Folder of the results, which later calls go on with: cells whose rows, methods and models
        have not changed are not run again. None uses a temporary folder, which is removed with the
        leaderboard; `Leaderboard.save` keeps the results.
    verbose : bool
        Whether to show the progress.

    Returns
    -------
    Leaderboard

    Raises
    ------
    DataError
        If rows and targets cannot be used or differ in number, or a method or evaluator is no
        distiller, has no `fit` and `predict`, or cannot be pickled.
    BudgetError
        If a budget is malformed, or the training rows cannot meet it.
    UnknownNameError
        If a method, evaluator or metric is not registered; the nearest names are suggested.
    SuiteError
        If a parameter is not one of its method, or an option is malformed.
    ResultsError
        If the folder cannot be written.

    Warns
    -----
    DistillkitWarning
        If the folder has cells that this call does not have, or a column of `X` looks like an
        identifier or is not of the type that one may expect.

    Notes
    -----
    Own objects are sent to the child processes as pickles in the folder, with the code of classes
    that are defined in a script or notebook. They are known again by their class, parameters and
    code. They never leave this folder: neither `Leaderboard.save` nor ``distillkit publish`` copies
    them.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from distillkit import KCenterCoreset, compare
    >>> X, y = load_wine(return_X_y=True)
    >>> board = compare(X, y, methods=["kmeans", KCenterCoreset()], budgets=[5], splits=2,
    ...                 evaluators=[DecisionTreeClassifier()], metrics=["accuracy"],
    ...                 controls=False, verbose=False)
    >>> sorted(board.frame.method), board.complete
    (['KCenterCoreset()', 'kmeans'], True)
    """
    options = RunOptions(n_jobs, max_seconds, limits or {}, executor, retry, verbose)
    results = ResultsFolder(folder)
    try:
        own = OwnEntries(results.path)
        rows = {"X": X, "y": y, "X_test": X_test, "y_test": y_test, "sample_weight": sample_weight}
        table, data = _named(rows, task, name) if _is_name(X) else _given(own, rows, task, name)
        suite: dict[str, Any] = {
            "name": _NAME,
            "datasets": [table],
            "methods": methods,
            "evaluators": _EVALUATORS[data.task] if evaluators is None else evaluators,
            "budgets": _budgets(budgets, data),
            "splits": splits,
            "metrics": [metrics] if isinstance(metrics, str) and metrics not in ("standard", "all") else metrics,
            "controls": controls,
            "threads": threads,
            "primary": {} if primary is None else {data.task: primary},
        }
        if seeds is not None:
            suite["seeds"] = seeds
        parsed = Parser(plain(own.suite(suite)), "", "compare", None).suite()
        return run_and_rank(parsed, results, options, prune=prune)
    except BaseException:
        results.remove()
        raise


def _is_name(X: Any) -> bool:
    return isinstance(X, str | os.PathLike)


def _given(own: OwnEntries, rows: dict[str, Any], task: str | None, name: str | None) -> tuple[dict[str, Any], Dataset]:
    """Return the entry of rows that are there, and the rows as the first split divides them."""
    label = name or "data"
    table = own.dataset({**rows, "task": task, "label": label})
    return table, own.rows[label].data


def _named(rows: dict[str, Any], task: str | None, name: str | None) -> tuple[dict[str, Any], Dataset]:
    """Return the entry of a registered dataset or of a file, and its rows."""
    source, target = os.fspath(rows["X"]), rows["y"]
    with_rows = [key for key in ("X_test", "y_test", "sample_weight") if rows[key] is not None]
    if with_rows:
        raise DataError(f"{with_rows[0]} goes with rows, but X={source!r} is a name: load the rows, or leave it out.")
    options = {key: value for key, value in {"target": target, "task": task}.items() if value is not None}
    data = load_dataset(source, **options)
    is_registered = source in get_manager().specs("dataset")
    path = Path(source).expanduser()  # Other files are searched for in the data folder.
    entry = {"name": source} if is_registered else {"path": str(path.absolute()) if path.exists() else source}
    label = name or (source if is_registered else data.name)
    return {**entry, **options, "label": label}, data


def _budgets(budgets: Any, data: Dataset) -> list[Any]:
    """Return the budgets as a list, after a check that the training rows can meet each of them."""
    given = plain([budgets] if isinstance(budgets, int | float | str | Mapping | Budget) else list(budgets))
    counts = dict(zip(data.classes, np.bincount(data.y_train).tolist(), strict=True)) if data.classes else {}
    for value in given:
        budget = Budget.parse(value) if isinstance(value, str) else Budget(value)
        try:
            budget.per_class(counts) if counts else budget.total(len(data.y_train))
        except BudgetError as exc:
            held_out = f"{len(data.y_train)} training rows remain once {len(data.y_test)} are held out for testing"
            raise BudgetError(f"{exc} ({held_out})") from None
    return given  # type: ignore[no-any-return]
