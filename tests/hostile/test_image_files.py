"""Images and archives of them that are damaged or made to harm: a `DatasetError` and little memory."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zlib

import numpy as np
import pytest
from PIL import Image

from distillkit.datasets import load_dataset
from distillkit.exceptions import DatasetError


def picture(kind="PNG", size=(4, 5), color=0):
    file = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(file, kind)
    return file.getvalue()


def member(name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def photos(n=4, kind="PNG"):
    return [member(f"{label}/{i}.{kind.lower()}", picture(kind, color=i)) for label in ("cat", "dog") for i in range(n)]


def archive(path, members, mode="w", **options):
    with tarfile.open(path, mode, **options) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return path


def test_generated_archives_are_read_or_refused(outcomes, examples, tmp_path):
    path = tmp_path / "photos.tar"

    def make(damage):
        members = photos(kind=damage.choose("PNG", "JPEG", "GIF", "BMP", "TIFF"))
        place = damage.random.randrange(len(members))
        info, content = members[place]
        if damage.random.random() < 0.3:
            members[place] = member(info.name, damage.bytes(content))
        if damage.random.random() < 0.3:
            name = damage.choose(
                "../../x.png", "/etc/x.png", "x.png", "a/\udcff/x.png", "a/" * 200 + "x.png", "a/.x.png", "\n/x.png"
            )
            types = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"z")
            members.append(member(name, type=damage.choose(tarfile.REGTYPE, *types), linkname="/etc/passwd"))
        archive(path, members, damage.choose("w", "w:gz", "w:bz2", "w:xz"), format=damage.choose(0, 1, 2) or 0)
        if damage.random.random() < 0.5:
            path.write_bytes(damage.bytes(path.read_bytes()))
        return path

    assert outcomes(examples(72), make, lambda path: load_dataset(str(path)), DatasetError) == {"read", "refused"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_left_out(kind, tmp_path):
    link = member("cat/link.png", type=kind, linkname="/etc/passwd")
    data = load_dataset(str(archive(tmp_path / "photos.tar", [*photos(), link])))
    assert len(data.X_train) + len(data.X_test) == 8


def test_names_that_lead_out_of_the_archive_write_nothing(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    outside = member("../../dog/escaped.png", picture())
    data = load_dataset(str(archive(folder / "photos.tar", [*photos(), outside])))
    assert data.classes == ("cat", "dog")
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["inner", "photos.tar"]


def with_size(path, size):
    """Write an archive whose only header claims a size, and has the right checksum."""
    info, _ = member("cat/0.png", b"x")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = (
        b"\x80" + size.to_bytes(11, "big") if size >= 0 else b"\xff" + size.to_bytes(11, "big", signed=True)
    )
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:512]))
    path.write_bytes(bytes(block) + bytes(2 * 512))
    return str(path)


@pytest.mark.parametrize("size", [10**12, 2**62, -1, -512, -(2**40)])
def test_sizes_that_an_archive_cannot_have_are_refused(size, tmp_path):
    with pytest.raises(DatasetError, match="damaged or incomplete"):
        load_dataset(with_size(tmp_path / "photos.tar", size))


def test_sparse_members_are_refused(tmp_path):
    headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": str(10**12),
    }
    sparse = member("cat/zeros.png", b"x", pax_headers=headers)
    path = archive(tmp_path / "photos.tar", [*photos(), sparse], format=tarfile.PAX_FORMAT)
    with pytest.raises(DatasetError, match="sparse file"):
        load_dataset(str(path))


@pytest.mark.parametrize("kind", [b"x", b"L", b"0"])
def test_a_compressed_archive_does_not_expand_to_far_more_than_its_bytes(kind, tmp_path):
    path, zeros = tmp_path / "photos.tar.gz", bytes(2**20)
    info, _ = member("cat/0.png", type=kind)
    info.size = 2**27
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(2**7):
            file.write(zeros)
    with pytest.raises(DatasetError, match="claims to hold more than 67,108,864 bytes"):
        load_dataset(str(path))


def bomb(width, height):
    """Return a PNG of a few bytes that claims any number of pixels."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(5_000, 5_000), (12_000, 7_000), (2**31 - 1, 2**31 - 1)])
def test_images_of_far_more_pixels_than_bytes_are_not_decoded(size, tmp_path):
    path = archive(tmp_path / "photos.tar", [*photos(), member("cat/bomb.png", bomb(*size))])
    with pytest.raises(DatasetError, match=r"too many for so few|cannot be read"):
        load_dataset(str(path), size=4)


def test_many_images_of_few_bytes_are_refused_together(tmp_path):
    content = picture(size=(4_000, 4_000))
    path = archive(tmp_path / "photos.tar", [member(f"cat/{i}.png", content) for i in range(2)])
    assert len(content) < 60_000
    with pytest.raises(DatasetError, match=r"and those before it have 96,000,000 values.*give size"):
        load_dataset(str(path))


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICNS", "TGA", "PCX"])
def test_formats_that_start_programs_or_are_not_documented_are_not_decoded(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
    content = picture(kind, size=(16, 16))
    path = archive(tmp_path / "photos.tar", [*photos(), member("cat/page.png", content)])
    with pytest.raises(DatasetError, match=r"page.png cannot be read"):
        load_dataset(str(path))


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP", "MPO"])
def test_documented_formats_are_decoded(kind, tmp_path):
    path = archive(tmp_path / "photos.tar", [member(f"{i % 2}/{i}.jpg", picture(kind, color=9)) for i in range(8)])
    assert load_dataset(str(path)).X_train.shape == (6, 3, 5, 4)


def test_names_that_are_no_text_become_classes_that_every_output_takes(tmp_path):
    others = [member(f"c\udcff/{i}.png", picture()) for i in range(4)]
    data = load_dataset(str(archive(tmp_path / "photos.tar", [*photos(), *others])))
    assert len(data.classes) == 3
    for name in data.classes:
        name.encode()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes of the file system")
def test_a_pipe_among_the_images_is_refused_and_not_waited_for(tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    os.mkfifo(tmp_path / "photos" / "cat" / "0.png")
    with pytest.raises(DatasetError, match="no regular file"):
        load_dataset(str(tmp_path / "photos"))


@pytest.mark.parametrize("target", [".", "..", "cat"])
def test_a_link_to_a_folder_that_contains_it_is_refused(target, tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "rows" / label).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "rows" / label / f"{number}.png").write_bytes(picture(color=number))
    (tmp_path / "rows" / "dog" / "more").symlink_to(tmp_path / "rows" / "cat")  # to a sibling: no loop
    load_dataset(str(tmp_path / "rows"))
    folder = tmp_path / "rows" / "cat"
    (folder / "loop").symlink_to(folder if target == "cat" else folder / target, target_is_directory=True)
    with pytest.raises(DatasetError, match="loop leads to a folder that contains it: remove the link"):
        load_dataset(str(tmp_path / "rows"))
