"""`distill` and `run` read awkward files alike: task, classes, rows and columns, or the error."""

from __future__ import annotations

import gzip
import io
import warnings
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from distillkit.datasets import load_dataset, load_rows
from distillkit.datasets._targets import holdout
from distillkit.exceptions import DatasetError, DistillkitWarning
from distillkit.utils._targets import infer_task


@dataclass
class Case:
    """A file, and what both commands read from it: an error, or task, classes, rows and columns.

    `run_error` is the error of a suite alone, which needs test rows and two classes.
    """

    name: str
    content: Any
    error: str = ""
    run_error: str = ""
    task: str = "classification"
    classes: tuple[str, ...] = ("no", "yes")
    n_rows: int = 8
    columns: dict[str, str] = field(default_factory=lambda: {"x": "int64"})
    file: str = "rows.csv"
    options: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def lines(header: str, *rows: str, times: int = 4, end: str = "\n") -> str:
    return end.join([header, *(rows * times)]) + end


def zipped(text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rows.csv", text)
    return archive.getvalue()


PLAIN = lines("x,y", "1,no", "2,yes")
CASES = [
    # what divides values and lines
    Case("semicolons", PLAIN.replace(",", ";")),
    Case("tabs", PLAIN.replace(",", "\t")),
    Case("bars", PLAIN.replace(",", "|")),
    Case("tsv in capitals", PLAIN.replace(",", "\t"), file="ROWS.TSV"),
    Case("csv in capitals, compressed", gzip.compress(PLAIN.encode()), file="ROWS.CSV.GZ"),
    Case("compressed without saying so", gzip.compress(PLAIN.encode())),
    Case("tsv, compressed", gzip.compress(PLAIN.replace(",", "\t").encode()), file="rows.tsv.gz"),
    Case(
        "a damaged gzip file",
        gzip.compress(PLAIN.encode())[:-10],
        error="ended before the end-of-stream",
        file="rows.csv.gz",
    ),
    Case("a separator that is told", lines("x:y", "1:no", "2:yes"), options={"separator": ":"}),
    Case("lines end as on Windows", lines("x,y", "1,no", "2,yes", end="\r\n")),
    Case("lines end as on old Macs", lines("x,y", "1,no", "2,yes", end="\r")),
    Case("byte order mark", b"\xef\xbb\xbf" + PLAIN.encode()),
    Case("UTF-16", PLAIN.encode("utf-16")),
    Case(
        "Latin-1 without saying so",
        "x,y\n1,n\u00f3\n2,yes\n".encode("latin-1"),
        error="line 2 is not UTF-8 text.*encoding =",
    ),
    Case(
        "Latin-1",
        lines("x,y", "1,n\u00f3", "2,yes").encode("latin-1"),
        options={"encoding": "latin-1"},
        classes=("n\u00f3", "yes"),
    ),
    Case("blank lines", PLAIN.replace("\n", "\n\n")),
    Case(
        "quoted separators and line breaks",
        lines("t,x,y", '"a,\nb",1,no', '"a,\nb",2,yes'),
        columns={"t": "text", "x": "int64"},
    ),
    Case("quotes inside quotes", lines("t,x,y", '"say ""a""",1,no', '"b",2,yes'), columns={"t": "text", "x": "int64"}),
    Case("an open quote", PLAIN + '3,"no\n', error=r"line 10.*check the quotes"),
    Case("UTF-16 without its mark", PLAIN.encode("utf-16-le"), error="line 1 holds NUL characters.*'utf-16'"),
    Case("UTF-16 that is told", PLAIN.encode("utf-16-le"), options={"encoding": "utf-16-le"}),
    Case("NUL characters", lines("x,y", "1,n\0o", "2,yes"), error="line 2 holds NUL characters"),
    Case("quotes in the header line", lines('"x",y', "1,no", "2,yes")),
    # counts and names
    Case("one value too many", PLAIN + "3,no,5\n", error="line 10 has 3 values, but the header line has 2 names"),
    Case("one value too many in every row", lines("x,y", "1,2,no", "2,3,yes"), error="line 2 has 3 values"),
    Case("one value too few", PLAIN + "3\n", error="line 10 has 1 values"),
    Case("two targets of one name", lines("x,y,y", "1,no,no", "2,yes,yes"), error="two columns are called 'y'"),
    Case("names that differ in blanks", lines("x,x ,y", "1,1,no", "2,3,yes"), error="two columns are called 'x'"),
    Case(
        "a column without name",
        lines(",x,y", "5,1,no", "7,2,yes"),
        columns={"unnamed_1": "int64", "x": "int64"},
        note="column 1 has no name and is called unnamed_1",
    ),
    Case("separators at the ends of lines", lines("x,y,", "1,no,", "2,yes,"), note="column 3 has no name and is empty"),
    Case(
        "two columns without names",
        lines(",,y", "5,1,no", "7,2,yes"),
        columns={"unnamed_1": "int64", "unnamed_2": "int64"},
        note="column 2 has no name and is called unnamed_2",
    ),
    Case("all columns but the target dropped", PLAIN, options={"drop": "x"}, error="no column beside the target 'y'"),
    Case("no names at all", lines(" ,", "1,no", "2,yes"), error="the header line names no column"),
    Case("one column", lines("y", "no", "yes"), error="no column beside the target 'y'"),
    Case("no rows", "x,y\n", error="has a header but no rows"),
    Case("an empty file", "", error="is empty: it needs a header line"),
    # values
    Case("blanks around values", lines(" x , y", " 1, no ", " 2 ,yes")),
    Case("classes of digits with zeros", lines("x,y", "1,007", "2,07"), classes=("007", "07")),
    Case("classes None and nan", lines("x,y", "1,None", "2,nan", "3,NA"), classes=("NA", "None", "nan"), n_rows=12),
    Case("large labels", lines("x,y", f"1,{2**53}", f"2,{2**53 + 1}"), classes=(str(2**53), str(2**53 + 1))),
    Case("labels beyond 64 bits", lines("x,y", f"1,{2**70}", f"2,{2**70 + 1}"), classes=(str(2**70), str(2**70 + 1))),
    Case("whole numbers with a gap", lines("x,y", "1,no", ",yes", "3,yes"), n_rows=12, columns={"x": "Int64"}),
    Case("words for missing values", lines("x,y", "1,no", "?,yes"), options={"missing": "?"}, columns={"x": "Int64"}),
    Case(
        "a word among numbers",
        lines("x,y", "1,no", "2,yes", "?,yes"),
        n_rows=12,
        columns={"x": "text"},
        note=r"column 'x' is text, because it holds '\?' beside numbers",
    ),
    Case("rows without target", lines("x,y", "1,no", "2,yes", "3,"), note="4 rows without target dropped"),
    Case("decimal commas", lines("x;y", "1,5;no", "2,5;yes"), options={"decimal": ","}, columns={"x": "float64"}),
    Case("decimal commas unsaid", lines("x;y", "1,5;no", "2,5;yes"), columns={"x": "text"}, note="give decimal = ','"),
    Case("true and false", lines("x,y", "TRUE,True", "false,FALSE"), classes=("False", "True"), columns={"x": "bool"}),
    Case("dates", lines("x,y", "2024-01-31,no", "2024-02-29 12:00,yes"), columns={"x": "datetime64"}),
    Case("dates of other centuries", lines("x,y", "1600-01-01,no", "9999-12-31,yes"), columns={"x": "datetime64"}),
    Case("a line for Excel", lines("sep=;\nx;y", "1;no", "2;yes")),
    Case(
        "separators of thousands",
        lines("x,y", '"1,234",no', '"2,345",yes'),
        columns={"x": "text"},
        note="separators of thousands",
    ),
    Case(
        "dates that do not exist",
        lines("x,y", "2023-02-29,no", "2024-02-29,yes"),
        columns={"x": "text"},
        note="there is no day '2023-02-29'",
    ),
    Case(
        "an identifier",
        "id,x,y\n" + "".join(f"p{i},1,no\nq{i},2,yes\n" for i in range(6)),
        columns={"id": "text", "x": "int64"},
        n_rows=12,
        note="column 'id' looks like an identifier",
    ),
    Case(
        "a count of the rows",
        "n,x,y\n" + "".join(f"{i},1,no\n{i + 1},2,yes\n" for i in range(7, 19, 2)),
        columns={"n": "int64", "x": "int64"},
        n_rows=12,
        note="column 'n' looks like an identifier",
    ),
    Case("a column to drop", lines("z,x,y", "1,1,no", "3,2,yes"), options={"drop": ["z"]}),
    Case("yes and no", lines("x,y", "T,no", "F,yes"), columns={"x": "text"}),
    Case("truth values with a gap", lines("x,y", "True,no", ",yes", "False,yes"), n_rows=12, columns={"x": "boolean"}),
    Case("large whole numbers", lines("x,y", f"{2**53 + 1},no", f"{2**63 - 1},yes")),
    Case(
        "numbers beyond 64 bits", lines("x,y", f"{2**63},no", "2,yes"), columns={"x": "text"}, note="beyond the range"
    ),
    Case("whole numbers and fractions", lines("x,y", "1,no", "2.5,yes"), columns={"x": "float64"}),
    Case(
        "values of all kinds",
        lines("x,y", "1,no", "a,yes", "2024-01-01,yes", "True,no"),
        n_rows=16,
        columns={"x": "text"},
    ),
    Case("numbers beyond floats", lines("x,y", "1e400,no", "2,yes"), error=r"infinite values in column 'x' \(4\)"),
    Case("infinity", lines("x,y", "-inf,no", "2,yes"), error=r"infinite values in column 'x' \(4\)"),
    Case("infinity as target", lines("x,y", "1,inf", "2,2.5"), error=r"infinite values in column 'y' \(4\)"),
    Case("percent signs", lines("x,y", "12.5%,no", "7%,yes"), columns={"x": "text"}, note="carry signs, as in '12.5%'"),
    Case("currencies", lines("x,y", "$12.5,no", "$7,yes"), columns={"x": "text"}, note="carry signs"),
    Case(
        "days before months",
        lines("x,y", "31.01.2024,no", "29.02.2024,yes"),
        columns={"x": "text"},
        note="'31.01.2024' is no date of ISO 8601: write dates as 2024-01-31",
    ),
    Case(
        "months before days", lines("x,y", "1/31/2024,no", "2/29/2024,yes"), columns={"x": "text"}, note="is no date of"
    ),
    Case(
        "decimal commas and thousands",
        lines("x;y", "1.234,5;no", "2.345,5;yes"),
        options={"decimal": ","},
        columns={"x": "text"},
        note="separators of thousands",
    ),
    Case("a column without values", lines("z,x,y", ",1,no", ",2,yes"), columns={"z": "float64", "x": "int64"}),
    Case("question marks as labels", lines("x,y", "1,?", "2,yes"), classes=("?", "yes")),
    Case("blanks after labels", lines("x,y", "1,no", "2,no ", "3,yes  "), n_rows=12),
    Case("no target in any row", lines("x,y", "1,", "2,"), error="no row has a value in the target column 'y'"),
    # the task
    Case("one class", lines("x,y", "1,no", "2,no"), classes=("no",), run_error="all rows have the class 'no'"),
    Case(
        "one row of each class",
        "x,y\n1,a\n2,b\n3,c\n",
        classes=("a", "b", "c"),
        n_rows=3,
        run_error="no test rows can be held out",
    ),
    Case("labels 1 and 1.0", lines("x,y", "1,1", "2,1.0", "3,2"), classes=("1", "2"), n_rows=12),
    Case(
        "278 whole numbers",
        "x,y\n" + "".join(f"{i % 3},{i % 278}\n" for i in range(556)),
        task="regression",
        classes=(),
        n_rows=556,
    ),
    Case(
        "many whole numbers",
        "x,y\n" + "".join(f"{i % 2},{7 * i}\n" for i in range(40)),
        task="regression",
        classes=(),
        n_rows=40,
    ),
    Case("whole numbers as floats", lines("x,y", "1,1.0", "2,2.0"), classes=("1", "2")),
    Case("fractions", lines("x,y", "1,.5", "2,1e-3"), task="regression", classes=()),
    Case("dates as target", lines("x,y", "1,2024-01-31 06:00", "2,2024-02-01"), task="regression", classes=()),
    # Parquet
    Case(
        "Parquet",
        pd.DataFrame(
            {
                "gap": pd.array([1, None, 2**53 + 1, 2] * 2, dtype="Int64"),
                "day": pd.to_datetime(["2024-01-31", "2024-02-01"] * 4).date,
                "code": ["07", "7"] * 4,
                "y": [" no", "yes "] * 4,
            }
        ),
        file="rows.parquet",
        columns={"gap": "Int64", "day": "datetime64", "code": "text"},
    ),
    Case(
        "lists in Parquet",
        pd.DataFrame({"x": [[1], [2]], "y": ["no", "yes"]}),
        file="x.parquet",
        error="'x' holds list",
    ),
    Case(
        "structures in Parquet",
        pd.DataFrame({"x": [{"a": 1}, {"a": 2}], "y": ["no", "yes"]}),
        file="x.parquet",
        error="'x' holds struct",
    ),
    Case(
        "categories, decimals and zones in Parquet",
        pd.DataFrame(
            {
                "c": pd.Categorical(["a", "b"] * 4, categories=["b", "a", "unused"]),
                "d": [Decimal("1.10"), Decimal("2.20")] * 4,
                "t": pd.to_datetime(["2024-01-31", "2024-02-01"] * 4).tz_localize("Europe/Paris"),
                "y": ["no", "yes"] * 4,
            }
        ),
        file="x.parquet",
        columns={"c": "category", "d": "float64", "t": "datetime64"},
    ),
    Case(
        "an index in Parquet",
        pd.DataFrame({"x": [1, 2] * 4, "y": ["no", "yes"] * 4}, index=pd.Index([*range(7), 9], name="key")),
        file="x.parquet",
        columns={"x": "int64", "key": "int64"},
    ),
    Case(
        "gaps in whole labels of Parquet",
        pd.DataFrame({"x": [1, 2, 3, 4] * 4, "y": [1.0, np.nan, 2.0, 1.0] * 4}),
        file="x.parquet",
        classes=("1", "2"),
        n_rows=12,
        note="4 rows without target dropped",
    ),
    Case("no rows in Parquet", pd.DataFrame({"x": [], "y": []}), file="x.parquet", error="no rows"),
    Case("no Parquet", b"junk", file="rows.pq", error="cannot be read as Parquet"),
    # other files
    Case("a zip archive as CSV", zipped(PLAIN), error="zip archive or an Excel file"),
    Case("Excel as CSV", b"PK\x03\x04 and more", error="zip archive or an Excel file.*save the table as CSV"),
    Case("Excel", b"PK\x03\x04 and more", file="rows.xlsx", error="is an Excel file.*save the sheet as CSV"),
]


@pytest.fixture
def file_of(tmp_path):
    def write(case: Case) -> str:
        path = tmp_path / case.file
        if isinstance(case.content, pd.DataFrame):
            case.content.to_parquet(path)
        else:
            path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
        return str(path)

    return write


def shown(dtype: Any) -> str:
    """Return the name of a dtype, by which the cases call it."""
    text = str(dtype)
    return "datetime64" if text.startswith("datetime64") else {"object": "text", "str": "text"}.get(text, text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_commands_read_the_same(file_of, case):
    path = file_of(case)
    target = {} if case.file == "rows.xlsx" else {"target": "y"}
    if case.error:
        with pytest.raises(DatasetError, match=f"(?s){case.error}"):
            load_rows(path, **target, **case.options)
        with pytest.raises(DatasetError, match=f"(?s){case.error}"):
            load_dataset(path, **target, **case.options)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, y = load_rows(path, target="y", **case.options)
    assert (infer_task(y), len(y)) == (case.task, case.n_rows)
    assert {name: shown(X[name].dtype) for name in X.columns} == case.columns
    if case.run_error:
        with pytest.raises(DatasetError, match=case.run_error):
            load_dataset(path, target="y", **case.options)
        return
    data = load_dataset(path, target="y", **case.options)
    assert (data.task, len(data.y_train) + len(data.y_test)) == (case.task, case.n_rows)
    if case.classes:
        labels = {str(int(label)) if isinstance(label, float) else str(label) for label in y.tolist()}
        assert (labels, data.classes) == (set(case.classes), case.classes)
    else:
        np.testing.assert_array_equal(np.sort(y), np.sort([*data.y_train, *data.y_test]))
    encoded = {name.partition("=")[0] for name in data.feature_names}
    left_out = set(case.columns) - encoded
    assert encoded <= set(case.columns)
    assert all(name in data.preparation.partition("different in nearly every row: ")[2] for name in left_out)
    if case.note:
        assert any(pd.Series([str(warning.message)]).str.contains(case.note)[0] for warning in caught)
        assert pd.Series([data.preparation]).str.contains(case.note)[0]
    else:
        assert [warning for warning in caught if issubclass(warning.category, DistillkitWarning)] == []


def test_every_file_has_its_own_name():
    assert len({case.name for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_csv_and_parquet_give_the_same_rows_bit_for_bit(tmp_path, load):
    frame = load(as_frame=True).frame
    frame["day"] = pd.Timestamp("2020-02-28") + pd.to_timedelta(np.arange(len(frame)) * 7 % 50, unit="D")
    frame["odd"] = frame.iloc[:, 0] / 3
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")

    first, second = (load_dataset(str(tmp_path / name), target="target") for name in ("a.csv", "a.parquet"))
    for name in ("X_train", "X_test", "y_train", "y_test"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert (first.classes, first.feature_names) == (second.classes, second.feature_names)
    pd.testing.assert_frame_equal(
        load_rows(str(tmp_path / "a.csv"), target="target")[0],
        load_rows(str(tmp_path / "a.parquet"), target="target")[0],
        check_dtype=False,
        rtol=0,
        atol=0,
    )


def test_types_are_those_of_the_training_rows_alone(tmp_path):
    """A word in a held-out row does not make numbers text, and is missing there."""
    rows = [f"{i},{i % 2}" for i in range(40)]
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(rows) + "\n")
    data = load_dataset(str(tmp_path / "a.csv"), target="y")
    position = int(holdout("a", np.arange(40) % 2, "classification")[1][0])
    rows[position] = f"oops,{position % 2}"
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(rows) + "\n")
    changed = load_dataset(str(tmp_path / "a.csv"), target="y")
    assert changed.feature_names == ("x",)
    np.testing.assert_array_equal(changed.X_train, data.X_train)
    assert "1 test values of column 'x' taken as missing" in changed.preparation


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, "decimal=';' must be"),
        ({"decimal": ",", "separator": ","}, "must differ"),
        ({"encoding": "utf-99"}, "encoding='utf-99' is not known"),
        ({"drop": ["z"]}, "no column 'z' .drop."),
        ({"drop": 3}, "drop=3 must be a text"),
        ({"missing": 3}, "missing=3 must be a text"),
    ],
)
def test_wrong_options_are_errors_in_both(file_of, options, message):
    path = file_of(Case("plain", PLAIN))
    for load in (load_rows, load_dataset):
        with pytest.raises(DatasetError, match=message):
            load(path, target="y", **options)


def test_options_of_tables_do_not_go_with_named_datasets():
    with pytest.raises(DatasetError, match="are options of tables"):
        load_rows("iris", missing="?")
