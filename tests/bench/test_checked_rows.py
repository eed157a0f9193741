"""Rows and predictions of plugins that cannot be right end as failures that say why."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from distillkit.bench.evaluation._checks import checked_predictions, checked_rows
from distillkit.datasets import load_dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.utils._preprocessing import Preprocessing

IRIS = load_dataset("iris")
ROWS, LABELS = IRIS.X_train[:4], IRIS.y_train[:4]
HOLES = np.where(np.eye(4) == 1, np.nan, ROWS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": HOLES}, "the distilled rows hold 4 values that are NaN or infinite"),
        ({"X": np.full((4, 4), np.inf)}, "hold 16 values that are NaN or infinite"),
        ({"X": ROWS[:, :3]}, r"the distilled rows have the shape \(3,\), the training rows \(4,\)"),
        ({"X": ROWS[:, None]}, r"the shape \(1, 4\), the training rows \(4,\)"),
        ({"X": ROWS.astype(str)}, "the distilled rows are of type <U32, not numbers"),
        ({"X": ROWS.astype(object)}, "the distilled rows are of type object, not numbers"),
        ({"y": np.array([0, 1, 2, 7])}, "the labels of the distilled rows are not those of the training rows: 7"),
        ({"y": np.array([0, 1, 2, np.nan])}, "not those of the training rows: nan"),
        ({"y": np.array(list("abca"))}, "not those of the training rows: 'a', 'b', 'c'"),
        ({"classes": np.array([0, 1, 5])}, "the classes of the distilled rows are not those of the training rows: 5"),
        ({"y": None}, "which is no DistilledSet with rows and targets"),
        ({"X": ROWS[:0], "y": LABELS[:0]}, "which is no DistilledSet with rows and targets"),
        ({"sample_weight": np.array([1, 1, 1, np.nan])}, "the weights of the distilled rows hold 1 values"),
        ({"sample_weight": np.array([1, 1, 1, -1.0])}, "negative, or all zero"),
        ({"sample_weight": np.zeros(4)}, "negative, or all zero"),
        ({"soft_labels": np.full((4, 3), np.nan)}, "the soft labels of the distilled rows hold 12 values"),
        ({"preprocessing": Preprocessing.standardize(IRIS.X_train), "X": ROWS[:, :2]}, r"the training rows \(4,\)"),
    ],
)
def test_rows_that_cannot_be_right_are_refused(changed, message):
    with pytest.raises(DataError, match=message):
        checked_rows(DistilledSet(**({"X": ROWS, "y": LABELS} | changed)), IRIS)


@pytest.mark.parametrize("left", [None, "rows", ROWS, {"X": ROWS}])
def test_what_is_no_distilled_set_is_refused(left):
    with pytest.raises(DataError, match="which is no DistilledSet"):
        checked_rows(left, IRIS)


def test_targets_that_are_not_finite_are_refused():
    targets = dataclasses.replace(IRIS, task="regression", y_train=IRIS.y_train.astype(float))
    with pytest.raises(DataError, match="the targets of the distilled rows hold 1 values"):
        checked_rows(DistilledSet(ROWS, np.array([0.5, 1.5, 2.5, np.inf])), targets)
    checked_rows(DistilledSet(ROWS, np.array([0.5, 1.5, 2.5, 99.0])), targets)


def test_rows_that_can_be_right_pass():
    small = DistilledSet(ROWS.astype(np.float64), LABELS.astype(float), classes=np.arange(3))
    assert checked_rows(small, IRIS) is small


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        (np.zeros(7), r"the predictions have the shape \(7,\) for 8 test rows, not \(8,\)"),
        (np.zeros((8, 1)), r"the shape \(8, 1\) for 8 test rows"),
        (3, r"the shape \(\) for 8 test rows"),
        ([0.0] * 7 + [np.nan], "the predictions hold 1 values that are NaN or infinite"),
    ],
)
def test_predictions_that_cannot_be_right_are_refused(predictions, message):
    with pytest.raises(DataError, match=message):
        checked_predictions(predictions, 8)


def test_predictions_that_can_be_right_pass():
    assert checked_predictions(["a", "b"], 2).tolist() == ["a", "b"]


def test_wrong_rows_of_a_plugin_are_a_failed_row_and_others_go_on(trouble, tmp_path, plan_for, do):
    rows = do(plan_for('["wrong-rows", "first"]'), tmp_path)
    assert [(row["method"], row["status"], row["phase"]) for row in rows] == [
        ("wrong-rows", "failed", "distil"),
        ("first", "ok", None),
    ]
    assert rows[0]["error"] == "DataError: the distilled rows have the shape (2,), the training rows (3,)."
