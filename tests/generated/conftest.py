"""Strategies of hypothesis for tables, targets, weights and budgets of every kind."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import strategies as st

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
WORDS = np.array(["Oslo", "Rome", "", " ", "ß∂", "3.5", "nan", "x" * 300], dtype=object)


def _whole(rng, n, dtype):
    limits = np.iinfo(dtype)
    if rng.random() < 0.2:
        return rng.choice(np.array([limits.min, 0, limits.max], dtype=dtype), n)
    return rng.integers(max(limits.min, -9), min(limits.max, 99), n).astype(dtype)


def _floats(rng, n, dtype="float64"):
    return (rng.normal(size=n) * 10.0 ** rng.integers(-3, 4) + rng.choice([0, 1000])).astype(dtype)


def _words(rng, n):
    return WORDS[rng.integers(0, rng.integers(1, len(WORDS) + 1), n)]


def _times(rng, n, unit):
    since = np.datetime64(str(rng.choice(["1677-12-01", "1815-06-18", "1970-01-01", "2024-02-29"])), unit)
    return since + (rng.integers(0, 10**6, n) * int(rng.choice([1, 60]))).astype("timedelta64[s]").astype(
        f"timedelta64[{unit}]"
    )


def _spoiled(values, rng, *specials):
    values = values.copy()
    values[rng.integers(0, len(values))] = specials[rng.integers(len(specials))]
    return values


NUMBERS = {
    **{name: lambda rng, n, name=name: _whole(rng, n, name) for name in INTEGERS},
    **{name: lambda rng, n, name=name: _floats(rng, n, name) for name in ("float16", "float32", "float64")},
    "bool": lambda rng, n: rng.random(n) < 0.4,
    "constant": lambda rng, n: np.full(n, rng.choice([0.0, -1.5, 0.1, 1e300])),
    "huge": lambda rng, n: rng.normal(size=n) * 10.0 ** rng.integers(50, 307),
    "tiny": lambda rng, n: rng.normal(size=n) * 10.0 ** -float(rng.integers(50, 320)),
    "outlier": lambda rng, n: _spoiled(_floats(rng, n), rng, 1e200, -1e99, 1e30, 1e-310),
    "infinite": lambda rng, n: _spoiled(_floats(rng, n), rng, np.inf, -np.inf, np.nan),
}
COLUMNS = {
    **NUMBERS,
    **{
        name: lambda rng, n, name=name: pd.array(_whole(rng, n, name.lower()), dtype=name)
        for name in ("Int8", "Int32", "Int64", "UInt8", "UInt64")
    },
    "Float32": lambda rng, n: pd.array(_floats(rng, n, "float32"), dtype="Float32"),
    "Float64": lambda rng, n: pd.array(_floats(rng, n), dtype="Float64"),
    "boolean": lambda rng, n: pd.array(rng.random(n) < 0.5, dtype="boolean"),
    "text": lambda rng, n: pd.Series(_words(rng, n), dtype="str"),
    "string": lambda rng, n: pd.array(_words(rng, n), dtype="string"),
    "object text": lambda rng, n: pd.Series(_words(rng, n), dtype=object),
    "identifier": lambda rng, n: pd.Series([f"row {i}" for i in range(n)]),
    "text numbers": lambda rng, n: pd.Series([f"{x:.3f}" for x in _floats(rng, n)]),
    "text dates": lambda rng, n: pd.Series([str(x) for x in _times(rng, n, "s")]),
    "category": lambda rng, n: pd.Categorical(_words(rng, n), categories=WORDS, ordered=bool(rng.random() < 0.5)),
    "category of numbers": lambda rng, n: pd.Categorical(rng.integers(0, 5, n) * rng.choice([1, 0.5])),
    "category of truth": lambda rng, n: pd.Categorical(rng.random(n) < 0.5),
    "category of dates": lambda rng, n: pd.Categorical(pd.Series(_times(rng, n, "D").astype("datetime64[s]"))),
    **{f"datetime {u}": lambda rng, n, u=u: pd.Series(_times(rng, n, u)) for u in ("s", "ms", "us", "ns")},
    "datetime of a zone": lambda rng, n: (
        pd.Series(_times(rng, n, "us")).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    ),
    "duration": lambda rng, n: pd.Series(rng.integers(-(10**6), 10**6, n).astype("timedelta64[s]")),
    "dates as objects": lambda rng, n: pd.Series([dt.date(1950 + int(i), 3, 1) for i in rng.integers(0, 99, n)]),
    "decimals": lambda rng, n: pd.Series([decimal.Decimal(int(i)) / 8 for i in rng.integers(0, 99, n)], dtype=object),
    "numbers as objects": lambda rng, n: pd.Series(_floats(rng, n), dtype=object),
    "truth as objects": lambda rng, n: pd.Series(rng.random(n) < 0.5, dtype=object),
    "all missing": lambda rng, n: pd.Series(np.full(n, np.nan)),
    "all None": lambda rng, n: pd.Series([None] * n, dtype=object),
    "all NaT": lambda rng, n: pd.Series(np.full(n, "NaT", dtype="datetime64[ns]")),
    "no category": lambda rng, n: pd.Categorical([None] * n, categories=["a"]),
    "mixed": lambda rng, n: pd.Series([(1, "a", 2.5, None, True)[i] for i in rng.integers(0, 5, n)], dtype=object),
    "lists": lambda rng, n: pd.Series([[1, 2]] * n, dtype=object),
    "bytes": lambda rng, n: pd.Series([b"ab", b"c"] * n, dtype=object)[:n],
    "complex": lambda rng, n: _floats(rng, n) + 1j,
    "periods": lambda rng, n: pd.Series(pd.period_range("2001-01", periods=n, freq="M")),
    "intervals": lambda rng, n: pd.Series(pd.interval_range(0, n)),
    "sparse": lambda rng, n: pd.arrays.SparseArray(rng.integers(0, 2, n) * 1.5),
    "arrow integers": lambda rng, n: pd.Series(_whole(rng, n, "int64")).astype("int64[pyarrow]"),
    "arrow text": lambda rng, n: pd.Series(_words(rng, n)).astype("string[pyarrow]"),
}
RARE = ["mixed", "lists", "bytes", "complex", "periods", "intervals", "sparse", "infinite", "huge", "outlier"]
COMMON = [name for name in COLUMNS if name not in RARE]
NAMES = {
    "text": lambda d: [f"c{i}" for i in range(d)],
    "numbers": lambda d: list(range(d)),
    "text and numbers": lambda d: [i if i % 2 else f"c{i}" for i in range(d)],
    "the same": lambda d: ["c"] * d,
    "tuples": lambda d: pd.MultiIndex.from_arrays([["a"] * d, range(d)]),
    "awkward": lambda d: ["", " ", "c=1", "ß", "target", "sample_weight", "weight", "x"][:d],
    "None": lambda d: [None, *range(1, d)][:d],
}
INDEXES = {
    "range": pd.RangeIndex,
    "text": lambda n: pd.Index([f"r{i}" for i in range(n)], name="key"),
    "repeated": lambda n: pd.Index([7] * n),
    "dates": lambda n: pd.date_range("2020-01-01", periods=n, tz="UTC"),
    "two levels": lambda n: pd.MultiIndex.from_arrays(
        [np.arange(n) // 2, [f"k{i}" for i in range(n)]], names=["a", "b"]
    ),
    "gaps": lambda n: pd.Index([np.nan, *np.arange(1.0, n)][:n]),
}


@st.composite
def frames(draw):
    """A pandas frame of 0 to 30 rows and 0 to 6 columns."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16), label="seed"))
    n = draw(st.sampled_from([12, 20, 30, 5, 3, 2, 1, 0]), label="rows")
    kinds = draw(st.lists(st.sampled_from(COMMON) | st.sampled_from(list(COLUMNS)), max_size=6), label="columns")
    if draw(st.booleans(), label="numbers alone"):
        kinds = [kind for kind in kinds if kind in NUMBERS]
    frame = pd.DataFrame(index=pd.RangeIndex(n))
    columns = [pd.Series(COLUMNS[kind](rng, max(n, 1))).iloc[:n].reset_index(drop=True) for kind in kinds]
    frame = pd.concat(columns, axis=1) if columns else frame
    frame.columns = NAMES[draw(st.sampled_from(["text", "text", *NAMES]), label="names")](len(kinds))
    if n and draw(st.booleans(), label="gaps"):
        for position in range(frame.shape[1]):
            if rng.random() < 0.4 and kinds[position] not in ("sparse", "lists"):
                column = frame.iloc[:, position].mask(rng.random(n) < 0.3)
                frame = pd.concat([frame.iloc[:, :position], column, frame.iloc[:, position + 1 :]], axis=1)
    if n and draw(st.integers(0, 3), label="repeated rows") == 0:
        frame = frame.iloc[rng.integers(0, max(1, n // 3), n)].reset_index(drop=True)
    frame.index = INDEXES[draw(st.sampled_from(["range", "range", *INDEXES]), label="index")](n)
    return frame


def _as_arrow(frame, container):
    import pyarrow as pa

    named = frame.set_axis([str(name) for name in frame.columns], axis=1).reset_index(drop=True)
    try:
        table = pa.Table.from_pandas(named, preserve_index=False)
        return table if container == "pyarrow" else pytest.importorskip("polars").from_pandas(named)
    except Exception:  # columns that this container cannot hold
        return frame


def contained(frame, container):
    """The rows of a frame in another container, or the frame itself if it cannot hold them."""
    if container == "pandas":
        return frame
    numeric = all(isinstance(t, np.dtype) and t.kind in "biuf" for t in frame.dtypes)
    if container in ("polars", "pyarrow"):
        return _as_arrow(frame, container)
    values = frame.to_numpy()
    if container == "list":
        return values.tolist()
    if container == "CSR" and numeric and frame.shape[1]:
        is_known = values.dtype.kind in "iuf" and values.dtype.itemsize > 2  # to scipy.sparse
        return scipy.sparse.csr_array(values if is_known else values.astype(np.float64))
    return np.asfortranarray(values) if container == "Fortran" else values


CONTAINERS = ["pandas", "pandas", "pandas", "polars", "pyarrow", "NumPy", "Fortran", "list", "CSR"]
TARGETS = {
    "text": lambda rng, n: np.array(["no", "yes", "ß"])[rng.integers(0, 2 + (n > 9), n)],
    "text objects": lambda rng, n: np.array(["no", "yes"], dtype=object)[rng.integers(0, 2, n)],
    "codes": lambda rng, n: rng.integers(0, 3, n),
    "int8": lambda rng, n: rng.integers(-2, 1, n).astype("int8"),
    "uint8": lambda rng, n: rng.integers(0, 2, n).astype("uint8"),
    "truth": lambda rng, n: rng.random(n) < 0.5,
    "floats of classes": lambda rng, n: rng.integers(0, 2, n) * 1.0,
    "floats": _floats,
    "float32": lambda rng, n: _floats(rng, n, "float32"),
    "float16": lambda rng, n: _floats(rng, n, "float16"),
    "many integers": lambda rng, n: rng.integers(0, 10**6, n),
    "huge": lambda rng, n: rng.normal(size=n) * 10.0 ** rng.integers(20, 307),
    "infinite": lambda rng, n: _spoiled(_floats(rng, max(n, 1)), rng, np.inf, np.nan)[:n],
    "one class": lambda rng, n: np.full(n, "only"),
    "constant": lambda rng, n: np.full(n, 0.1),
    "different labels": lambda rng, n: np.array([f"label {i}" for i in range(n)], dtype=object),
    "list of text": lambda rng, n: ["ab"[i] for i in rng.integers(0, 2, n)],
    "mixed": lambda rng, n: np.array([(1, "a")[i] for i in rng.integers(0, 2, n)], dtype=object),
    "with None": lambda rng, n: np.array([("a", "b", None)[i] for i in rng.integers(0, 3, n)], dtype=object),
    "dates": lambda rng, n: _times(rng, n, "s"),
    "bytes": lambda rng, n: np.array([b"a", b"b"] * n)[:n],
    "one column": lambda rng, n: rng.integers(0, 2, (n, 1)),
    "two columns": lambda rng, n: rng.integers(0, 2, (n, 2)),
    "too short": lambda rng, n: rng.integers(0, 2, max(0, n - 1)),
    "Int64": lambda rng, n: pd.Series(rng.integers(0, 3, n), dtype="Int64"),
    "Int64 with gaps": lambda rng, n: pd.Series(rng.integers(0, 3, n), dtype="Int64").mask(rng.random(n) < 0.2),
    "boolean": lambda rng, n: pd.Series(rng.random(n) < 0.5, dtype="boolean"),
    "Float64": lambda rng, n: pd.Series(_floats(rng, n), dtype="Float64"),
    "string": lambda rng, n: pd.Series(_words(rng, n), dtype="string"),
    "category": lambda rng, n: pd.Series(pd.Categorical(_words(rng, n), categories=WORDS)),
    "category of numbers": lambda rng, n: pd.Series(pd.Categorical(rng.integers(0, 3, n), ordered=True)),
    "category of truth": lambda rng, n: pd.Series(pd.Categorical(rng.random(n) < 0.5)),
    "category of floats": lambda rng, n: pd.Series(pd.Categorical(rng.integers(0, 3, n) / 2)),
    "category with gaps": lambda rng, n: pd.Series(pd.Categorical(_words(rng, n))).mask(rng.random(n) < 0.2),
    "datetimes": lambda rng, n: pd.Series(_times(rng, n, "s")),
    "arrow integers": lambda rng, n: pd.Series(rng.integers(0, 3, n)).astype("int64[pyarrow]"),
    "arrow text": lambda rng, n: pd.Series(["ab"[i] for i in rng.integers(0, 2, n)], dtype="string[pyarrow]"),
    "frame": lambda rng, n: pd.DataFrame({"kind": rng.integers(0, 2, n)}),
    "polars text": lambda rng, n: pytest.importorskip("polars").Series("k", ["ab"[i] for i in rng.integers(0, 2, n)]),
    "polars numbers": lambda rng, n: pytest.importorskip("polars").Series("k", rng.integers(0, 2, n)),
    "polars category": lambda rng, n: pytest.importorskip("polars").Series(
        "k", ["ab"[i] for i in rng.integers(0, 2, n)], dtype=pytest.importorskip("polars").Categorical
    ),
    "polars gaps": lambda rng, n: pytest.importorskip("polars").Series(
        "k", [(1, 0, None)[i] for i in rng.integers(0, 3, n)]
    ),
    "arrow array": lambda rng, n: pytest.importorskip("pyarrow").array(["ab"[i] for i in rng.integers(0, 2, n)]),
    "arrow chunks": lambda rng, n: pytest.importorskip("pyarrow").chunked_array([rng.integers(0, 2, n)]),
    "arrow dictionary": lambda rng, n: (
        pytest.importorskip("pyarrow").array(["ab"[i] for i in rng.integers(0, 2, n)]).dictionary_encode()
    ),
}
GOOD_TARGETS = ["text", "codes", "truth", "floats", "category", "Int64", "text objects", "many integers"]
WEIGHTS = {
    "floats": lambda rng, n: rng.random(n) + 0.1,
    "zeros": lambda rng, n: rng.integers(0, 3, n) * 1.0,
    "integers": lambda rng, n: rng.integers(1, 5, n),
    "list": lambda rng, n: (rng.random(n) + 0.1).tolist(),
    "series": lambda rng, n: pd.Series(rng.random(n) + 0.1, index=np.arange(n)[::-1]),
    "tiny": lambda rng, n: (rng.random(n) + 0.1) * 1e-300,
    "large": lambda rng, n: (rng.random(n) + 0.1) * 1e300,
    "uneven": lambda rng, n: 10.0 ** rng.integers(-20, 20, n),
    "negative": lambda rng, n: rng.normal(size=n),
    "gaps": lambda rng, n: _spoiled(rng.random(max(1, n)), rng, np.nan, np.inf)[:n],
    "too few": lambda rng, n: np.ones(max(0, n - 1)),
    "nothing": lambda rng, n: np.zeros(n),
    "text": lambda rng, n: np.full(n, "a"),
}


@st.composite
def problems(draw):
    """Rows in a container, perhaps a target, and perhaps weights."""
    frame = draw(frames())
    X = contained(frame, draw(st.sampled_from(CONTAINERS), label="container"))
    rng = np.random.default_rng(draw(st.integers(0, 2**16), label="target seed"))
    kind = draw(st.none() | st.sampled_from(GOOD_TARGETS) | st.sampled_from(list(TARGETS)), label="target")
    y = None if kind is None else TARGETS[kind](rng, len(frame))
    if isinstance(X, pd.DataFrame) and isinstance(y, (pd.Series, pd.DataFrame)) and len(y) == len(X):
        y.index = X.index
    weighting = draw(st.none() | st.none() | st.sampled_from(list(WEIGHTS)), label="weights")
    weight = None if weighting is None else WEIGHTS[weighting](rng, len(frame))
    return X, y, weight


BUDGETS = st.sampled_from([1, 2, 3, 0.1, 0.3, 0.5, 0.9, 50, {"yes": 2, "no": 1}, {0: 1, 1: 2}])


@pytest.fixture(scope="session")
def generated():
    """Strategies, by name, for tests with ``hypothesis.strategies.data``."""
    return {"problem": problems(), "budget": BUDGETS, "frame": frames()}
