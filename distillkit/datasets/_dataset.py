"""The training and test rows of a dataset, prepared for distillers and evaluators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.exceptions import DatasetError
from distillkit.utils._image_axes import check_image_axes

__all__ = ["Dataset"]


@dataclass(eq=False)
class Dataset:
    """A dataset with training rows and test rows.

    Parameters
    ----------
    name : str
        Name for reports and messages.
    task : {"classification", "regression"}
    modality : {"table", "series", "image"}
    X_train, X_test : ndarray of shape (n, d), (n, channels, time) or (n, channels, height, width)
        float32 rows, prepared with statistics of the training rows alone (tables and series are
        standardized). Images may stay uint8; see `as_float`.
    y_train, y_test : ndarray of shape (n,)
        int64 positions in `classes`, or float64 targets.
    classes : tuple of str
        Names of the classes; empty for regression.
    feature_names : tuple of str
        Names of the columns of a table; empty otherwise.
    rows_train : array, DataFrame or None
        The training rows as they were read, with their own units, shape and column names, for use
        outside the bench; None if `X_train` holds them.
    preparation : str
        Description of the preparation of the raw rows, for the report.
    task_note : str
        How the task was inferred, such as "regression, 278 different values; task =
        'classification' otherwise"; empty if it was given or leaves no doubt.
    weight_train : ndarray of shape (n,) or None
        Weights of the training rows; None if each counts once. Test rows have no weights.

    Raises
    ------
    DatasetError
        If a part has no rows, if rows and labels or weights differ in number, or if training and
        test rows differ in shape.
    """

    name: str
    task: str
    modality: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    rows_train: Any = None
    preparation: str = ""
    task_note: str = ""
    weight_train: np.ndarray | None = None

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            X, y = getattr(self, f"X_{part}"), getattr(self, f"y_{part}")
            if len(X) == 0 or len(X) != len(y):
                raise DatasetError(
                    f"{self.name}: {len(X)} {part} rows with {len(y)} labels; there must be at least one row, and "
                    "as many labels as rows."
                )
        if self.weight_train is not None and len(self.weight_train) != len(self.X_train):
            raise DatasetError(
                f"{self.name}: {len(self.X_train)} training rows with {len(self.weight_train)} weights; there must be "
                "as many."
            )
        if self.modality == "image":
            check_image_axes(self.X_train.shape[1:], self.name, DatasetError)
        if self.X_train.shape[1:] != self.X_test.shape[1:]:
            raise DatasetError(
                f"{self.name}: training rows have shape {self.X_train.shape[1:]}, test rows {self.X_test.shape[1:]}."
            )

    @property
    def own_rows(self) -> Any:
        """The training rows in their own units, as an array or a frame."""
        return self.X_train if self.rows_train is None else self.rows_train

    def as_float(self) -> Self:
        """Return the dataset with uint8 images as float32 in [0, 1]; other rows are unchanged."""
        if self.X_train.dtype != np.uint8:
            return self
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for part in ("X_train", "X_test"):
            fields[part] = fields[part].astype(np.float32) / np.float32(255)
        return type(self)(**fields)
