"""Time series from ``.ts`` files: those of the UCR, UEA and TSER archives by name, any other by path."""

from __future__ import annotations

from pathlib import Path

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


def _find(root: Path | None, path: str, test_path: str | None = None) -> list[Path]:
    """Return the training file and, where there is one, the test file."""
    place = resolve_path(path, root, folders=["ucr"])
    if test_path is not None:
        return [_only(place, _TRAIN), resolve_path(test_path, root, "test_path")]
    train = _only(place, _TRAIN)
    if not train.name.lower().endswith(_TRAIN):
        return [train]
    stem = train.name.lower().removesuffix(_TRAIN)
    tests = [file for file in sorted(train.parent.iterdir()) if file.name.lower() == stem + _TEST]
    return [train, *tests[:1]]


def _only(place: Path, suffix: str) -> Path:
    """Return the training file of a folder, or the file itself."""
    if not place.is_dir():
        return place
    files = [file for file in sorted(place.iterdir()) if file.name.lower().endswith(".ts")]
    chosen = [file for file in files if file.name.lower().endswith(suffix)] or files
    if len(chosen) != 1:
        names = ", ".join(file.name for file in chosen[:5]) or "none"
        raise DatasetError(
            f"the folder {place} must hold one file NAME_TRAIN.ts, but has {names}: give the path of one file."
        )
    return chosen[0]


@loader(_find)
def load_ts(root: Path | None, path: str, test_path: str | None = None) -> Dataset:
    """Load series of one length from ``.ts`` files, for classification or regression as their header says.

    Parameters
    ----------
    root : Path or None
        The data folder; a relative path is looked for in the working directory, then in it and in its folder ``ucr``.
    path : str
        A file, or a folder with ``NAME_TRAIN.ts``.
    test_path : str or None
        File of the test series; None takes ``NAME_TEST.ts`` beside ``NAME_TRAIN.ts``, or holds rows out.

    Returns
    -------
    Dataset
        float32 series (n, channels, time), each channel standardized with the mean and deviation of all training
        values; gaps are filled in a straight line between their neighbours.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        If a file is not there or a line is damaged (file and line are named), or series differ in length.
    """
    files = _find(root, path, test_path)
    name = files[0].name[: -len(_TRAIN)] if files[0].name.lower().endswith(_TRAIN) else files[0].stem
    return series_dataset(name, files)


def series_dataset(name: str, files: list[Path]) -> Dataset:
    """Prepare series from a training file and, if given, a test file; see `load_ts`."""
    parts = [read_ts(file) for file in files]
    first, last = parts[0], parts[-1]
    if last.task != first.task or last.X.shape[1:] != first.X.shape[1:]:
        raise DatasetError(
            f"{files[-1]} holds {last.task} of series of shape {last.X.shape[1:]}, {files[0]} {first.task} of shape "
            f"{first.X.shape[1:]}: they do not belong together."
        )
    targets = make_targets(name, first.y, last.y if len(parts) == 2 else None, task=first.task)
    X_train, X_test = first.X[targets.train], last.X[targets.test]
    if empty := np.flatnonzero(np.isnan(X_train).all(axis=(0, 2))).tolist():
        raise DatasetError(f"{files[0]}: dimension {empty[0] + 1} has no values in any training series: remove it.")
    gaps = sum(int(np.isnan(X).sum()) for X in (X_train, X_test))
    X_train, X_test = standardize(fill_gaps(X_train), fill_gaps(X_test))
    prepared = ["channels standardized with statistics of the training series"]
    if gaps:
        prepared.append(f"{gaps} missing values filled in a straight line between their neighbours")
    return Dataset(
        name=name,
        task=first.task,
        modality="series",
        X_train=np.nan_to_num(X_train),  # a channel without any value in one series takes the training mean
        y_train=targets.y_train,
        X_test=np.nan_to_num(X_test),
        y_test=targets.y_test,
        classes=targets.classes,
        preparation="; ".join([*prepared, targets.note] if targets.note else prepared),
    )


def fill_gaps(X: np.ndarray) -> np.ndarray:
    """Fill NaN in series (n, channels, time) linearly, at the ends with the nearest value; all-NaN channels stay."""
    X = X.copy()
    missing = np.isnan(X)
    time = np.arange(X.shape[2])
    for case, channel in np.argwhere(missing.any(axis=2) & ~missing.all(axis=2)):
        gap, series = missing[case, channel], X[case, channel]
        series[gap] = np.interp(time[gap], time[~gap], series[~gap])
    return X


def _archived(folder: str, doc: str) -> Loader:
    """Make the loader of one set of the archives, ``ucr/NAME/NAME_TRAIN.ts`` in the data folder."""
    name = folder.lower()
    files = [f"ucr/{folder}/{folder}_{part}.ts" for part in ("TRAIN", "TEST")]
    get = f"put {folder}_TRAIN.ts and {folder}_TEST.ts of the time series archive (timeseriesclassification.com, tseregression.org) there"

    def find(root: Path | None = None) -> list[Path]:
        return files_under(root, name, files, get)

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
