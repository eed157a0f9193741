"""What child processes do, done here in this process."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from distillkit.base import BaseDistiller, Outcome
from distillkit.bench.evaluation._evaluate import EvaluationRun
from distillkit.bench.execution import _jobs
from distillkit.bench.results._store import read_record
from distillkit.coresets import KMeansCoreset, RandomSubset
from distillkit.datasets import load_dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError, BudgetError, DataError
from distillkit.utils._preprocessing import Preprocessing

IRIS = load_dataset("iris")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "iris"
    _jobs.prepare(name="iris", params={}, root=None, folder=str(folder), targets=str(folder) + ".json")
    return folder


@pytest.fixture
def distil(data, tmp_path):
    def run(method="random", *, budget=2, seed=0, metrics=(), **params):
        return _jobs.distil(
            data=str(data),
            method=method,
            params=params,
            task="classification",
            budget=budget,
            seed=seed,
            artefact=str(tmp_path / "k.safetensors"),
            metrics=list(metrics),
        )

    return run


@pytest.fixture
def judge(data, tmp_path):
    def run(evaluator="knn", metrics=("accuracy", "rows"), seed=(0, 0)):
        return _jobs.evaluate(
            data=str(data),
            artefact=str(tmp_path / "k.safetensors"),
            evaluator=evaluator,
            params={},
            seed=list(seed),
            metrics=list(metrics),
        )

    return run


def test_prepared_data_is_the_dataset(data):
    prepared = _jobs.load_prepared(data, "train", "test")
    for name in ("X_train", "y_train", "X_test", "y_test"):
        np.testing.assert_array_equal(getattr(prepared, name), getattr(IRIS, name))
    for name in ("name", "task", "modality", "classes", "feature_names", "preparation"):
        assert getattr(prepared, name) == getattr(IRIS, name)


def test_of_two_that_prepare_at_once_the_first_wins(data):
    first = (data / "X_train.npy").stat().st_mtime_ns
    facts = _jobs.prepare(name="iris", params={}, root=None, folder=str(data), targets=str(data) + ".json")
    assert facts == {"n_train": len(IRIS.X_train), "n_test": len(IRIS.X_test), "shared_rows": 0}
    assert (data / "X_train.npy").stat().st_mtime_ns == first
    assert sorted(path.name for path in data.parent.iterdir()) == ["iris", "iris.json"]


def test_pixels_are_stored_as_they_are_and_used_as_floats(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(20, 1, 4, 4)).astype(np.uint8)
    np.savez(tmp_path / "x.npz", X=pixels, y=np.arange(20) % 2, X_test=pixels[:4], y_test=np.arange(4) % 2)
    _jobs.prepare(
        name="npz",
        params={"path": str(tmp_path / "x.npz")},
        root=None,
        folder=str(tmp_path / "d"),
        targets=str(tmp_path / "d") + ".json",
    )
    assert np.load(tmp_path / "d" / "X_train.npy").dtype == np.uint8
    prepared = _jobs.load_prepared(tmp_path / "d", "test")
    np.testing.assert_allclose(prepared.X_test, pixels[:4] / 255, atol=1e-6)


def test_a_method_cannot_see_test_rows(data, distil, judge):
    for name in ("X_test", "y_test"):
        (data / f"{name}.npy").rename(data / f"{name}.gone")
    distil("kmeans", metrics=["mmd@1", "coverage@1"])
    for name in ("X_test", "y_test"):
        (data / f"{name}.gone").rename(data / f"{name}.npy")
    for name in ("X_train", "y_train"):
        (data / f"{name}.npy").unlink()
    assert judge()["metrics"]["rows"] == 6, "nor does judging need the training rows"


def test_distilling_is_what_the_method_does_with_the_training_rows(distil, tmp_path):
    record = distil("kmeans", budget=3, seed=7, n_init=2)
    by_hand = KMeansCoreset(3, n_init=2, random_state=7).fit(IRIS.X_train, IRIS.y_train)
    small = DistilledSet.load(tmp_path / "k.safetensors")
    np.testing.assert_array_equal(small.X, by_hand.X_distilled_)
    np.testing.assert_array_equal(small.y, by_hand.y_distilled_)
    np.testing.assert_array_equal(small.sample_weight, by_hand.sample_weight_)
    assert record == read_record(tmp_path / "k.safetensors")
    assert (record["rows"], record["rows_seen"], record["whole"]) == (9, len(IRIS.X_train), False)
    assert record["bytes_seen"] == IRIS.X_train.nbytes + IRIS.y_train.nbytes


def test_judging_is_what_the_model_does_with_the_test_rows(distil, judge, tmp_path):
    distil(budget=5)
    small = DistilledSet.load(tmp_path / "k.safetensors")
    nearest = ((IRIS.X_test[:, None].astype(float) - small.X) ** 2).sum(axis=2).argmin(axis=1)
    found = judge()
    assert found["metrics"]["accuracy"] == np.mean(small.y[nearest] == IRIS.y_test)
    assert found["metrics"]["rows"] == 15
    assert found["seconds_train"] >= 0


def test_both_seeds_reach_the_model(distil, judge, monkeypatch):
    distil()
    states = []

    def note(distilled, X_test, spec, task, random_state, params, **_):
        states.append(random_state)
        return EvaluationRun(IRIS.y_test, 0.0, 0.0)

    monkeypatch.setattr(_jobs, "train_and_predict", note)
    for seed in [(0, 0), (0, 1), (1, 0), (0, 0)]:
        judge(metrics=[], seed=seed)
    assert len(set(states)) == 3
    assert states[0] == states[3]
    assert all(0 <= state < 2**31 for state in states)


def test_a_distilled_set_is_not_made_twice_but_metrics_are_added(distil, tmp_path):
    distil(metrics=["mmd@1"])
    first = (tmp_path / "k.safetensors").stat().st_mtime_ns
    record = distil(metrics=["mmd@1", "coverage@1", "mmd@2"])
    assert (tmp_path / "k.safetensors").stat().st_mtime_ns == first
    assert set(record["data_metrics"]) == {"mmd@1", "coverage@1", "mmd@2"}
    assert record == read_record(tmp_path / "k.safetensors")


def test_the_whole_set_is_not_copied(distil, judge, tmp_path):
    record = distil("whole", budget=None)
    assert record["whole"]
    assert not (tmp_path / "k.safetensors").exists()
    distances = ((IRIS.X_test[:, None].astype(float) - IRIS.X_train) ** 2).sum(axis=2)
    assert judge()["metrics"]["accuracy"] == np.mean(IRIS.y_train[distances.argmin(axis=1)] == IRIS.y_test)


@pytest.mark.parametrize(
    "changed",
    [
        {"indices": np.arange(len(IRIS.X_train))[::-1]},
        {"sample_weight": np.linspace(0.5, 1.5, len(IRIS.X_train))},
        {"soft_labels": np.full((len(IRIS.X_train), 3), 1 / 3)},
        {"preprocessing": Preprocessing.standardize(IRIS.X_train)},
    ],
)
def test_all_rows_with_something_added_are_kept(changed):
    same = {"indices": np.arange(len(IRIS.X_train))}
    assert _jobs._is_whole(DistilledSet(IRIS.X_train, IRIS.y_train, **same), IRIS)
    assert not _jobs._is_whole(DistilledSet(IRIS.X_train, IRIS.y_train, **(same | changed)), IRIS)


def test_a_method_gets_only_what_it_takes():
    whole = _jobs.build_distiller("whole", {}, "classification", None, 3)
    assert whole.get_params() == {"task": "classification"}
    random = _jobs.build_distiller("random", {}, "regression", 0.5, 3)
    assert random.get_params() == RandomSubset(0.5, task="regression", random_state=3).get_params()
    kmeans = _jobs.build_distiller("kmeans", {"representative": "member"}, "classification", 2, 3)
    assert (kmeans.representative, kmeans.budget) == ("member", 2)


def test_budgets_that_the_rows_cannot_meet_are_told_as_such(distil):
    with pytest.raises(BudgetError, match="budget=1000 asks for 1000 rows"):
        distil(budget=1000)


def test_a_distilled_set_that_is_gone_is_told_as_such(judge):
    with pytest.raises(ArtefactError, match="is gone or damaged: run again with --retry failed"):
        judge()


class Talkative(RandomSubset):
    """Records what it is told to, and has a teacher."""

    def fit(self, X, y=None):
        super().fit(X, y)
        self.history_ = self.says
        self.teacher_ = SimpleNamespace(history_=[{"epoch": 1, "loss": 0.5}])
        return self


@pytest.fixture
def talk(distil, monkeypatch):
    """Return a function that distils with a method whose history is what is given, and returns the record."""

    def run(history):
        distiller = Talkative(2, random_state=0)
        distiller.says = history
        monkeypatch.setattr(_jobs, "build_distiller", lambda *_: distiller)
        return distil()

    return run


def test_the_record_keeps_the_history_of_the_method_and_of_its_teacher(talk, tmp_path):
    history = [{"iteration": i, "loss": 1 / (i + 1), "seconds": float(i)} for i in range(1, 1001)]
    history[500]["loss"] = history[0]["loss"] = float("nan")
    record = talk(history)
    kept = record["history"]
    assert len(kept) == 200
    assert kept[0] == {"iteration": 1, "loss": None, "seconds": 1.0}
    assert kept[-1] == history[-1]
    assert all(step == history[step["iteration"] - 1] for step in kept[1:] if step["loss"] is not None)
    assert record["teacher_history"] == [{"epoch": 1, "loss": 0.5}]
    assert read_record(tmp_path / "k.safetensors") == record
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(
    "history", [object(), "text", [object()], [{"a": object()}], {"loss": 1.0}, [{"\ud800": {1, 2}}]]
)
def test_a_history_that_cannot_be_stored_does_not_cost_the_distilled_set(talk, judge, history):
    record = talk(history)
    assert not any(record.get("history", []))
    assert judge()["metrics"]["rows"] == 6


def test_the_history_of_a_network_reaches_the_record(distil, tmp_path):
    record = distil("gradient-matching", budget=1, max_iter=4, record_every=2)
    assert [step["iteration"] for step in record["history"]] == [2, 4]
    assert all(step["loss"] > 0 and -1 <= step["similarity"] <= 1 for step in record["history"])
    assert "teacher_history" not in record


@pytest.fixture
def weighted(tmp_path):
    """Return a file of weighted rows, and the folder of its prepared data."""
    path, folder = tmp_path / "rows.npz", tmp_path / "data" / "weighted"
    weight = np.random.RandomState(0).randint(1, 5, size=len(IRIS.X_train))
    np.savez(path, X=IRIS.X_train, y=IRIS.y_train, sample_weight=weight)
    _jobs.prepare(name="npz", params={"path": str(path)}, root=None, folder=str(folder), targets=str(folder) + ".json")
    return str(path), str(folder)


def test_weights_of_the_data_reach_the_method_and_the_model(weighted, tmp_path):
    path, folder = weighted
    data = load_dataset(path)
    options = {
        "params": {},
        "task": "classification",
        "budget": 3,
        "seed": 0,
        "artefact": str(tmp_path / "k.safetensors"),
    }
    record = _jobs.distil(data=folder, method="kmeans", metrics=["mmd@1"], **options)
    assert record["data_metrics"] == {"mmd@1": None}, "these metrics compare with rows that count once each"
    small = DistilledSet.load(tmp_path / "k.safetensors")
    by_hand = KMeansCoreset(3, random_state=0).fit(data.X_train, data.y_train, data.weight_train)
    np.testing.assert_array_equal(small.X, by_hand.X_distilled_)
    np.testing.assert_array_equal(small.sample_weight, by_hand.sample_weight_)
    whole = {**options, "artefact": str(tmp_path / "whole.safetensors")}
    assert not _jobs.distil(data=folder, method="whole", metrics=[], **whole)["whole"]
    np.testing.assert_array_equal(DistilledSet.load(whole["artefact"]).sample_weight, data.weight_train)


class FirstRows(BaseDistiller):
    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def test_a_method_that_takes_no_weights_is_refused_weighted_data(weighted, tmp_path, monkeypatch):
    monkeypatch.setattr(_jobs, "build_distiller", lambda *_: FirstRows())
    with pytest.raises(DataError, match="FirstRows cannot use the weights"):
        _jobs.distil(
            data=weighted[1],
            method="random",
            params={},
            task="classification",
            budget=3,
            seed=0,
            artefact=str(tmp_path / "k.safetensors"),
            metrics=[],
        )
