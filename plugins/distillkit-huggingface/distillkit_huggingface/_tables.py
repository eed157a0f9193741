"""Datasets with a column for each feature, as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distillkit.exceptions import DatasetError

__all__ = ["class_names", "write_table"]

_UNLABELED = -1
"""The number that `ClassLabel` gives rows without a class."""


def class_names(part: Any, column: str) -> list[str] | None:
    """Return the names of the classes of a column, or None if it has none.

    Parameters
    ----------
    part : datasets.Dataset
    column : str
    """
    from datasets import ClassLabel

    feature = part.features[column]
    return list(feature.names) if isinstance(feature, ClassLabel) else None


def write_table(part: Any, target: str, path: Path) -> Path:
    """Write a part as a Parquet file in which numbers of classes are names, and return its path.

    Parameters
    ----------
    part : datasets.Dataset
    target : str
        Name of the target, for the message on a column that is no feature of a table.
    path : Path

    Raises
    ------
    DatasetError
        If a column holds lists, structures or images.
    """
    from datasets import ClassLabel, Value

    unfit = [name for name, feature in part.features.items() if not isinstance(feature, (Value, ClassLabel))]
    if unfit:
        raise DatasetError(
            f"column {unfit[0]!r} holds {part.features[unfit[0]]}, which is no column of a table: "
            f"drop = {unfit!r}, or keep that column and the target {target!r} alone if it holds images or arrays."
        )
    frame = part.to_pandas()
    for name in part.column_names:
        names = class_names(part, name)
        if names is not None:
            known = dict(enumerate(names))
            frame[name] = frame[name].map(lambda number, known=known: known.get(number)).astype(object)
    frame.to_parquet(path, index=False)
    return path
