from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from distillkit.datasets._images import load_cifar10_jpeg, load_image_folder, load_image_tar
from distillkit.exceptions import DatasetError, DatasetNotFoundError

RNG = np.random.default_rng(0)


def png(pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format=options.pop("format", "PNG"), **options)
    return out.getvalue()


def random_images(names, shape=(5, 4, 3)):
    """Pixels per path; PNG keeps them exactly."""
    return {name: RNG.integers(0, 256, size=shape, dtype=np.uint8) for name in names}


def class_names(n=4, parts=("",)):
    return [f"{part}{label}/{i:02d}.png" for part in parts for label in ("cat", "dog") for i in range(n)]


@pytest.fixture
def folder(tmp_path):
    def write(files):
        for name, content in files.items():
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else png(content))
        return tmp_path / "photos"

    return write


@pytest.fixture
def tar(tmp_path):
    def write(files, name="photos.tar", mode="w"):
        path = tmp_path / name
        with tarfile.open(path, mode) as archive:
            for member, content in files.items():
                data = content if isinstance(content, bytes) else png(content)
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    return write


def as_channels(pixels):
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4)])
def test_a_folder_with_parts_is_read_pixel_by_pixel(folder, shape):
    files = random_images(class_names(parts=("train/", "test/")), shape)

    data = load_image_folder(None, path=str(folder(files)))

    for part, X, y in (("train", data.X_train, data.y_train), ("test", data.X_test, data.y_test)):
        names = [name for name in files if name.startswith(part)]
        np.testing.assert_array_equal(X, [as_channels(files[name]) for name in names])
        assert [data.classes[code] for code in y] == [name.split("/")[1] for name in names]
    assert (data.name, data.modality, data.X_train.dtype) == ("photos", "image", np.uint8)


@pytest.mark.parametrize(("name", "mode"), [("photos.tar", "w"), ("photos.tar.gz", "w:gz"), ("photos.tgz", "w:gz")])
def test_a_tar_gives_what_the_folder_gives(folder, tar, name, mode):
    files = random_images(class_names(n=6))

    from_folder = load_image_folder(None, path=str(folder(files)))
    from_tar = load_image_tar(None, path=str(tar(files, name, mode)))

    assert from_tar.name == "photos"
    np.testing.assert_array_equal(from_tar.X_train, from_folder.X_train)
    np.testing.assert_array_equal(from_tar.y_test, from_folder.y_test)
    assert (len(from_tar.X_train), len(from_tar.X_test)) == (9, 3)
    assert "held out" in from_tar.preparation


def test_a_second_archive_gives_the_test_images(tar):
    train, test = random_images(class_names()), random_images(class_names(n=1))

    data = load_image_tar(None, path=str(tar(train)), test_path=str(tar(test, "test.tar")))

    assert (len(data.X_train), len(data.X_test)) == (8, 2)
    np.testing.assert_array_equal(data.X_test, [as_channels(pixels) for pixels in test.values()])


def test_other_parts_are_left_out_and_named(folder):
    data = load_image_folder(None, path=str(folder(random_images(class_names(parts=("train/", "test/", "val/"))))))

    assert (len(data.X_train), len(data.X_test)) == (8, 8)
    assert "images in val not used" in data.preparation


def test_grey_images_among_coloured_ones_get_three_channels(tar):
    files = random_images(class_names()) | random_images(["cat/grey.png"], shape=(5, 4))

    data = load_image_tar(None, path=str(tar(files)))

    everything = np.concatenate([data.X_train, data.X_test])
    assert everything.shape == (9, 3, 5, 4)
    assert (everything == files["cat/grey.png"]).all(axis=(1, 2, 3)).sum() == 1


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("LA", 1), ("P", 3), ("RGBA", 3)])
def test_modes_become_grey_or_rgb(tar, mode, channels):
    out = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), 255, dtype=np.uint8)).convert(mode).save(out, format="PNG")

    data = load_image_tar(None, path=str(tar(dict.fromkeys(class_names(), out.getvalue()))))

    assert data.X_train.shape == (6, channels, 4, 4)
    assert (data.X_train == 255).all()


def test_files_that_are_no_images_are_passed_over(folder):
    clutter = {"cat/notes.txt": b"x", "cat/.hidden.png": b"x", "README.md": b"x", "labels.csv": b"x"}

    data = load_image_folder(None, path=str(folder(random_images(class_names()) | clutter)))

    assert len(data.X_train) + len(data.X_test) == 8


def test_the_first_image_of_another_size_is_named_and_size_is_the_remedy(tar):
    path = str(tar(random_images(class_names()) | random_images(["dog/wide.png", "dog/wider.png"], shape=(5, 9, 3))))

    with pytest.raises(
        DatasetError, match=r"photos.tar: the image dog/wide.png is 9 x 5 pixels, .* 4 x 5: give size = 4"
    ):
        load_image_tar(None, path=path)

    data = load_image_tar(None, path=path, size=4)
    assert data.X_train.shape[1:] == (3, 4, 4)
    assert "resized to 4 x 4" in data.preparation


def test_resizing_keeps_a_flat_image_flat(tar):
    data = load_image_tar(None, path=str(tar(dict.fromkeys(class_names(), np.full((9, 7), 37, np.uint8)))), size=4)

    assert (data.X_train == 37).all()


