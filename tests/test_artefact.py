"""Distilled sets on disk: they come back bit for bit, or say in one sentence what is wrong with the file."""

import hashlib
import json
import os
import pickle
import stat

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from distillkit import DistilledSet, Preprocessing, RandomSubset
from distillkit.distilled._artefact import SCHEMA
from distillkit.distilled._reading import read_card
from distillkit.exceptions import ArtefactError, DistillkitError

KEY = "distillkit.distilled"
FIELDS = ("X", "y", "sample_weight", "indices", "soft_labels", "classes")


def make(**fields):
    rng = np.random.RandomState(0)
    return DistilledSet(**{"X": rng.normal(size=(3, 2)), "provenance": {"method": "m:M", "loss": 0.1}, **fields})


def assert_equal(loaded, expected):
    for name in FIELDS:
        values = getattr(expected, name)
        if values is None:
            assert getattr(loaded, name) is None
            continue
        assert getattr(loaded, name).dtype == values.dtype, name
        np.testing.assert_array_equal(getattr(loaded, name), values)
    assert loaded.feature_names == expected.feature_names
    assert loaded.provenance == expected.provenance


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "ü"]),
        np.array(["b", "a", "longer than the others"], dtype=object),
        np.array(["", " ", "b\n"], dtype=object),
        np.array(["b", "a", "b"], dtype="U40"),
        np.array([True, False, True]),
        np.array([3, -1, 3]),
        np.array([3, 1, 2], dtype=np.uint8),
        np.array([0.1, np.pi, -0.0]),
        np.array([0.5, 1, 2], dtype=np.float32),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_of_every_kind_come_back(labels, tmp_path):
    small = make(y=labels, classes=np.unique(labels))
    assert_equal(DistilledSet.load(small.save(tmp_path / "a")), small)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8, np.int8, np.int64, np.uint32, bool])
@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 5), (3, 1, 4, 4)])
def test_rows_of_every_dtype_and_shape_come_back(dtype, shape, tmp_path):
    X = np.random.RandomState(0).randint(0, 100, shape).astype(dtype)
    small = make(X=X)
    assert_equal(DistilledSet.load(small.save(tmp_path / "a")), small)


@pytest.mark.parametrize(
    "X",
    [np.arange(6.0).reshape(2, 3).T, np.arange(12.0).reshape(3, 4)[:, ::2], np.arange(6.0).reshape(3, 2).astype(">f8")],
)
def test_rows_in_any_layout_or_byte_order_come_back(X, tmp_path):
    loaded = DistilledSet.load(make(X=X).save(tmp_path / "a"))
    np.testing.assert_array_equal(loaded.X, X)


def test_everything_comes_back(tmp_path):
    small = make(
        y=np.array(["b", "a", "b"]),
        sample_weight=np.array([1 / 3, 2.0, 1e-300]),
        indices=np.array([7, 2, 0]),
        soft_labels=np.full((3, 2), 0.5, np.float32),
        classes=np.array(["a", "b"]),
        feature_names=("width", "höhe"),
        preprocessing=Preprocessing(np.ones(2), np.array([2.0, 3.0]), np.array([[1.0, 2.0], [0.0, 1.0]]), "zca"),
        provenance={"method": "m:M", "params": {"budget": {"a": 1}, "x": None}, "seconds": 0.25, "names": ["ü"]},
    )
    path = small.save(tmp_path / "deep" / "folder" / "small.safetensors")
    assert path == tmp_path / "deep" / "folder" / "small.safetensors"
    for _ in range(2):
        loaded = DistilledSet.load(str(path))
        assert_equal(loaded, small)
        for name in ("mean", "scale", "rotation"):
            np.testing.assert_array_equal(getattr(loaded.preprocessing, name), getattr(small.preprocessing, name))
        assert loaded.preprocessing.kind == "zca"


@pytest.mark.parametrize("names", [None, (), ("",), ("a", "a")])
def test_feature_names_come_back_as_they_are(names, tmp_path):
    assert DistilledSet.load(make(feature_names=names).save(tmp_path / "a")).feature_names == names


def test_loaded_arrays_can_be_written_to_and_are_not_the_file(tmp_path):
    path = make().save(tmp_path / "a")
    first = DistilledSet.load(path)
    first.X[:] = 0
    assert DistilledSet.load(path).X.any()


def test_the_same_set_gives_the_same_file(tmp_path):
    small = RandomSubset(budget=2, random_state=0).fit(np.eye(6), list("aabbcc")).distilled_
    assert len({small.save(tmp_path / name).read_bytes() for name in "abcdefgh"}) == 1


def test_the_card_can_be_read_alone(tmp_path):
    path = make(feature_names=("p", "q")).save(tmp_path / "a")
    card = read_card(path)
    assert card["schema"] == 1  # nothing in it that the first version could not read
    assert card["feature_names"] == ["p", "q"]
    assert card["provenance"]["method"] == "m:M"
    assert card["versions"]["numpy"] == np.__version__


def test_any_safetensors_reader_can_read_the_rows(tmp_path):
    small = make(y=np.array([1, 0, 1]))
    tensors = load_file(small.save(tmp_path / "a"))
    np.testing.assert_array_equal(tensors["X"], small.X)
    np.testing.assert_array_equal(tensors["y"], small.y)


