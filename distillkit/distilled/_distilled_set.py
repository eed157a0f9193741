"""The result of a distillation, a thing of its own apart from the method that made it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._artefact import read_artefact, write_artefact
from distillkit.distilled._prefix import prefix_fields
from distillkit.exceptions import DataError
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
    """A small training set with weights, labels and where it came from.

    Parameters
    ----------
    X : ndarray of shape (m, ...)
        Rows in the units of the data or, where there is a `preprocessing`, in the space that it maps into.
    y : ndarray of shape (m,) or None
        Class labels or numbers.
    sample_weight : ndarray of shape (m,) or None
        Training rows each stands for; ones if not given.
    indices : ndarray of shape (m,) or None
        Positions in the training rows, where rows were picked.
    soft_labels : ndarray of shape (m, n_classes) or None
        Probabilities, columns in the order of `classes`.
    stored : ndarray of shape (m, channels, ...) or None
        Smaller images or series that X is the linear interpolation of: they are what is saved, and what `nbytes` counts.
    ranking : ndarray of shape (m,) or None
        Place of each row in the ranking of its class (of all rows without classes), from 0; see `prefix`.
    classes : ndarray of shape (n_classes,) or None
        Class labels, sorted.
    feature_names : tuple of str or None
        Names of the columns of a table.
    preprocessing : Preprocessing or None
        What carries rows of the data into the space of X, with its inverse; see `transform`.
    provenance : dict
        Method, parameters, rows and bytes seen, seconds, versions; JSON-able.

    Raises
    ------
    DataError
        If the lengths differ, or X is not what `stored` gives.
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
                raise DataError(f"{name} has {len(values)} rows, but X has {len(self.X)}.")
        if self.stored is not None and not is_expansion(self.X, self.stored):
            raise DataError(
                f"X {self.X.shape} is not the interpolation of stored {self.stored.shape}: leave stored out, which keeps X as it is."
            )

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        method = str(self.provenance.get("method", "?")).rpartition(":")[2]
        seen = self.provenance.get("rows_seen", "?")
        return f"<DistilledSet {self.X.shape} {self.X.dtype} of {seen} rows by {method}>"

    def in_original_units(self) -> np.ndarray:
        """Return the rows in the units of the data: X itself, or mapped back through the preprocessing."""
        return self.X if self.preprocessing is None else self.preprocessing.inverse_transform(self.X)

    @property
    def nbytes(self) -> int:
        """Bytes of rows (as they are stored) and labels as arrays: the counterpart of ``provenance["bytes_seen"]``."""
        labels = self.y if self.soft_labels is None else self.soft_labels
        rows = self.X if self.stored is None else self.stored
        return int(rows.nbytes + (0 if labels is None else labels.nbytes))

    def transform(self, X: Any) -> Any:
        """Carry rows of the data into the space of `X`: what a model trained on the set must be given.

        Parameters
        ----------
        X : ndarray of shape (n, ...)

        Returns
        -------
        ndarray of shape (n, ...)
            The rows themselves where there is no preprocessing.
        """
        return X if self.preprocessing is None else self.preprocessing.transform(X)

    def prefix(self, budget: Any, X: Any = None, y: Any = None) -> DistilledSet:
        """Return the part of a ranked set that a smaller budget asks for: one fit serves every size.

        Parameters
        ----------
        budget : int, float or dict
            As for the distillers (see `Budget`): rows per class, a share of the rows seen, or rows per class label.
        X, y : arrays or None
            The rows (and labels) that the set was made from. With them, weights that count nearest rows are counted
            anew, and are those of a fit with the smaller budget.

        Returns
        -------
        DistilledSet
            The rows of the first places of each class, in the order of this set. Without X, weights that count nearest
            rows are those of this set, each dropped row's handed to the kept row of its class nearest to it (in the units of
            `X`); other weights are scaled. Either way they sum, in each class, to what they sum to here.

        Raises
        ------
        DataError
            If the set has no ranking, X is not what it was made from, or its weights do not count nearest rows.
        BudgetError
            If the set holds fewer rows of a class than the budget asks for.
        """
        return replace(self, **prefix_fields(self, budget, X, y))

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a safetensors file with a JSON card inside; see `DistilledSet.load`.

        Parameters
        ----------
        path : str or path
            Written to a temporary name and renamed, so a half-written file never has this name.

        Returns
        -------
        Path

        Raises
        ------
        ArtefactError
            If it cannot be written, or labels are neither numbers nor text.
        """
        return write_artefact(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DistilledSet:
        """Read what `save` wrote. Loading never executes code.

        Raises
        ------
        ArtefactError
            If the file is missing, damaged, not of this kind, or of a newer version.
        """
        return cls(**read_artefact(path))

    def to_pandas(self, target: str = "target", weight: str | None = "sample_weight") -> pd.DataFrame:
        """Return a table: one column per (flattened) feature, then the target and the weight.

        Parameters
        ----------
        target : str
            Name of the target's column, left out without y.
        weight : str or None
            Name of the weight's column; None leaves it out.

        Raises
        ------
        DataError
            If two columns would have one name.
        """
        import pandas as pd

        flat = self.X.reshape(len(self.X), -1)
        names = self.feature_names if self.feature_names and len(self.feature_names) == flat.shape[1] else None
        frame = pd.DataFrame(flat, columns=list(names or (f"x{i}" for i in range(flat.shape[1]))))
        for name, values in ((target, self.y), (weight, self.sample_weight)):
            if name is not None and values is not None:
                if name in frame.columns:
                    raise DataError(f"a column is already named {name!r}: give target= or weight= another name.")
                frame[name] = values
        return frame

    def to_torch(self) -> Any:
        """Return a `torch.utils.data.TensorDataset` of (X, y, weight), ready for a DataLoader.

        Floating rows are float32. Class labels are int64 positions in `classes`, or the soft labels where there
        are any; numbers are float32; without y the dataset holds (X, weight). The tensors are copies.

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
        y = np.asarray(self.y)
        if self.classes is not None:
            return np.searchsorted(self.classes, y).astype(np.int64)
        if y.dtype.kind not in "iufb":
            raise DataError("y holds text, but the set has no classes: give classes=np.unique(y).")
        return y.astype(np.float32)

    def fit(self, estimator: Any) -> Any:
        """Train a scikit-learn estimator on the set, with the weights if it takes them.

        Parameters
        ----------
        estimator : estimator
            Fitted in place. Rows of more than two axes are flattened to (m, d) unless its tags say that it takes
            three-dimensional input.

        Returns
        -------
        The estimator.
        """
        from sklearn.utils import get_tags
        from sklearn.utils.validation import has_fit_parameter

        keep_shape = self.X.ndim == 2 or get_tags(estimator).input_tags.three_d_array
        X = self.X if keep_shape else self.X.reshape(len(self.X), -1)
        weighted = has_fit_parameter(estimator, "sample_weight")
        return estimator.fit(X, self.y, **({"sample_weight": self.sample_weight} if weighted else {}))
