"""Reader of Parquet files, which keeps the declared types of the columns."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import DatasetError
from distillkit.utils._arrow_streams import expanded_bytes
from distillkit.utils._file_bounds import largest_content, parsed_json

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["read_parquet"]

_BYTES_PER_CELL = 8


def read_parquet(path: Path, drop: Collection[str], missing: Collection[str]) -> pd.DataFrame:
    """Read a Parquet file.

    Calendar dates become dates at midnight, decimal numbers become float64, and times of day become
    text. Integers and booleans with missing values have the nullable types of pandas. Text is
    stripped, as that of CSV files is. An index that pandas stored is a column if it has a name.

    Parameters
    ----------
    path : Path
    drop : collection of str
        Columns to leave out, which may be of any type.
    missing : collection of str
        Texts that mean a missing value.

    Returns
    -------
    DataFrame

    Raises
    ------
    DatasetError
        If the file cannot be read, or if a column holds lists or other values that are no numbers,
        text or dates.
    """
    import pandas as pd

    try:
        table = _table(path)
        skipped = {*drop, *_unnamed_index(table.schema)}
        places = [place for place, name in enumerate(table.column_names) if name.strip() not in skipped]
        columns = {place: _column(path, table.column_names[place], table.column(place), missing) for place in places}
    except DatasetError:
        raise
    except Exception as exc:  # the types of the errors of pyarrow have no common class
        reason = " ".join(str(exc).split())
        raise DatasetError(f"{path} cannot be read as Parquet ({reason}): write it again.") from exc
    frame = pd.DataFrame(columns)
    frame.columns = pd.Index([table.column_names[place] for place in places])
    return frame


def _table(path: Path) -> pa.Table:
    """Read all columns, unless they would fill the memory; no value lies outside of its column."""
    import pyarrow as pa
    from pyarrow import parquet, types

    most = largest_content(path.stat().st_size)
    with parquet.ParquetFile(path) as file:
        declared, facts = file.schema_arrow, file.metadata
        # A value that is repeated takes a few bytes, whatever the number of rows.
        if (n_bytes := _BYTES_PER_CELL * facts.num_rows * facts.num_columns) > most:
            raise _too_large(path, n_bytes)
        text = [field.name for field in declared if types.is_string(field.type) or types.is_large_string(field.type)]
    with parquet.ParquetFile(path, read_dictionary=text) as file:
        table = file.read(use_threads=False)
    table.validate(full=True)
    if (n_bytes := sum(map(expanded_bytes, table.columns))) > most:
        raise _too_large(path, n_bytes)
    for place, field in enumerate(declared):
        if field.name in text and types.is_dictionary(table.column(place).type):
            table = table.set_column(place, pa.field(field.name, field.type), table.column(place).cast(field.type))
    return table.replace_schema_metadata(declared.metadata)


def _too_large(path: Path, n_bytes: int) -> DatasetError:
    return DatasetError(
        f"{path} expands to {n_bytes:,} bytes, which is more than 100 times its own: write it without compression "
        "and dictionaries, or divide it."
    )


def _unnamed_index(schema: pa.Schema) -> list[str]:
    """Return the columns that hold an index of pandas without a name."""
    metadata = parsed_json((schema.metadata or {}).get(b"pandas", b"{}"))
    stored = [name for name in metadata.get("index_columns", []) if isinstance(name, str)]
    return [name for name in stored if name.startswith("__index_level_")]


def _column(path: Path, name: str, column: pa.ChunkedArray, missing: Collection[str]) -> pd.Series[Any]:
    """Convert a column of Arrow to pandas."""
    import pandas as pd
    from pyarrow import types

    column, is_category = _simplified(column)
    type_ = column.type
    if types.is_string(type_):
        texts = _stripped(column.to_pandas(), missing)
        return texts.astype("category") if is_category else texts
    if (types.is_integer(type_) or types.is_boolean(type_)) and column.null_count:
        # NumPy has no missing integers, and floats would round large ones.
        name_of_type = _NULLABLE.get(str(type_), str(type_).title())
        series = (
            column.fill_null(False if types.is_boolean(type_) else 0)
            .to_pandas()
            .astype(pd.api.types.pandas_dtype(name_of_type))
        )
        series[column.is_null().to_numpy()] = pd.NA
        return pd.Series(series)
    known = (types.is_integer, types.is_boolean, types.is_floating, types.is_timestamp, types.is_duration)
    if not any(is_kind(type_) for is_kind in known):
        raise DatasetError(
            f"{path}: the column {name!r} holds {type_} values, but only numbers, text and dates can be used: drop it."
        )
    return pd.Series(column.to_pandas())


_NULLABLE = {"bool": "boolean", "uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64"}


def _simplified(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, bool]:
    """Cast a column to a type that pandas has; return whether it holds categories of text, too."""
    import pyarrow as pa
    from pyarrow import types

    is_category = types.is_dictionary(column.type)
    if is_category:
        column = column.cast(column.type.value_type)
    type_ = column.type
    if types.is_large_string(type_) or types.is_string_view(type_) or types.is_time(type_):
        return column.cast(pa.string()), is_category
    if types.is_date(type_):
        return column.cast(pa.timestamp("s")), False
    if types.is_decimal(type_) or types.is_null(type_):
        return column.cast(pa.float64()), False
    return column, is_category


def _stripped(column: pd.Series[Any], missing: Collection[str]) -> pd.Series[Any]:
    """Strip text, and make the texts that mean a missing value missing."""
    stripped = column.str.strip()
    return stripped.where(~stripped.isin(list(missing)))