def test_saving_again_replaces_the_file_and_leaves_nothing_else(tmp_path):
    make().save(tmp_path / "a")
    other = make(X=np.zeros((1, 2)))
    other.save(tmp_path / "a")
    assert_equal(DistilledSet.load(tmp_path / "a"), other)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_file_has_the_rights_that_any_new_file_has(tmp_path):
    before = os.umask(0o027)
    try:
        path = make().save(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    small = make()
    path = small.save(tmp_path / "a")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(ArtefactError, match="No space left on device"):
        make(X=np.zeros((1, 2))).save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert_equal(DistilledSet.load(path), small)


def one_sentence(error):
    text = str(error.value)
    assert isinstance(error.value, DistillkitError)
    assert "\n" not in text
    assert text.rstrip().endswith((".", "card"))
    return True


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match=r"cannot write .*rights") as error:
        make().save(tmp_path / "file" / "a")
    assert one_sentence(error)
    with pytest.raises(ArtefactError, match="cannot write"):
        make().save(tmp_path)  # a folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ArtefactError, match=r"cannot write .*rights"):
        make().save(tmp_path / "a")


@pytest.mark.parametrize(
    "labels", [np.array(["a", 1, "b"], object), np.array(["2020-01-01"] * 3, "M8[D]"), np.array([b"a"] * 3)]
)
def test_labels_that_are_neither_numbers_nor_text_are_refused(labels, tmp_path):
    with pytest.raises(ArtefactError, match="y holds labels that are neither numbers nor text") as error:
        make(y=labels).save(tmp_path / "a")
    assert one_sentence(error)
    assert not list(tmp_path.iterdir())


def test_a_provenance_that_is_not_json_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="provenance is not JSON-able") as error:
        make(provenance={"model": object()}).save(tmp_path / "a")
    assert one_sentence(error)


def test_rows_that_the_format_cannot_hold_are_refused(tmp_path):
    with pytest.raises(ArtefactError, match="cannot write"):
        make(X=np.array([["a"], ["b"]])).save(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ArtefactError, match=r"there is no file .*nothing.* check the path") as error:
        DistilledSet.load(tmp_path / "nothing")
    assert one_sentence(error)
    with pytest.raises(ArtefactError, match="there is no file"):
        DistilledSet.load(tmp_path)


def test_no_flipped_bit_goes_unnoticed(tmp_path):
    small = make(y=np.array(["b", "a", "b"]), classes=np.array(["a", "b"]), feature_names=("p", "q"))
    path = small.save(tmp_path / "a")
    whole = path.read_bytes()
    rng = np.random.RandomState(0)
    places = range(len(whole)) if len(whole) < 3000 else sorted(rng.choice(len(whole), 3000, replace=False))
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randint(8)
        path.write_bytes(flipped)
        try:
            loaded = DistilledSet.load(path)
        except ArtefactError:
            continue
        assert_equal(loaded, small)  # a blank that pads the header, and nothing else, may change


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 100, -100, -8, -1])
def test_a_truncated_file_is_damaged(keep, tmp_path):
    path = make().save(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtefactError, match="damaged") as error:
        DistilledSet.load(path)
    assert one_sentence(error)


def test_other_files_are_refused_and_pickles_are_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "boom"),))

    path = tmp_path / "a"
    rng = np.random.RandomState(0)
    for contents in (pickle.dumps(Bomb()), rng.bytes(1000), b"\x00" * 64, b"\xff" * 64, b"a,b\n1,2\n", b'{"X": []}'):
        path.write_bytes(contents)
        with pytest.raises(ArtefactError, match="damaged or no safetensors file"):
            DistilledSet.load(path)
    assert not (tmp_path / "boom").exists()


def rewrite(path, change, *, checksum=True):
    """Change the card of a file, as another program might write it."""
    tensors, card = load_file(path), read_card(path)
    change(card, tensors)
    own = {"card_sha256": hashlib.sha256(json.dumps(card).encode()).hexdigest()} if checksum else {}
    save_file(tensors, path, metadata={KEY: json.dumps(card | own)})


def test_a_safetensors_file_of_others_is_no_distilled_set(tmp_path):
    for metadata in (None, {"format": "pt"}, {KEY: "[]"}, {KEY: '{"schema": "one"}'}):
        save_file({"X": np.ones((2, 2))}, tmp_path / "a", metadata=metadata)
        with pytest.raises(ArtefactError, match="not a distilled set: it has no distillkit card") as error:
            DistilledSet.load(tmp_path / "a")
        assert one_sentence(error)


def test_a_newer_schema_says_how_to_upgrade(tmp_path):
    path = make().save(tmp_path / "a")
    rewrite(path, lambda card, _: card.update(schema=SCHEMA + 1, versions=["anything"]))
    for read in (DistilledSet.load, read_card):
        with pytest.raises(ArtefactError, match=r"newer distillkit.*pip install --upgrade"):
            read(path)


@pytest.mark.parametrize("missing", ["texts", "feature_names", "provenance", "sha256"])
def test_a_card_that_lacks_something_is_damaged(missing, tmp_path):
    path = make().save(tmp_path / "a")
    rewrite(path, lambda card, _: card.pop(missing))
    with pytest.raises(ArtefactError, match="damaged"):
        DistilledSet.load(path)


def test_a_card_or_rows_without_their_checksum_are_damaged(tmp_path):
    path = make().save(tmp_path / "a")
    rewrite(path, lambda *_: None, checksum=False)
    with pytest.raises(ArtefactError, match="card does not match its checksum"):
        read_card(path)
    make().save(path)
    rewrite(path, lambda _, tensors: tensors.update(X=tensors["X"] + 1))
    with pytest.raises(ArtefactError, match="arrays do not match their checksum"):
        DistilledSet.load(path)
