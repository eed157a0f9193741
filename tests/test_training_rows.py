"""What the base decides about y, how it groups rows, and the clock of a fit."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris

from distillkit import Budget
from distillkit.base._training_rows import Run, group_rows
from distillkit.exceptions import BudgetError, DataError
from distillkit.utils._json import to_jsonable
from distillkit.utils._targets import infer_task, one_column


def test_real_targets_are_told_apart():
    assert infer_task(load_digits().target) == "classification"
    assert infer_task(load_iris().target.astype(float)) == "classification"
    assert infer_task(load_diabetes().target) == "regression"  # whole numbers, kept as floats


@pytest.mark.parametrize("n", [3, 10, 20, 50, 200])
def test_a_part_of_whole_numbered_measurements_stays_regression(n):
    y = np.unique(load_diabetes().target)[:n]
    assert infer_task(y) == "regression"


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (["b", "a"], "classification"),
        ([True, False], "classification"),
        (np.arange(500), "regression"),  # integers follow the rule of floats
        (np.arange(20), "classification"),  # labels that count on, in one row each
        ([25, 31, 39], "regression"),
        ([25.0, 31.0, 39.0], "regression"),
        ([0, 1, 2], "classification"),
        (np.tile(np.arange(21), 3), "regression"),
        (np.tile(np.arange(50), 20), "classification"),
        (np.array([-(2**63), 2**63 - 1, 0]), "regression"),
        ([0.0, 1.0], "classification"),
        ([0.0, 1.0, 2.0] * 4, "classification"),
        ([-1.0, 1.0] * 4, "classification"),
        ([3.0], "classification"),
        ([0.0, 0.5], "regression"),
        (np.tile(np.arange(21.0), 3), "regression"),
        (np.tile(np.arange(20.0), 3), "classification"),
        (np.tile(np.arange(50.0), 20), "classification"),  # 50 classes with 20 rows each
    ],
)
def test_labels_and_numbers_are_told_apart(y, task):
    assert infer_task(np.array(y)) == task


@pytest.mark.parametrize(
    "y", [np.zeros((4, 2)), np.zeros((4, 1, 1)), np.array(["a", 1], object), np.array([1, None], object)]
)
def test_what_is_no_column_of_labels_is_refused(y):
    with pytest.raises(DataError, match=r"1d array|holds values of type"):
        one_column(y)


def test_numbers_kept_as_objects_become_numbers_and_text_stays():
    assert one_column(np.array([2, 1], object)).dtype == np.int64
    assert one_column(np.array([0.5, 1], object)).dtype == np.float64
    assert one_column(np.array([True, False], object)).dtype == bool
    assert one_column(np.array(["a", "b"], object)).dtype == object


def test_groups_partition_the_rows_in_the_order_of_the_labels():
    rng = np.random.RandomState(0)
    y = rng.choice(np.array(list("bdac")), 50)
    groups = group_rows(y, 50, "classification", Budget(0.3))
    assert [group.label for group in groups] == ["a", "b", "c", "d"]
    for group in groups:
        np.testing.assert_array_equal(group.rows, np.flatnonzero(y == group.label))
    assert sum(group.size for group in groups) == 15


@pytest.mark.parametrize("y", [None, np.arange(9.0)])
def test_without_classes_all_rows_are_one_group(y):
    (group,) = group_rows(y, 9, None if y is None else "regression", Budget(4))
    assert (group.label, group.size) == (None, 4)
    np.testing.assert_array_equal(group.rows, np.arange(9))


def test_without_a_budget_every_group_has_size_one():
    assert [group.size for group in group_rows(np.array([0, 0, 1]), 3, "classification", None)] == [1, 1]
    assert [group.size for group in group_rows(None, 3, None, None)] == [1]


def test_a_class_without_enough_rows_is_named():
    with pytest.raises(BudgetError, match="class 'b', which has 1 sample"):
        group_rows(np.array(["a", "a", "b"]), 3, "classification", Budget(2))


def test_the_clock_says_what_ended_the_fit(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    run = Run(max_seconds=5, started=100.0)
    now[0] = 104.9
    assert not run.out_of_time()
    assert not run.out_of_time(0.05)
    assert run.stopped_by is None
    now[0] = 105.0
    assert run.out_of_time()
    assert run.stopped_by == "max_seconds"
    assert run.seconds == 5.0
    assert not Run(started=0.0).out_of_time()
    assert not Run(started=0.0).out_of_time(1e9)
    early = Run(max_seconds=5, started=100.0)
    now[0] = 103.0
    assert not early.out_of_time(1.5)
    assert early.out_of_time(2.0)
    assert early.stopped_by == "max_seconds"


def test_seeds_fit_int32_and_follow_the_random_state():
    first, again, other = (Run(random_state=seed) for seed in (3, 3, 4))
    seeds = [first.seed() for _ in range(50)]
    assert seeds == [again.seed() for _ in range(50)]
    assert seeds != [other.seed() for _ in range(50)]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_recorded_steps_can_be_written_as_json():
    run = Run()
    run.record(step=np.int64(3), loss=np.float32(0.5), label=np.str_("a"), sizes=np.arange(2), ok=np.bool_(1))
    step = json.loads(json.dumps(run.history))[0]
    assert step.pop("seconds") >= 0
    assert step == {"step": 3, "loss": 0.5, "label": "a", "sizes": [0, 1], "ok": True}


def test_parameters_become_plain_values_without_addresses():
    values = {"a": (1, None), 2: {"b": np.float64(0.5)}, "state": np.random.RandomState(0), "other": {1}}
    assert to_jsonable(values) == {"a": [1, None], "2": {"b": 0.5}, "state": "RandomState", "other": "{1}"}
