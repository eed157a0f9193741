"""The result of a distillation: a small training set with weights, labels and provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._artefact import read_artefact, write_artefact
from distillkit.distilled._prefix import prefix_fields
from distillkit.exceptions import DataError
from distillkit.tables import DistilledTable
from distillkit.tables._frames import aligned, row_count
from distillkit.utils._interpolation import is_expansion
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._public_names import PicklesByPublicName

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas as pd

__all__ = ["DistilledSet"]


@dataclass(eq=False)
class DistilledSet(PicklesByPublicName):
    """Small training set with weights, labels and provenance.

    Parameters
    ----------
    X : ndarray of shape (m, ...)
        Rows in the units of the data or, if there is a `preprocessing`, in the space into which it
        maps. The rows of a mixed table are encoded as numbers, see `table`.
    y : ndarray of shape (m,) or None
        Class labels or numbers.
    sample_weight : ndarray of shape (m,) or None
        Number of training rows that each row represents; ones if None.
    indices : ndarray of shape (m,) or None
        Positions in the training rows, if rows were selected from these.
    soft_labels : ndarray of shape (m, n_classes) or None
        Class probabilities, with columns in the order of `classes`.
    stored : ndarray of shape (m, channels, ...) or None
        Smaller images or series of which X is the linear interpolation. They are saved instead of
        X, and `nbytes` counts them.
    ranking : ndarray of shape (m,) or None
        Rank of each row within its class (within all rows, without classes), from 0; see `prefix`.
    classes : ndarray of shape (n_classes,) or None
        Class labels, sorted.
    feature_names : tuple of str or None
        Names of the columns of a table.
    preprocessing : Preprocessing or None
        Map from the data into the space of X, with its inverse; see `transform`.
    provenance : dict
        Method, parameters, number of rows and bytes seen, seconds, versions; JSON-able.
    table : DistilledTable or None
        If the data were a table with types other than floats: the encoder between the table and X,
        and the original rows if rows were selected. `to_pandas` and `to_frame` return the rows in
        their original columns and types.

    Raises
    ------
    DataError
        If the lengths differ, or X is not the interpolation of `stored`.
    """

    X: np.ndarray
    y: np.ndarray | None = None
    sample_weight: np.ndarray | None = None
    indices: np.ndarray | None = None
    soft_labels: np.ndarray | None = None
    stored: np.ndarray | None = None
    ranking: np.ndarray | None = None
    classes: np.ndarray | None = None
    feature_names: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    table: DistilledTable | None = None

    def __post_init__(self) -> None:
        self.X = np.asarray(self.X)
        if self.sample_weight is None:
            self.sample_weight = np.ones(len(self.X))
        for name in ("y", "sample_weight", "indices", "soft_labels", "stored", "ranking"):
            values = getattr(self, name)
            if values is None:
                continue
            setattr(self, name, np.asarray(values))
            if len(values) != len(self.X):
                raise DataError(f"{name} has {len(values)} rows, but X has {len(self.X)}: give one per row of X.")
        if self.table is not None and self.table.rows is not None and row_count(self.table.rows) != len(self.X):
            raise DataError(
                f"table has {row_count(self.table.rows)} rows, but X has {len(self.X)}: give one per row of X."
            )
        if self.stored is not None and not is_expansion(self.X, self.stored):
            raise DataError(
                f"X of shape {self.X.shape} is not the interpolation of stored, of shape {self.stored.shape}: "
                "leave stored out to keep X as it is."
            )

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        method = str(self.provenance.get("method", "?")).rpartition(":")[2]
        rows_seen = self.provenance.get("rows_seen", "?")
        return f"<DistilledSet {self.X.shape} {self.X.dtype} of {rows_seen} rows by {method}>"

    def in_original_units(self) -> np.ndarray:
        """Return the rows in the units of the data, mapped back through any preprocessing.

        The rows of a mixed table remain encoded as numbers; see `to_frame`.
        """
        return self.X if self.preprocessing is None else self.preprocessing.inverse_transform(self.X)

    @property
    def nbytes(self) -> int:
        """Bytes of the stored rows and labels, comparable with ``provenance["bytes_seen"]``."""
        labels = self.y if self.soft_labels is None else self.soft_labels
        rows = self.X if self.stored is None else self.stored
        return int(rows.nbytes + (0 if labels is None else labels.nbytes))

    def transform(self, X: Any) -> Any:
        """Map rows of the data into the space of `X`, in which models trained on the set predict.

        Parameters
        ----------
        X : ndarray of shape (n, ...), or frame of shape (n, d)

        Returns
        -------
        ndarray of shape (n, ...)
            The rows themselves if there is neither a table nor a preprocessing. The columns of a
            frame are put into the order of `feature_names`.

        Raises
        ------
        DataError
            If a frame has other columns than the data.
        """
        rows = aligned(X, self.feature_names) if self.table is None else self.table.encode(X)
        return rows if self.preprocessing is None else self.preprocessing.transform(rows)

    def encode(self, X: Any) -> np.ndarray:
        """Return rows of the data as numbers in the units of `in_original_units`.

        Parameters
        ----------
        X : array-like of shape (n, ...), or frame of shape (n, d)

        Returns
        -------
        ndarray of shape (n, ...)
            Encoded rows if the data were a mixed table, otherwise the rows as an array. The columns
            of a frame are put into the order of `feature_names`.

        Raises
        ------
        DataError
            If a frame has other columns than the data.
        """
        return np.asarray(aligned(X, self.feature_names)) if self.table is None else self.table.encode(X)

    def prefix(self, budget: Any, X: Any = None, y: Any = None) -> DistilledSet:
        """Return the part of a ranked set for a smaller budget, so that one fit serves every size.

        Parameters
        ----------
        budget : int, float or dict
            As for the distillers (see `Budget`): rows per class, a share of the training rows, or
            rows per class label.
        X, y : arrays or None
            The rows (and labels) from which the set was made. With them, weights that count nearest
            rows are counted again, and equal those of a fit with the smaller budget.

        Returns
        -------
        DistilledSet
            The first rows of each class by rank, in the order of this set. Without X, weights that
            count nearest rows are updated by adding the weight of each dropped row to the nearest
            remaining row of its class (in the units of `X`); other weights are scaled. In both
            cases the sum of the weights of each class is preserved.

        Raises
        ------
        DataError
            If the set has no ranking, X is not the data it was made from, or X is given although
            the weights do not count nearest rows.
        BudgetError
            If the set holds fewer rows of a class than the budget asks for.
        """
        return replace(self, **prefix_fields(self, budget, X, y))

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the set as a safetensors file with a JSON card; see `DistilledSet.load`.

        Parameters
        ----------
        path : str or path
            Destination. The file is written under a temporary name and renamed, so that an
            incomplete file never has this name.

        Returns
        -------
        Path

        Raises
        ------
        ArtefactError
            If the file cannot be written, or labels are neither numbers nor text.
        """
        return write_artefact(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DistilledSet:
        """Read a set written by `save`. Loading never executes code from the file.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        DistilledSet

        Raises
        ------
        ArtefactError
            If the file is missing, damaged, not a distilled set, or of a newer version.
        """
        return cls(**read_artefact(path))

    def to_pandas(self, target: str = "target", weight: str | None = "sample_weight") -> pd.DataFrame:
        """Return the set as a table: (flattened) features, target, weight and probabilities.

        If the data were a frame, selected rows are the original rows, and made rows have the
        columns and types of the data: integers rounded within their range, truth values, dates,
        the nearest levels of categories, and gaps where most of the rows that they stand for have
        gaps.

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
            names = self.feature_names if self.feature_names and len(self.feature_names) == flat.shape[1] else None
            frame = pd.DataFrame(flat, columns=list(names or (f"x{i}" for i in range(flat.shape[1]))))
        columns = [(target, self.y), (weight, self.sample_weight), *self._probability_columns(target)]
        for name, values in columns:
            if name is not None and values is not None:
                if name in frame.columns:
                    raise DataError(f"a column is already named {name!r}: give target= or weight= another name.")
                frame[name] = values
        return frame

    def _probability_columns(self, target: str) -> list[tuple[str, np.ndarray]]:
        """Return soft labels as columns: ``p_LABEL`` for each class, ``p_TARGET`` for numbers."""
        if self.soft_labels is None:
            return []
        if self.classes is None:
            return [(f"p_{target}", self.soft_labels.reshape(len(self.X)))]
        return [(f"p_{label}", self.soft_labels[:, place]) for place, label in enumerate(self.classes.tolist())]

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
        """
        import polars as pl

        return pl.from_arrow(self.to_arrow(target, weight))

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
        """
        import torch

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

    def fit(self, estimator: Any) -> Any:
        """Train a scikit-learn estimator on the set, with the weights if it accepts them.

        Parameters
        ----------
        estimator : estimator
            Fitted in place. Rows with more than two axes are flattened to (m, d) unless the tags of
            the estimator say that it accepts three-dimensional input.

        Returns
        -------
        estimator
            The fitted estimator.
        """
        from sklearn.utils import get_tags
        from sklearn.utils.validation import has_fit_parameter

        keep_shape = self.X.ndim == 2 or get_tags(estimator).input_tags.three_d_array
        X = self.X if keep_shape else self.X.reshape(len(self.X), -1)
        weighted = has_fit_parameter(estimator, "sample_weight")
        return estimator.fit(X, self.y, **({"sample_weight": self.sample_weight} if weighted else {}))
