"""Prepared datasets on disk, which are verified by checksums before they are used."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from distillkit.bench.results._store import part_of
from distillkit.datasets import Dataset

__all__ = ["is_intact", "load_prepared", "store_prepared"]

_ARRAYS = ("X_train", "y_train", "X_test", "y_test")
_WEIGHT = "weight_train.npy"
_FACTS = ("name", "task", "modality", "classes", "feature_names", "preparation")
_CARD = "dataset.json"
_CHECKSUMS = "checksums.json"


def store_prepared(dataset: Dataset, target: Path) -> None:
    """Write the arrays and the facts of a dataset to a folder, with a checksum of each file.

    The folder gets its name once everything is on disk.
    """
    part = part_of(target)
    part.mkdir(parents=True)
    try:
        for array in _ARRAYS:
            _write(part / f"{array}.npy", _saving(getattr(dataset, array)))
        if dataset.weight_train is not None:
            _write(part / _WEIGHT, _saving(dataset.weight_train))
        facts = json.dumps({fact: getattr(dataset, fact) for fact in _FACTS})
        _write(part / _CARD, lambda file: file.write(facts.encode()))
        checksums = json.dumps({path.name: _checksum(path) for path in sorted(part.iterdir())})
        _write(part / _CHECKSUMS, lambda file: file.write(checksums.encode()))
        _flush_folder(part)
        _rename(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _flush_folder(target.parent)


def is_intact(folder: Path) -> bool:
    """Return whether a folder holds a prepared dataset whose files all match their checksums."""
    try:
        checksums = json.loads((folder / _CHECKSUMS).read_text(encoding="utf-8"))
        names = {path.name for path in folder.iterdir()} - {_CHECKSUMS}
        needed = {_CARD, *(f"{array}.npy" for array in _ARRAYS)}
        if not isinstance(checksums, dict) or names != set(checksums) or not needed <= names:
            return False
        return all(_checksum(folder / name) == checksum for name, checksum in checksums.items())
    except (OSError, ValueError, RecursionError):
        return False


def load_prepared(folder: Path, *parts: str) -> Dataset:
    """Read the "train" rows, the "test" rows or both from the arrays that `store_prepared` stored.

    A part that is not requested is not even opened, so that a method cannot access test rows. One
    row of the requested part takes its place, because a dataset needs both.
    """
    facts = json.loads((folder / _CARD).read_text(encoding="utf-8"))
    facts["classes"], facts["feature_names"] = tuple(facts["classes"]), tuple(facts["feature_names"])
    arrays: dict[str, Any] = {}
    for part in ("train", "test"):
        for axis in "Xy":
            array = np.load(folder / f"{axis}_{part if part in parts else parts[0]}.npy", allow_pickle=False)
            arrays[f"{axis}_{part}"] = array if part in parts else array[:1]
    if "train" in parts and (folder / _WEIGHT).is_file():
        arrays["weight_train"] = np.load(folder / _WEIGHT, allow_pickle=False)
    return Dataset(**facts, **arrays).as_float()


def _saving(array: np.ndarray) -> Callable[[IO[bytes]], Any]:
    return lambda file: np.save(file, array, allow_pickle=False)


def _write(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file and wait until it is on disk, so that no power failure cuts it off later."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _rename(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except OSError:  # Another job has stored the same data first.
        if not is_intact(target):
            raise


def _flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk, where the system can do this."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
