"""Affine preprocessing between the units of the data and the space of a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._moments import column_deviations, column_means
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["Preprocessing"]

_WIDE = 1e200  # scale beyond which values are divided before their mean is subtracted


@dataclass(frozen=True, eq=False)
class Preprocessing(PicklesByPublicName):
    """Affine map ``z = ((x - mean) / scale) @ rotation`` on flattened rows, with its inverse.

    Parameters
    ----------
    mean, scale : ndarray of shape (d,)
        Offset and scale of each feature; the scale must not be 0.
    rotation : ndarray of shape (d, d) or None
        Invertible matrix, such as a whitening; None for no rotation.
    kind : str
        Name stored in the card of a distilled set, for example "standardize" or "zca".

    Raises
    ------
    DataError
        If the shapes are inconsistent, or `scale` contains 0 so that there is no inverse.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> scaling = Preprocessing.standardize(X)
    >>> scaling.transform(X).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> scaling.inverse_transform(scaling.transform(X)).tolist()
    [[1.0, 10.0], [3.0, 30.0]]
    """

    mean: np.ndarray
    scale: np.ndarray
    rotation: np.ndarray | None = None
    kind: str = "affine"

    def __post_init__(self) -> None:
        d = len(self.mean)
        if self.scale.shape != (d,) or (self.rotation is not None and self.rotation.shape != (d, d)):
            rotation = None if self.rotation is None else self.rotation.shape
            raise DataError(f"mean has {d} features, but scale has shape {self.scale.shape} and rotation {rotation}.")
        if not np.all(self.scale):
            raise DataError(f"scale is 0 for feature {int(np.argmin(self.scale != 0))}: use 1 for constant features.")

    @classmethod
    def standardize(cls, X: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Fit mean 0 and deviation 1 per feature, perhaps weighted; constant ones are centered."""
        flat = X.reshape(len(X), -1).astype(np.float64, copy=False)
        return cls(column_means(flat, weight), column_deviations(flat, weight), kind="standardize")

    def transform(self, X: Any) -> np.ndarray:
        """Map rows of shape (n, ...) into the space of the method; floating dtypes are kept."""
        flat, shape, dtype = self._flat(X)
        mapped = (np.where(self._wide, 0.0, flat) if self._wide.any() else flat) - self.mean
        mapped /= self.scale
        if self._wide.any():  # the differences of very large values could overflow
            mapped[:, self._wide] = (flat / self.scale - self.mean / self.scale)[:, self._wide]
        if self.rotation is not None:
            mapped = mapped @ self.rotation
        rows: np.ndarray = mapped.reshape(shape).astype(dtype, copy=False)
        return rows

    def inverse_transform(self, Z: Any) -> np.ndarray:
        """Map rows back into the units of the data."""
        flat, shape, dtype = self._flat(Z)
        if self.rotation is not None:
            try:
                flat = np.linalg.solve(self.rotation.T, flat.T).T
            except np.linalg.LinAlgError as exc:
                raise DataError(f"the rotation of this preprocessing has no inverse ({exc}): fit it again.") from exc
        rows: np.ndarray = (flat * self.scale + self.mean).reshape(shape).astype(dtype, copy=False)
        return rows

    @property
    def _wide(self) -> np.ndarray:
        """Columns whose differences may leave the range of float64."""
        return np.asarray(self.scale > _WIDE)

    def _flat(self, X: Any) -> tuple[np.ndarray, tuple[int, ...], np.dtype[Any]]:
        """Return the rows flattened as float64, with their shape and floating dtype."""
        X = np.asarray(X)
        flat = X.reshape(len(X), -1)
        if flat.shape[1] != len(self.mean):
            raise DataError(
                f"rows have {flat.shape[1]} features, but this preprocessing was fitted on {len(self.mean)}."
            )
        return flat.astype(np.float64), X.shape, X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
