"""Conversions of a distilled set: tables, files of tables, datasets of torch and Hugging Face."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._formats import write_table
from distillkit.distilled._huggingface import ROWS, array_dataset, table_dataset
from distillkit.exceptions import DataError, MissingPackageError
from distillkit.utils._surrogates import escaped, escaped_values

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas as pd

    from distillkit.tables import DistilledTable

__all__ = ["ExportsMixin"]


class ExportsMixin:
    """Mixin of `DistilledSet` with its conversions into other containers."""

    X: np.ndarray
    y: np.ndarray | None
    sample_weight: np.ndarray | None
    soft_labels: np.ndarray | None
    classes: np.ndarray | None
    feature_names: tuple[str, ...] | None
    table: DistilledTable | None

    if TYPE_CHECKING:

        def in_original_units(self) -> np.ndarray: ...

    def to_pandas(self, target: str = "target", weight: str | None = "sample_weight") -> pd.DataFrame:
        """Return the set as a table: (flattened) features, target, weight and probabilities.

        If the data were a frame, selected rows are the original rows, and made rows have the
        columns and types of the data: integers rounded within their range, truth values, dates,
        the nearest levels of categories, and gaps where most of the rows that they stand for have
        gaps.

        The columns of series and images say the place of a value: ``t5`` for a time, ``pixel_2_3``
        for a row and a column of an image, ``c0_t5`` where there are several channels. Those of
        other arrays are ``x0``, ``x1`` and so on.

        Soft labels are columns of their own: ``p_no`` and ``p_yes`` for the classes no and yes, or
        ``p_target`` for the predictions of a continuous target.

        Parameters
        ----------
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        DataFrame

        Raises
        ------
        DataError
            If two columns would have the same name.
        """
        import pandas as pd

        if self.table is not None:
            frame: pd.DataFrame = self.table.to_pandas(self.in_original_units())
        else:
            flat = self.X.reshape(len(self.X), -1)
            frame = pd.DataFrame(flat, columns=self._column_names(flat.shape[1]))
        return frame.assign(**self._columns_beside(target, weight, list(frame.columns)))

    def _columns_beside(self, target: str, weight: str | None, names: list[Any]) -> dict[str, np.ndarray]:
        """Return target, weights and soft labels by their names, which no feature may have."""
        beside: dict[str, np.ndarray] = {}
        for name, values in [(target, self.y), (weight, self.sample_weight), *self._probability_columns(target)]:
            if name is not None and values is not None:
                if name in names or name in beside:
                    raise DataError(f"a column is already named {name!r}: give target= or weight= another name.")
                beside[name] = escaped_values(values)
        return beside

    def _column_names(self, n_columns: int) -> list[str]:
        """Return the names of the features, or names that say the place of a value in its row."""
        if self.feature_names and len(self.feature_names) == n_columns:
            return list(self.feature_names)
        if self.X.ndim == 2:
            return [f"x{i}" for i in range(n_columns)]
        channels, *sides = self.X.shape[1:]
        kind = "t" if len(sides) == 1 else "pixel_"
        places = [kind + "_".join(map(str, place)) for place in np.ndindex(*sides)]
        return places if channels == 1 else [f"c{channel}_{place}" for channel in range(channels) for place in places]

    def _probability_columns(self, target: str) -> list[tuple[str, np.ndarray]]:
        """Return soft labels as columns: ``p_LABEL`` for each class, ``p_TARGET`` for numbers."""
        if self.soft_labels is None:
            return []
        if self.classes is None and self.soft_labels[:1].size > 1:
            raise DataError(f"soft_labels of shape {self.soft_labels.shape} need classes, which name their columns.")
        if self.classes is None:
            return [(f"p_{target}", self.soft_labels.reshape(len(self.X)))]
        return [
            (escaped(f"p_{label}"), self.soft_labels[:, place]) for place, label in enumerate(self.classes.tolist())
        ]

    def to_frame(self) -> Any:
        """Return the rows alone in the container, columns and types of the data.

        Returns
        -------
        pandas, polars or pyarrow frame of shape (m, d)
            As in `to_pandas`, without target and weight.

        Raises
        ------
        DataError
            If the data were no frame, or one of floats alone.
        """
        if self.table is None:
            raise DataError("the set was not made from a table of several types: take X, or to_pandas().")
        return self.table.frame(self.in_original_units())

    def to_polars(self, target: str = "target", weight: str | None = "sample_weight") -> Any:
        """Return the set as a polars DataFrame; see `to_pandas`.

        Parameters
        ----------
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        polars.DataFrame

        Raises
        ------
        MissingPackageError
            If polars is not installed.
        """
        from distillkit.tables._frames import polars_frame

        if find_spec("polars") is None:
            raise MissingPackageError("DistilledSet.to_polars", ["polars"])
        return polars_frame(self.to_arrow(target, weight))

    def to_arrow(self, target: str = "target", weight: str | None = "sample_weight") -> Any:
        """Return the set as a pyarrow Table; see `to_pandas`.

        Parameters
        ----------
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        pyarrow.Table
        """
        import pyarrow as pa

        return pa.Table.from_pandas(self.to_pandas(target, weight), preserve_index=False)

    def to_huggingface(self, target: str = "target", weight: str | None = "sample_weight") -> Any:
        """Return the set as a `datasets.Dataset` of Hugging Face.

        Tables have one column for each feature, as in `to_pandas`. Images and series are arrays in
        one column "x". Class labels that are text are of type `ClassLabel`, whose names are
        `classes`; other targets keep their type.

        Parameters
        ----------
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        datasets.Dataset

        Raises
        ------
        DataError
            If two columns would have the same name.
        MissingPackageError
            If the package datasets is not installed.
        """
        if self.X.ndim == 2:
            return table_dataset(self.to_arrow(target, weight), target, self._class_names())
        return array_dataset(self.X, self._columns_beside(target, weight, [ROWS]), target, self._class_names())

    def _class_names(self) -> list[str] | None:
        """Return the names of the classes if the labels are text."""
        if self.y is None or self.classes is None or self.y.dtype.kind not in "OU":
            return None
        return [str(label) for label in self.classes]

    def to_csv(self, path: str | PathLike[str], target: str = "target", weight: str | None = "sample_weight") -> Path:
        """Write the table of `to_pandas` as a CSV file, whatever the path ends in.

        Parameters
        ----------
        path : str or path
            Destination. Like `save`, this leaves no incomplete file of this name.
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        Path

        Raises
        ------
        ArtefactError
            If the file cannot be written.
        DataError
            If two columns would have the same name.
        """
        return write_table(self, path, ".csv", target, weight)

    def to_parquet(
        self, path: str | PathLike[str], target: str = "target", weight: str | None = "sample_weight"
    ) -> Path:
        """Write the table of `to_pandas` as a Parquet file, which keeps the types of the columns.

        Parameters
        ----------
        path : str or path
            Destination. Like `save`, this leaves no incomplete file of this name.
        target : str
            Name of the target column, which is omitted without y.
        weight : str or None
            Name of the weight column; None omits it.

        Returns
        -------
        Path

        Raises
        ------
        ArtefactError
            If the file cannot be written.
        DataError
            If two columns would have the same name.
        """
        return write_table(self, path, ".parquet", target, weight)

    def to_torch(self) -> Any:
        """Return the set as a `torch.utils.data.TensorDataset` of (X, y, weight).

        Floating-point rows are float32. Class labels are int64 positions in `classes`, or the soft
        labels if there are any; continuous targets are float32. Without y the dataset holds (X,
        weight). The tensors are copies.

        Returns
        -------
        TensorDataset

        Raises
        ------
        DataError
            If y holds text and the set has no `classes`.
        MissingPackageError
            If torch is not installed.
        """
        try:
            import torch
        except ImportError as exc:
            raise MissingPackageError("DistilledSet.to_torch", ["torch"]) from exc
        columns = [self.X.astype(np.float32) if self.X.dtype.kind == "f" else self.X.copy()]
        if self.soft_labels is not None:
            columns.append(self.soft_labels.astype(np.float32))
        elif self.y is not None:
            columns.append(self._target())
        columns.append(np.array(self.sample_weight, dtype=np.float32))
        return torch.utils.data.TensorDataset(*map(torch.from_numpy, columns))

    def _target(self) -> np.ndarray:
        """Return class labels as codes, and numbers as float32."""
        y = np.asarray(self.y)
        if self.classes is not None:
            return np.searchsorted(self.classes, y).astype(np.int64)
        if y.dtype.kind not in "iufb":
            raise DataError("y holds text, but the set has no classes: give classes=np.unique(y).")
        return y.astype(np.float32)
