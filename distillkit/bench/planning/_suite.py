"""Data classes for a suite, which says what to compare, and the look-up of lines in its file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from distillkit.budget import Budget
from distillkit.exceptions import SuiteError

__all__ = ["DEFAULT_PRIMARY", "N_SPLITS", "Entry", "Limits", "Suite", "check_size", "locate"]

_MOST_CELLS = 1_000_000

DEFAULT_PRIMARY = {"classification": "accuracy", "regression": "r2"}
"""The metric that methods are ranked by, per task, unless the suite or the classes name another."""

N_SPLITS = 10
"""Number of splits of a suite that names none."""


@dataclass(frozen=True)
class Entry:
    """A dataset, method or evaluator of a suite.

    Parameters
    ----------
    name : str
        Registry name, for methods and evaluators optionally with a preset: ``"kmeans:medoids"``.
    label : str
        Name on the leaderboard, unique within its list.
    params : dict
        Options of the dataset, or parameters of the method or evaluator. Paths that exist relative
        to the suite file are absolute.
    tuned_on : tuple of str
        For methods: what the parameters were chosen by, see `distillkit.specs.MethodSpec`.
    resources : dict of str to float
        For methods: what an engine reserves for each group of its cells, of ``"gpu"`` and ``"cpu"``
        (numbers of them) and ``"memory_mb"``, which is also the memory limit of its processes.
    """

    name: str
    label: str
    params: dict[str, Any] = field(default_factory=dict)
    tuned_on: tuple[str, ...] = ()
    resources: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Limits of one child process: wall-clock seconds and megabytes of resident memory."""

    seconds: float = 600.0
    memory_mb: float = 8000.0


@dataclass(frozen=True)
class Suite:
    """A validated suite; see `parse_suite` for the file's keys.

    `seeds` is None if the suite names none. `most_seeds` holds the largest number of seeds by
    method, `primary` only the metrics that the suite names, and `settings_tuned_on` what the
    parameters in `settings` were chosen by. `engine` holds the name of the engine and its options.
    `narrowed` says that options have left out a part of
    the file's cells, or chosen others.
    """

    name: str
    datasets: tuple[Entry, ...]
    methods: tuple[Entry, ...] | None
    evaluators: tuple[Entry, ...]
    budgets: tuple[Budget, ...]
    seeds: tuple[int, ...] | None = None
    most_seeds: dict[str, int] = field(default_factory=dict)
    splits: tuple[int, ...] = tuple(range(N_SPLITS))
    evaluation_seeds: tuple[int, ...] = (0,)
    metrics: tuple[str, ...] | None = None  # None: the standard ones; ("all",): every one
    exclude: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings_tuned_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    primary: dict[str, str] = field(default_factory=dict)
    controls: bool = True
    limits: Limits = Limits()
    threads: int = 1
    engine: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    source: str = ""
    filename: str = ""
    narrowed: bool = False

    def line_of(self, key: str) -> str:
        """Return ``"FILE, line N"`` for a key or name in the suite, or ``"FILE"`` if not found."""
        return locate(self.filename or self.name, self.source, key)


def check_size(suite: Suite, n_methods: int) -> None:
    """Check that a plan of the suite can be held in memory.

    Parameters
    ----------
    suite : Suite
    n_methods : int
        Number of its methods, "all" being resolved.

    Raises
    ------
    SuiteError
        If there are more than a million cells.
    """
    numbers = {
        "datasets": len(suite.datasets),
        "methods": n_methods,
        "budgets": len(suite.budgets),
        "splits": len(suite.splits),
        "seeds": 1 if suite.seeds is None else len(suite.seeds),
        "evaluators": len(suite.evaluators),
        "evaluation_seeds": len(suite.evaluation_seeds),
    }
    n_cells = math.prod(numbers.values())
    if n_cells > _MOST_CELLS:
        shown = " x ".join(f"{number} {key}" for key, number in numbers.items())
        raise SuiteError(
            f"{suite.filename or suite.name}: {shown} are {n_cells:,} cells, and {_MOST_CELLS:,} are the most: "
            "divide the suite, or give fewer of each."
        )


def locate(filename: str, text: str, key: str) -> str:
    """Return the file and line of a key or name in TOML text, or the file alone if not found.

    Keys are searched for before ``=``, also in inline tables, and in the headers of tables. If
    there is none, a value in quotes is searched for.
    """
    word = re.escape(key)
    as_key = rf"""(^[ \t]*|[{{,][ \t]*)["']?{word}["']?[ \t]*="""
    as_table = rf"""^[ \t]*\[+[ \t]*["']?{word}["']?[ \t]*\]"""
    match = re.search(f"{as_key}|{as_table}", text, re.MULTILINE) or re.search(rf"""["']{word}["']""", text)
    return f"{filename}, line {text.count(chr(10), 0, match.end()) + 1}" if match else filename
