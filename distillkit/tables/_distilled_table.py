"""The table of a distilled set: its encoder, and the original rows if rows were picked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._encoder import TableEncoder
from distillkit.tables._frames import container_of, is_frame, polars_frame, row_count, take_rows, to_pandas
from distillkit.tables._schema import as_arrow
from distillkit.utils._arrow_streams import expanded_bytes, read_stream
from distillkit.utils._file_bounds import largest_content
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["DistilledTable"]


@dataclass(frozen=True, eq=False)
class DistilledTable(PicklesByPublicName):
    """Encoder of a mixed table, and the original rows of a distilled set if rows were picked.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted on the training rows.
    rows : pandas, polars or pyarrow frame of shape (m, d), or None
        The picked rows as they were, with their values and types. None for made rows, which are
        decoded from the numbers of the set.
    """

    encoder: TableEncoder
    rows: Any = None

    @property
    def is_encoded(self) -> bool:
        """Whether the numbers of the set are encoded rows, and not the plain numbers of a table."""
        plain = all(column.kind in ("number", "boolean") and column.parts == [""] for column in self.encoder.columns_)
        return self.encoder.standardize or not plain

    def take(self, indices: Any) -> Self:
        """Return the table of some of the rows, given by position or by a mask."""
        if self.rows is None:
            return self
        positions = np.arange(row_count(self.rows))[np.asarray(indices)]
        return replace(self, rows=take_rows(self.rows, positions))

    def frame(self, X: np.ndarray) -> Any:
        """Return the rows in the container, columns and types of the training rows.

        Parameters
        ----------
        X : ndarray of shape (m, n_encoded)
            The encoded rows of the set.

        Returns
        -------
        frame of shape (m, d)
            The picked rows, or made rows with whole numbers rounded.
        """
        return self.encoder.inverse_transform(X) if self.rows is None else self.rows

    def to_pandas(self, X: np.ndarray) -> Any:
        """Return the rows as a new pandas DataFrame; see `frame`."""
        if self.rows is not None:
            return to_pandas(self.rows).copy()
        return self.encoder.schema_.pandas_frame(self.encoder.decode(X))

    def encode(self, X: Any) -> np.ndarray:
        """Return new rows as numbers; arrays, which are numbers already, are returned as arrays."""
        return self.encoder.transform(X) if is_frame(X) else np.asarray(X)

    def rows_to_bytes(self) -> np.ndarray | None:
        """Return the picked rows as an Arrow stream in an array of bytes, None for made rows.

        Raises
        ------
        DataError
            If a column mixes types that Arrow cannot hold.
        """
        if self.rows is None:
            return None
        import pyarrow as pa

        try:
            is_pandas = container_of(self.rows) == "pandas"
            table = pa.Table.from_pandas(self.rows) if is_pandas else as_arrow(self.rows)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        except (pa.ArrowException, TypeError, ValueError) as exc:
            raise DataError(
                f"the rows cannot be written as Arrow ({exc}): turn columns of mixed types into text."
            ) from exc
        return np.frombuffer(sink.getvalue(), dtype=np.uint8)

    def with_bytes(self, stream: np.ndarray | None, n_rows: int) -> Self:
        """Return the table with the rows that `rows_to_bytes` wrote.

        Parameters
        ----------
        stream : ndarray of uint8 or None
            Bytes of a file, which are not trusted.
        n_rows : int
            Number of rows of the set.

        Raises
        ------
        Exception
            Of any type, if the bytes are damaged.
        """
        if stream is None:
            return self
        table = read_stream(stream.tobytes(), n_rows)
        if sum(map(expanded_bytes, table.columns)) > largest_content(stream.nbytes):
            raise ValueError("the text of its table would take far more memory than the file has bytes")
        schema = self.encoder.schema_
        if schema.container == "polars" and find_spec("polars") is not None:
            rows: Any = polars_frame(table)
            return replace(self, rows=rows.cast(dict(schema.empty.schema)))
        if schema.dtypes is None:
            return replace(self, rows=table)
        frame = table.to_pandas()
        frame.columns = type(frame.columns)(schema.names) if list(frame.columns) != schema.names else frame.columns
        return replace(self, rows=_in_dtypes(frame, schema.dtypes, schema.nones))


def _in_dtypes(frame: Any, dtypes: list[Any], nones: tuple[int, ...]) -> Any:
    """Return a pandas frame with the given dtype of each column."""
    import pandas as pd

    columns = []
    for position, dtype in enumerate(dtypes):
        column = frame.iloc[:, position]
        column = column if column.dtype == dtype else column.astype(dtype)
        if pd.api.types.is_object_dtype(dtype):
            column = column.where(column.notna(), None if position in nones else np.nan)
        columns.append(column)
    return pd.concat(columns, axis=1) if columns else frame
