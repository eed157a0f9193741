"""Histories as data: what is kept of one, and what it is drawn against."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from distillkit.plotting._history_data import (
    clean_history,
    column,
    is_time_series,
    series_names,
    stored_history,
    thinned,
    x_axis,
)


def fitted(history):
    return SimpleNamespace(history_=history)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 199, 200, 201, 399, 12_345])
@pytest.mark.parametrize("most", [2, 5, 200])
def test_thinning_keeps_the_ends_and_spreads_the_rest_evenly(n, most):
    kept = thinned(range(n), most)
    assert len(kept) == min(n, most)
    assert (kept[0], kept[-1]) == (0, n - 1)
    gaps = np.diff(kept)
    assert n == 1 or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)


def test_a_history_of_plain_numbers_is_kept_as_it_is():
    history = [{"iteration": i, "loss": 1 / (i + 1), "label": "a", "complete": True, "note": None} for i in range(200)]
    assert stored_history(fitted(history)) == history
    assert len(stored_history(fitted(history), most=7)) == 7


def test_numbers_of_numpy_and_torch_become_plain_and_what_is_not_finite_is_null():
    step = {
        "a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(1), "d": torch.tensor(0.25, requires_grad=True), "e": np.array([7]),
        "f": float("nan"), "g": np.inf, "h": -float("inf"), "i": np.str_("x"), "j": 10**400, 5: 1.5,
    }  # fmt: skip
    (kept,) = stored_history(fitted([step]))
    expected = {
        "a": 0.5, "b": 3, "c": True, "d": 0.25, "e": 7, "f": None, "g": None, "h": None, "i": "x", "j": None, "5": 1.5,
    }  # fmt: skip
    assert kept == expected
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert {type(value) for value in kept.values()} == {float, int, bool, str, type(None)}


def test_arrays_objects_and_long_texts_do_not_fill_the_record():
    class Thing:
        def item(self):
            raise RuntimeError("no item")

    step = {"loss": 1.0, "X": np.zeros((10, 10)), "per_class": [1, 2], "o": object(), "t": Thing(), "s": "x" * 10_000}
    assert stored_history(fitted([step])) == [{"loss": 1.0, "s": "x" * 200}]


def test_text_that_no_file_can_hold_is_replaced():
    (kept,) = stored_history(fitted([{"a\ud800": "b\udfff"}]))
    json.dumps(kept, ensure_ascii=False).encode("utf-8")
    assert kept == {"a?": "b?"}


class Raises:
    @property
    def history_(self):
        raise RuntimeError("not today")


class Hostile(dict):
    def items(self):
        raise RuntimeError("not today either")


@pytest.mark.parametrize(
    "estimator",
    [None, object(), Raises(), fitted(None), fitted("text"), fitted(3), fitted([1, None]), fitted([Hostile()])],
)
def test_what_is_no_history_is_as_good_as_none(estimator):
    assert stored_history(estimator) == []


def test_the_history_of_a_part_is_found_by_its_path():
    model = SimpleNamespace(teacher_=fitted([{"epoch": 1, "loss": 2.0}]))
    assert stored_history(model, "teacher_.history_") == [{"epoch": 1, "loss": 2.0}]
    assert stored_history(fitted([{"a": 1}]), "teacher_.history_") == []


@pytest.mark.parametrize(
    ("steps", "name", "values"),
    [
        ([{"iter": 5, "seconds": 1.0}, {"iter": 10, "seconds": 2.0}], "iter", [5, 10]),
        ([{"epoch": 1, "iteration": 100}, {"epoch": 2, "iteration": 200}], "iteration", [100, 200]),
        ([{"iter": 5, "seconds": 1.0}, {"seconds": 2.0}], "seconds", [1, 2]),
        ([{"epoch": "first"}, {"epoch": "second"}], "entry", [1, 2]),
        ([{"label": 0, "seconds": 0.1}, {"label": 1, "seconds": 0.2}], "entry", [1, 2]),
        ([], "iteration", []),
    ],
)
def test_steps_come_before_seconds_and_seconds_before_numbers_of_entries(steps, name, values):
    assert x_axis(steps) == (name, values)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([{"iteration": 1, "loss": 1.0}], True),
        ([{"loss": 2.0, "seconds": 1}, {"loss": 1.0, "seconds": 2}], True),
        ([{"loss": 2.0}], False),
        ([{"label": 0, "inertia": 1.0, "seconds": 1}, {"label": 1, "inertia": 2.0, "seconds": 2}], False),
        ([{"label": 0, "epoch": 1, "loss": 1.0}, {"label": 1, "epoch": 1, "loss": 2.0}], True),
        ([], False),
    ],
)
def test_entries_per_class_are_no_run(steps, expected):
    assert is_time_series(steps) is expected


def test_series_are_what_has_numbers_and_is_no_bookkeeping_losses_first():
    steps = clean_history([
        {"iter": 1, "accuracy": None, "backend": "x", "complete": True, "seconds": 1.0, "rows": 3, "d_loss": 1.0},
        {"iter": 2, "accuracy": 0.5, "late_loss": 2},
    ])  # fmt: skip
    assert series_names(steps) == ["d_loss", "late_loss", "accuracy"]
    assert column(steps, "accuracy") == [None, 0.5]
    assert column(steps, "complete") == column(steps, "backend") == [None, None]
