"""Every error and warning that distillkit raises on purpose.

::

    DistillkitError
    ├── BudgetError (ValueError)          a budget that the rows cannot meet
    ├── DataError (ValueError)            rows or labels that no method can use
    ├── UnknownNameError (LookupError)    a method, dataset, metric ... nobody provides
    ├── PluginError                       a plugin that cannot give what was asked of it
    ├── DatasetError
    │   └── DatasetNotFoundError          data that is not on disk, with how to get it
    ├── ArtefactError                     a distilled set that cannot be written or read
    ├── NotEnoughMemoryError (MemoryError)  a run that will not fit into memory
    ├── SuiteError                        a suite file that is not valid: line and key named
    └── ResultsError                      a results folder that cannot be used

    DistillkitWarning (UserWarning)
    └── PluginWarning                     a plugin that was turned off, and why

The command line prints the message of a `DistillkitError` as one sentence and exits with status 2;
each message therefore names the cause, the value and the remedy.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArtefactError",
    "BudgetError",
    "DataError",
    "DatasetError",
    "DatasetNotFoundError",
    "DistillkitError",
    "DistillkitWarning",
    "NotEnoughMemoryError",
    "PluginError",
    "PluginWarning",
    "ResultsError",
    "SuiteError",
    "UnknownNameError",
]


class DistillkitError(Exception):
    """Base of every error that distillkit raises on purpose."""


class BudgetError(DistillkitError, ValueError):
    """A budget that is malformed or that the rows cannot meet."""


class DataError(DistillkitError, ValueError):
    """Rows, labels or parameters that no method can use as they are."""


class UnknownNameError(DistillkitError, LookupError):
    """A name that no plugin provides.

    Parameters
    ----------
    kind : str
        What was asked for, as a user would say it ("method", "dataset", ...).
    name : str
        The name that was not found.
    known : iterable of str
        The names that exist; the nearest are suggested.
    note : str, default=""
        One more sentence, for example which broken plugin may have held the name.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], note: str = "") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"known: {', '.join(names) or 'none'}."
        super().__init__(f"unknown {kind} {name!r}: {hint}" + (f" {note}" if note else ""))
        self.kind, self.name, self.near = kind, name, near


class PluginError(DistillkitError):
    """A plugin that cannot give what was asked of it by name."""


class DatasetError(DistillkitError):
    """A dataset that cannot be read or does not fit what was asked."""


class DatasetNotFoundError(DatasetError):
    """A dataset that is not on disk; the message says how to get it."""


class ArtefactError(DistillkitError):
    """A distilled set that cannot be written, is damaged, or is of a newer version."""


class NotEnoughMemoryError(DistillkitError, MemoryError):
    """A run that will not fit into memory, or did not; the message names what to lower."""


class SuiteError(DistillkitError):
    """A suite file that is not valid; the message names the file, the line and the key."""


class ResultsError(DistillkitError):
    """A results folder that cannot be written, read, or is in use by another run."""


class DistillkitWarning(UserWarning):
    """Base of every warning that distillkit gives."""


class PluginWarning(DistillkitWarning):
    """A plugin that was turned off, and why."""
