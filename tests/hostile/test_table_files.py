"""CSV and Parquet files that are damaged or made to harm: a `DatasetError` and little memory."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from distillkit.datasets import load_dataset, load_rows
from distillkit.datasets._read_table import _named
from distillkit.exceptions import DatasetError

FRAME = pd.DataFrame(
    {
        "age": np.arange(16) % 7,
        "height": np.linspace(1.5, 2, 16),
        "city": ["Rome", "Oslo", "Ulm", None] * 4,
        "is_open": [True, False] * 8,
        "day": pd.date_range("2020-01-01", periods=16),
        "kind": pd.Categorical(["a", "b"] * 8),
        "target": ["no", "yes", "no", "yes"] * 4,
    }
)


def read_both(path):
    """Read a file as the command line and as the bench do."""
    with suppress(DatasetError):
        load_rows(str(path), target="target")
    load_dataset(str(path), target="target")


def test_generated_csv_files_are_read_or_refused(outcomes, examples, tmp_path):
    text = FRAME.to_csv(index=False)
    words = ['"', '""', ",", ";", "\t", "\r", "\n", "\r\n", "\0", "sep=;\n", "1e154", "1e308", "-1e999", "nan", "inf"]
    words += [
        "9" * 400,
        "0x10",
        "1_000",
        "\ufeff",
        "2020-13-45",
        "9999999-01-01",
        "'",
        "=cmd()",
        "\u2028",
        "x" * 140_000,
    ]

    def make(damage):
        changed = text
        for _ in range(damage.choose(0, 1, 2, 5)):
            place = damage.random.randrange(len(changed))
            changed = changed[:place] + damage.choose(*words) + changed[place + damage.choose(0, 1, 5) :]
        content = changed.encode(damage.choose("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig"))
        content = damage.bytes(content) if damage.random.random() < 0.3 else content
        if damage.random.random() < 0.2:
            content = damage.bytes(gzip.compress(content))
        path = tmp_path / damage.choose("rows.csv", "rows.tsv", "rows.csv.gz")
        path.write_bytes(content)
        return path

    assert outcomes(examples(300), make, read_both, DatasetError) == {"read", "refused"}


def test_a_compressed_table_does_not_expand_to_far_more_than_its_bytes(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * (2**24 + 1)))
    with pytest.raises(DatasetError, match=r"expands to more than 67,108,864 bytes.*decompress it"):
        load_rows(str(path), target="b")


@pytest.mark.parametrize(
    "text", ["x" * 140_000 + ",target\n1,2\n", '"' + "x" * 140_000 + "\n", "a,target\n" + "x" * 140_000 + ",2\n"]
)
def test_values_of_any_length_are_read_or_refused_with_their_line(text, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"rows\.csv"):
        load_dataset(str(path), target="target")


def test_many_columns_are_named_in_little_time():
    names = [f"c{i}" for i in range(50_000)]
    frame = pd.DataFrame(np.zeros((1, len(names))))
    assert list(_named(Path("rows.csv"), names, frame)[0].columns) == names
    with pytest.raises(DatasetError, match="two columns are called 'c7'"):
        _named(Path("rows.csv"), [*names, "c7"], frame)


def written(damage, path):
    """Write a Parquet file with other columns, metadata or settings."""
    table = pa.Table.from_pandas(FRAME)
    others = [
        pa.array([[1]] * 16),
        pa.array([{"a": 1}] * 16),
        pa.array([b"\xff"] * 16),
        pa.array([None] * 16),
        pa.array([1e308, -1e308] * 8),
        pa.array([float("nan")] * 16),
        pa.array([2**63 - 1, -(2**63)] * 8),
        pa.array([2**62] * 16, pa.timestamp("us")),
        pa.array(["x"] * 16).dictionary_encode(),
        pa.array([b"\xff\xfe"] * 16).view(pa.string()),
    ]
    place = damage.random.randrange(table.num_columns)
    name = damage.choose(table.column_names[place], table.column_names[0], "", "new")
    table = damage.choose(table, table.set_column(place, name, damage.choose(*others)), table.slice(0, 0))
    metadata = damage.choose(b"[" * 5_000, b"[]", b"{}", b"\xff", b'{"index_columns": 3}', b'{"index_columns": [[]]}')
    if damage.random.random() < 0.3:
        table = table.replace_schema_metadata({b"pandas": metadata})
    parquet.write_table(table, path, compression=damage.choose("none", "snappy", "zstd", "gzip"))


def test_generated_parquet_files_are_read_or_refused(outcomes, examples, tmp_path):
    path = tmp_path / "rows.parquet"

    def make(damage):
        if damage.random.random() < 0.5:
            written(damage, path)
        else:
            FRAME.to_parquet(path)
            path.write_bytes(damage.bytes(path.read_bytes()))
        return path

    assert outcomes(examples(60), make, read_both, DatasetError) == {"read", "refused"}


@pytest.mark.parametrize(
    "column",
    [
        pa.array(np.zeros(2**24, np.int8)),
        pa.DictionaryArray.from_arrays(np.zeros(10**5, np.int32), pa.array(["x" * 1000])),
    ],
    ids=["cells", "text"],
)
def test_a_parquet_file_does_not_expand_to_far_more_than_its_bytes(column, tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(
        pa.table({"a": column, "target": column}).replace_schema_metadata(None), path, store_schema=False
    )
    assert path.stat().st_size < 2 * 10**5
    before = pa.total_allocated_bytes()
    for read in (load_rows, load_dataset):
        with pytest.raises(DatasetError, match="more than 100 times its own: write it"):
            read(str(path), target="target")
    assert pa.total_allocated_bytes() - before < 2**20


def test_text_that_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"a": pa.array([b"\xff\xfe"] * 4).view(pa.string()), "target": [1, 2, 1, 2]}), path)
    with pytest.raises(DatasetError, match=r"cannot be read as Parquet \(.*UTF8"):
        load_rows(str(path), target="target")


@pytest.mark.parametrize("metadata", ["[" * 100_000, json.dumps({"index_columns": 3}), "[]", "3"])
def test_metadata_of_pandas_that_is_not_valid_is_an_error(metadata, tmp_path):
    path = tmp_path / "rows.parquet"
    table = pa.Table.from_pandas(FRAME).replace_schema_metadata({b"pandas": metadata.encode()})
    parquet.write_table(table, path)
    with pytest.raises(DatasetError, match="cannot be read as Parquet"):
        load_rows(str(path), target="target")
