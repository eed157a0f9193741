"""Reading of images from folders and tar archives into one array."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from distillkit.datasets._tar_archive import read_members
from distillkit.datasets._walk import files_below
from distillkit.exceptions import DatasetError
from distillkit.utils._file_bounds import largest_content
from distillkit.utils._surrogates import escaped

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMAGE_SUFFIXES", "ImageReader", "part_names", "read_folder", "read_tar"]

IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"])

_GRAY, _COLOR = frozenset({"1", "L", "LA"}), frozenset({"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr"})

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are decoded, as Pillow names them. Others could start programs, as EPS does."""
_MOST_TIMES = 1000  # the bytes of an image file that its pixels may have

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
        If a file cannot be read, or a link leads to a folder that contains it.
    """
    for path in files_below(folder):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if is_image(name):
            try:
                if not path.is_file():  # such as a pipe, from which reading would never end
                    raise DatasetError(f"the image {path} is no regular file: remove it.")
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
    for name, content in read_members(archive, lambda name: is_image(PurePosixPath(name))):
        yield PurePosixPath(name), content


def part_names(source: Path) -> set[str]:
    """Return the names of the folders above the class folders of images, which are not decoded.

    Parameters
    ----------
    source : Path
        A folder, or a tar archive.

    Raises
    ------
    DatasetError
        If an archive is damaged, or a link leads to a folder that contains it.
    """
    if source.is_dir():
        paths = [PurePosixPath(path.relative_to(source)) for path in files_below(source)]
        return {_part_of(path) for path in paths if is_image(path)}
    found = set()

    def is_wanted(name: str) -> bool:
        if is_image(path := PurePosixPath(name)):
            found.add(_part_of(path))
        return False  # Only the names are needed.

    for _ in read_members(source, is_wanted):
        pass
    return found


def _part_of(path: PurePosixPath) -> str:
    """Return the name of the folder above the class folder of an image, or ""."""
    return path.parts[-3] if len(path.parts) > 2 else ""


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
    _n_bytes: int = 0
    _n_pixels: int = 0

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
            description = escaped(f"{source}: the image {name}")
            if len(name.parts) < 2:
                raise DatasetError(
                    f"{description} lies in no class folder: put each image into a folder named after its class."
                )
            self.pixels.append(self.decode(description, content))
            self._check_total(description, content)
            self.labels.append(escaped(name.parts[-2]))
            self.parts.append(part or _part_of(name))
        if len(self.pixels) == n_before:
            known = ", ".join(sorted(IMAGE_SUFFIXES))
            raise DatasetError(f"{source} holds no images: expected CLASS/NAME with a suffix of {known}.")

    def decode(self, description: str, content: bytes) -> np.ndarray:
        """Decode one image to gray or RGB pixels, and check its size; see `read` for errors."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                self._check_pixels(description, image, content)
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

    @staticmethod
    def _check_pixels(description: str, image: Image, content: bytes) -> None:
        """Refuse an image that would fill the memory, before it is decoded."""
        width, height = image.size
        if 4 * width * height > largest_content(len(content), _MOST_TIMES):
            raise DatasetError(
                f"{description} has {width} x {height} pixels in {len(content):,} bytes, too many for so few: "
                "shrink it, or remove it."
            )

    def _check_total(self, description: str, content: bytes) -> None:
        """Refuse images that take far more memory, all together, than their files."""
        self._n_bytes += len(content)
        self._n_pixels += self.pixels[-1].size
        if self._n_pixels > largest_content(self._n_bytes, _MOST_TIMES):
            raise DatasetError(
                f"{description} and those before it have {self._n_pixels:,} values in {self._n_bytes:,} bytes, too "
                "many for so few: give size, which resizes all of them, or remove some."
            )

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
