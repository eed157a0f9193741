from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

import distillkit
from distillkit.bench.evaluation._data_metrics import lacks, measure_data
from distillkit.bench.execution._jobs import distil
from distillkit.bench.execution._prepared_data import store_prepared
from distillkit.bench.results._schema import wrong_record
from distillkit.datasets import Dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Measured, Reference, floors
from distillkit.plugins import get_manager
from distillkit.specs import MetricSpec

METRICS = ["mmd@3", "coverage@2"]


@pytest.fixture
def data(tmp_path):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    dataset = Dataset("digits", "classification", "table", X[:800], y[:800], X[800:], y[800:])
    store_prepared(dataset, tmp_path / "data" / "key")
    return dataset


def job(tmp_path, name, method="random", seed=0, metrics=METRICS):
    record = distil(
        data=str(tmp_path / "data" / "key"),
        method=method,
        params={},
        task="classification",
        budget=4,
        seed=seed,
        artefact=str(tmp_path / "artefacts" / f"{name}.safetensors"),
        metrics=metrics,
    )
    assert wrong_record(json.loads(json.dumps(record))) is None
    return record


def test_a_record_has_the_floors_of_its_metrics(tmp_path, data):
    record = job(tmp_path, "a")
    small = DistilledSet.load(tmp_path / "artefacts" / "a.safetensors")
    for metric, name in zip(METRICS, ("mmd", "coverage"), strict=True):
        expected = floors(name, Reference(data.X_train, data.y_train), None, small)
        found = record["floors"][metric]
        assert record["data_metrics"][metric] == pytest.approx(expected.value)
        assert found["picked"] == pytest.approx(list(expected.picked))
        assert found["fresh"] == pytest.approx(list(expected.fresh))
        assert found["z"] == pytest.approx(expected.z)


def test_sets_of_equal_make_up_share_floors_and_others_do_not(tmp_path, data, monkeypatch):
    from distillkit.bench.evaluation import _data_metrics

    computed = []
    original = _data_metrics.floor_values
    monkeypatch.setattr(_data_metrics, "floor_values", lambda *args: computed.append(args) or original(*args))
    first = job(tmp_path, "a")
    assert len(computed) == 2
    second = job(tmp_path, "b", seed=1)
    assert len(computed) == 2
    assert second["floors"]["mmd@3"]["fresh"] == first["floors"]["mmd@3"]["fresh"]
    assert second["data_metrics"] != first["data_metrics"]
    job(tmp_path, "c", "kcenter")  # whose weights differ from row to row
    assert len(computed) == 4
    assert len(list((tmp_path / "artefacts" / "floors" / "key").iterdir())) == 4


def test_damaged_floors_are_computed_again(tmp_path, data):
    before = job(tmp_path, "a")
    for path in (tmp_path / "artefacts" / "floors" / "key").iterdir():
        path.write_text('{"picked": [1')
    assert job(tmp_path, "b")["floors"] == before["floors"]


def test_metrics_that_are_added_later_are_measured_alone(tmp_path, data):
    job(tmp_path, "a", metrics=METRICS[:1])
    record = job(tmp_path, "a")
    assert set(record["floors"]) == set(record["data_metrics"]) == set(METRICS)


def metric_spec(target, **options):
    return MetricSpec(name="own", target=target, stage="data", **options)


@pytest.mark.parametrize(
    ("needs", "shape", "y", "message"),
    [
        ("images", (6, 2), None, "own needs images, but the training rows are those of a table"),
        ("table", (6, 1, 4, 4), None, "own needs table, but the training rows are those of a image"),
        ("classes", (6, 2), np.linspace(0, 1, 6), "own needs class labels"),
        ("images", (6, 1, 4, 4), None, None),
        ("classes", (6, 2), np.repeat([0, 1], 3), None),
    ],
)
def test_what_a_metric_needs(needs, shape, y, message):
    reference = Reference(np.zeros(shape), y)
    found = lacks(metric_spec(lambda *_: 0.0, needs=frozenset({needs})), reference)
    assert (found is None) == (message is None)
    assert message is None or message in found


@pytest.fixture
def register(monkeypatch):
    def add(target, **options):
        spec = metric_spec(target, **options)
        manager = get_manager()
        original = manager.get
        monkeypatch.setattr(manager, "get", lambda kind, name: spec if name == "own" else original(kind, name))

    return add


def test_what_becomes_of_errors_notes_and_values_that_are_not_finite(register):
    X = np.random.default_rng(0).normal(size=(40, 2))
    reference, small = Reference(X), DistilledSet(X[:4])

    def too_few(*_):
        raise DataError("Too few rows.")

    register(too_few)
    result = measure_data(["own", "accuracy"], reference, small)["own"]
    assert (result["value"], result["note"], result["draws"]) == (None, "Too few rows.", 0)
    register(lambda *_: float("nan"))
    assert measure_data(["own"], reference, small, draws=0)["own"]["value"] is None
    register(lambda *_: Measured(1.0, 0.5, (0.0, 2.0), "Drawn.", "pca:1"), floor_draws=3)
    result = measure_data(["own"], reference, small)["own"]
    assert result == {
        "value": 1.0, "picked": [1.0, 0.0], "fresh": [1.0, 0.0], "z": 0.0, "draws": 3,
        "error": 0.5, "interval": [0.0, 2.0], "note": "Drawn.", "features": "pca:1",
    }  # fmt: skip
    register(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        measure_data(["own"], reference, small)
    assert "while computing the metric own" in caught.value.__notes__


def test_evaluate_shows_floors_beside_the_metrics(data):
    small = distillkit.RandomSubset(4, random_state=0).fit(data.X_train, data.y_train).distilled_
    options = {"X": data.X_train, "y": data.y_train, "evaluators": ["knn"], "metrics": ["accuracy", "mmd"]}
    table = distillkit.evaluate(small, data.X_test, data.y_test, **options)
    assert list(table.columns) == ["accuracy", "mmd"]
    table = distillkit.evaluate(small, data.X_test, data.y_test, floors=3, **options)
    assert list(table.columns) == ["accuracy", "mmd", "mmd.picked", "mmd.fresh", "mmd.z"]
    expected = floors("mmd", data.X_train, data.y_train, small, draws=3)
    assert table.loc["knn", "mmd.fresh"] == pytest.approx(expected.fresh[0])
    assert table.loc["knn", "mmd.z"] == pytest.approx(expected.z)


@pytest.mark.parametrize("selection", ["standard", "all"])
def test_costly_metrics_are_not_standard(selection, monkeypatch, data):
    from distillkit.bench.evaluation._evaluate import _select_names

    specs = get_manager().short_specs("metric")
    specs["own"] = metric_spec(lambda *_: 0.0, standard=False)
    monkeypatch.setattr(get_manager(), "short_specs", lambda _: specs)
    assert ("own" in _select_names("metric", selection, "classification")) == (selection == "all")


def test_a_class_that_is_missing_is_named():
    X, y = load_digits(return_X_y=True)
    rows = np.flatnonzero(y < 8)[:200]
    distilled = DistilledSet(X=X[rows], y=y[rows], sample_weight=np.ones(200))
    measured = measure_data(["coverage", "accuracy"], Reference(X, y), distilled, draws=0)
    assert measured["coverage"]["note"] == "The distilled set has no rows of 2 of 10 classes (8, 9)."
