"""The result of a distillation: a small training set with weights, labels and provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._exports import ExportsMixin
from distillkit.distilled._formats import write_set
from distillkit.distilled._from_frame import fields_from_frame
from distillkit.distilled._html import set_html
from distillkit.distilled._prefix import prefix_fields
from distillkit.distilled._reading import read_artefact
from distillkit.exceptions import DataError
from distillkit.tables import DistilledTable
from distillkit.tables._frames import aligned, row_count
from distillkit.utils._interpolation import is_expansion
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._sparse import dense_rows, is_sparse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

__all__ = ["DistilledSet"]


@dataclass(eq=False)
class DistilledSet(ExportsMixin, PicklesByPublicName):
    """Small training set with weights, labels and provenance.

    Iteration yields one tuple (x, y, weight) for each row, in which y is the hard label, or None
    without targets: ``for x, y, weight in small``. The length is the number of rows. The arrays are
    the attributes: ``small.X, small.y``.

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

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield one tuple (x, y, weight) for each row; y is None without targets."""
        y = [None] * len(self.X) if self.y is None else self.y
        return iter(zip(self.X, y, np.asarray(self.sample_weight), strict=True))

    def __repr__(self) -> str:
        method = str(self.provenance.get("method", "?")).rpartition(":")[2]
        rows_seen = self.provenance.get("rows_seen", "?")
        return f"<DistilledSet {self.X.shape} {self.X.dtype} of {rows_seen} rows by {method}>"

    def _repr_html_(self) -> str:
        return set_html(self)

    def in_original_units(self) -> np.ndarray:
        """Return the rows in the units of the data, mapped back through any preprocessing.

        The rows of a mixed table remain encoded as numbers; see `to_frame`.
        """
        return self.X if self.preprocessing is None else self.preprocessing.inverse_transform(self.X)

    @property
    def nbytes(self) -> int:
        """Bytes of what models need from the set, comparable with ``provenance["bytes_seen"]``.

        These are the stored rows, the soft labels or else the labels, the weights unless all are
        equal, and the numbers of the preprocessing.
        """
        labels = self.y if self.soft_labels is None else self.soft_labels
        weights = None if len(np.unique(np.asarray(self.sample_weight))) <= 1 else self.sample_weight
        scaling = self.preprocessing
        maps = () if scaling is None else (scaling.mean, scaling.scale, scaling.rotation)
        arrays = (self.X if self.stored is None else self.stored, labels, weights, *maps)
        return int(sum(array.nbytes for array in arrays if array is not None))

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
        if self.table is not None:
            return self.table.encode(X)
        return dense_rows(X) if is_sparse(X) else np.asarray(aligned(X, self.feature_names))

    def prefix(self, budget: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> DistilledSet:
        """Return the part of a ranked set for a smaller budget, so that one fit serves every size.

        Parameters
        ----------
        budget : int, float or dict
            As for the distillers (see `Budget`): rows per class, a share of the training rows, or
            rows per class label.
        X, y : arrays or None
            The rows (and labels) from which the set was made. With them, weights that count nearest
            rows are counted again, and equal those of a fit with the smaller budget.
        sample_weight : array-like of shape (n,), number or None
            Weights of the rows in X, if the set was made with weights.

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
        return replace(self, **prefix_fields(self, budget, X, y, sample_weight))

    def save(self, path: str | PathLike[str], target: str = "target", weight: str | None = "sample_weight") -> Path:
        """Write the set in the format that the ending of the path names.

        ==================  ================================================================
        ``.safetensors``    everything, with a JSON card; see `load`. Also without an ending
        ``.csv``            the table of `to_pandas`
        ``.parquet``        the table of `to_pandas`, with the types of the columns
        ``.npz``            X, y, sample_weight, soft_labels and classes as arrays of NumPy
        ==================  ================================================================

        Parameters
        ----------
        path : str or path
            Destination. The file is written under a temporary name and renamed, so that an
            incomplete file never has this name.
        target : str
            Name of the target column of a table.
        weight : str or None
            Name of the weight column of a table; None omits it.

        Returns
        -------
        Path

        Raises
        ------
        ArtefactError
            If there is no format of this ending, the file cannot be written, or labels are neither
            numbers nor text.
        DataError
            If two columns of a table would have the same name.
        """
        return write_set(self, path, target, weight)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DistilledSet:
        """Read a safetensors file written by `save`. Loading never executes code from the file.

        The other formats of `save` do not hold a whole set. Read a table with pandas and hand it to
        `from_pandas`.

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

    @classmethod
    def from_pandas(
        cls,
        frame: Any,
        target: str | None = "target",
        weight: str | None = "sample_weight",
        *,
        task: str = "auto",
    ) -> DistilledSet:
        """Make a set of a table: the way back from `to_pandas`, or of a set made elsewhere.

        The columns keep their values and types. Soft labels are read from columns named ``p_LABEL``
        (or ``p_TARGET`` for a continuous target) after the target, if each label has one. What a
        table does not hold is lost: provenance, ranking, and the axes of images and series.

        Parameters
        ----------
        frame : DataFrame of shape (m, d)
            A frame of pandas, polars or pyarrow. Text, categories, dates and gaps are encoded by a
            `TableEncoder` that is learned on these rows.
        target : str or None
            Name of the target column; None if there is no target.
        weight : str or None
            Name of the weight column. The weights are ones for None, and if the frame has no column
            "sample_weight", which is the default.
        task : {"auto", "classification", "regression"}
            Kind of target; see `BaseDistiller`. With "auto", soft labels of several classes show
            that the target holds labels.

        Returns
        -------
        DistilledSet

        Raises
        ------
        DataError
            If `frame` is no frame, a column is missing, the target has gaps, or weights are not
            positive.

        Examples
        --------
        >>> import numpy as np
        >>> small = DistilledSet(np.eye(2), y=np.array(["no", "yes"]), sample_weight=[3.0, 5.0])
        >>> again = DistilledSet.from_pandas(small.to_pandas(target="churn"), target="churn")
        >>> again.y.tolist(), again.sample_weight.tolist()
        (['no', 'yes'], [3.0, 5.0])
        """
        return cls(**fields_from_frame(frame, target, weight, task))

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