@pytest.mark.parametrize("size", [0, -3, 2.5, "big", True])
def test_a_wrong_size_is_an_error(tar, size):
    with pytest.raises(DatasetError, match="must be a whole number of pixels"):
        load_image_tar(None, path=str(tar(random_images(class_names()))), size=size)


@pytest.mark.parametrize(
    "content",
    [b"not an image", png(RNG.integers(0, 256, size=(40, 40, 3), dtype=np.uint8), format="JPEG")[:500], b""],
    ids=["text", "cut", "empty"],
)
def test_an_unreadable_image_is_named(folder, content):
    with pytest.raises(DatasetError, match=r"photos: the image dog/bad.jpg cannot be read"):
        load_image_folder(None, path=str(folder(random_images(class_names()) | {"dog/bad.jpg": content})))


def test_pixels_of_16_bits_are_refused_not_cut(tar):
    deep = png(np.full((5, 4), 40000, dtype=np.uint16))

    with pytest.raises(DatasetError, match=r"cat/00.png has pixels of mode 'I;16': convert it to 8-bit"):
        load_image_tar(None, path=str(tar({"cat/00.png": deep})))


def test_layouts_that_cannot_be_read_are_errors(folder, tar):
    with pytest.raises(DatasetError, match=r"the image 1.png lies in no class folder"):
        load_image_folder(None, path=str(folder(random_images(["1.png"]))))
    with pytest.raises(DatasetError, match=r"holds no images: expected CLASS/NAME"):
        load_image_tar(None, path=str(tar({"cat/notes.txt": b"x"})))
    with pytest.raises(DatasetError, match="all rows have the class 'cat'"):
        load_image_tar(None, path=str(tar(random_images(["cat/1.png", "cat/2.png"]))))
    with pytest.raises(DatasetError, match=r"no training row has \('bird'\)"):
        load_image_tar(None, path=str(tar(random_images([*class_names(parts=("train/", "test/")), "test/bird/0.png"]))))


def test_folder_and_archive_are_not_mistaken_for_each_other(folder, tar):
    with pytest.raises(DatasetError, match="take image-tar"):
        load_image_folder(None, path=str(tar(random_images(class_names()))))
    with pytest.raises(DatasetError, match="take image-folder"):
        load_image_tar(None, path=str(folder(random_images(class_names()))))


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_cut_archive_is_damaged(tar, mode, keep):
    path = tar(random_images(class_names(n=40), shape=(16, 16, 3)), mode=mode)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])

    with pytest.raises(DatasetError, match=r"photos.tar is damaged or incomplete"):
        load_image_tar(None, path=str(path))


def test_an_archive_cut_between_two_images_is_damaged(tar):
    path = tar(random_images(class_names()))
    with tarfile.open(path) as archive:
        cut = archive.getmembers()[5].offset
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(DatasetError, match="damaged or incomplete"):
        load_image_tar(None, path=str(path))


def test_an_archive_with_a_broken_header_is_damaged_not_short(tar):
    path = tar(random_images(class_names()))
    with tarfile.open(path) as archive:
        place = archive.getmembers()[5].offset
    content = bytearray(path.read_bytes())
    content[place : place + 100] = b"\xff" * 100
    path.write_bytes(content)
    with tarfile.open(path) as archive:
        assert len(archive.getmembers()) == 5  # the trap: tarfile takes it for the end

    with pytest.raises(DatasetError, match="damaged or incomplete"):
        load_image_tar(None, path=str(path))


def test_a_file_that_is_no_archive_and_one_that_is_not_there(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"text" * 500)
    with pytest.raises(DatasetError, match=r"a.tar is damaged or incomplete"):
        load_image_tar(None, path=str(tmp_path / "a.tar"))
    with pytest.raises(DatasetNotFoundError, match=r"no file or folder .*gone.tar"):
        load_image_tar(None, path=str(tmp_path / "gone.tar"))


def test_cifar10_jpeg_comes_from_two_archives_of_the_data_folder(tmp_path, tar):
    (tmp_path / "cifar10-jpeg").mkdir()
    train, test = (random_images(class_names(n, (part,))) for n, part in ((3, "train/"), (1, "test/")))
    tar(train, "cifar10-jpeg/train.tar")
    with pytest.raises(
        DatasetNotFoundError, match=r"cifar10-jpeg/test.tar is missing; put train.tar and test.tar there"
    ):
        load_cifar10_jpeg(tmp_path)
    tar(test, "cifar10-jpeg/test.tar")

    data = load_cifar10_jpeg(tmp_path)

    assert data.name == "cifar10-jpeg"
    np.testing.assert_array_equal(data.X_test, [as_channels(pixels) for pixels in test.values()])
    assert len(data.X_train) == 6


def test_real_cifar10_jpeg_test_images(real_data):
    path = real_data("cifar10-jpeg/test.tar")

    data = load_image_tar(None, path=str(path))

    everything = np.concatenate([data.X_train, data.X_test])
    assert everything.shape == (10000, 3, 32, 32)
    assert np.bincount(np.concatenate([data.y_train, data.y_test])).tolist() == [1000] * 10
    assert np.bincount(data.y_test).tolist() == [250] * 10
    assert data.classes[0] == "airplane"
    with tarfile.open(path) as archive:
        oracle = np.asarray(Image.open(archive.extractfile("test/ship/0123.jpg"))).transpose(2, 0, 1)
    assert (everything == oracle).all(axis=(1, 2, 3)).sum() == 1
