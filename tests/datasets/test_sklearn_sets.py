from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets as shipped
from sklearn.preprocessing import StandardScaler

from distillkit.datasets import _sklearn as ours
from distillkit.datasets._targets import holdout

TABLES = {
    "wine": shipped.load_wine(),
    "breast_cancer": shipped.load_breast_cancer(),
    "iris": shipped.load_iris(),
    "diabetes": shipped.load_diabetes(scaled=False),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_the_rows_standardized_with_the_training_rows(name):
    raw, task = TABLES[name], "regression" if name == "diabetes" else "classification"

    data = getattr(ours, f"load_{name}")()

    train, test = holdout(name, raw.target if task == "classification" else raw.target.astype(float), task)
    scaler = StandardScaler().fit(raw.data[train])
    np.testing.assert_allclose(data.X_train, scaler.transform(raw.data[train]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.X_test, scaler.transform(raw.data[test]), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(data.y_train, raw.target[train])
    np.testing.assert_array_equal(data.y_test, raw.target[test])
    assert (data.task, data.modality, data.X_train.dtype) == (task, "table", np.float32)
    assert data.y_train.dtype == (np.int64 if task == "classification" else np.float64)
    assert list(data.feature_names) == list(raw.feature_names)
    assert data.classes == (tuple(raw.target_names) if task == "classification" else ())
    assert "25 %" in data.preparation


def test_digits_are_all_images_between_0_and_1():
    raw = shipped.load_digits()

    data = ours.load_digits()

    assert (data.task, data.modality, data.X_train.dtype) == ("classification", "image", np.float32)
    assert data.X_train.shape[1:] == (1, 8, 8)
    train, test = holdout("digits", raw.target, "classification")
    np.testing.assert_array_equal(data.X_train[:, 0] * 16, raw.images[train])
    np.testing.assert_array_equal(data.X_test[:, 0] * 16, raw.images[test])
    assert data.X_train.max() == 1
    assert [int(data.classes[code]) for code in data.y_test] == raw.target[test].tolist()
