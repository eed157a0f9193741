"""Files of distilled sets that are damaged, or sealed again by an attacker: an `ArtefactError` and little memory."""

from __future__ import annotations

import hashlib
import json
import sys
import tracemalloc
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from safetensors.numpy import load, save

from distillkit import DistilledSet, KCenterCoreset, KMeansCoreset, Preprocessing
from distillkit.distilled._reading import read_card
from distillkit.exceptions import ArtefactError, DataError
from distillkit.utils._interpolation import expand

KEY = "distillkit.distilled"


def no_values(length):
    """Return an array of nulls, which takes no memory."""
    return pa.Array.from_buffers(pa.null(), length, [None])


def plain_set(**fields):
    rng = np.random.RandomState(0)
    given = {
        "X": rng.normal(size=(3, 2)),
        "y": np.array(["b", "a", "b"]),
        "classes": np.array(["a", "b"]),
        "indices": np.array([7, 2, 0]),
        "ranking": np.array([0, 0, 1]),
        "soft_labels": np.full((3, 2), 0.5, np.float32),
        "feature_names": ("width", "height"),
        "preprocessing": Preprocessing(np.ones(2), np.array([2.0, 3.0]), np.array([[1.0, 2.0], [0.0, 1.0]]), "zca"),
        "provenance": {"method": "distillkit:KMeansCoreset", "rows_seen": 9, "params": {"a": [1, {"b": None}]}},
    }
    return DistilledSet(**given | fields)


def downscaled_set():
    small = np.random.RandomState(0).normal(size=(3, 1, 4, 4)).astype(np.float32)
    return DistilledSet(X=expand(small, (8, 8)), stored=small, y=np.arange(3))


