from __future__ import annotations

import pytest

from distillkit import KMeansCoreset, evaluate, metrics
from distillkit.datasets import load_dataset

RECORD = {
    "agreement": 0.875,
    "parameters": 20,
    "parameters_teacher": 90,
    "model_bytes": 400,
    "model_bytes_teacher": 1000,
    "latency_ratio": 3.5,
    "latency_ratio_single": 2.5,
}


@pytest.mark.parametrize(
    ("name", "value", "needs"),
    [
        ("agreement", 0.875, ["agreement"]),
        ("parameters", 20, ["parameters"]),
        ("parameter_compression", 4.5, ["parameters", "parameters_teacher"]),
        ("model_bytes", 400, ["model_bytes"]),
        ("model_compression", 2.5, ["model_bytes", "model_bytes_teacher"]),
        ("latency_ratio", 3.5, ["latency_ratio"]),
        ("latency_ratio_single", 2.5, ["latency_ratio_single"]),
    ],
)
def test_each_from_the_record_and_none_without_what_it_needs(name, value, needs):
    metric = getattr(metrics, name)
    assert metric(RECORD) == value
    for key in RECORD:
        absent = {other: RECORD[other] for other in RECORD if other != key}
        for partial in (absent, {**absent, key: None}):  # not known at all, or known not to be
            assert metric(partial) == (None if key in needs else value)


def test_a_set_of_rows_has_none_of_them():
    record = {"rows": 10.0, "rows_seen": 100.0, "seconds_train": 0.5}
    names = ("agreement", "parameters", "parameter_compression", "model_bytes", "latency_ratio")
    assert [getattr(metrics, name)(record) for name in names] == [None] * 5


def test_a_model_without_parameters_has_no_ratio():
    assert metrics.parameter_compression({"parameters": 0, "parameters_teacher": 5}) is None


def test_a_set_of_rows_is_judged_without_figures_of_models():
    data = load_dataset("iris")
    small = KMeansCoreset(2, random_state=0).fit(data.X_train, data.y_train)
    columns = set(evaluate(small, data.X_test, data.y_test, evaluators=["knn"]).columns)
    assert {"accuracy", "rows", "compression-rows"} <= columns
    assert not {"agreement", "parameters", "parameter-compression", "latency-ratio"} & columns
