"""Runs the reporters, so that a leaderboard lies in files of every format."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.exceptions import DistillkitWarning, ResultsError
from distillkit.plugins import get_manager

__all__ = ["write_reports"]


def write_reports(leaderboard: LeaderboardData, folder: Path, formats: Sequence[str] = ()) -> list[Path]:
    """Run reporters on a leaderboard.

    Parameters
    ----------
    leaderboard : LeaderboardData
    folder : Path
        Folder of the files.
    formats : sequence of str
        Registered names of reporters; all of them if there are none.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ResultsError
        If a file cannot be written.

    Warns
    -----
    DistillkitWarning
        If the reporter of a plugin fails.
    """
    manager = get_manager()
    files: list[Path] = []
    for name in formats or manager.short_specs("reporter"):
        spec = manager.get("reporter", name)
        try:
            files += spec.load()(leaderboard, folder)
        except OSError as exc:
            raise ResultsError(f"cannot write the {name} report into {folder}: {exc.strerror or exc}.") from exc
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # The reporter of a plugin that fails must not stop the others.
            if manager.provider("reporter", name).dist == "distillkit":
                raise
            warnings.warn(f"reporter {name} failed: {type(exc).__name__}: {exc}", DistillkitWarning, stacklevel=2)
    return files