def mixed_frame(n=12):
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "age": rng.randint(0, 90, n),
            "city": ["Rome", "Oslo", "Ulm"] * (n // 3),
            "is_open": [True, False] * (n // 2),
            "at": pd.date_range("2020-01-01", periods=n, tz="Europe/Berlin"),
            "size": np.where(np.arange(n) % 5 == 0, np.nan, rng.normal(size=n)),
            "kind": pd.Categorical(["x", "y"] * (n // 2), categories=["x", "y", "z"]),
            "day": [f"2020-01-{i % 9 + 1:02}" for i in range(n)],
        }
    )


def table_set(distiller, frame):
    return distiller.fit(frame, np.array(["no", "yes"] * 6)).distilled_


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the contents of valid files of every kind."""
    frame, folder = mixed_frame(), tmp_path_factory.mktemp("files")
    frames = [frame, pa.Table.from_pandas(frame)]
    sets = [plain_set(), downscaled_set()]
    for distiller in (KMeansCoreset(budget=2, random_state=0), KCenterCoreset(budget=2, random_state=0)):
        sets += [table_set(distiller, rows) for rows in frames]
    paths = [small.save(folder / f"{number}.safetensors") for number, small in enumerate(sets)]
    return [path.read_bytes() for path in paths]


def sealed(card, tensors):
    """Return a file whose checksums are right, whatever it holds."""
    checksum = hashlib.sha256()
    for name in sorted(tensors):
        checksum.update(f"{name}:{tensors[name].dtype.str}:{tensors[name].shape};".encode() + tensors[name].tobytes())
    text = "[" * 5000
    if isinstance(card, dict):
        card = {**card, "sha256": checksum.hexdigest()}
        own = hashlib.sha256(json.dumps(card).encode()).hexdigest()
        text = json.dumps(card | {"card_sha256": own})
    return save(tensors, metadata={KEY: text})


def parts_of(content):
    """Return the card and the arrays of a file."""
    length = int.from_bytes(content[:8], "little")
    card = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][KEY])
    return {name: value for name, value in card.items() if name != "card_sha256"}, load(content)


def resealed(path, change):
    """Change the card and the arrays of a file, and seal it again as an attacker would."""
    card, tensors = parts_of(path.read_bytes())
    change(card, tensors)
    path.write_bytes(sealed(card, tensors))
    return path


def changed_array(damage, values):
    """Return an array of another dtype, shape or value."""
    flat = values.reshape(-1).copy()
    if not flat.size or damage.random.random() < 0.5:
        shapes = (flat, values[None], flat[:0], flat[:1], np.zeros((), values.dtype), np.zeros((10**12, 0)))
        dtypes = (np.zeros(values.shape, dtype) for dtype in ("f2", "f4", "i1", "u8", "?", "c8"))
        return damage.choose(*shapes, *dtypes)
    bad = (np.nan, np.inf, 0, -1, 1e30) if flat.dtype.kind == "f" else (0, 1, 100)
    flat[damage.random.randrange(flat.size)] = damage.choose(*bad)
    return flat.reshape(values.shape)


def generated(damage, files):
    """Return one damaged file."""
    content = damage.choose(*files)
    kind = damage.choose("bytes", "card", "card", "arrays", "rows")
    if kind == "bytes":
        return damage.bytes(content)
    card, tensors = parts_of(content)
    if kind == "card":
        card = damage.plain(card)
    elif kind == "rows" and "table.rows" in tensors:
        tensors["table.rows"] = np.frombuffer(damage.bytes(tensors["table.rows"].tobytes()), dtype=np.uint8)
    else:
        name = damage.choose(*sorted(tensors))
        tensors[name] = changed_array(damage, tensors[name])
    try:
        return sealed(card, tensors)
    except RecursionError:  # the encoder of JSON in Python cannot write what others can
        return sealed(None, tensors)


def test_generated_files_are_read_or_refused(files, outcomes, examples, tmp_path):
    path = tmp_path / "small.safetensors"

    def make(damage):
        path.write_bytes(generated(damage, files))
        return path

    def read(path):
        small = DistilledSet.load(path)
        with suppress(DataError):  # two columns may have one name
            small.to_pandas()

    assert outcomes(examples(500), make, read, ArtefactError) == {"read", "refused"}


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        ([3_000, 3_000], "far more memory"),
        ([10**13, 10**13], "far more memory"),
        ([-8, -8], "cannot be interpolated"),
        ([8], "cannot be interpolated"),
        ([8, 8, 8], "cannot be interpolated"),
        ([8.0, 8.0], "cannot be interpolated"),
        ([True, True], "cannot be interpolated"),
        ([2, 2], "cannot be interpolated"),
        ("88", "cannot be interpolated"),
        (None, "cannot be interpolated"),
    ],
)
def test_sides_that_do_not_fit_the_stored_rows_are_refused(sides, reason, tmp_path):
    path = resealed(downscaled_set().save(tmp_path / "a"), lambda card, _: card.update(sides=sides))
    with pytest.raises(ArtefactError, match=rf"damaged: .*{reason}.*another copy"):
        DistilledSet.load(path)


@pytest.mark.parametrize("dtype", ["<U100000000", "float64", "S3", "V8", "O,O", "(9,9)O", 3, None])
def test_the_dtype_of_labels_is_text_of_a_moderate_width(dtype, tmp_path):
    path = resealed(plain_set().save(tmp_path / "a"), lambda card, _: card["texts"]["y"].update(dtype=dtype))
    with pytest.raises(ArtefactError, match="damaged"):
        DistilledSet.load(path)


@pytest.mark.parametrize("codes", [[0, 1, 2], [-1, 0, 1], [0.0, 1.0, 0.0], [[0, 1, 1]]])
def test_codes_of_labels_are_positions_in_the_words(codes, tmp_path):
    path = resealed(plain_set().save(tmp_path / "a"), lambda _, tensors: tensors.update(y=np.array(codes)))
    with pytest.raises(ArtefactError, match="codes of y"):
        DistilledSet.load(path)


def test_a_set_that_would_grow_too_much_is_refused_when_it_is_saved(tmp_path):
    wide = plain_set(y=np.array(["b", "a", "b"], dtype="U6000000"), preprocessing=None)
    with pytest.raises(ArtefactError, match=r"y has dtype <U6000000.*y\.astype\(object\)"):
        wide.save(tmp_path / "a")
    small = np.zeros((1, 1, 1, 1), np.uint8)
    large = DistilledSet(X=np.zeros((1, 1, 3_000, 3_000), np.uint8), stored=small)
    with pytest.raises(ArtefactError, match="Set stored=None"):
        large.save(tmp_path / "a")


@pytest.mark.parametrize("levels", [101, 900, 100_000])
@pytest.mark.parametrize("read", [DistilledSet.load, read_card])
def test_a_card_of_many_levels_is_refused(levels, read, tmp_path):
    path = plain_set().save(tmp_path / "a")
    nested = "[" * levels + "]" * levels
    text = f'{{"schema": 1, "provenance": {nested}}}'
    path.write_bytes(save({"X": np.ones((1, 1))}, metadata={KEY: text}))
    with pytest.raises(ArtefactError, match="more than 100 levels"):
        read(path)


def test_a_provenance_of_many_levels_is_not_saved(tmp_path):
    value = None
    for _ in range(200):
        value = [value]
    with pytest.raises(ArtefactError, match="more than 100 levels"):
        plain_set(provenance={"value": value}).save(tmp_path / "a")


@pytest.mark.parametrize("name", ["X", "sample_weight", "y", "indices", "soft_labels", "ranking", "classes"])
@pytest.mark.parametrize("values", [np.float32(1), np.zeros((10**12, 0), np.float32), np.zeros(2, np.complex64)])
def test_arrays_of_foreign_shapes_and_dtypes_are_refused(name, values, tmp_path):
    path = resealed(plain_set().save(tmp_path / "a"), lambda _, tensors: tensors.update({name: np.asarray(values)}))
    with pytest.raises(ArtefactError, match="damaged"):
        DistilledSet.load(path)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "BF16", "F4", "X9"])
def test_dtypes_that_numpy_lacks_are_refused(dtype, tmp_path):
    header = json.dumps({"X": {"dtype": dtype, "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    with pytest.raises(ArtefactError, match="damaged or no safetensors file"):
        DistilledSet.load(tmp_path / "a")


def stream(table, **options):
    """Return a table as an Arrow stream in an array of bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), dtype=np.uint8)


