"""The container, column names and types of a frame, from which frames like it are built."""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._building import arrow_column, pandas_column
from distillkit.tables._frames import container_of, polars_frame, take_rows
from distillkit.tables._reading import Values
from distillkit.tables._state import from_typed, to_typed

__all__ = ["Schema", "as_arrow"]


def as_arrow(frame: Any) -> Any:
    """Return a polars or pyarrow frame as a pyarrow table.

    Raises
    ------
    DataError
        If a polars frame holds Python objects.
    """
    if container_of(frame) == "pyarrow":
        return frame
    polars = sys.modules["polars"]
    try:
        return frame.to_arrow(compat_level=polars.CompatLevel.oldest())
    except Exception as exc:  # polars has no common class of its errors
        raise DataError(f"the frame cannot be converted to Arrow ({exc}): turn its objects into text first.") from exc


@dataclass(frozen=True, eq=False)
class Schema:
    """Container, names and types of the columns of a frame.

    Parameters
    ----------
    container : {"pandas", "polars", "pyarrow"}
    names : list
    dtypes : list of pandas dtypes or None
        For pandas.
    empty : frame or None
        The frame without rows, for polars and pyarrow.
    nones : tuple of int
        Positions of pandas columns of objects in which missing values are None and not NaN.
    dictionaries : dict of str to list
        All levels of the dictionary columns of a pyarrow table, also the unused ones.
    """

    container: str
    names: list[Any]
    dtypes: list[Any] | None = None
    empty: Any = field(default=None, repr=False)
    nones: tuple[int, ...] = ()
    dictionaries: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: Any) -> Self:
        """Return the schema of a frame."""
        container = str(container_of(frame))
        if container == "pandas":
            return cls(container, list(frame.columns), list(frame.dtypes), None, _nones(frame))
        names = list(frame.column_names if container == "pyarrow" else frame.columns)
        empty = take_rows(frame, slice(0, 0))
        return cls(container, names, None, empty, (), _dictionaries(frame) if container == "pyarrow" else {})

    def declared_levels(self, position: int) -> tuple[list[Any] | None, bool]:
        """Return the levels that the type of a column declares, and whether they are ordered."""
        if self.dtypes is not None:
            dtype = self.dtypes[position]
            levels = getattr(dtype, "categories", None)
            return (None, False) if levels is None else (levels.tolist(), bool(dtype.ordered))
        name = self.names[position]
        if self.container == "pyarrow":
            return self.dictionaries.get(name), getattr(self.empty.schema.field(name).type, "ordered", False)
        dtype = self.empty.schema[name]
        is_enum = isinstance(dtype, sys.modules["polars"].Enum)
        return (dtype.categories.to_list(), True) if is_enum else (None, False)

    def frame(self, columns: list[Values], *, rounded: bool) -> Any:
        """Return a frame of decoded columns in the original types.

        Parameters
        ----------
        columns : list of Numbers, Times and Labels
        rounded : bool
            Whether integers are integers again; otherwise they are floats.
        """
        n_rows = len(columns[0].missing)
        if self.dtypes is not None:
            import pandas as pd

            data = {
                position: pandas_column(
                    values, dtype, rounded=rounded, missing=None if position in self.nones else np.nan
                )
                for position, (values, dtype) in enumerate(zip(columns, self.dtypes, strict=True))
            }
            table = pd.DataFrame(data, index=pd.RangeIndex(n_rows))
            table.columns = pd.Index(self.names)
            return table
        table = self._arrow_table(columns, rounded=rounded)
        if self.container == "pyarrow":
            return table
        types = {name: dtype for name, dtype in self.empty.schema.items() if rounded or not dtype.is_integer()}
        return polars_frame(table).cast(types)

    def pandas_frame(self, columns: list[Values]) -> Any:
        """Return a pandas frame of decoded columns, whatever the container; needs no polars."""
        if self.container == "pandas":
            return self.frame(columns, rounded=True)
        return self._arrow_table(columns, rounded=True).to_pandas()

    def _arrow_table(self, columns: list[Values], *, rounded: bool) -> Any:
        import pyarrow as pa

        schema = (self.empty if self.container == "pyarrow" else as_arrow(self.empty)).schema
        arrays = [
            arrow_column(values, dtype, rounded=rounded, levels=self.dictionaries.get(name))
            for name, values, dtype in zip(self.names, columns, schema.types, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, names=list(self.names))
        # The metadata name the types of pandas, which integers that stay floats do not have.
        return table.replace_schema_metadata(schema.metadata) if rounded else table

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values for JSON."""
        state: dict[str, Any] = {"container": self.container, "names": [to_typed(name) for name in self.names]}
        if self.dtypes is not None:
            state["dtypes"] = [_dtype_to_state(dtype) for dtype in self.dtypes]
            state["nones"] = list(self.nones)
        else:
            arrow = self.empty if self.container == "pyarrow" else as_arrow(self.empty)
            state["dictionaries"] = {
                name: [None if level is None else to_typed(level) for level in levels]
                for name, levels in self.dictionaries.items()
            }
            state["arrow"] = base64.b64encode(arrow.schema.serialize().to_pybytes()).decode("ascii")
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the schema that `to_dict` described."""
        names = [from_typed(name) for name in state["names"]]
        if "dtypes" in state:
            dtypes = [_dtype_from_state(dtype) for dtype in state["dtypes"]]
            if len(dtypes) != len(names):
                raise DataError(f"its table has {len(dtypes)} types for {len(names)} columns.")
            return cls("pandas", names, dtypes, None, tuple(int(position) for position in state["nones"]))
        import pyarrow as pa

        empty = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(state["arrow"]))).empty_table()
        if empty.column_names != names:
            raise DataError(f"its table has the columns {empty.column_names} in place of {names}.")
        if state["container"] == "polars" and find_spec("polars") is not None:
            return cls("polars", names, None, polars_frame(empty))
        dictionaries = {
            name: [None if level is None else from_typed(level) for level in levels]
            for name, levels in state["dictionaries"].items()
        }
        return cls("pyarrow", names, None, empty, (), dictionaries)


