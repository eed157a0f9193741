from __future__ import annotations

import numpy as np
import pytest

from distillkit.datasets._targets import holdout, make_targets
from distillkit.exceptions import DatasetError


@pytest.mark.parametrize("seed", range(10))
def test_holdout_divides_the_rows_in_the_classes_shares(seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(6), rng.integers(4, 60, size=6)))

    train, test = holdout("data", y, "classification")

    assert sorted([*train, *test]) == list(range(len(y)))
    assert abs(len(test) - len(y) / 4) <= 0.5
    for code, count in enumerate(np.bincount(y)):
        assert abs(np.count_nonzero(y[test] == code) - count / 4) < 1
        assert np.count_nonzero(y[train] == code) >= 1


def test_holdout_is_always_the_same_and_not_the_first_rows():
    y = np.repeat([0, 1], 40)

    first, again = holdout("data", y, "classification")[1], holdout("data", y, "classification")[1]

    np.testing.assert_array_equal(first, again)
    assert first.tolist() != [*range(10), *range(40, 50)]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 17, 200])
def test_regression_holdout_takes_one_row_of_each_run_of_the_sorted_target(n):
    y = np.random.default_rng(n).normal(size=n)

    train, test = holdout("data", y, "regression")

    assert sorted([*train, *test]) == list(range(n))
    runs = np.array_split(np.sort(y), max(1, round(n / 4 + 1e-9)))
    assert len(runs) == len(test)
    for run, value in zip(runs, np.sort(y[test]), strict=True):
        assert run[0] <= value <= run[-1]


def test_the_only_row_of_a_class_stays_in_training_and_the_note_says_so():
    y = np.array(["a"] * 8 + ["b"] * 8 + ["lonely"])

    targets = make_targets("data", y)

    assert targets.classes == ("a", "b", "lonely")
    assert 16 in targets.train
    assert "only row of class lonely stays in training" in targets.note


def test_no_note_on_lone_classes_where_there_are_none():
    assert "only row" not in make_targets("data", np.array(list("aabb"))).note


@pytest.mark.parametrize("y", [np.array(["a", "b", "c"]), np.array([0.5])])
def test_rows_that_cannot_be_spared_are_an_error(y):
    with pytest.raises(DatasetError, match=r"no test rows can be held out: give more rows, or test rows of their own"):
        make_targets("data", y)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([10, 9, 2, 10, 9, 2]), ("2", "9", "10")),
        (np.array(["10", "9", "2", "10", "9", "2"]), ("2", "9", "10")),
        (np.array([1.0, 0.0, 1.0, 0.0]), ("0", "1")),
        (np.array([True, False, True, False]), ("False", "True")),
        (np.array(["b", "10", "9", "b", "10", "9"]), ("10", "9", "b")),
        (np.array(["nan", "1", "nan", "1"]), ("1", "nan")),
        (np.array([" a", "a ", "b", "b"], dtype=object), (" a", "a ", "b")),  # readers strip, arrays do not
    ],
)
def test_classes_are_sorted_names_and_codes_their_positions(y, classes):
    targets = make_targets("data", y, y)

    assert targets.task == "classification"
    assert targets.classes == classes
    assert targets.y_train.dtype == np.int64
    back = [classes[code] for code in targets.y_train]
    expected = [str(int(value)) if isinstance(value, float) else str(value) for value in y.tolist()]
    assert back == expected


def test_held_out_labels_are_those_of_the_rows():
    y = np.random.default_rng(0).choice(["x", "y", "z"], size=50)

    targets = make_targets("data", y)

    assert [targets.classes[code] for code in targets.y_train] == y[targets.train].tolist()
    assert [targets.classes[code] for code in targets.y_test] == y[targets.test].tolist()


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.arange(30.0) % 3, "classification"),
        (np.arange(30.0), "regression"),
        (np.arange(30) % 3 + 0.5, "regression"),
        (np.arange(30), "regression"),
        (np.arange(20), "classification"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_task_follows_the_values_unless_given(y, task):
    assert make_targets("data", y, y).task == task
    assert make_targets("data", y, y, task="regression").y_train.tolist() == y.tolist()
    assert make_targets("data", y, y, task="classification").task == "classification"


def test_a_test_class_without_training_rows_is_named():
    with pytest.raises(DatasetError, match=r"classes that no training row has \('bird', 'fish'\)"):
        make_targets("data", np.array(["cat", "dog"]), np.array(["fish", "cat", "bird"]))


def test_one_class_only_is_an_error():
    with pytest.raises(DatasetError, match="all rows have the class 'a', but classification needs at least two"):
        make_targets("data", np.array(["a", "a", "a"]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("task", ["auto", "classification", "regression"])
def test_missing_targets_are_an_error(value, task):
    with pytest.raises(DatasetError, match="1 targets are not finite numbers"):
        make_targets("data", np.array([1.0, 2.0, value]), task=task)


def test_text_cannot_be_a_regression_target():
    with pytest.raises(DatasetError, match="needs numbers as target, but found text"):
        make_targets("data", np.array(["a", "b"]), task="regression")


def test_an_unknown_task_and_no_rows_are_errors():
    with pytest.raises(DatasetError, match="task='sort' is not known"):
        make_targets("data", np.array([0, 1]), task="sort")
    with pytest.raises(DatasetError, match="data has no rows"):
        make_targets("data", np.array([]))


@pytest.mark.parametrize(
    ("y", "task", "note"),
    [
        (np.arange(30), "auto", "regression, 30 different values; task = 'classification' otherwise"),
        (np.arange(30.0) % 3, "auto", "classification, 3 different values; task = 'regression' otherwise"),
        (np.arange(30), "regression", ""),
        (np.arange(30) % 2, "auto", ""),
        (np.arange(30) / 4 + 0.1, "auto", ""),
        (np.array(["a", "b"] * 15), "auto", ""),
    ],
)
def test_an_inferred_task_that_leaves_a_doubt_is_said(y, task, note):
    assert make_targets("data", y, task=task).task_note == note
