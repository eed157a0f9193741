"""The specifications of the built-in datasets, which import none of the loaders."""

from __future__ import annotations

from typing import Any

from distillkit.specs import DatasetSpec

__all__ = ["dataset_specs"]

_HERE = "distillkit.datasets."
_CC_BY = "CC BY 4.0"


def _shipped(
    name: str, summary: str, task: str = "classification", modality: str = "table", **extra: Any
) -> DatasetSpec:
    target = f"{_HERE}_sklearn:load_{name.replace('-', '_')}"
    return DatasetSpec(
        name=name, target=target, summary=summary, task=task, modality=modality, requires=("sklearn",), **extra
    )


def _torchvision(name: str, summary: str, layout: str, **extra: Any) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        target=f"{_HERE}_torchvision:load_{name.replace('-', '_')}",
        summary=summary,
        task="classification",
        modality="image",
        needs_root=True,
        requires=("torchvision",),
        get=f"Put it as {layout} into the data folder, or give download = true (--download).",
        **extra,
    )


def _archived(folder: str, summary: str, task: str = "classification", **extra: Any) -> DatasetSpec:
    return DatasetSpec(
        name=folder.lower(),
        target=f"{_HERE}_series:load_{folder.lower()}",
        summary=summary,
        task=task,
        modality="series",
        needs_root=True,
        get=f"Put {folder}_TRAIN.ts and {folder}_TEST.ts into ucr/{folder} of the data folder.",
        **extra,
    )


def _path(
    name: str,
    target: str,
    summary: str,
    task: str,
    modality: str,
    requires: tuple[str, ...] = (),
    revision: str = "1",
) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        target=_HERE + target,
        summary=summary,
        task=task,
        modality=modality,
        requires=requires,
        revision=revision,
        get="Give the option path.",
    )


def dataset_specs() -> list[DatasetSpec]:
    """Return the specifications of all built-in datasets.

    The order is: datasets of scikit-learn, named datasets in the data folder, and the loaders of
    files and folders.
    """
    return [
        _shipped("digits", "1,797 handwritten digits, 8 x 8 gray, 10 classes", modality="image", license=_CC_BY),
        _shipped("wine", "178 wines by 13 measurements, 3 classes", license=_CC_BY),
        _shipped("breast-cancer", "569 tumors by 30 measurements, 2 classes", license=_CC_BY),
        _shipped("iris", "150 flowers by 4 measurements, 3 classes", license=_CC_BY),
        _shipped("diabetes", "442 patients by 10 measurements, progress of the disease", task="regression"),
        _torchvision("mnist", "Handwritten digits, 28 x 28 gray, 60,000 + 10,000, 10 classes", "MNIST/raw"),
        _torchvision(
            "fashion-mnist", "Clothes, 28 x 28 gray, 60,000 + 10,000, 10 classes", "FashionMNIST/raw", license="MIT"
        ),
        _torchvision("cifar10", "Objects, 32 x 32 RGB, 50,000 + 10,000, 10 classes", "cifar-10-batches-py"),
        _torchvision("cifar100", "Objects, 32 x 32 RGB, 50,000 + 10,000, 100 classes", "cifar-100-python"),
        _torchvision(
            "svhn",
            "House numbers, 32 x 32 RGB, 73,257 + 26,032, 10 classes",
            "train_32x32.mat and test_32x32.mat",
            license="non-commercial use only",
        ),
        _torchvision("eurosat", "Land use from space, 64 x 64 RGB, 27,000, 10 classes", "eurosat/2750", license="MIT"),
        DatasetSpec(
            name="cifar10-jpeg",
            target=f"{_HERE}_images:load_cifar10_jpeg",
            summary="CIFAR-10 as JPEG, so near to the original, not equal, 50,000 + 10,000, 10 classes",
            task="classification",
            modality="image",
            needs_root=True,
            requires=("PIL",),
            get=(
                "Put train.tar and test.tar (train/CLASS/NAME.jpg, test/CLASS/NAME.jpg) into cifar10-jpeg of the data "
                "folder."
            ),
        ),
        DatasetSpec(
            name="adult",
            target=f"{_HERE}_table:load_adult",
            summary="Census: income over 50,000 or not, numbers and text in 14 columns, 32,561 rows",
            task="classification",
            modality="table",
            needs_root=True,
            requires=("pandas",),
            get="Put the UCI Adult table with a header line as adult/adult.csv into the data folder.",
            license=_CC_BY,
            revision="3",
        ),
        _archived("GunPoint", "Motions of a hand, 1 channel, length 150, 50 + 150, 2 classes"),
        _archived("ItalyPowerDemand", "Power over a day, 1 channel, length 24, 67 + 1,029, 2 classes"),
        _archived("BasicMotions", "Wrist sensors, 6 channels, length 100, 40 + 40, 4 classes"),
        _archived(
            "Covid3Month", "Cases of 84 days, 140 + 61, death rate of a country", task="regression", license=_CC_BY
        ),
        _path("csv", "_table:load_csv", "A CSV file: path, target", "auto", "table", ("pandas", "pyarrow"), "5"),
        _path(
            "parquet",
            "_table:load_parquet",
            "A Parquet file: path, target",
            "auto",
            "table",
            ("pandas", "pyarrow"),
            "5",
        ),
        _path("npz", "_npz:load_npz", "Arrays X and y in an .npz file: path", "auto", "auto", revision="3"),
        _path("ts", "_series:load_ts", "Time series in .ts files: path", "auto", "series"),
        _path(
            "image-folder",
            "_images:load_image_folder",
            "Images in one folder per class: path",
            "classification",
            "image",
            ("PIL",),
        ),
        _path(
            "image-tar",
            "_images:load_image_tar",
            "The same in a tar archive: path",
            "classification",
            "image",
            ("PIL",),
        ),
    ]
