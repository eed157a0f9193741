"""Errors and warnings of distillkit.

::

    DistillkitError
    ├── BudgetError (ValueError)          a budget that is invalid for the rows
    ├── DataError (ValueError)            invalid rows, labels or parameters
    ├── UnknownNameError (LookupError)    a method, dataset, ... that no plugin provides
    ├── PluginError                       a plugin that cannot provide a requested name
    │   └── MissingPackageError (ImportError)  a package that is not installed
    ├── DatasetError
    │   ├── DatasetNotFoundError          a dataset whose files are missing
    │   └── DatasetOptionError            an option that does not fit the dataset
    ├── ArtefactError                     a distilled set that cannot be written or read
    ├── NotEnoughMemoryError (MemoryError)  a run that exceeds the memory
    ├── ProcessGroupError (RuntimeError)  a fit of several processes of which one has failed
    ├── SuiteError                        an invalid suite file
    └── ResultsError                      a results folder that cannot be used

    DistillkitWarning (UserWarning)
    └── PluginWarning                     a plugin that was disabled

The command line prints the message of a `DistillkitError` and exits with status 2. Each message
therefore names the parameter, the value and the remedy.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = [
    "ArtefactError",
    "BudgetError",
    "DataError",
    "DatasetError",
    "DatasetNotFoundError",
    "DatasetOptionError",
    "DistillkitError",
    "DistillkitWarning",
    "MissingPackageError",
    "NotEnoughMemoryError",
    "PluginError",
    "PluginWarning",
    "ProcessGroupError",
    "ResultsError",
    "SuiteError",
    "UnknownNameError",
]

# Packages whose import name is not the name under which they are installed.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "faiss": "faiss-cpu",
    "ot": "pot",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


class DistillkitError(Exception):
    """Base class of all errors of distillkit."""


class BudgetError(DistillkitError, ValueError):
    """Raised for a budget that is malformed or exceeds the rows."""


class DataError(DistillkitError, ValueError):
    """Raised for rows, labels or parameters that a method cannot use."""


class UnknownNameError(DistillkitError, LookupError):
    """Raised for a name that no plugin provides.

    Parameters
    ----------
    kind : str
        Kind of the name, as a user would call it ("method", "dataset", ...).
    name : str
        The name that was not found.
    known : iterable of str
        The existing names, the most similar of which are suggested.
    note : str, default=""
        Further sentence of the message, for example which broken plugin may provide the name.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], note: str = "") -> None:
        names = sorted(known)
        similar = get_close_matches(name, names, n=3, cutoff=0.5)
        known = f"known: {', '.join(names) or 'none'}." if len(names) <= 50 else "`distillkit list` says what there is."
        hint = f"did you mean {', '.join(map(repr, similar))}?" if similar else known
        super().__init__(f"unknown {kind} {name!r}: {hint}" + (f" {note}" if note else ""))
        self.kind, self.name, self.near = kind, name, similar


class PluginError(DistillkitError):
    """Raised if a plugin cannot provide a name that was requested from it."""


class MissingPackageError(PluginError, ImportError):
    """Raised for a part of distillkit or of a plugin that needs a package that is not installed.

    Parameters
    ----------
    what : str
        What needs the packages, such as ``"GANSynthesizer"``.
    packages : iterable of str
        Import names of the missing packages.
    """

    def __init__(self, what: str, packages: Iterable[str]) -> None:
        self.what, self.packages = what, tuple(packages)
        are = "is" if len(self.packages) == 1 else "are"
        to_install = " ".join(_DISTRIBUTIONS.get(name, name) for name in self.packages)
        super().__init__(
            f"{what} needs {' and '.join(self.packages)}, which {are} not installed: pip install {to_install}."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments of the constructor, since child processes send their errors."""
        return type(self), (self.what, self.packages)


class DatasetError(DistillkitError):
    """Raised for a dataset that cannot be read or does not fit the request."""


class DatasetNotFoundError(DatasetError):
    """Raised for a dataset whose files are missing; the message says how to get them."""


class DatasetOptionError(DatasetError):
    """Raised for an option of a dataset that is invalid, such as a column that the file lacks."""


class ArtefactError(DistillkitError):
    """Raised for a distilled set that cannot be written, is damaged, or is of a newer version."""


class NotEnoughMemoryError(DistillkitError, MemoryError):
    """Raised for a run that exceeds the memory; the message names the setting to lower."""


class ProcessGroupError(DistillkitError, RuntimeError):
    """Raised in the other processes of a fit, or for its workers, when one of them has failed."""


class SuiteError(DistillkitError):
    """Raised for an invalid suite file; the message names the file, the line and the key."""


class ResultsError(DistillkitError):
    """Raised for a results folder that cannot be written or read, or is used by another run."""


class DistillkitWarning(UserWarning):
    """Base class of all warnings of distillkit."""


class PluginWarning(DistillkitWarning):
    """Warns that a plugin was disabled, and gives the reason."""
