"""Datasets of image files: a folder or a tar archive with one folder per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distillkit.datasets._dataset import Dataset
from distillkit.datasets._image_reading import ImageReader, part_names
from distillkit.datasets._loader import loader
from distillkit.datasets._paths import files_under, resolve_path, stem_of
from distillkit.datasets._targets import make_targets
from distillkit.exceptions import DatasetError, DatasetOptionError

__all__ = ["image_dataset", "load_cifar10_jpeg", "load_image_folder", "load_image_tar"]


def _find(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> list[Path]:
    paths = [resolve_path(path, root)]
    return paths if test_path is None else [*paths, resolve_path(test_path, root, "test_path")]


def _own_test(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> bool:
    """Return whether there is a second source, or folders of training and of test images."""
    return test_path is not None or {"train", "test"} <= part_names(_find(root, path)[0])


@loader(_find, _own_test)
def load_image_folder(
    root: Path | None, path: str, test_path: str | None = None, size: int | None = None, split: int = 0
) -> Dataset:
    """Load a folder of images with one folder per class.

    The paths are ``CLASS/NAME.jpg``, or ``train/CLASS/NAME.jpg`` and ``test/CLASS/NAME.jpg``.

    Parameters
    ----------
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in it.
    path : str
        The folder.
    test_path : str or None
        A folder with the test images. None takes the folder ``test``, or holds images out if there
        is none.
    size : int or None
        Resize all images to `size` x `size` pixels; None requires that all have the same size.
    split : int
        Number of the split, which chooses the images that are held out where no test images are
        given.

    Returns
    -------
    Dataset
        uint8 images (n, channels, height, width), gray or RGB.

    Raises
    ------
    DatasetNotFoundError
        If a folder does not exist.
    DatasetError
        If an image cannot be read or differs in size; the message names it.
    """
    paths = _find(root, path, test_path)
    for folder in paths:
        if not folder.is_dir():
            raise DatasetError(f"{folder} is a file, not a folder of images: for an archive take image-tar.")
    return image_dataset(paths[0].absolute().name, paths, size, split)


@loader(_find, _own_test)
def load_image_tar(
    root: Path | None, path: str, test_path: str | None = None, size: int | None = None, split: int = 0
) -> Dataset:
    """Load a tar archive of images, compressed or not.

    The paths in the archive and the errors are those of `load_image_folder`.

    Parameters
    ----------
    path, test_path, size
        As for `load_image_folder`, with archives in place of folders.
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    paths = _find(root, path, test_path)
    for archive in paths:
        if archive.is_dir():
            raise DatasetError(f"{archive} is a folder, not an archive: take image-folder.")
    return image_dataset(stem_of(paths[0]), paths, size, split)


def _cifar10_jpeg_files(root: Path | None) -> list[Path]:
    remedy = "put train.tar and test.tar there, with the images as train/CLASS/NAME.jpg and test/CLASS/NAME.jpg"
    return files_under(root, "cifar10-jpeg", ["cifar10-jpeg/train.tar", "cifar10-jpeg/test.tar"], remedy)


@loader(_cifar10_jpeg_files)
def load_cifar10_jpeg(root: Path | None = None) -> Dataset:
    """Load CIFAR-10 from JPEG files.

    JPEG changes the pixels slightly, so scores are close to those on the original but not equal.
    """
    return image_dataset("cifar10-jpeg", _cifar10_jpeg_files(root))


def image_dataset(name: str, paths: list[Path], size: int | None = None, split: int = 0) -> Dataset:
    """Read the training and test images from one or two folders or archives.

    One source is divided into its folders ``train`` and ``test`` if it has both, otherwise test
    images are held out. Two sources are the training images and the test images.

    Parameters
    ----------
    name : str
    paths : list of Path
        One or two folders or archives, which exist.
    size : int or None
    split : int
        Number of the split, which has no effect if there are test images.

    Raises
    ------
    DatasetError
        See `load_image_folder`.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise DatasetOptionError(f"size={size!r} must be a whole number of pixels, at least 1.")
    reader = ImageReader(size)
    for part, path in zip(("train", "test"), paths, strict=False):
        reader.read(path, part if len(paths) == 2 else None)
    images, labels, parts = reader.images(), np.array(reader.labels), np.array(reader.parts)
    notes = ["8-bit pixels as stored" if size is None else f"resized to {size} x {size} pixels"]
    if {"train", "test"} <= set(reader.parts):
        train, test = np.flatnonzero(parts == "train"), np.flatnonzero(parts == "test")
        targets = make_targets(name, labels[train], labels[test], task="classification")
        if unused := sorted(set(reader.parts) - {"train", "test"}):
            notes.append(f"images in {', '.join(unused)} not used")
    else:
        targets = make_targets(name, labels, task="classification", split=split)
        train, test = targets.train, targets.test
        notes.append(targets.note)
    return Dataset(
        name=name,
        task="classification",
        modality="image",
        X_train=images[train],
        y_train=targets.y_train,
        X_test=images[test],
        y_test=targets.y_test,
        classes=targets.classes,
        preparation="; ".join(notes),
    )
