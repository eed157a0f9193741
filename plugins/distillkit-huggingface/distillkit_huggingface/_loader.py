"""Loading of a dataset that the library `datasets` has saved to disk."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from distillkit.datasets import Dataset, load_dataset, loader
from distillkit.exceptions import DatasetError, DatasetNotFoundError

__all__ = ["load_huggingface"]


def _folder(root: Path | None, path: str) -> Path:
    """Return the folder of a dataset, searched in the working directory and the data folder."""
    given = Path(path).expanduser()
    places = [given] if given.is_absolute() or root is None else [given, Path(root) / given]
    for place in places:
        if place.is_dir():
            return place
    raise DatasetNotFoundError(
        f"there is no folder {path!r}: save the dataset with save_to_disk({path!r}) of the package datasets first."
    )


def _files(root: Path | None, path: str, **_: Any) -> list[Path]:
    return [file for file in sorted(_folder(root, path).rglob("*")) if file.is_file()]


def _own_test(root: Path | None, path: str, train: str = "train", test: str | None = "test", **_: Any) -> bool:
    parts = _parts(_folder(root, path))
    return test is not None and test in parts and train in parts


@loader(_files, _own_test)
def load_huggingface(
    root: Path | None,
    path: str,
    target: str = "label",
    train: str = "train",
    test: str | None = "test",
    task: str = "auto",
    drop: str | list[str] | tuple[str, ...] = (),
    split: int = 0,
) -> Dataset:
    """Load a dataset that ``save_to_disk`` of the package `datasets` has written.

    Nothing is downloaded. A dataset whose columns, apart from the target, are one column of images
    or arrays becomes images or series; any other becomes a table, with the columns that hold one
    number, truth value, text or date for each row.

    Parameters
    ----------
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in it.
    path : str
        The folder.
    target : str, default="label"
        Name of the column to predict. Names of classes (`ClassLabel`) are kept.
    train, test : str
        Names of the parts with the training and the test rows, if the folder holds several. Where
        `test` is None or there is no such part, a quarter of the training rows is held out.
    task : {"auto", "classification", "regression"}
        As for CSV files.
    drop : str or list of str
        Columns to leave out.
    split : int
        Number of the split, which chooses the rows that are held out.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetNotFoundError
        If there is no such folder.
    DatasetError
        If it holds no dataset, no such part or column, images of different sizes, or a column of
        lists or structures.
    """
    from distillkit_huggingface._arrays import array_column, write_arrays
    from distillkit_huggingface._tables import write_table

    folder = _folder(root, path)
    parts = _parts(folder)
    chosen = {"train": _part(parts, train, folder)}
    if test is not None and test in parts:
        chosen["test"] = parts[test]
    dropped = [drop] if isinstance(drop, str) else list(drop)
    chosen = {name: _narrowed(part, target, dropped, folder) for name, part in chosen.items()}
    with tempfile.TemporaryDirectory(prefix="distillkit-") as temporary:
        # The rows take the way of the corresponding files, so that they are prepared alike.
        place = Path(temporary)
        if column := array_column(chosen["train"], target):
            file = write_arrays(chosen, column, target, place)
            loaded = load_dataset(file, task=task, split=split)
        else:
            files = {name: write_table(part, target, place / f"{name}.parquet") for name, part in chosen.items()}
            options = {"test_path": str(files["test"])} if "test" in files else {}
            loaded = load_dataset(files["train"], target=target, task=task, split=split, **options)
    # Neither the name nor a note may tell of the temporary file.
    preparation = loaded.preparation.replace(f"{place}/", "")
    return replace(loaded, name=folder.name, preparation=preparation)


def _parts(folder: Path) -> dict[str, Any]:
    """Return the parts of a saved dataset by name; one that has no parts is called "train"."""
    from datasets import DatasetDict, load_from_disk

    try:
        saved = load_from_disk(str(folder))
    except Exception as exc:
        raise DatasetError(
            f"{folder} holds no dataset that save_to_disk of the package datasets has written: "
            f"{' '.join(str(exc).split())}"
        ) from exc
    return dict(saved) if isinstance(saved, DatasetDict) else {"train": saved}


def _part(parts: dict[str, Any], name: str, folder: Path) -> Any:
    if name in parts:
        return parts[name]
    if len(parts) == 1:
        return next(iter(parts.values()))
    raise DatasetError(f"{folder} has no part {name!r}: give train = one of {', '.join(parts)}.")


def _narrowed(part: Any, target: str, dropped: list[str], folder: Path) -> Any:
    """Return a part without the columns to leave out, as it was saved, without a format."""
    names = part.column_names
    for name in (target, *dropped):
        if name not in names:
            raise DatasetError(f"{folder} has no column {name!r}: its columns are {', '.join(names)}.")
    if target in dropped:
        raise DatasetError(f"drop names {target!r}, which is the target: leave it out of drop.")
    return part.with_format(None).remove_columns(dropped)
