"""Locations of data: the data folder, paths of the user, and the loader that a path needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from distillkit.exceptions import DatasetError, DatasetNotFoundError, DatasetOptionError

__all__ = ["SUFFIXES", "data_root", "dataset_for_path", "files_under", "resolve_path", "stem_of", "suffix_of"]

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".npz": "npz",
    ".ts": "ts",
    ".tar": "image-tar",
    ".tar.gz": "image-tar",
    ".tgz": "image-tar",
}
"""The loader of files of each suffix.

A folder is a folder of images, or of series if it holds ``.ts`` files.
"""


_REMEDIES = {
    **dict.fromkeys(
        (".xlsx", ".xlsm", ".xls", ".ods"),
        "is an Excel file, which is not read: save the sheet as CSV (UTF-8) from Excel, or write "
        "pandas.read_excel(...).to_parquet(...).",
    ),
    ".safetensors": (
        "is not read as a table: a distilled set is written as one by "
        'distillkit.DistilledSet.load(...).save("small.parquet", target="...").'
    ),
    **dict.fromkeys(
        (".json", ".jsonl", ".feather", ".arrow", ".orc", ".pkl", ".pickle", ".dta", ".sav", ".sas7bdat", ".h5"),
        "is in a format that is not read: read it with pandas, and write the frame by to_parquet(...).",
    ),
}
"""What to do with files of other formats, by suffix."""


def data_root() -> Path | None:
    """Return the folder that the environment variable ``DISTILLKIT_DATA`` names, or None."""
    value = os.environ.get("DISTILLKIT_DATA", "").strip()
    return Path(value).expanduser() if value else None


def suffix_of(path: str | os.PathLike[str]) -> str:
    """Return the known suffix of a path in lower case, or ``""`` if it has none."""
    name = Path(path).name.lower()
    return max((suffix for suffix in SUFFIXES if name.endswith(suffix)), key=len, default="")


def stem_of(path: str | os.PathLike[str]) -> str:
    """Return the name of a file without its known suffix, or the name of a folder."""
    name = Path(path).name
    return name[: len(name) - len(suffix_of(path))]


def dataset_for_path(path: str | os.PathLike[str]) -> str:
    """Return the name of the loader for a path, by its suffix.

    Parameters
    ----------
    path : str or Path
        A file, or a folder of images or of ``.ts`` series.

    Returns
    -------
    {"csv", "parquet", "npz", "ts", "image-tar", "image-folder"}

    Raises
    ------
    DatasetNotFoundError
        If the path does not exist and has no known suffix.
    DatasetError
        If no loader reads such files.

    Examples
    --------
    >>> dataset_for_path("rows.csv"), dataset_for_path("GunPoint_TRAIN.ts")
    ('csv', 'ts')
    """
    user_path = Path(path).expanduser()
    if user_path.is_dir():
        return "ts" if any(user_path.glob("*.ts")) else "image-folder"
    if suffix := suffix_of(user_path):
        return SUFFIXES[suffix]
    if str(path).endswith((os.sep, "/")):
        return "image-folder"
    if user_path.suffix.lower() in _REMEDIES:
        raise DatasetError(f"{path} {_REMEDIES[user_path.suffix.lower()]}")
    known = f"known are {', '.join(SUFFIXES)} and folders of images or .ts series"
    if not user_path.exists():
        raise DatasetNotFoundError(
            f"there is no file or folder {path}, and its name does not say what it holds: {known}."
        )
    raise DatasetError(
        f"cannot tell from its suffix how to read {path}: {known}; or name the kind (name = 'csv', path = ...)."
    )


def resolve_path(
    path: str | os.PathLike[str], root: Path | None, option: str = "path", folders: Sequence[str] = ()
) -> Path:
    """Find a file or folder of the user: as it is, then below the data folder.

    Parameters
    ----------
    path : str or Path
    root : Path or None
        The data folder.
    option : str
        Name of the option, for the message; empty where the path is not the value of an option.
    folders : sequence of str
        Further folders of the data folder to search.

    Returns
    -------
    Path

    Raises
    ------
    DatasetNotFoundError
        If it is in none of these places; the message names them.
    DatasetError
        If `path` is not a path.
    """
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise DatasetOptionError(f"{option}={path!r} is not a path: give the name of a file or folder.")
    user_path = Path(path).expanduser()
    candidates = [user_path]
    if root is not None and not user_path.is_absolute():
        candidates += [root / user_path, *(root / folder / user_path for folder in folders)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    searched = ""
    if len(candidates) > 1:
        searched = f" (looked at {', '.join(str(candidate.absolute()) for candidate in candidates)})"
    prefix = f"{option}: " if option else ""
    raise DatasetNotFoundError(f"{prefix}there is no file or folder {user_path}{searched}: check the path.")


def files_under(root: Path | None, name: str, files: Sequence[str], remedy: str) -> list[Path]:
    """Return the files of a named dataset below the data folder.

    Parameters
    ----------
    root : Path or None
        The data folder.
    name : str
        Name of the dataset, for the message.
    files : sequence of str
        Paths of files or folders below `root`.
    remedy : str
        Instructions for a missing file, as the end of a sentence.

    Returns
    -------
    list of Path

    Raises
    ------
    DatasetNotFoundError
        If there is no data folder, or if a file is not in it.
    """
    if root is None:
        raise DatasetNotFoundError(
            f"{name} is read from a data folder, and none is set: set DISTILLKIT_DATA or give --data-root."
        )
    paths = [Path(root) / file for file in files]
    for path in paths:
        if not path.exists():
            raise DatasetNotFoundError(
                f"{name} is not in the data folder {root}: {path.relative_to(root)} is missing; {remedy}."
            )
    return paths
