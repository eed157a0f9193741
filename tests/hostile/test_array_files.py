"""``.npz`` and ``.ts`` files that are damaged or made to harm: a `DatasetError` and little memory."""

from __future__ import annotations

import io
import os
import pickle
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from distillkit import KMeansCoreset, StreamingCoreset
from distillkit.datasets import load_dataset, load_rows
from distillkit.exceptions import DataError, DatasetError

RNG = np.random.default_rng(0)
Y = np.array([0, 1] * 8)


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def header(shape, dtype="<f8", data=b""):
    """Return the content of an ``.npy`` file whose header may say anything."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return str(path)


def read_both(path):
    """Read a file as the command line and as the bench do."""
    with suppress(DatasetError):
        load_rows(str(path))
    load_dataset(str(path))


@np.errstate(all="ignore")
def changed(damage, arrays):
    """Return members of an archive, of which one is another array or another thing."""
    members = {f"{name}.npy": npy(values) for name, values in arrays.items()}
    name = damage.choose(*arrays)
    values = arrays[name]
    shapes = (
        values.reshape(-1),
        values[None],
        np.asarray(values.reshape(-1)[0]),
        values[:0],
        values[:1],
        values[:, None],
    )
    types, bad = [values.astype("U5"), values.astype("O")], []
    if values.dtype.kind != "U":
        types += [values.astype(dtype) for dtype in ("f2", "i1", "u8", "?", "c8", "M8[s]", "S3", ">f8")]
        bad = [values.astype(float) * factor for factor in (np.nan, np.inf, 1e200, -1e99, 1e-300, 0)]
    members[f"{name}.npy"] = npy(damage.choose(*shapes, *types, *bad))
    if damage.random.random() < 0.3:
        members[f"{name}.npy"] = damage.choose(
            b"",
            b"x" * 200,
            header((10**13,)),
            header((-1, 2)),
            header((16, 3), "|O"),
            header((2,), "<U0"),
            header("()"),
        )
    if damage.random.random() < 0.1:
        del members[damage.choose(*members)]
    return members


def test_generated_npz_files_are_read_or_refused(outcomes, examples, tmp_path):
    sources = [
        {"X": RNG.normal(size=(16, 3)), "y": Y, "sample_weight": np.ones(16)},
        {
            "X_train": RNG.normal(size=(16, 2, 5)),
            "y_train": np.array(["a", "b"] * 8),
            "X_test": RNG.normal(size=(4, 2, 5)),
            "y_test": np.array(["a", "b"] * 2),
        },
        {"X": RNG.integers(0, 255, (16, 1, 4, 4)), "y": RNG.normal(size=16)},
    ]
    path = tmp_path / "rows.npz"

    def make(damage):
        kind = damage.choose(zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
        archive(path, changed(damage, damage.choose(*sources)), kind)
        if damage.random.random() < 0.4:
            archive(path, {f"{name}.npy": npy(values) for name, values in damage.choose(*sources).items()}, kind)
            path.write_bytes(damage.bytes(path.read_bytes()))
        return path

    assert outcomes(examples(200), make, read_both, DatasetError) == {"read", "refused"}


@pytest.mark.parametrize(
    "content",
    [
        header((10**13,)),
        header((10**13, 0)),
        header((10**9, 10**9, 10**9)),
        header((10**13,), "<U0"),
        header((2,), "<U100000000"),
        header((-1,)),
        header((16, 3), "|O"),
        header((16, 3), "<f4,<f4"),
        header((16, 3), "|V8"),
        header("9" * 5_000),
        header("(" * 2_000),
        header((16, 3), data=bytes(1000)),
        b"\x93NUMPY\x03\x00",
        b"a text",
        b"",
    ],
    ids=lambda content: ascii(content[20:45].decode("latin-1")),
)
def test_members_whose_header_does_not_fit_their_bytes_are_refused(content, tmp_path):
    path = archive(tmp_path / "rows.npz", {"X.npy": content, "y.npy": npy(Y)})
    tracemalloc.start()
    try:
        for read in (load_rows, load_dataset):
            with pytest.raises(DatasetError, match="cannot be read"):
                read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["X", "notes.txt", "folder/"])
def test_members_that_are_no_arrays_are_refused(name, tmp_path):
    path = archive(tmp_path / "rows.npz", {"X.npy": npy(np.ones((16, 2))), "y.npy": npy(Y), name: b"text"})
    with pytest.raises(DatasetError, match="is no array"):
        load_rows(path)


def test_pickles_are_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "boom"),))

    content = header((1,), "|O", pickle.dumps(np.array([Bomb()], dtype=object)))
    path = archive(tmp_path / "rows.npz", {"X.npy": content, "y.npy": npy(Y)})
    with pytest.raises(DatasetError, match="could hold a pickle"):
        load_rows(path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_npz_file_does_not_expand_to_far_more_than_its_bytes(kind, tmp_path):
    path = archive(tmp_path / "rows.npz", {"X.npy": npy(np.zeros((2**23 + 2, 8), np.uint8)), "y.npy": npy(Y)}, kind)
    with pytest.raises(DatasetError, match="more than 100 times its own: write it without compression"):
        load_rows(path)


@pytest.mark.parametrize("arrays", [{"y": np.int64(1)}, {"X": np.float64(1)}, {"sample_weight": np.float64(1)}])
def test_arrays_without_axes_are_refused(arrays, tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(path, **{"X": np.ones((16, 2)), "y": Y} | arrays)
    with pytest.raises(DatasetError, match=r"shape \(\)|0 axes"):
        load_dataset(str(path))


HEAD = "@problemName Toy\n@univariate true\n@classLabel true up down\n@data\n"
SERIES = [
    HEAD + "1,2,3:up\n2,1,?:down\n" * 6,
    "@timeStamps false\n@dimensions 2\n@equalLength true\n@seriesLength 2\n@classLabel true a b\n@data\n"
    + "1,2:3,4:a\n1,2:3,4:b\n" * 6,
    "@targetLabel true\n@data\n" + "1,2:0.5\n2,3:1.5\n" * 6,
]


def test_generated_ts_files_are_read_or_refused(outcomes, examples, tmp_path):
    path = tmp_path / "rows.ts"
    words = [
        "@",
        "@data",
        "@dimensions",
        "-1",
        "9" * 5_000,
        "nan",
        "1e999",
        "1e308",
        ":",
        ",",
        "?",
        "\0",
        "0",
        "@dimensions 0\n",
    ]

    def make(damage):
        text = damage.choose(*SERIES)
        for _ in range(damage.choose(0, 1, 3)):
            place = damage.random.randrange(len(text))
            text = text[:place] + damage.choose(*words) + text[place + damage.choose(0, 1, 5) :]
        content = text.encode()
        path.write_bytes(content if damage.random.random() < 0.5 else damage.bytes(content))
        return path

    assert outcomes(examples(150), make, lambda path: load_dataset(str(path)), DatasetError) == {"read", "refused"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.replace("@data", "@\n@data") + "1,2\n", "the case has 0 dimensions"),
        ("@\n", "no line @data"),
        ("@ \n@data\n1:a\n", "neither classes"),
        ("@classLabel true\n@data\na\n", "the case has 0 dimensions and a label, but 1 dimensions"),
        ("@classLabel true a\n@dimensions 0\n@data\na\n", "the case has 0 dimensions"),
        ("@classLabel true a\n@dimensions -3\n@data\n1:a\n", "but -3 dimensions"),
        ("@classLabel true a\n@seriesLength 1000000000000\n@data\n1:a\n", "where 1000000000000 are expected"),
        ("@classLabel true a\n@dimensions " + "9" * 5_000 + "\n@data\n", "not a whole number"),
    ],
)
def test_damaged_headers_of_series_are_named(text, message, tmp_path):
    path = tmp_path / "rows.ts"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message) as caught:
        load_dataset(str(path))
    assert len(str(caught.value)) < 700


def test_a_long_class_name_does_not_take_its_length_for_every_row(tmp_path):
    path, name = tmp_path / "rows.ts", "x" * 10**5
    path.write_text(f"@classLabel true {name} b\n@data\n1:{name}\n" + "1:b\n" * 20_000)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="has 100,000 characters, and 1,000 are the most"):
            load_dataset(str(path))
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"", b"x", header((10**13,)), header("(" * 2_000), header((16, 3), "|O"), header("()")]
)
def test_damaged_files_of_one_array_are_not_streamed(content, tmp_path):
    path = tmp_path / "rows.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"rows\.npy cannot be mapped"):
        StreamingCoreset(KMeansCoreset(budget=2)).fit(path)
