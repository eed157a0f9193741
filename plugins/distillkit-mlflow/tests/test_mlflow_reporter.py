"""The runs of a real tracking store against the table of the leaderboard."""

from __future__ import annotations

import math

import pytest
from distillkit_mlflow import plugin, write
from distillkit_mlflow._entry_runs import KEY, metrics_of
from sklearn.datasets import load_iris

from distillkit import compare
from distillkit.plugins import PluginManager, PluginRecord

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")
pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A leaderboard of two methods and the controls on real rows."""
    return compare(
        *load_iris(return_X_y=True),
        methods=["kmeans"],
        budgets=[3],
        splits=1,
        evaluators=["knn"],
        folder=tmp_path_factory.mktemp("results"),
    ).data


@pytest.fixture(autouse=True)
def no_named_store(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def _runs(uri, name):
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(name)
    return client, client.search_runs([experiment.experiment_id], max_results=1000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One results folder for all tests, because a new store takes seconds to be made."""
    return tmp_path_factory.mktemp("board") / "new"


def test_each_line_of_the_table_is_a_run_with_its_numbers(board, folder):
    (path,) = write(board, folder)
    assert path == folder / "mlflow.db"
    client, runs = _runs(f"sqlite:///{path}", board.title)
    assert len(runs) == len(board.table) + 1
    by_method = {run.data.params.get("method"): run for run in runs}
    for entry in board.table.to_dict(orient="records"):
        run = by_method[entry["method"]]
        assert run.info.status == "FINISHED"
        assert run.data.params["budget"] == str(entry["budget"])
        for column in ("mean", "ci_low", "ci_high", "rows", "seconds-distil"):
            if math.isfinite(entry[column]):
                assert run.data.metrics[column] == pytest.approx(entry[column])
    (table,) = [run for run in runs if "method" not in run.data.params]
    assert [item.path for item in client.list_artifacts(table.info.run_id)] == ["leaderboard.csv"]
    assert table.data.metrics["cells_done"] == board.n_done


def test_a_second_report_writes_no_run_twice_and_brings_numbers_up_to_date(board, folder):
    (path,) = write(board, folder)
    _, before = _runs(f"sqlite:///{path}", board.title)
    changed = board.table.copy()
    changed.loc[changed["method"] == "kmeans", "mean"] = 0.25
    original, board.table = board.table, changed
    try:
        write(board, folder)
    finally:
        board.table = original
    client, after = _runs(f"sqlite:///{path}", board.title)
    assert {run.data.tags[KEY] for run in after} == {run.data.tags[KEY] for run in before}
    assert len(after) == len(before)
    (run,) = [run for run in after if run.data.params.get("method") == "kmeans"]
    assert run.data.metrics["mean"] == 0.25
    assert len(client.get_metric_history(run.info.run_id, "mean")) == 2
    assert len(client.get_metric_history(run.info.run_id, "rows")) == 1


def test_the_environment_names_another_store_and_experiment(board, folder, tmp_path, monkeypatch):
    folder.mkdir(exist_ok=True)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "team")
    mlflow.MlflowClient(tracking_uri=uri).create_experiment("team", artifact_location=(tmp_path / "files").as_uri())
    assert write(board, tmp_path / "results") == []
    assert len(_runs(uri, "team")[1]) == len(board.table) + 1
    assert not (tmp_path / "results" / "mlflow.db").exists()


def test_numbers_that_are_not_finite_and_words_are_no_metrics():
    entry = {"dataset": "d", "budget": 1, "mean": 0.5, "ci_low": float("nan"), "note": "a", "complete": True}
    assert metrics_of(entry | {"gap%": 2}) == {"mean": 0.5, "complete": 1.0, "gap_": 2.0}


def test_distillkit_finds_the_reporter():
    manager = PluginManager(strict=True, disabled=True).load()
    manager.register(plugin, PluginRecord("test:mlflow", "distillkit-mlflow", "0"))
    assert manager.get("reporter", "mlflow").load() is write
