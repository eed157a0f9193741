"""Loading of time series from ``.ts`` files, by path or by name in the archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distillkit.datasets._dataset import Dataset
from distillkit.datasets._loader import Loader, loader
from distillkit.datasets._paths import files_under, resolve_path
from distillkit.datasets._scaling import standardize
from distillkit.datasets._targets import make_targets
from distillkit.datasets._ts import read_ts
from distillkit.exceptions import DatasetError

__all__ = [
    "load_basicmotions",
    "load_covid3month",
    "load_gunpoint",
    "load_italypowerdemand",
    "load_ts",
    "series_dataset",
]

_TRAIN, _TEST = "_train.ts", "_test.ts"


def _find(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> list[Path]:
    """Return the training file and, if there is one, the test file."""
    source = resolve_path(path, root, folders=["ucr"])
    train = _training_file(source)
    if test_path is not None:
        return [train, resolve_path(test_path, root, "test_path")]
    if not train.name.lower().endswith(_TRAIN):
        return [train]
    stem = train.name.lower().removesuffix(_TRAIN)
    tests = [file for file in sorted(train.parent.iterdir()) if file.name.lower() == stem + _TEST]
    return [train, *tests[:1]]


def _training_file(source: Path) -> Path:
    """Return the training file of a folder, or the file itself."""
    if not source.is_dir():
        return source
    files = [file for file in sorted(source.iterdir()) if file.name.lower().endswith(".ts")]
    candidates = [file for file in files if file.name.lower().endswith(_TRAIN)] or files
    if len(candidates) != 1:
        names = ", ".join(file.name for file in candidates[:5]) or "none"
        raise DatasetError(
            f"the folder {source} must hold one file NAME_TRAIN.ts, but has {names}: give the path of one file."
        )
    return candidates[0]


def _own_test(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> bool:
    return len(_find(root, path, test_path)) > 1


@loader(_find, _own_test)
def load_ts(root: Path | None, path: str, test_path: str | None = None, split: int = 0) -> Dataset:
    """Load time series of equal length from ``.ts`` files.

    The header of the file says whether the task is classification or regression.

    Parameters
    ----------
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in the
        data folder and in its folder ``ucr``.
    path : str
        A file, or a folder with ``NAME_TRAIN.ts``.
    test_path : str or None
        File of the test series. None takes ``NAME_TEST.ts`` beside ``NAME_TRAIN.ts``, or holds
        series out if there is no such file.
    split : int
        Number of the split, which chooses the series that are held out.

    Returns
    -------
    Dataset
        float32 series (n, channels, time), where each channel is standardized with the mean and
        deviation of all its training values. Missing values are interpolated linearly.

    Raises
    ------
    DatasetNotFoundError
        If a file does not exist.
    DatasetError
        If a line is damaged (the message names file and line), or if series differ in length.
    """
    files = _find(root, path, test_path)
    name = files[0].name[: -len(_TRAIN)] if files[0].name.lower().endswith(_TRAIN) else files[0].stem
    return series_dataset(name, files, split)


def series_dataset(name: str, files: list[Path], split: int = 0) -> Dataset:
    """Load series from a training file and, if there is one, a test file; see `load_ts`.

    Parameters
    ----------
    name : str
    files : list of Path
        One or two files.
    split : int
        Number of the split, which has no effect if there are two files.
    """
    # 1. Read the files, which must hold series of the same kind.
    parts = [read_ts(file) for file in files]
    first, last = parts[0], parts[-1]
    if last.task != first.task or last.X.shape[1:] != first.X.shape[1:]:
        raise DatasetError(
            f"{files[-1]} holds {last.task} of series of shape {last.X.shape[1:]}, {files[0]} {first.task} of shape "
            f"{first.X.shape[1:]}: they do not belong together."
        )
    # 2. Encode the targets, and hold test series out if there is no test file.
    targets = make_targets(name, first.y, last.y if len(parts) == 2 else None, first.task, split)
    X_train, X_test = first.X[targets.train], last.X[targets.test]
    if empty := np.flatnonzero(np.isnan(X_train).all(axis=(0, 2))).tolist():
        raise DatasetError(f"{files[0]}: dimension {empty[0] + 1} has no values in any training series: remove it.")
    # 3. Fill missing values and standardize.
    n_missing = sum(int(np.isnan(X).sum()) for X in (X_train, X_test))
    X_train, X_test = fill_gaps(X_train), fill_gaps(X_test)
    rows_train = _fill_channels(X_train)
    X_train, X_test = standardize(X_train, X_test)
    notes = ["channels standardized with statistics of the training series"]
    if n_missing:
        notes.append(f"{n_missing} missing values filled in a straight line between their neighbors")
    return Dataset(
        name=name,
        task=first.task,
        modality="series",
        # A channel without any value in a series takes the training mean, which is 0 here.
        X_train=np.nan_to_num(X_train),
        y_train=targets.y_train,
        X_test=np.nan_to_num(X_test),
        y_test=targets.y_test,
        classes=targets.classes,
        rows_train=rows_train,
        preparation="; ".join([*notes, targets.note] if targets.note else notes),
    )


def fill_gaps(X: np.ndarray) -> np.ndarray:
    """Return series (n, channels, time) with NaN replaced by linear interpolation in time.

    At the ends the nearest value is repeated. A channel that is all NaN stays so.
    """
    X = X.copy()
    missing = np.isnan(X)
    time = np.arange(X.shape[2])
    for case, channel in np.argwhere(missing.any(axis=2) & ~missing.all(axis=2)):
        gap, series = missing[case, channel], X[case, channel]
        series[gap] = np.interp(time[gap], time[~gap], series[~gap])
    return X


def _fill_channels(X: np.ndarray) -> np.ndarray:
    """Return series whose channels without any value have the mean of the channel."""
    return np.where(np.isnan(X), np.nanmean(X, axis=(0, 2), keepdims=True), X)


def _archived(folder: str, doc: str) -> Loader:
    """Make the loader of an archive's dataset, ``ucr/NAME/NAME_TRAIN.ts`` in the data folder."""
    name = folder.lower()
    files = [f"ucr/{folder}/{folder}_{part}.ts" for part in ("TRAIN", "TEST")]
    remedy = (
        f"put {folder}_TRAIN.ts and {folder}_TEST.ts of the time series archive "
        "(timeseriesclassification.com, tseregression.org) there"
    )

    def find(root: Path | None = None) -> list[Path]:
        return files_under(root, name, files, remedy)

    def load(root: Path | None = None) -> Dataset:
        return series_dataset(name, find(root))

    load.__doc__, load.__name__ = doc, f"load_{name}"
    return Loader(load, find)


load_gunpoint = _archived("GunPoint", "Load GunPoint: motions of a hand, 2 classes, length 150, 50 + 150.")
load_italypowerdemand = _archived(
    "ItalyPowerDemand", "Load ItalyPowerDemand: power over a day, 2 classes, length 24, 67 + 1,029."
)
load_basicmotions = _archived("BasicMotions", "Load BasicMotions: 6 wrist sensors, 4 activities, length 100, 40 + 40.")
load_covid3month = _archived("Covid3Month", "Load Covid3Month: a country's death rate from 84 days of cases, 140 + 61.")
