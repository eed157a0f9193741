"""Rows of the user's own as files of a results folder, which the datasets of files read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.own._arrays import OwnRows
from distillkit.bench.own._registration import FOLDER
from distillkit.bench.results._store import part_of
from distillkit.datasets import Dataset, fingerprint
from distillkit.exceptions import DataError, DatasetError, ResultsError
from distillkit.plugins import get_manager

__all__ = ["StoredRows", "store_rows"]


@dataclass(frozen=True)
class StoredRows:
    """Rows in a results folder.

    Parameters
    ----------
    table : dict
        What a suite says of them, without a label.
    data : Dataset
        The rows as the first split divides them.
    """

    table: dict[str, Any]
    data: Dataset


def store_rows(folder: Path, rows: OwnRows, task: str | None) -> StoredRows:
    """Write rows into a results folder, in files that are named by a hash of their content.

    Arrays of numbers are written as ``.npz``, frames as Parquet; neither needs pickle.

    Parameters
    ----------
    folder : Path
        The results folder.
    rows : OwnRows
    task : {"classification", "regression"} or None
        None infers it from the target.

    Raises
    ------
    DataError
        If the rows or the targets cannot be used.
    ResultsError
        If they cannot be written.
    """
    name = "npz" if rows.is_array else "parquet"
    write = _write_arrays if rows.is_array else _write_frame
    try:
        paths = write((folder / FOLDER).absolute(), rows)
    except OSError as exc:
        raise ResultsError(
            f"cannot write into {folder}: {exc.strerror or exc}. Free space, or give another folder."
        ) from exc
    table: dict[str, Any] = {"name": name, "path": str(paths[0]), "weight": False}
    if rows.weight is not None:
        table["weight"] = rows.weight_name
    if name == "parquet":
        table |= {"target": rows.target_name, "soft_labels": False}
    if len(paths) > 1:
        table["test_path"] = str(paths[1])
    if task is not None:
        table["task"] = task
    data = _loaded(table)
    # What the rows are is known now, so that no plan has to load them.
    table["task"] = data.task
    if name == "npz":
        table["modality"] = data.modality
    return StoredRows({"name": name, **table}, data)


def _loaded(table: dict[str, Any]) -> Dataset:
    """Load the rows as the cells will, with messages that do not name the file."""
    options = {name: value for name, value in table.items() if name != "name"}
    shown = {options["path"]: "X", options.get("test_path", options["path"]): "X_test"} | {options["path"]: "X"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            data: Dataset = get_manager().get("dataset", table["name"]).load()(None, **options)
        except DatasetError as exc:
            raise DataError(_without_paths(str(exc), shown)) from None
    for each in caught:
        warnings.warn(_without_paths(str(each.message), shown), each.category, stacklevel=5)
    return data


def _without_paths(text: str, shown: dict[str, str]) -> str:
    for path, name in shown.items():
        text = text.replace(f"{path}: X ", "X ").replace(f"{path}: X_test ", "X_test ").replace(path, name)
        text = text.replace(Path(path).name, name).replace(Path(path).stem, name)
    return text.replace("the option drop (--drop) leaves it out", "leave it out of X if it is one")


def _write_arrays(folder: Path, rows: OwnRows) -> list[Path]:
    arrays = {"X": rows.X, "y": rows.y}
    if rows.X_test is not None and rows.y_test is not None:
        arrays |= {"X_test": rows.X_test, "y_test": rows.y_test}
    if rows.weight is not None:
        arrays[rows.weight_name] = rows.weight
    return [_named_by_content(folder, ".npz", lambda file: np.savez(file, **arrays))]


def _write_frame(folder: Path, rows: OwnRows) -> list[Path]:
    paths = []
    for X, y, weight in ((rows.X, rows.y, rows.weight), (rows.X_test, rows.y_test, None)):
        if X is not None and y is not None:
            frame = X.assign(**{rows.target_name: y})
            if rows.weight is not None:
                frame[rows.weight_name] = 1.0 if weight is None else weight
            paths.append(_named_by_content(folder, ".parquet", frame.to_parquet))
    return paths


def _named_by_content(folder: Path, suffix: str, write: Callable[[Any], Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    part = part_of(folder / "rows")  # which a later run removes if this one is killed
    try:
        with part.open("wb") as file:
            write(file)
        path = folder / f"rows-{fingerprint(part)}{suffix}"
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
