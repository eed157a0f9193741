"""Image datasets of torchvision, read from the data folder in torchvision's layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.datasets._dataset import Dataset
from distillkit.datasets._images import image_dataset
from distillkit.datasets._loader import Loader
from distillkit.datasets._paths import files_under
from distillkit.exceptions import DatasetError

__all__ = ["load_cifar10", "load_cifar100", "load_eurosat", "load_fashion_mnist", "load_mnist", "load_svhn"]

_DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class _Source:
    """A dataset of torchvision and the files that it needs.

    Parameters
    ----------
    name : str
        Name of the dataset in distillkit.
    cls : str
        Name of the class in ``torchvision.datasets``.
    files : tuple of str
        Files or folders whose presence shows that the dataset is on disk.
    classes : tuple of str
        Class names, for datasets whose names in torchvision are missing or hold more than the name.
    """

    name: str
    cls: str
    files: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def check(self, root: Path | None) -> Path:
        """Return the data folder, after checking that the dataset is in it."""
        remedy = f"put it there as torchvision.datasets.{self.cls} lays it out, or give download = true (--download)"
        files_under(root, self.name, self.files, remedy)
        assert root is not None
        return Path(root)

    def open(self, root: Path, download: bool, **part: Any) -> Any:
        """Return torchvision's dataset of one part (training or test)."""
        try:
            from torchvision import datasets
        except (ImportError, RuntimeError) as exc:  # RuntimeError: built for another version of torch
            raise DatasetError(
                f"{self.name} needs torchvision: install the release that fits your torch ({exc})."
            ) from exc
        try:
            return getattr(datasets, self.cls)(str(root), download=download, **part)
        except Exception as exc:  # on damaged files, the readers raise errors of many kinds
            action = "downloaded to" if download else "read from"
            raise DatasetError(
                f"{self.name} cannot be {action} {root} ({' '.join(str(exc).split())}): "
                "remove its files and get it again."
            ) from exc


def _idx(folder: str) -> tuple[str, ...]:
    return tuple(
        f"{folder}/raw/{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
    )


_MNIST = _Source("mnist", "MNIST", _idx("MNIST"), _DIGITS)
_FASHION = _Source("fashion-mnist", "FashionMNIST", _idx("FashionMNIST"))
_CIFAR10 = _Source("cifar10", "CIFAR10", ("cifar-10-batches-py",))
_CIFAR100 = _Source("cifar100", "CIFAR100", ("cifar-100-python",))
_SVHN = _Source("svhn", "SVHN", ("train_32x32.mat", "test_32x32.mat"), _DIGITS)
_EUROSAT = _Source("eurosat", "EuroSAT", ("eurosat/2750",))


def _checked_root(source: _Source, root: Path | None, download: bool) -> Path:
    """Return the data folder, which holds the dataset unless it is to be downloaded."""
    if download and root is not None:
        return Path(root)
    return source.check(root)


_PARAMETERS = """Parameters
----------
root : Path or None
    The data folder.
download : bool, default=False
    Whether to download the files into `root` if they are not there.
"""


def _loader(source: _Source, read: Callable[[_Source, Path, bool], Dataset], doc: str) -> Loader:
    def load(root: Path | None = None, download: bool = False) -> Dataset:
        return read(source, _checked_root(source, root, download), download)

    return _described(source, load, doc)


def _described(source: _Source, load: Callable[..., Dataset], doc: str, parameters: str = "") -> Loader:
    """Return the loader of a source with a docstring for the listing of its options."""

    def find(root: Path | None = None, download: bool = False) -> list[Path]:
        _checked_root(source, root, download)
        return []  # the published content is fixed, so the specification's revision identifies it

    load.__doc__ = f"{doc}\n\n{_PARAMETERS}{parameters}"
    load.__name__ = f"load_{source.name.replace('-', '_')}"
    return Loader(load, find)


def _dataset(source: _Source, parts: list[tuple[np.ndarray, Any]], classes: tuple[str, ...]) -> Dataset:
    (X_train, y_train), (X_test, y_test) = parts
    return Dataset(
        name=source.name,
        task="classification",
        modality="image",
        X_train=np.ascontiguousarray(X_train),
        y_train=np.asarray(y_train, dtype=np.int64),
        X_test=np.ascontiguousarray(X_test),
        y_test=np.asarray(y_test, dtype=np.int64),
        classes=classes,
        preparation="8-bit pixels as published, with the published test images",
    )


def _read_idx(source: _Source, root: Path, download: bool) -> Dataset:
    sets = [source.open(root, download, train=train) for train in (True, False)]
    parts = [(part.data.numpy()[:, None], part.targets.numpy()) for part in sets]
    return _dataset(source, parts, source.classes or tuple(sets[0].classes))


def _read_cifar(source: _Source, root: Path, download: bool) -> Dataset:
    sets = [source.open(root, download, train=train) for train in (True, False)]
    parts = [(part.data.transpose(0, 3, 1, 2), part.targets) for part in sets]
    return _dataset(source, parts, tuple(sets[0].classes))


def _read_svhn(source: _Source, root: Path, download: bool) -> Dataset:
    sets = [source.open(root, download, split=split) for split in ("train", "test")]
    return _dataset(source, [(part.data, part.labels) for part in sets], source.classes)


def _eurosat_loader() -> Loader:
    """Make the loader of EuroSAT, which has no test part, so that rows are held out."""

    def load(root: Path | None = None, download: bool = False, split: int = 0) -> Dataset:
        folder = _checked_root(_EUROSAT, root, download)
        if download:
            _EUROSAT.open(folder, download)
        return image_dataset(_EUROSAT.name, [folder / _EUROSAT.files[0]], split=split)

    doc = "Load EuroSAT: land use from space, 64 x 64 RGB, 27,000, of which a quarter is held out."
    return _described(
        _EUROSAT, load, doc, "split : int, default=0\n    Number of the split, which chooses the test rows.\n"
    )


load_mnist = _loader(_MNIST, _read_idx, "Load MNIST: handwritten digits, 28 x 28 gray, 60,000 + 10,000.")
load_fashion_mnist = _loader(
    _FASHION, _read_idx, "Load Fashion-MNIST: 10 kinds of clothes, 28 x 28 gray, 60,000 + 10,000."
)
load_cifar10 = _loader(_CIFAR10, _read_cifar, "Load CIFAR-10: 10 kinds of objects, 32 x 32 RGB, 50,000 + 10,000.")
load_cifar100 = _loader(_CIFAR100, _read_cifar, "Load CIFAR-100: 100 kinds of objects, 32 x 32 RGB, 50,000 + 10,000.")
load_svhn = _loader(_SVHN, _read_svhn, "Load SVHN: house numbers, 32 x 32 RGB, 73,257 + 26,032.")
load_eurosat = _eurosat_loader()
