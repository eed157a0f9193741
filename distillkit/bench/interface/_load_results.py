"""Reads the leaderboard of a results folder."""

from __future__ import annotations

import os
import warnings

from distillkit.bench.interface._leaderboard import Leaderboard
from distillkit.bench.leaderboard._from_store import leaderboard_of
from distillkit.bench.leaderboard._version_notes import made_by_others
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import DistillkitWarning
from distillkit.utils._versions import __version__

__all__ = ["load_results"]


def load_results(folder: str | os.PathLike[str]) -> Leaderboard:
    """Return the leaderboard of a results folder, even if its run is unfinished.

    Parameters
    ----------
    folder : str or Path
        The folder of a `compare` or `run_suite`, of `Leaderboard.save`, or of ``distillkit run``.

    Returns
    -------
    Leaderboard

    Raises
    ------
    ResultsError
        If the folder holds no results.

    Warns
    -----
    DistillkitWarning
        If rows were made by another version of distillkit.
    """
    data = leaderboard_of(ResultsStore(folder))
    if (others := made_by_others(data.rows, data.environments, __version__)) is not None:
        warnings.warn(others, DistillkitWarning, stacklevel=2)
    return Leaderboard(data)
