"""Arrow reads the cells of a file only where it reads them as the csv module of Python does."""

from __future__ import annotations

import csv
import io
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from distillkit.datasets import _cells, _delimited
from distillkit.datasets._cells import arrow_cells
from distillkit.datasets._column_types import convert_column, infer_type
from distillkit.datasets._delimited import read_delimited
from distillkit.exceptions import DatasetError


def python_rows(text):
    """Return the records by Python's strict reader, or None if it refuses the text."""
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    return [record for record in records if record]


@pytest.mark.parametrize("alphabet", ['a," \n', 'a,"\n', "a,\r\n ", "é,\n"])
def test_arrow_reads_random_text_as_python_does_or_leaves_it_to_python(alphabet):
    generator = random.Random(0)  # noqa: S311 (no secrets)
    n_read = 0
    for _ in range(1000):
        text = "h,k\n" + "".join(generator.choices(alphabet, k=generator.randrange(1, 14)))
        columns = arrow_cells(text.encode(), ",", 2)
        if columns is None:
            continue
        n_read += 1
        rows = [[value.strip() for value in row] for row in zip(*(c.to_pylist() for c in columns), strict=True)]
        expected = python_rows(text)
        assert expected is not None, text
        assert rows == [[value.strip() for value in record] for record in expected[1:]], text
    assert n_read > 20


@pytest.mark.parametrize(
    "text",
    [
        'x,y\n"a"b,1\n',  # text after a closing quote
        'x,y\n"a" ,1\n',
        'x,y\n"a,1\n',  # an open quote
    ],
)
def test_irregular_quotes_are_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DatasetError, match="check the quotes"):
        read_delimited(tmp_path / "a.csv", None, ".", None, ())


def test_both_ways_give_the_same_table(tmp_path, monkeypatch):
    rows = [f'{i % 7},"a ""{i % 5}"", b","c\n{i}", é{i % 3} ,{i / 7}' for i in range(300)]
    (tmp_path / "a.csv").write_text("p,q,r,s,t\n" + "\n".join(rows) + "\n\n")
    fast = read_delimited(tmp_path / "a.csv", None, ".", None, ())
    monkeypatch.setattr(_delimited, "arrow_cells", lambda *_: None)
    slow = read_delimited(tmp_path / "a.csv", None, ".", None, ())
    assert fast[0] == slow[0] == list("pqrst")
    pd.testing.assert_frame_equal(fast[1], slow[1])


def test_blocks_of_any_size_give_the_same_cells(monkeypatch):
    content = ("x,y\n" + "".join(f'{i},"a\n{i}"\n' for i in range(500))).encode()
    whole = arrow_cells(content, ",", 2)
    monkeypatch.setattr(_cells, "_BLOCK_BYTES", 64)
    assert [column.to_pylist() for column in arrow_cells(content, ",", 2)] == [column.to_pylist() for column in whole]


def raw(values):
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(pa.string())))


def test_numbers_are_those_of_python_bit_for_bit():
    generator = np.random.default_rng(0)
    bits = generator.integers(0, 2**64, 3000, dtype=np.uint64).view(np.float64)
    words = [repr(x) for x in bits[np.isfinite(bits)].tolist()]
    words += [
        "0.1",
        ".5",
        "5.",
        "-0",
        "+1.5",
        "1e-400",
        "4.9e-324",
        "2.2250738585072011e-308",
        "1E5",
        "9007199254740993.0",
    ]
    converted, n_unfit = convert_column(raw(words), infer_type(raw(words)))
    assert n_unfit == 0
    assert converted.to_numpy().tobytes() == np.array([float(word) for word in words]).tobytes()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["+1", "2", "-3"], "integer"),
        ([str(2**63 - 1), str(-(2**63))], "integer"),
        ([str(2**63), "1"], "text"),
        (["9" * 5000, "1"], "text"),
        (["0x1F", "2"], "text"),
        (["nan", "1"], "text"),
        (["1_000", "2"], "text"),
        (["\u0661", "2"], "text"),  # a digit of another script
        (["1e400", "2"], "number"),
        (["-Infinity", "2"], "number"),
        (["00", "1"], "text"),
        (["0", "1"], "integer"),
        (["true", "FALSE"], "boolean"),
        (["2024-02-29", "2023-02-28 12:00"], "date"),
        ([None, None], "empty"),
    ],
)
def test_types_of_words(words, kind):
    column = raw(words)
    assert infer_type(column).kind == kind
    converted, n_unfit = convert_column(column, infer_type(column))
    assert (n_unfit, converted.isna().tolist()) == (0, [word is None for word in words])
    if kind == "integer":
        assert converted.tolist() == [int(word) for word in words]


def test_words_that_do_not_fit_a_type_are_missing():
    types = {kind: infer_type(raw([word])) for kind, word in [("integer", "1"), ("number", "1.5"), ("boolean", "True")]}
    words = raw(["7", "0x1F", None, "nan", "True"])
    assert convert_column(words, types["integer"])[0].tolist() == [7, pd.NA, pd.NA, pd.NA, pd.NA]
    assert convert_column(words, types["number"])[1] == 3
    assert convert_column(words, types["boolean"])[1] == 3
    assert convert_column(raw(["7", "2.5", str(2**64)]), types["integer"])[0].tolist() == [7.0, 2.5, float(2**64)]
