"""Bytes of training sets and distilled sets, in the unit in which the data are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillkit.bench.execution import _jobs
from distillkit.bench.execution._prepared_data import store_prepared
from distillkit.bench.execution._sizes import training_bytes
from distillkit.datasets import Dataset


def images(dtype: Any = np.uint8, **more: Any) -> Dataset:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (24, 1, 8, 8)).astype(dtype), np.arange(24) % 2
    return Dataset(
        name="tiny", task="classification", modality="image", classes=("a", "b"),
        X_train=X[:20], y_train=y[:20], X_test=X[20:], y_test=y[20:], **more,
    )  # fmt: skip


def record(dataset: Dataset, folder: Path, method: str, **params: Any) -> dict[str, Any]:
    store_prepared(dataset, folder / "data")
    return _jobs.distil(
        data=str(folder / "data"), method=method, params=params, task="classification", budget=3, seed=0,
        artefact=str(folder / "set.safetensors"), metrics=[],
    )  # fmt: skip


LABEL = 8  # bytes of one int64


def test_images_count_in_the_type_in_which_they_are_stored(tmp_path: Path) -> None:
    """60,000 images of 28 x 28 bytes are 47 MB, not the 188 MB of the floats that methods compute with."""
    store_prepared(images(), tmp_path / "data")
    assert training_bytes(tmp_path / "data") == 20 * (64 + LABEL)
    assert _jobs.load_prepared(tmp_path / "data", "train").X_train.nbytes == 20 * 64 * 4


@pytest.mark.parametrize(("dtype", "size"), [(np.uint8, 1), (np.float32, 4), (np.float64, 8)])
def test_picked_rows_count_as_the_training_rows_do(dtype: Any, size: int, tmp_path: Path) -> None:
    found = record(images(dtype), tmp_path, "random")
    assert (found["bytes"], found["bytes_seen"]) == (6 * (64 * size + LABEL), 20 * (64 * size + LABEL))
    whole = record(images(dtype), tmp_path / "whole", "whole")
    assert whole["bytes"] == whole["bytes_seen"] == found["bytes_seen"]


def test_made_rows_count_as_the_numbers_that_they_are(tmp_path: Path) -> None:
    found = record(images(), tmp_path, "kmeans")
    weights = 6 * 8  # those of clusters differ
    assert found["bytes"] == 6 * (64 * 4 + LABEL) + weights
    assert found["bytes_seen"] == 20 * (64 + LABEL)


def test_weights_of_the_training_rows_count(tmp_path: Path) -> None:
    store_prepared(images(weight_train=np.linspace(1, 2, 20)), tmp_path / "data")
    assert training_bytes(tmp_path / "data") == 20 * (64 + LABEL + 8)


def test_soft_labels_count_in_place_of_labels(tmp_path: Path) -> None:
    found = record(images(), tmp_path, "soft-random")
    probabilities = 2 * 8  # two classes in float64
    assert found["bytes"] == 6 * (64 + probabilities)
