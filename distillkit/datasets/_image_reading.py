"""Reading of images from folders and tar archives into one array."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMAGE_SUFFIXES", "ImageReader", "read_folder", "read_tar"]

IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"])

_GRAY, _COLOR = frozenset({"1", "L", "LA"}), frozenset({"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr"})
_EMPTY_BLOCK = bytes(tarfile.BLOCKSIZE)

NamedContent = tuple[PurePosixPath, bytes]
"""Path of an image below its folder or in its archive, and the content of the file."""


def is_image(path: PurePosixPath) -> bool:
    """Return whether a file is an image, by its suffix; hidden files are not."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def read_folder(folder: Path) -> Iterator[NamedContent]:
    """Yield the images below a folder in the order of their names.

    Yields
    ------
    path : PurePosixPath
        Path below the folder.
    content : bytes

    Raises
    ------
    DatasetError
        If a file cannot be read.
    """
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for file in sorted(files):
            path = Path(parent, file)
            name = PurePosixPath(path.relative_to(folder).as_posix())
            if is_image(name):
                try:
                    yield name, path.read_bytes()
                except OSError as exc:
                    raise DatasetError(f"cannot read the image {path}: {exc.strerror or exc}.") from exc


def read_tar(archive: Path) -> Iterator[NamedContent]:
    """Yield the images of a tar archive, compressed or not, in the order of the archive.

    Yields
    ------
    path : PurePosixPath
        Path in the archive.
    content : bytes

    Raises
    ------
    DatasetError
        If the archive is damaged or ends too early.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                if member.isfile() and is_image(name):
                    file = tar.extractfile(member)
                    assert file is not None  # only for files that are not regular
                    yield name, file.read()
            _check_end(tar)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as exc:
        raise DatasetError(f"the archive {archive} is damaged or incomplete ({exc}): get it again.") from exc


def _check_end(tar: tarfile.TarFile) -> None:
    """Check for the empty block at the end of an archive.

    tarfile mistakes a damaged header for the end of the archive and raises no error.
    """
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != _EMPTY_BLOCK:
        raise tarfile.ReadError("its end is missing")


@dataclass(eq=False)
class ImageReader:
    """A reader that decodes images and records the class and the part of each.

    The class of an image is the name of its folder, and its part (train, test) is the name of the
    folder above. All images must have the same size.

    Parameters
    ----------
    size : int or None
        Resize to `size` x `size` pixels (bilinear, averaging when shrinking); None keeps the size.

    Attributes
    ----------
    pixels : list of ndarray of shape (height, width) or (height, width, 3), uint8
    labels : list of str
        Class of each image.
    parts : list of str
        Part of each image, or "" if it has none.
    """

    size: int | None = None
    pixels: list[np.ndarray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def read(self, source: Path, part: str | None = None) -> None:
        """Read all images of a folder or archive.

        Parameters
        ----------
        source : Path
        part : str or None
            Part of all images; None takes it from the folders.

        Raises
        ------
        DatasetError
            If there are no images, or if an image cannot be read, is in no class folder or differs
            in size.
        """
        n_before = len(self.pixels)
        for name, content in read_folder(source) if source.is_dir() else read_tar(source):
            description = f"{source}: the image {name}"
            if len(name.parts) < 2:
                raise DatasetError(
                    f"{description} lies in no class folder: put each image into a folder named after its class."
                )
            self.pixels.append(self.decode(description, content))
            self.labels.append(name.parts[-2])
            self.parts.append(part or (name.parts[-3] if len(name.parts) > 2 else ""))
        if len(self.pixels) == n_before:
            known = ", ".join(sorted(IMAGE_SUFFIXES))
            raise DatasetError(f"{source} holds no images: expected CLASS/NAME with a suffix of {known}.")

    def decode(self, description: str, content: bytes) -> np.ndarray:
        """Decode one image to gray or RGB pixels, and check its size; see `read` for errors."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(content)) as image:
                pixels = np.asarray(self.convert(description, image))
        except DatasetError:
            raise
        except Exception as exc:  # decoders raise anything from OSError to SyntaxError on damaged files
            raise DatasetError(f"{description} cannot be read ({exc}): repair or remove it.") from exc
        if self.pixels and pixels.shape[:2] != self.pixels[0].shape[:2]:
            height, width = self.pixels[0].shape[:2]
            raise DatasetError(
                f"{description} is {pixels.shape[1]} x {pixels.shape[0]} pixels, but the images before it are "
                f"{width} x {height}: give size = {min(height, width)} to resize all of them."
            )
        return pixels

    def convert(self, description: str, image: Image) -> Image:
        """Convert an image to mode L or RGB, and resize it to `size`."""
        from PIL.Image import Resampling

        if image.mode not in _GRAY | _COLOR:
            raise DatasetError(f"{description} has pixels of mode {image.mode!r}: convert it to 8-bit gray or RGB.")
        plain = image.convert("L" if image.mode in _GRAY else "RGB")
        return plain if self.size is None else plain.resize((self.size, self.size), resample=Resampling.BILINEAR)

    def images(self) -> np.ndarray:
        """Return all images as uint8 of shape (n, channels, height, width).

        There is one channel if all images are gray, otherwise three.
        """
        height, width = self.pixels[0].shape[:2]
        channels = 3 if any(pixels.ndim == 3 for pixels in self.pixels) else 1
        images = np.empty((len(self.pixels), channels, height, width), dtype=np.uint8)
        for index, pixels in enumerate(self.pixels):
            images[index] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return images
