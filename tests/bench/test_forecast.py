"""Forecasts: the rows that are nearest to a cell tell how long it takes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from distillkit.bench.planning._forecast import forecast


def cell(dataset="d", method="m", budget="1", evaluator="e", distil_key="k"):
    return SimpleNamespace(dataset=dataset, method=method, budget=budget, evaluator=evaluator, distil_key=distil_key)


def row(seconds, distil, status="ok", **names):
    identity = vars(cell(**names)) | {"status": status, "seconds": seconds}
    return identity | {"seconds_distil": distil / 2, "seconds_distil_job": distil}


def test_nothing_is_known_without_rows():
    assert forecast([cell()], []) == (0.0, 0)
    assert forecast([cell()], [row(5.0, 7.0, status="timeout")]) == (0.0, 0)


def test_a_cell_takes_the_mean_of_its_like():
    rows = [row(1.0, 10.0), row(3.0, 20.0), row(100.0, 1000.0, method="other")]
    assert forecast([cell()], rows) == (2.0 + 15.0, 1)


def test_a_distilled_set_is_made_once():
    rows = [row(1.0, 10.0)]
    shared = [cell(distil_key="k"), cell(distil_key="k"), cell(distil_key="l")]
    assert forecast(shared, rows) == (3 * 1.0 + 2 * 10.0, 3)


@pytest.mark.parametrize(
    ("names", "seconds", "known"),
    [
        ({"budget": "50"}, 2.0 + 20.0, 1),  # the method at any budget
        ({"method": "new"}, 4.0 + 40.0, 1),  # any method on this dataset
        ({"evaluator": "new"}, 4.0 + 20.0, 0),  # any evaluator on this dataset
        ({"dataset": "new"}, 7.0 + 70.0, 0),  # anything
    ],
)
def test_failing_that_of_what_is_less_alike(names, seconds, known):
    rows = [row(2.0, 20.0), row(6.0, 60.0, method="other"), row(13.0, 130.0, dataset="far")]
    assert forecast([cell(**names)], rows) == (pytest.approx(seconds), known)


def test_rows_without_the_time_of_the_job_give_that_of_the_method():
    old = row(1.0, 10.0)
    del old["seconds_distil_job"]
    assert forecast([cell()], [old]) == (1.0 + 5.0, 1)


def test_nothing_to_run_takes_no_time():
    assert forecast([], [row(1.0, 10.0)]) == (0.0, 0)
