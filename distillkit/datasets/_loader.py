"""Dataset loaders: functions that read a dataset, with checked options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    from distillkit.datasets._dataset import Dataset

__all__ = ["SPLIT", "Loader", "holds_out_rows", "loader"]

SPLIT = "split"
"""Option of loaders that hold test rows out: the number of a split into training and test rows."""

Files = Callable[..., list[Path]]
OwnTest = Callable[..., bool]


def _no_files(_root: Path | None, **_options: Any) -> list[Path]:
    """Return no files, for datasets that are not read from the data folder."""
    return []


def _holds_out(_root: Path | None, **_options: Any) -> bool:
    """Return that no source has test rows of its own, for datasets that always hold rows out."""
    return False


@dataclass(eq=False)
class Loader:
    """A function ``(root, **options) -> Dataset`` with checked options, made by `loader`.

    Parameters
    ----------
    function : callable
        Reads the data; its parameters after the first are the options.
    find : callable
        ``(root, **options) -> list of Path`` returns the files that the data comes from. Their
        content becomes part of the dataset's revision.
    own_test : callable
        ``(root, **options) -> bool`` returns whether the source has test rows of its own. A
        function that has a parameter `split` holds out test rows where this is False, other rows
        for each number of a split; one without this parameter always has its own test rows.

    Raises
    ------
    DatasetError
        When called with an option that the function does not have, or without one that it needs.
    """

    function: Callable[..., Dataset]
    find: Files = _no_files
    own_test: OwnTest = _holds_out

    def __post_init__(self) -> None:
        update_wrapper(self, self.function)

    @property
    def called(self) -> str:
        """Name of the function, for messages."""
        return str(getattr(self.function, "__name__", "loader"))

    def __call__(self, root: Path | None = None, **options: Any) -> Dataset:
        """Check the options and read the data.

        Parameters
        ----------
        root : Path or None
            The data folder.
        **options
            Options of the function.

        Returns
        -------
        Dataset
        """
        self.check(options)
        return self.function(root, **options)

    def files(self, root: Path | None = None, **options: Any) -> list[Path]:
        """Return the files and folders that the rows come from.

        The list is empty if the revision of the dataset's specification identifies the rows.

        Parameters
        ----------
        root : Path or None
            The data folder.
        **options
            Options of the function.

        Raises
        ------
        DatasetNotFoundError
            If the data is not on disk.
        """
        self.check(options)
        return self.find(root, **options)

    def has_own_test(self, root: Path | None = None, **options: Any) -> bool:
        """Return whether the dataset has test rows of its own, so that there are no splits.

        Parameters
        ----------
        root : Path or None
            The data folder.
        **options
            Options of the function.

        Raises
        ------
        DatasetError
            If this depends on the source and it cannot be read.
        """
        self.check(options)
        if SPLIT not in inspect.signature(self.function).parameters:
            return True
        return self.own_test(root, **options)

    def check(self, options: Mapping[str, Any]) -> None:
        """Check that the options are those of the function.

        Parameters
        ----------
        options : mapping of str to object

        Raises
        ------
        DatasetError
            If an option is unknown, or if a required option is missing.
        """
        _, *parameters = inspect.signature(self.function).parameters.values()
        known = [parameter.name for parameter in parameters]
        for name in options:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known) or 'no options'}."
                raise DatasetError(f"{name!r} is not an option of this dataset ({self.called}): {hint}")
        for parameter in parameters:
            if parameter.default is parameter.empty and parameter.name not in options:
                raise DatasetError(f"this dataset ({self.called}) needs the option {parameter.name!r}: give it.")


def holds_out_rows(load: Callable[..., Dataset], root: Path | None, options: Mapping[str, Any]) -> bool:
    """Return whether a loader holds test rows out, other rows for each number of a split.

    Parameters
    ----------
    load : callable
        ``(root, **options) -> Dataset``. One that is no `Loader` holds rows out if it has a
        parameter `split`.
    root : Path or None
        The data folder.
    options : mapping of str to object
    """
    if isinstance(load, Loader):
        return not load.has_own_test(root, **options)
    return SPLIT in inspect.signature(load).parameters


def loader(find: Files = _no_files, own_test: OwnTest = _holds_out) -> Callable[[Callable[..., Dataset]], Loader]:
    """Turn a function ``(root, **options) -> Dataset`` into a `Loader`.

    Parameters
    ----------
    find, own_test : callable
        See `Loader`.

    Examples
    --------
    >>> import numpy as np
    >>> from distillkit.datasets import Dataset, loader
    >>> @loader()
    ... def load_coin(root, n=4):
    ...     X, y = np.zeros((n, 1), np.float32), np.arange(n) % 2
    ...     classes = ("heads", "tails")
    ...     return Dataset("coin", "classification", "table", X, y, X, y, classes=classes)
    >>> len(load_coin(n=6).X_train)
    6
    """
    return lambda function: Loader(function, find, own_test)
