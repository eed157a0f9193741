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

__all__ = ["Loader", "loader"]

Files = Callable[..., list[Path]]


def _no_files(_root: Path | None, **_options: Any) -> list[Path]:
    """Return no files, for datasets that are not read from the data folder."""
    return []


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

    Raises
    ------
    DatasetError
        When called with an option that the function does not have, or without one that it needs.
    """

    function: Callable[..., Dataset]
    find: Files = _no_files

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


def loader(find: Files = _no_files) -> Callable[[Callable[..., Dataset]], Loader]:
    """Turn a function ``(root, **options) -> Dataset`` into a `Loader`.

    Parameters
    ----------
    find : callable
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
    return lambda function: Loader(function, find)
