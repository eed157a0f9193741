"""Datasets for the bench, loaded by name or from a file or folder.

Public names are imported on first use, so that listing the datasets loads neither pandas nor
scikit-learn nor torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.datasets._dataset import Dataset as Dataset
    from distillkit.datasets._load import load_dataset as load_dataset
    from distillkit.datasets._loader import Loader as Loader
    from distillkit.datasets._loader import loader as loader
    from distillkit.datasets._paths import data_root as data_root
    from distillkit.datasets._paths import dataset_for_path as dataset_for_path
    from distillkit.datasets._revision import fingerprint as fingerprint
    from distillkit.datasets._revision import revision_of as revision_of
    from distillkit.datasets._rows import load_rows as load_rows

_HOMES = {
    "Dataset": "_dataset",
    "Loader": "_loader",
    "data_root": "_paths",
    "dataset_for_path": "_paths",
    "fingerprint": "_revision",
    "load_dataset": "_load",
    "load_rows": "_rows",
    "loader": "_loader",
    "revision_of": "_revision",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (a list of strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
