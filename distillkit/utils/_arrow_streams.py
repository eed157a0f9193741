"""Arrow data from files, which may be made to harm the reader."""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["expanded_bytes", "read_stream"]

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3  # kinds of messages
_COMPRESSION = 3  # field of a record batch


def read_stream(stream: bytes, n_rows: int) -> Any:
    """Read an Arrow stream of a known number of rows as a table.

    Parameters
    ----------
    stream : bytes
    n_rows : int

    Returns
    -------
    pyarrow.Table
        All values lie within the stream and are valid.

    Raises
    ------
    ValueError, OSError, struct.error, pyarrow.ArrowException
        If the stream is damaged, has another number of rows, is compressed, or holds types that
        could stand for far more bytes than the stream has.
    """
    import pyarrow as pa

    buffer = pa.py_buffer(stream)
    for message in pa.ipc.MessageReader.open_stream(buffer):
        # A few compressed bytes could fill the memory, and streams are never written compressed.
        if _is_compressed(message.metadata.to_pybytes()):
            raise ValueError("its rows are compressed")
    with pa.ipc.open_stream(buffer) as reader:
        for field in reader.schema:
            _check_type(field)
        table = reader.read_all()
    if table.num_rows != n_rows:
        raise ValueError(f"its table has {table.num_rows} rows, but its arrays have {n_rows}")
    table.validate(full=True)
    return table


def _check_type(field: Any) -> None:
    """Refuse types in which a few bytes can stand for any number of values."""
    from pyarrow import types

    dtype = getattr(field.type, "storage_type", field.type)
    values = dtype.value_type if types.is_dictionary(dtype) else dtype
    is_empty = types.is_dictionary(dtype) and types.is_null(values)
    is_view = str(values) in ("string_view", "binary_view")
    is_empty_width = types.is_fixed_size_binary(values) and not values.byte_width
    if types.is_nested(values) or types.is_dictionary(values) or is_empty or is_view or is_empty_width:
        raise ValueError(f"its column {field.name!r} has the type {field.type}, which no distilled table has")


def expanded_bytes(column: Any) -> int:
    """Return how many bytes the text of a dictionary column takes if every row has its own.

    Parameters
    ----------
    column : pyarrow.ChunkedArray

    Returns
    -------
    int
        0 for other columns.
    """
    from pyarrow import compute, types

    if not types.is_dictionary(column.type):
        return 0
    text = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    if not any(is_kind(column.type.value_type) for is_kind in text):
        return 0
    total = 0
    for chunk in column.chunks:
        lengths = compute.binary_length(chunk.dictionary).cast("int64")
        total += compute.sum(lengths.take(chunk.indices)).as_py() or 0
    return int(total)


def _is_compressed(metadata: bytes) -> bool:
    """Return whether a message, a flatbuffer of the Arrow format, has compressed buffers."""
    (root,) = struct.unpack_from("<I", metadata)
    kind = _field(metadata, root, 1)
    header = _table(metadata, _field(metadata, root, 2))
    if not kind or metadata[kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return False
    if metadata[kind] == _DICTIONARY_BATCH:
        header = _table(metadata, _field(metadata, header, 1))
    return _field(metadata, header, _COMPRESSION) != 0


def _table(metadata: bytes, place: int) -> int:
    """Return the place of the table to which a field points."""
    return place + int(struct.unpack_from("<I", metadata, place)[0])


def _field(metadata: bytes, table: int, number: int) -> int:
    """Return the place of a field of a flatbuffer table, 0 if the table does not have it."""
    vtable = table - int(struct.unpack_from("<i", metadata, table)[0])
    (size,) = struct.unpack_from("<H", metadata, vtable)
    place = 4 + 2 * number
    offset = int(struct.unpack_from("<H", metadata, vtable + place)[0]) if place < size else 0
    return table + offset if offset else 0
