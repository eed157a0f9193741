"""The part of a distiller that handles mixed tables: encoding, decoding and containers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_X_y
from sklearn.utils.metaestimators import available_if

from distillkit.distilled import DistilledSet
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.tables._estimators import as_transformed, check_columns
from distillkit.tables._frames import container_of, frame_like, is_frame, take_rows
from distillkit.tables._lazy_table import LazyTable
from distillkit.utils._containers import like_rows
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._targets import one_column

__all__ = ["MixedTableMixin"]

_MOST_BYTES = 2**28
"""Bytes of encoded rows above which methods that go through rows in blocks get no array of them."""
_NO_ROWS = np.empty((0, 1))


def _is_table(distiller: Any) -> bool:
    """Tell whether a distiller was fitted to a table, or not fitted yet."""
    return np.ndim(distiller.__dict__.get("X_distilled_", _NO_ROWS)) == 2


class MixedTableMixin:
    """Mixin of `BaseDistiller` for tables with text, categories, dates and gaps.

    A mixed table is encoded by the fitted `encoder_` before the method sees it, and the results get
    the container, columns and types of the table.
    """

    _reads_rows: ClassVar[bool] = True  # whether the method uses the values of X, beyond their number
    _reads_in_blocks: ClassVar[bool] = False  # whether the method takes `LazyRows` in place of an array
    _standardizes: bool = True  # whether the columns of a mixed table are standardized for the method
    X_distilled_: Any
    distilled_: DistilledSet
    encoder_: TableEncoder
    preprocessing_: Preprocessing | None

    def _validate_table(self, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the encoded rows of a mixed table twice, and y as one column."""
        check_columns(self, X, y, reset=reset)
        encoded: Any
        if not self._needs_encoded_rows():
            encoded = np.zeros((len(X), 1))
        elif self._takes_lazy_rows and 8 * len(X) * len(self.encoder_.get_feature_names_out()) > _MOST_BYTES:
            encoded = LazyTable.of(self.encoder_, X)
        else:
            encoded = self.encoder_.transform(X)
        if y is None:
            return encoded, encoded, None
        # The encoder has checked the rows, so that y and its length are left to be checked.
        _, y_valid = check_X_y(np.zeros((len(encoded), 1)), y, multi_output=True, estimator=self)
        return encoded, encoded, one_column(y_valid)

    @property
    def _takes_lazy_rows(self) -> bool:
        """Whether the method reads rows in blocks, and nothing else needs them at once."""
        whole = getattr(self, "certify", False) or getattr(self, "feature_space", None) is not None
        return self._reads_in_blocks and not whole

    def _needs_encoded_rows(self) -> bool:
        """Whether a mixed table has to be encoded before rows can be selected."""
        return self._reads_rows or bool(getattr(self, "certify", False))

    def _restore_table(self, X: Any = None) -> None:
        """Give the results the container, columns and types of the table.

        `X` is the table from which rows were selected; None if it is no longer in memory.
        """
        encoder, is_mixed = self.__dict__.get("encoder_"), "encoder_" in self.__dict__
        if encoder is None:
            if not is_frame(X) or _is_floats(X):
                return
            encoder = TableEncoder(standardize=False).fit(X)
        indices = getattr(self, "sample_indices_", None)
        rows = None if X is None or indices is None else take_rows(X, indices)
        if is_mixed and rows is not None and not self._needs_encoded_rows():
            # Only the selected rows are encoded, because the method needed no distances.
            self.distilled_.X = encoder.transform(rows)
            width = self.distilled_.X.shape[1]
            self.distilled_.provenance["bytes_seen"] += len(X) * (width - 1) * self.distilled_.X.itemsize
        self.distilled_.table = DistilledTable(encoder, rows)
        if is_mixed and self.preprocessing_ is None:
            self.X_distilled_ = encoder.inverse_transform(self.distilled_.X, rounded=False) if rows is None else rows

    def _encoded_names(self) -> tuple[str, ...] | None:
        """Return the names of the columns of `distilled_.X`, None without names."""
        if "encoder_" in self.__dict__:
            return tuple(self.encoder_.get_feature_names_out())
        return tuple(getattr(self, "feature_names_in_", ())) or None

    def _distilled_rows(self, X: Any) -> Any:
        """Return the distilled rows in the container of X, as `fit_resample` returns them."""
        if "encoder_" in self.__dict__ and self.preprocessing_ is None:
            return self.X_distilled_
        indices = getattr(self, "sample_indices_", None)
        return self._like(self.X_distilled_, indices, X, carried=self.preprocessing_ is not None)

    def _transform_table(self, X: Any) -> Any:
        """Return new rows of a mixed table as `fit_transform` returns distilled rows."""
        check_columns(self, X, reset=False)
        if self.preprocessing_ is None:
            return as_transformed(self, X)
        encoded = self.preprocessing_.transform(self.encoder_.transform(X))
        return self._like(encoded, slice(None), X, carried=True)

    def _like(self, rows: np.ndarray, indices: Any, X: Any, *, carried: bool) -> Any:
        """Return rows in the container of X; see `like_rows`."""
        if container_of(X) in ("polars", "pyarrow"):
            if indices is not None and not carried:
                return take_rows(X, indices)
            return frame_like(X, rows, self._encoded_names())
        if "encoder_" in self.__dict__:  # encoded rows of a mixed table, in the space of the method
            import pandas as pd

            index = None if indices is None else X.index[indices]
            return pd.DataFrame(rows, columns=self._encoded_names(), index=index)
        return like_rows(rows, indices, X, carried=carried)

    @available_if(_is_table)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns, only for tables.

        Rows with more than two axes have no columns to name, so scikit-learn's `set_output` leaves
        them as arrays.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None means those seen in `fit`, or x0, x1, ...

        Returns
        -------
        ndarray of str
        """
        names: np.ndarray = super().get_feature_names_out(input_features)  # type: ignore[misc]
        return names


def _is_floats(X: Any) -> bool:
    """Whether a pandas frame holds floats alone, whose rows need no other types."""
    return container_of(X) == "pandas" and all(dtype == np.float64 for dtype in X.dtypes)