def _nones(frame: Any) -> tuple[int, ...]:
    """Return the positions of the columns of objects whose first missing value is None."""
    positions = []
    for position, dtype in enumerate(frame.dtypes):
        if dtype.kind == "O" and isinstance(dtype, np.dtype):
            column = frame.iloc[:, position]
            gaps = np.flatnonzero(column.isna().to_numpy())
            if len(gaps) and column.iloc[gaps[0]] is None:
                positions.append(position)
    return tuple(positions)


def _dictionaries(table: Any) -> dict[str, list[Any]]:
    """Return all levels of each dictionary column of a pyarrow table."""
    import pyarrow as pa

    dictionaries = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type) and column.num_chunks:
            dictionaries[name] = column.unify_dictionaries().chunk(0).dictionary.to_pylist()
    return dictionaries


def _dtype_to_state(dtype: Any) -> Any:
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        levels = [] if dtype.categories is None else dtype.categories
        return {
            "categories": [to_typed(level.item() if isinstance(level, np.generic) else level) for level in levels],
            "dtype": str(levels.dtype) if len(levels) else "object",
            "ordered": bool(dtype.ordered),
        }
    return str(dtype)


def _dtype_from_state(state: Any) -> Any:
    import pandas as pd

    if isinstance(state, dict):
        levels = pd.Index([from_typed(level) for level in state["categories"]], dtype=_dtype_from_state(state["dtype"]))
        return pd.CategoricalDtype(levels, ordered=bool(state["ordered"]))
    # The name of a time zone of dateutil is the path of a file to read.
    if not isinstance(state, str) or "dateutil" in state:
        raise DataError(f"{str(state)[:50]!r} is not the type of a column.")
    dtype = pd.api.types.pandas_dtype(state)
    if isinstance(dtype, np.dtype) and (dtype.kind not in "biufcOmM" or dtype.fields or dtype.subdtype):
        raise DataError(f"{state[:50]!r} is not the type of a column.")
    return dtype
