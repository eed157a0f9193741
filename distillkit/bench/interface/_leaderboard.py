"""The leaderboard of a comparison, as a table, a plot, text, Markdown, CSV and HTML."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.bench.interface._board_plot import plot_panels
from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.leaderboard._from_store import leaderboard_of
from distillkit.bench.reporters import render_html, render_markdown, render_scores, render_text
from distillkit.bench.reporters._csv import flat_rows, table_csv
from distillkit.bench.reporters._notebook import render_notebook
from distillkit.bench.reporters._write_all import write_reports
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import ResultsError

if TYPE_CHECKING:
    import pandas as pd

    from distillkit.bench.interface._results_folder import ResultsFolder

__all__ = ["Leaderboard"]


class Leaderboard:
    """The compared results of `compare`, `run_suite` or `load_results`.

    Printed, it shows the scores of all methods; a notebook shows them as a table.

    Parameters
    ----------
    data : LeaderboardData
        What reporters write, see `distillkit.bench.leaderboard.LeaderboardData`.
    results : ResultsFolder or None
        The folder of the results, which is removed with this object if it is a temporary one.

    Attributes
    ----------
    data : LeaderboardData
        As given.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from distillkit import compare
    >>> X, y = load_iris(return_X_y=True)
    >>> board = compare(X, y, methods=["kmeans"], budgets=[3], evaluators=["knn"], splits=2,
    ...                 metrics=["accuracy"], controls=False, verbose=False)
    >>> board.frame[["method", "budget", "n", "complete"]]
       method budget  n  complete
    0  kmeans      3  2      True
    """

    def __init__(self, data: LeaderboardData, results: ResultsFolder | None = None) -> None:
        self.data = data
        self._results = results

    @property
    def frame(self) -> pd.DataFrame:
        """One row per dataset, evaluator, kind of labels, budget and method.

        ``mean`` is the primary metric, with ``ci_low``, ``ci_high`` and ``rank``; further metrics
        and costs have columns of their own. They are those of ``leaderboard.csv``, which the
        glossary explains.
        """
        return self.data.table.copy()

    @property
    def cells(self) -> pd.DataFrame:
        """One row per finished cell, as in ``rows.csv``: split, seeds, status, ``metrics.NAME``."""
        return flat_rows(self.data)

    @property
    def failures(self) -> pd.DataFrame:
        """The cells that failed, ran out of time or memory, or crashed, with their errors."""
        return self.data.failures.copy()

    @property
    def skipped(self) -> pd.DataFrame:
        """The combinations that cannot run, with the reason and the number of cells."""
        return self.data.skipped.copy()

    @property
    def complete(self) -> bool:
        """Whether every planned cell has ended, in whatever way."""
        return self.data.n_done == self.data.n_planned

    @property
    def folder(self) -> Path | None:
        """The folder of the results; a temporary one is removed together with this object."""
        return self.data.folder

    def plot(self, ax: Any = None, *, dataset: str | None = None, evaluator: str | None = None) -> Any:
        """Draw the primary metric with its 95 % intervals, against the budget if there are several.

        Parameters
        ----------
        ax : Axes, sequence of Axes or None
            Where to draw: one for each combination of dataset, evaluator and kind of labels. None
            makes a figure.
        dataset, evaluator : str or None
            Draw only this one; None draws all.

        Returns
        -------
        Axes or ndarray of Axes
            A single one if there is one combination.

        Raises
        ------
        DataError
            If there is no such dataset or evaluator, or `ax` does not fit.
        """
        return plot_panels(self.data.panels(), ax, dataset, evaluator)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the page of the leaderboard, which needs no other file, and write it to `path`."""
        return _written(render_html(self.data), path)

    def to_markdown(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the leaderboard as Markdown, and write it to `path`."""
        return _written(render_markdown(self.data), path)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `frame` as CSV, and write it to `path`."""
        return _written(table_csv(self.data.table), path)

    def to_text(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return all of it as plain text, at most 100 columns wide, and write it to `path`."""
        return _written(render_text(self.data), path)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Copy what the folder of the results holds now, and write all reports beside it.

        Own estimators and own rows of the comparison are not copied, because the former are
        pickles, which nobody should open who has not written them.

        Parameters
        ----------
        folder : str or Path
            It must not exist, or be empty.

        Returns
        -------
        Path
            The folder, which `load_results` reads.

        Raises
        ------
        ResultsError
            If the folder holds something, or cannot be written.
        """
        target = Path(folder)
        if self.folder is None or not self.folder.is_dir():
            raise ResultsError("the folder of these results is gone: run the comparison again with folder=...")
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ResultsError(f"{target} holds something already: give a new folder.")
        try:
            shutil.copytree(
                self.folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("own", "data", ".lock", "*.part")
            )
        except (OSError, shutil.Error) as exc:
            raise ResultsError(f"cannot write {target}: {exc}. Free space, or give another folder.") from exc
        write_reports(leaderboard_of(ResultsStore(target)), target)
        return target

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data, "_results": None}  # The temporary folder stays with this object.

    def __repr__(self) -> str:
        return render_scores(self.data).rstrip("\n")

    def _repr_html_(self) -> str:
        return render_notebook(self.data)


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as exc:
            raise ResultsError(f"cannot write {path}: {exc.strerror or exc}. Give another file.") from exc
    return text
