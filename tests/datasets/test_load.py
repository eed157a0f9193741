from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from distillkit import datasets
from distillkit.datasets import (
    Dataset,
    Loader,
    data_root,
    dataset_for_path,
    fingerprint,
    load_dataset,
    loader,
    revision_of,
)
from distillkit.datasets._specs import dataset_specs
from distillkit.exceptions import DatasetError, DatasetNotFoundError, UnknownNameError
from distillkit.specs import DatasetSpec

SPECS = {spec.name: spec for spec in dataset_specs()}
TS = "@univariate true\n@classLabel true a b\n@data\n" + "1,2,3:a\n3,2,1:b\n" * 4


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with one file of each kind; the data folder is another."""
    monkeypatch.delenv("DISTILLKIT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    X, y = np.arange(24.0).reshape(12, 2), np.array([0, 1] * 6)
    frame = pd.DataFrame(X, columns=["u", "v"]).assign(y=y)
    frame.to_csv("rows.csv", index=False)
    frame.to_parquet("rows.parquet")
    np.savez("rows.npz", X=X, y=y)
    Path("rows.ts").write_text(TS, encoding="utf-8")
    with tarfile.open("photos.tar", "w") as archive:
        for label in ("cat", "dog"):
            (tmp_path / "photos" / label).mkdir(parents=True)
            for i in range(4):
                name, out = f"{label}/{i}.png", io.BytesIO()
                Image.fromarray(np.full((3, 3), i, np.uint8)).save(out, format="PNG")
                (tmp_path / "photos" / name).write_bytes(out.getvalue())
                info = tarfile.TarInfo(name)
                info.size = len(out.getvalue())
                archive.addfile(info, io.BytesIO(out.getvalue()))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("rows.csv", "csv", {"target": "y"}),
        ("rows.parquet", "parquet", {"target": "y"}),
        ("rows.npz", "npz", {}),
        ("rows.ts", "ts", {}),
        ("photos.tar", "image-tar", {}),
        ("photos/", "image-folder", {}),
        ("photos", "image-folder", {}),
        ("./photos", "image-folder", {}),
    ],
)
def test_a_path_is_read_by_the_loader_of_its_suffix(place, name, kind, options):
    data = load_dataset(name, **options)
    by_kind = load_dataset(kind, path=name, **options)
    below = load_dataset(name.removeprefix("./"), place.parent / place.name, **options)

    assert dataset_for_path(name) == kind
    for other in (by_kind, below):
        np.testing.assert_array_equal(data.X_train, other.X_train)
        np.testing.assert_array_equal(data.y_test, other.y_test)


@pytest.mark.parametrize("name", ["rows.csv", "photos/"])
def test_a_relative_path_is_looked_for_in_the_data_folder_too(place, name, monkeypatch):
    monkeypatch.chdir("/")
    options = {"target": "y"} if name == "rows.csv" else {}

    assert load_dataset(name, place, **options).name == name.removesuffix(".csv").strip("/")
    monkeypatch.setenv("DISTILLKIT_DATA", str(place))
    assert load_dataset(name, **options).name == name.removesuffix(".csv").strip("/")


def test_names_come_from_the_registry(place):
    data = load_dataset("iris")

    assert data.name == "iris"
    assert isinstance(data, Dataset)
    with pytest.raises(UnknownNameError, match=r"did you mean .*'iris'"):
        load_dataset("irris")


def test_a_folder_of_series_is_not_an_image_folder(place):
    (place / "Toy").mkdir()
    (place / "Toy" / "Toy_TRAIN.ts").write_text(TS, encoding="utf-8")

    assert dataset_for_path(place / "Toy") == "ts"
    assert load_dataset("Toy").modality == "series"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.CSV", "csv"),
        ("a.tsv", "csv"),
        ("a.csv.gz", "csv"),
        ("b/a.tar.gz", "image-tar"),
        ("a.tgz", "image-tar"),
        ("x.pq", "parquet"),
        ("gone/", "image-folder"),
    ],
)
def test_kinds_by_suffix_alone(path, kind):
    assert dataset_for_path(path) == kind
    if not path.endswith("/"):
        assert dataset_for_path(Path(path)) == kind


def test_paths_that_do_not_say_their_kind_are_errors(place):
    (place / "rows.json").write_bytes(b"")
    (place / "rows.xlsx").write_bytes(b"")

    (place / "rows.dat").write_bytes(b"")

    with pytest.raises(DatasetError, match=r"cannot tell from its suffix how to read .*rows.dat: known are .csv"):
        dataset_for_path(place / "rows.dat")
    with pytest.raises(DatasetError, match=r"rows.json is in a format that is not read: read it with pandas"):
        dataset_for_path(place / "rows.json")
    with pytest.raises(DatasetError, match=r"rows.xlsx is an Excel file, which is not read: save the sheet as CSV"):
        dataset_for_path(place / "rows.xlsx")
    with pytest.raises(DatasetNotFoundError, match="there is no file or folder gone"):
        dataset_for_path("gone")
    with pytest.raises(
        DatasetNotFoundError, match=r"there is no file or folder gone.csv \(looked at .*gone.csv, .*gone.csv\)"
    ):
        load_dataset("gone.csv", place, target="y")
    with pytest.raises(DatasetError, match="path=7 is not a path"):
        load_dataset("csv", path=7, target="y")


def test_options_are_checked(place):
    with pytest.raises(DatasetError, match=r"'seperator' is not an option .*did you mean 'separator'"):
        load_dataset("rows.csv", target="y", seperator=";")
    with pytest.raises(DatasetError, match=r"'size' is not an option .*it takes split"):
        load_dataset("iris", size=3)
    with pytest.raises(DatasetError, match=r"split=-1 must be the number of a split"):
        load_dataset("iris", split=-1)
    with pytest.raises(DatasetError, match="needs the option 'path'"):
        load_dataset("csv", target="y")
    with pytest.raises(DatasetError, match="'foo' is not an option"):
        revision_of(SPECS["csv"], None, {"path": "rows.csv", "foo": 1})


def test_data_root_is_the_environment_variable(monkeypatch):
    monkeypatch.setenv("DISTILLKIT_DATA", "~/somewhere")
    assert data_root() == Path.home() / "somewhere"
    for value in ("", "  "):
        monkeypatch.setenv("DISTILLKIT_DATA", value)
        assert data_root() is None
    monkeypatch.delenv("DISTILLKIT_DATA")
    assert data_root() is None


def test_without_a_data_folder_the_message_says_how_to_give_one(place):
    with pytest.raises(
        DatasetNotFoundError, match=r"adult is read from a data folder.*set DISTILLKIT_DATA or give --data-root"
    ):
        load_dataset("adult")


def test_a_files_fingerprint_is_its_content(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"rows")
    two.write_bytes(b"rows")
    os.utime(two, (0, 0))

    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one, two) != fingerprint(one)
    two.write_bytes(b"rowz")
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint(one, two) != fingerprint(two, one)
    with pytest.raises(DatasetError, match=r"cannot read .*gone"):
        fingerprint(tmp_path / "gone")


def test_a_folders_fingerprint_sees_names_sizes_and_times(place):
    before = fingerprint(place / "photos")
    assert fingerprint("photos") == before

    seen = {before}
    image = place / "photos" / "cat" / "0.png"
    os.utime(image, (1, 1))
    seen.add(fingerprint("photos"))
    image.rename(place / "photos" / "cat" / "9.png")
    seen.add(fingerprint("photos"))
    (place / "photos" / "dog" / "extra.png").write_bytes(b"")
    seen.add(fingerprint("photos"))
    assert len(seen) == 4


def test_revision_is_the_specs_own_and_the_content_of_the_files(place):
    assert revision_of(SPECS["iris"], None) == SPECS["iris"].revision

    options = {"path": "rows.csv", "target": "y"}
    first = revision_of(SPECS["csv"], None, options)
    assert first == f"{SPECS['csv'].revision}-{fingerprint('rows.csv')}"
    assert revision_of(SPECS["csv"], place, options | {"test_path": "rows.csv"}) != first
    with Path("rows.csv").open("a", encoding="utf-8") as file:
        file.write("1,2,0\n")
    assert revision_of(SPECS["csv"], None, options) != first
    with pytest.raises(DatasetNotFoundError):
        revision_of(SPECS["csv"], None, {"path": "gone.csv", "target": "y"})


def test_revision_of_named_files_and_of_published_sets(place):
    (place / "adult").mkdir()
    (place / "adult" / "adult.csv").write_text("x,income\n1,a\n2,b\n", encoding="utf-8")
    assert revision_of(SPECS["adult"], place) == f"{SPECS['adult'].revision}-{fingerprint('adult/adult.csv')}"

    with pytest.raises(DatasetNotFoundError, match="cifar10 is not in the data folder"):
        revision_of(SPECS["cifar10"], place)
    assert revision_of(SPECS["cifar10"], place, {"download": True}) == SPECS["cifar10"].revision
    (place / "cifar-10-batches-py").mkdir()
    assert revision_of(SPECS["cifar10"], place) == SPECS["cifar10"].revision


def test_revision_sees_the_test_series_beside_the_training_series(place):
    (place / "Toy_TRAIN.ts").write_text(TS, encoding="utf-8")
    alone = revision_of(SPECS["ts"], None, {"path": "Toy_TRAIN.ts"})
    (place / "Toy_TEST.ts").write_text(TS, encoding="utf-8")

    assert revision_of(SPECS["ts"], None, {"path": "Toy_TRAIN.ts"}) != alone


def test_revision_of_a_plugins_plain_function_sees_its_paths(place):
    def load(root, path=None):
        raise AssertionError("the rows are not needed")

    spec = DatasetSpec(name="mine", target=load, task="classification", modality="table", revision="7")

    assert revision_of(spec, None) == "7"
    assert revision_of(spec, None, {"path": "rows.npz"}) == f"7-{fingerprint('rows.npz')}"


def test_every_spec_has_a_loader_and_says_what_a_listing_shows():
    assert list(SPECS) == [
        "digits",
        "wine",
        "breast-cancer",
        "iris",
        "diabetes",
        "mnist",
        "fashion-mnist",
        "cifar10",
        "cifar100",
        "svhn",
        "eurosat",
        "cifar10-jpeg",
        "adult",
        "gunpoint",
        "italypowerdemand",
        "basicmotions",
        "covid3month",
        "csv",
        "parquet",
        "npz",
        "ts",
        "image-folder",
        "image-tar",
    ]
    for spec in SPECS.values():
        found = spec.load()
        assert isinstance(found, Loader), spec.name
        assert (found.__doc__ or "").startswith("Load"), spec.name
        assert spec.missing() == [], spec.name
        assert spec.task in ("classification", "regression", "auto")
        assert spec.modality in ("table", "series", "image", "auto")
        assert not spec.needs_root or spec.get.endswith("."), spec.name


@pytest.mark.parametrize("name", ["digits", "wine", "breast-cancer", "iris", "diabetes"])
def test_specs_tell_the_truth_about_shipped_data(name):
    data = load_dataset(name)

    assert (data.name, data.task, data.modality) == (name, SPECS[name].task, SPECS[name].modality)


def test_listing_the_datasets_imports_nothing_heavy():
    code = (
        "import sys, distillkit.datasets; from distillkit.datasets._specs import dataset_specs; dataset_specs();"
        "print([name for name in ('numpy', 'pandas', 'sklearn', 'torch', 'PIL') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_loading_other_data_than_torchvisions_does_not_import_torch():
    code = (
        "import sys; from distillkit.datasets import load_dataset; load_dataset('wine');"
        "from distillkit.datasets._specs import dataset_specs; [spec.load() for spec in dataset_specs()];"
        "print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_public_names():
    assert set(datasets.__all__) <= set(dir(datasets))
    for name in datasets.__all__:
        assert getattr(datasets, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'load_datasets'"):
        datasets.load_datasets  # noqa: B018


def test_a_third_partys_loader_gets_the_same_checks():
    @loader()
    def load_coin(root, n=4):
        """Load coins."""
        X = np.zeros((n, 1), dtype=np.float32)
        return Dataset("coin", "classification", "table", X, np.arange(n) % 2, X, np.arange(n) % 2)

    assert len(load_coin(None, n=6).X_train) == 6
    assert load_coin.__doc__ == "Load coins."
    assert load_coin.files(None) == []
    with pytest.raises(DatasetError, match=r"'m' is not an option of this dataset \(load_coin\)"):
        load_coin(m=3)
