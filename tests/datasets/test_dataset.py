from __future__ import annotations

import numpy as np
import pytest

from distillkit.datasets import Dataset
from distillkit.exceptions import DatasetError

X, Y = np.zeros((3, 2), np.float32), np.array([0, 1, 0])


def make(**changes):
    fields = {
        "name": "toy",
        "task": "classification",
        "modality": "table",
        "X_train": X,
        "y_train": Y,
        "X_test": X,
        "y_test": Y,
    }
    return Dataset(**(fields | changes))


@pytest.mark.parametrize("part", ["train", "test"])
def test_rows_and_labels_must_be_there_and_match(part):
    with pytest.raises(DatasetError, match=f"toy: 3 {part} rows with 2 labels"):
        make(**{f"y_{part}": Y[:2]})
    with pytest.raises(DatasetError, match=f"toy: 0 {part} rows"):
        make(**{f"X_{part}": X[:0], f"y_{part}": Y[:0]})


def test_training_and_test_rows_must_have_one_shape():
    with pytest.raises(DatasetError, match=r"training rows have shape \(2,\), test rows \(1,\)"):
        make(X_test=X[:, :1])


def test_as_float_turns_bytes_into_shares_and_leaves_the_rest():
    pixels = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    data = make(X_train=pixels, X_test=pixels, modality="image", classes=("a", "b"))

    floats = data.as_float()

    np.testing.assert_allclose(floats.X_train.ravel(), [0, 0.2, 1])
    assert floats.X_train.dtype == floats.X_test.dtype == np.float32
    assert floats.classes == ("a", "b")
    table = make()
    assert table.as_float() is table