@pytest.fixture
def table_file(tmp_path):
    """Return the file of a set of selected rows, and the table of these rows."""
    small = table_set(KCenterCoreset(budget=2, random_state=0), mixed_frame())
    return small.save(tmp_path / "a"), pa.Table.from_pandas(small.table.rows)


def read_with_rows(path, rows):
    resealed(path, lambda _, tensors: tensors.update({"table.rows": rows}))
    return DistilledSet.load(path)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_compressed_rows_of_a_table_are_refused(codec, table_file):
    path, table = table_file
    bomb = table.append_column("zeros", pa.array(np.zeros(len(table))))
    with pytest.raises(ArtefactError, match="its rows are compressed"):
        read_with_rows(path, stream(bomb, compression=codec))


def test_rows_of_a_table_are_as_many_as_those_of_the_arrays(table_file):
    path, _ = table_file
    with pytest.raises(ArtefactError, match="has 2000000000 rows, but its arrays have 4"):
        read_with_rows(path, stream(pa.table({"a": no_values(2 * 10**9)})))


@pytest.mark.parametrize(
    "column",
    [
        pa.FixedSizeListArray.from_arrays(no_values(2 * 10**9), 5 * 10**8),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3]), no_values(10**9)),
        pa.RunEndEncodedArray.from_arrays(pa.array([4], pa.int32()), pa.array(["x"])),
        pa.array(["x"] * 4).cast(pa.string_view()),
        pa.array([{"x": 1}] * 4),
    ],
    ids=lambda column: str(column.type)[:20],
)
def test_types_that_stand_for_any_number_of_values_are_refused(column, table_file):
    path, _ = table_file
    with pytest.raises(ArtefactError, match="which no distilled table has"):
        read_with_rows(path, stream(pa.table({"a": column})))


def test_text_that_every_row_repeats_is_refused(tmp_path):
    rows = pa.table({"a": pa.DictionaryArray.from_arrays(np.zeros(1000, np.int8), pa.array(["x" * 10**6]))})
    frame = pd.DataFrame({"a": ["x", "y"] * 500})
    small = KCenterCoreset(budget=1000, random_state=0).fit(frame).distilled_
    path = small.save(tmp_path / "a")
    with pytest.raises(ArtefactError, match="text of its table would take far more memory"):
        read_with_rows(path, stream(rows))


@pytest.mark.parametrize("place", [(0, "dtypes"), (4, "dtypes")])
@pytest.mark.parametrize(
    "dtype", ["datetime64[ns, dateutil//dev/zero]", "U1000000000", "(9,9)f8", "V9", "f8,f8", [], "x"]
)
def test_types_of_columns_are_those_of_tables(place, dtype, tmp_path):
    path = table_set(KMeansCoreset(budget=2, random_state=0), mixed_frame()).save(tmp_path / "a")
    resealed(path, lambda card, _: card["table"]["schema"][place[1]].__setitem__(place[0], dtype))
    with pytest.raises(ArtefactError, match="damaged"):
        DistilledSet.load(path)


@pytest.mark.parametrize(
    ("position", "name", "value"),
    [
        *((0, "scale", value) for value in (0, [1, 2], "1", None, float("nan"), True)),
        *((1, "n_own", value) for value in (-1, 9, 1.0)),
        *((1, "levels", value) for value in ([], ["Rome"] * 3, [["int", "9" * 5000], "a", "b"], 3, [["x", "y"]])),
        *((3, "unit", value) for value in ("", "century", "3D")),
        *((3, "step", value) for value in (0, -1, 10**30)),
        *((3, "numbers", value) for value in ({}, None, {"scale": 0})),
        (0, "kind", "exec"),
    ],
)
def test_columns_of_the_encoder_have_parameters_of_their_type(position, name, value, tmp_path):
    path = table_set(KMeansCoreset(budget=2, random_state=0), mixed_frame()).save(tmp_path / "a")
    resealed(path, lambda card, _: card["table"]["columns"][position].update({name: value}))
    with pytest.raises(ArtefactError, match="damaged"):
        DistilledSet.load(path)


def test_a_method_of_the_provenance_does_not_choose_what_is_imported(tmp_path):
    name = "distillkit.__main__.anything:Name"
    path = plain_set(provenance={"method": name}).save(tmp_path / "a")
    before = set(sys.modules)
    assert DistilledSet.load(path).provenance["method"] == name
    assert not [module for module in set(sys.modules) - before if "__main__" in module]


def test_refusing_a_file_takes_little_memory(tmp_path):
    small = downscaled_set().save(tmp_path / "a")
    wide = plain_set().save(tmp_path / "b")
    resealed(small, lambda card, _: card.update(sides=[3_000, 3_000]))
    resealed(wide, lambda card, _: card["texts"]["y"].update(dtype="<U100000000"))
    tracemalloc.start()
    try:
        for path in (small, wide):
            with pytest.raises(ArtefactError):
                DistilledSet.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
