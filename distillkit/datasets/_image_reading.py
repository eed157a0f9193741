"""Images from folders and tar archives, decoded into one array."""

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

_GREY, _COLOUR = frozenset({"1", "L", "LA"}), frozenset({"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr"})
_EMPTY_BLOCK = bytes(tarfile.BLOCKSIZE)

Named = tuple[PurePosixPath, bytes]


def is_image(path: PurePosixPath) -> bool:
    """Whether a file counts as an image, by its suffix; hidden files do not."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def read_folder(folder: Path) -> Iterator[Named]:
    """Yield every image below a folder in the order of the names, as (path below the folder, content)."""
    for place, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for file in sorted(files):
            path = Path(place, file)
            name = PurePosixPath(path.relative_to(folder).as_posix())
            if is_image(name):
                try:
                    yield name, path.read_bytes()
                except OSError as exc:
                    raise DatasetError(f"cannot read the image {path}: {exc.strerror or exc}.") from exc


def read_tar(archive: Path) -> Iterator[Named]:
    """Yield every image of a tar archive, compressed or not, in its own order, as (path in it, content).

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
                    assert file is not None  # it is a regular file
                    yield name, file.read()
            _check_end(tar)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as exc:
        raise DatasetError(f"the archive {archive} is damaged or incomplete ({exc}): get it again.") from exc


def _check_end(tar: tarfile.TarFile) -> None:
    """Ask for the empty block that ends an archive: tarfile takes a broken header for the end, without a word."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != _EMPTY_BLOCK:
        raise tarfile.ReadError("it does not end where an archive ends")


@dataclass(eq=False)
class ImageReader:
    """Decodes images one by one and keeps their class and part; all must have one size.

    The class of an image is the folder it lies in, its part (train, test) the folder above that.

    Parameters
    ----------
    size : int or None
        Resize to `size` x `size` pixels (bilinear, averaging when shrinking); None keeps the images as they are.

    Attributes
    ----------
    pixels : list of ndarray of shape (height, width) or (height, width, 3), uint8
    labels, parts : list of str
    """

    size: int | None = None
    pixels: list[np.ndarray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def read(self, source: Path, part: str | None = None) -> None:
        """Read all images of a folder or archive; `part` overrides what the folders say.

        Raises
        ------
        DatasetError
            If there is none, one is not readable, lies in no folder, or differs in size.
        """
        before = len(self.pixels)
        for name, content in read_folder(source) if source.is_dir() else read_tar(source):
            shown = f"{source}: the image {name}"
            if len(name.parts) < 2:
                raise DatasetError(
                    f"{shown} lies in no class folder: put each image into a folder named after its class."
                )
            self.pixels.append(self.decode(shown, content))
            self.labels.append(name.parts[-2])
            self.parts.append(part or (name.parts[-3] if len(name.parts) > 2 else ""))
        if len(self.pixels) == before:
            known = ", ".join(sorted(IMAGE_SUFFIXES))
            raise DatasetError(f"{source} holds no images: expected CLASS/NAME with a suffix of {known}.")

    def decode(self, shown: str, content: bytes) -> np.ndarray:
        """Decode one image to grey or RGB and check its size."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(content)) as image:
                pixels = np.asarray(self.convert(shown, image))
        except DatasetError:
            raise
        except Exception as exc:  # decoders raise anything from OSError to SyntaxError on damaged files
            raise DatasetError(f"{shown} cannot be read ({exc}): repair or remove it.") from exc
        if self.pixels and pixels.shape[:2] != self.pixels[0].shape[:2]:
            height, width = self.pixels[0].shape[:2]
            raise DatasetError(
                f"{shown} is {pixels.shape[1]} x {pixels.shape[0]} pixels, but those before it are {width} x {height}: "
                f"give size = {min(height, width)} to resize all of them."
            )
        return pixels

    def convert(self, shown: str, image: Image) -> Image:
        """Bring an image to mode L or RGB and to the size wanted."""
        from PIL.Image import Resampling

        if image.mode not in _GREY | _COLOUR:
            raise DatasetError(f"{shown} has pixels of mode {image.mode!r}: convert it to 8-bit grey or RGB.")
        plain = image.convert("L" if image.mode in _GREY else "RGB")
        return plain if self.size is None else plain.resize((self.size, self.size), resample=Resampling.BILINEAR)

    def images(self) -> np.ndarray:
        """Return all images as uint8 (n, 1 or 3, height, width), in three channels as soon as one has colours."""
        height, width = self.pixels[0].shape[:2]
        channels = 3 if any(pixels.ndim == 3 for pixels in self.pixels) else 1
        images = np.empty((len(self.pixels), channels, height, width), dtype=np.uint8)
        for place, pixels in enumerate(self.pixels):
            images[place] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return images
