"""Loading of a dataset by its name or its path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.datasets._paths import data_root, dataset_for_path, resolve_path, suffix_of
from distillkit.exceptions import DatasetNotFoundError, UnknownNameError

if TYPE_CHECKING:
    from distillkit.datasets._dataset import Dataset

__all__ = ["load_dataset"]


def load_dataset(name: str | os.PathLike[str], root: str | os.PathLike[str] | None = None, **options: Any) -> Dataset:
    """Load a dataset by name, or from a file or folder.

    Parameters
    ----------
    name : str or Path
        A registered name (``distillkit list datasets``), or a path: ``"rows.csv"``, ``"photos/"``,
        ``"GunPoint_TRAIN.ts"``, ``"rows.npz"``, ``"rows.parquet"``, ``"photos.tar"``. If it is
        both, the registered name wins; write ``./name`` for the path.
    root : str, Path or None, default=None
        The data folder; None takes the environment variable ``DISTILLKIT_DATA``.
    **options
        Options of the dataset, for example ``target="income"`` for a CSV file.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetNotFoundError
        If the data is not on disk; the message says how to get it.
    DatasetError
        If the data cannot be read, or if an option is wrong.
    UnknownNameError
        If there is neither a dataset nor a path of this name.

    Examples
    --------
    >>> from distillkit.datasets import load_dataset
    >>> digits = load_dataset("digits")
    >>> digits.X_train.shape, digits.X_test.shape
    ((1348, 1, 8, 8), (449, 1, 8, 8))
    """
    from distillkit.plugins import get_manager

    manager, text = get_manager(), os.fspath(name)
    folder = data_root() if root is None else Path(root).expanduser()
    # A name that cannot be a path is a registered name first, and only then a path.
    kind = _loader_name(text, folder) if _is_path(name) else text
    try:
        spec = manager.get("dataset", kind)
    except UnknownNameError:
        try:
            path = resolve_path(text, folder)
        except DatasetNotFoundError:
            path = None
        if path is None:
            raise
        kind = dataset_for_path(path)
        spec = manager.get("dataset", kind)
    if kind != text:
        options["path"] = text
    data: Dataset = spec.load()(folder, **options)
    return data


def _loader_name(text: str, root: Path | None) -> str:
    try:
        return dataset_for_path(resolve_path(text, root))
    except DatasetNotFoundError:
        return dataset_for_path(text)  # raises an error with a remedy, or leaves that to the loader


def _is_path(name: str | os.PathLike[str]) -> bool:
    """Return whether a name can only be a path; registered names may also hold a slash."""
    text = os.fspath(name)
    return (
        not isinstance(name, str)
        or bool(suffix_of(text))
        or text.endswith(("/", os.sep))
        or text.startswith((".", "/", "~"))
    )
