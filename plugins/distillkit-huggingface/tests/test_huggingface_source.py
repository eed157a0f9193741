"""The rows of saved datasets against the same rows in files that distillkit reads itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from distillkit_huggingface import load_huggingface, plugin
from PIL import Image

from distillkit.datasets import load_dataset
from distillkit.exceptions import DatasetError, DatasetNotFoundError
from distillkit.plugins import PluginManager, PluginRecord

datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")

RNG = np.random.default_rng(0)
N = 80
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(40, 9, N).round(1),
        "city": RNG.choice(["Ulm", "Bonn", "Köln"], N),
        "member": RNG.random(N) < 0.5,
        "bought": RNG.choice(["no", "yes"], N),
    }
)
FRAME.loc[3, "age"] = None


def test_a_table_equals_the_same_rows_in_a_parquet_file(tmp_path):
    datasets.Dataset.from_pandas(FRAME).save_to_disk(tmp_path / "saved")
    FRAME.to_parquet(tmp_path / "rows.parquet")
    for split in (0, 1):
        ours = load_huggingface(tmp_path, path="saved", target="bought", split=split)
        theirs = load_dataset(tmp_path / "rows.parquet", target="bought", split=split)
        for name in ("X_train", "y_train", "X_test", "y_test"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        assert (ours.classes, ours.feature_names) == (theirs.classes, theirs.feature_names)
        assert ours.name == "saved"
        assert str(tmp_path) not in ours.preparation


def test_parts_are_training_and_test_rows_and_classes_keep_their_names(tmp_path):
    features = datasets.Features({"a": datasets.Value("float32"), "label": datasets.ClassLabel(names=["low", "high"])})
    rows = {"a": np.arange(40.0), "label": [0, 1] * 20}
    parts = {
        name: datasets.Dataset.from_dict({key: list(values[start:stop]) for key, values in rows.items()}, features)
        for name, start, stop in (("fit", 0, 30), ("test", 30, 40))
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "parts")
    assert load_huggingface.has_own_test(tmp_path, path="parts", train="fit")
    assert not load_huggingface.has_own_test(tmp_path, path="parts", train="fit", test=None)
    loaded = load_huggingface(tmp_path, path="parts", train="fit")
    assert sorted(loaded.classes) == ["high", "low"]
    assert (len(loaded.X_train), len(loaded.X_test)) == (30, 10)
    names = np.asarray(loaded.classes)
    assert names[loaded.y_test].tolist() == ["low", "high"] * 5
    assert len(load_huggingface(tmp_path, path="parts", train="fit", test=None).X_train) < 30
    with pytest.raises(DatasetError, match="has no part 'train': give train = one of fit, test"):
        load_huggingface(tmp_path, path="parts")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_have_their_pixels_and_channels_first(tmp_path, mode):
    shape = (N, 6, 5) if mode == "L" else (N, 6, 5, 3)
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    labels = np.arange(N) % 2
    images = [Image.fromarray(one, mode=mode) for one in pixels]
    saved = datasets.Dataset.from_dict(
        {"image": images, "label": labels},
        datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}),
    )
    saved.save_to_disk(tmp_path / "images")
    loaded = load_huggingface(tmp_path, path="images")
    assert loaded.modality == "image"
    assert loaded.classes == ("cat", "dog")
    given = {one.tobytes(): label for one, label in zip(pixels, labels, strict=True)}
    for rows, targets in ((loaded.X_train, loaded.y_train), (loaded.X_test, loaded.y_test)):
        for row, label in zip(rows, targets, strict=True):
            as_saved = row[0] if mode == "L" else np.moveaxis(row, 0, -1)
            assert given[np.ascontiguousarray(as_saved, dtype=np.uint8).tobytes()] == label
    assert len(loaded.X_train) + len(loaded.X_test) == N


def test_arrays_become_series(tmp_path):
    rows = RNG.normal(size=(N, 2, 9)).astype(np.float32)
    features = datasets.Features({"x": datasets.Array2D((2, 9), "float32"), "y": datasets.Value("string")})
    labels = ["up" if k % 2 else "down" for k in range(N)]
    datasets.Dataset.from_dict({"x": rows, "y": labels}, features).save_to_disk(tmp_path / "series")
    np.savez(tmp_path / "series.npz", X=rows, y=np.asarray(labels))
    ours, theirs = load_huggingface(tmp_path, path="series", target="y"), load_dataset(tmp_path / "series.npz")
    assert ours.modality == "series"
    np.testing.assert_array_equal(ours.X_train, theirs.X_train)
    np.testing.assert_array_equal(ours.y_test, theirs.y_test)


def test_bad_input_is_one_sentence_with_a_remedy(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="save the dataset with save_to_disk"):
        load_huggingface(tmp_path, path="absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no dataset that save_to_disk"):
        load_huggingface(tmp_path, path="empty")
    listed = {"a": [1.0, 2.0] * 4, "tags": [[1], [2, 3]] * 4, "label": [0, 1] * 4}
    datasets.Dataset.from_dict(listed).save_to_disk(tmp_path / "lists")
    with pytest.raises(DatasetError, match=r"column 'tags' holds .* drop = "):
        load_huggingface(tmp_path, path="lists")
    assert len(load_huggingface(tmp_path, path="lists", drop="tags").X_train) == 6
    with pytest.raises(DatasetError, match="has no column 'y'"):
        load_huggingface(tmp_path, path="lists", target="y")
    sizes = [Image.new("L", (4, 4 + k % 2)) for k in range(8)]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    datasets.Dataset.from_dict({"image": sizes, "label": [0, 1] * 4}, features).save_to_disk(tmp_path / "sizes")
    with pytest.raises(DatasetError, match="have different sizes"):
        load_huggingface(tmp_path, path="sizes")


def test_distillkit_finds_the_source_and_the_files_that_its_revision_covers(tmp_path):
    manager = PluginManager(strict=True, disabled=True).load()
    manager.register(plugin, PluginRecord("test:huggingface", "distillkit-huggingface", "0"))
    load = manager.get("dataset", "huggingface").load()
    datasets.Dataset.from_pandas(FRAME).save_to_disk(tmp_path / "saved")
    files = load.files(tmp_path, path="saved")
    assert any(file.suffix == ".arrow" for file in files)
