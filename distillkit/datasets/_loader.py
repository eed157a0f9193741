"""What stands behind a dataset's name: a function that reads it, with its options checked."""

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
    """Read nothing from disk."""
    return []


@dataclass(eq=False)
class Loader:
    """A function ``(root, **options) -> Dataset`` with checked options; make one with `loader`.

    Parameters
    ----------
    function : callable
        Reads the data; its parameters after the first are the options.
    find : callable
        ``(root, **options) -> list of Path``: the files the data comes from, which thus become part of its revision.

    Raises
    ------
    DatasetError
        When called with an option that the function does not take, or without one that it needs.
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
        """Read the data."""
        self.check(options)
        return self.function(root, **options)

    def files(self, root: Path | None = None, **options: Any) -> list[Path]:
        """Return the files and folders whose content decides the rows; none where the spec's revision says it all.

        Raises
        ------
        DatasetNotFoundError
            If the data is not on disk.
        """
        self.check(options)
        return self.find(root, **options)

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise a `DatasetError` if the options are not those of the function."""
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
    ...     return Dataset("coin", "classification", "table", X, y, X, y, classes=("heads", "tails"))
    >>> len(load_coin(n=6).X_train)
    6
    """
    return lambda function: Loader(function, find)
