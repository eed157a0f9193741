from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from distillkit.datasets import _torchvision as ours
from distillkit.exceptions import DatasetError, DatasetNotFoundError

RNG = np.random.default_rng(0)
LOADERS = {
    "mnist": ours.load_mnist,
    "fashion-mnist": ours.load_fashion_mnist,
    "cifar10": ours.load_cifar10,
    "cifar100": ours.load_cifar100,
    "svhn": ours.load_svhn,
    "eurosat": ours.load_eurosat,
}


def write_idx(folder, n_train=12, n_test=5):
    """Write a small set in the layout of MNIST."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    arrays = {}
    for part, n in (("train", n_train), ("t10k", n_test)):
        X, y = RNG.integers(0, 256, size=(n, 28, 28), dtype=np.uint8), RNG.integers(0, 10, size=n, dtype=np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">HBBIII", 0, 8, 3, n, 28, 28) + X.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, n) + y.tobytes())
        arrays[part] = X, y
    return arrays


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_idx_files_are_read_pixel_by_pixel(tmp_path, name, folder):
    arrays = write_idx(tmp_path / folder)

    data = LOADERS[name](tmp_path)

    np.testing.assert_array_equal(data.X_train[:, 0], arrays["train"][0])
    np.testing.assert_array_equal(data.y_train, arrays["train"][1])
    np.testing.assert_array_equal(data.X_test[:, 0], arrays["t10k"][0])
    np.testing.assert_array_equal(data.y_test, arrays["t10k"][1])
    assert (data.name, data.modality, data.X_train.dtype, data.y_train.dtype) == (name, "image", np.uint8, np.int64)
    assert len(data.classes) == 10
    assert data.classes[9] == ("9" if name == "mnist" else "Ankle boot")


@pytest.mark.parametrize(("name", "fine"), [("cifar10", False), ("cifar100", True)])
def test_cifar_files_are_read_pixel_by_pixel(tmp_path, monkeypatch, name, fine):
    from torchvision import datasets

    cls = datasets.CIFAR100 if fine else datasets.CIFAR10
    folder = tmp_path / cls.base_folder
    folder.mkdir()
    batches, arrays = {"train_list": [], "test_list": []}, {}
    for part, n in (("train", 6), ("test", 3)):
        X, y = RNG.integers(0, 256, size=(n, 3072), dtype=np.uint8), RNG.integers(0, 10, size=n).tolist()
        (folder / part).write_bytes(pickle.dumps({"data": X, "fine_labels" if fine else "labels": y}))
        batches[f"{part}_list"].append([part, None])  # no checksum: these are not the published files
        arrays[part] = X.reshape(-1, 3, 32, 32), y
    (folder / "meta").write_bytes(pickle.dumps({"names": [f"class {i}" for i in range(10)]}))
    for attribute, value in batches.items():
        monkeypatch.setattr(cls, attribute, value)
    monkeypatch.setattr(cls, "meta", {"filename": "meta", "key": "names", "md5": None})

    data = LOADERS[name](tmp_path)

    np.testing.assert_array_equal(data.X_train, arrays["train"][0])
    np.testing.assert_array_equal(data.X_test, arrays["test"][0])
    assert data.y_train.tolist() == arrays["train"][1]
    assert data.X_train.flags.c_contiguous
    assert data.classes[3] == "class 3"


def test_svhn_files_are_read_with_digit_ten_as_zero(tmp_path, monkeypatch):
    from torchvision import datasets

    X, y = RNG.integers(0, 256, size=(32, 32, 3, 4), dtype=np.uint8), np.array([[1], [10], [3], [9]])
    for part in ("train", "test"):
        savemat(tmp_path / f"{part}_32x32.mat", {"X": X, "y": y})
    split_list = {part: ["", f"{part}_32x32.mat", None] for part in ("train", "test")}
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)

    data = ours.load_svhn(tmp_path)

    assert data.X_train.shape == (4, 3, 32, 32)
    np.testing.assert_array_equal(data.X_train[2], X[..., 2].transpose(2, 0, 1))
    assert [data.classes[code] for code in data.y_train] == ["1", "0", "3", "9"]


def test_eurosat_has_a_fixed_holdout(tmp_path):
    for label in ("Forest", "River"):
        folder = tmp_path / "eurosat" / "2750" / label
        folder.mkdir(parents=True)
        for i in range(8):
            Image.fromarray(RNG.integers(0, 256, size=(64, 64, 3), dtype=np.uint8)).save(folder / f"{label}_{i}.jpg")

    data, again = ours.load_eurosat(tmp_path), ours.load_eurosat(tmp_path)

    assert (data.X_train.shape, data.X_test.shape) == ((12, 3, 64, 64), (4, 3, 64, 64))
    assert np.bincount(data.y_test).tolist() == [2, 2]
    np.testing.assert_array_equal(data.X_test, again.X_test)


@pytest.mark.parametrize("name", LOADERS)
def test_missing_sets_say_where_and_how(tmp_path, name):
    with pytest.raises(
        DatasetNotFoundError, match=rf"{name} is not in the data folder .*is missing; put it there .*--download"
    ):
        LOADERS[name](tmp_path)
    with pytest.raises(DatasetNotFoundError, match="set DISTILLKIT_DATA or give --data-root"):
        LOADERS[name](None)
    with pytest.raises(DatasetNotFoundError, match="set DISTILLKIT_DATA or give --data-root"):
        LOADERS[name](None, download=True)


def test_a_damaged_file_is_an_error(tmp_path):
    write_idx(tmp_path / "MNIST")
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])

    with pytest.raises(DatasetError, match=rf"mnist cannot be read from {tmp_path} .*get it again"):
        ours.load_mnist(tmp_path)


def test_nothing_is_downloaded_unless_the_user_says_so(tmp_path, monkeypatch):
    from torchvision import datasets

    asked = []

    def download(self):
        asked.append(self.root)
        if len(asked) == 1:
            write_idx(tmp_path / "MNIST")

    monkeypatch.setattr(datasets.MNIST, "download", download)
    with pytest.raises(DatasetNotFoundError):
        ours.load_mnist(tmp_path)
    assert not asked

    assert ours.load_mnist.files(tmp_path, download=True) == []
    assert not asked
    assert ours.load_mnist(tmp_path, download=True).X_train.shape == (12, 1, 28, 28)
    assert asked[0] == str(tmp_path)


def test_a_failed_download_is_one_sentence(tmp_path, monkeypatch):
    from torchvision import datasets

    def download(self):
        raise OSError("no route\nto host")

    monkeypatch.setattr(datasets.MNIST, "download", download)
    with pytest.raises(DatasetError, match=rf"mnist cannot be downloaded to {tmp_path} \(no route to host\)"):
        ours.load_mnist(tmp_path, download=True)


def test_real_mnist(real_data):
    path = real_data("MNIST/raw/train-images-idx3-ubyte")

    data = ours.load_mnist(path.parents[2])

    np.testing.assert_array_equal(data.X_train.ravel(), np.frombuffer(path.read_bytes(), dtype=np.uint8, offset=16))
    assert data.X_test.shape == (10000, 1, 28, 28)
    assert data.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    floats = data.as_float().X_test
    assert (floats.dtype, floats.max()) == (np.float32, 1)
