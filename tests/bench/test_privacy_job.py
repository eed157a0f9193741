"""The privacy panel of the bench: computed after distillation, stored with the set, part of each row."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.bench.execution import _jobs
from distillkit.bench.execution._prepared_data import load_prepared
from distillkit.bench.execution._privacy_job import PANEL, is_panel
from distillkit.bench.results._schema import wrong_row
from distillkit.bench.results._store import read_record
from distillkit.distilled import DistilledSet
from distillkit.metrics import privacy_report


@pytest.fixture
def prepared(tmp_path):
    folder = tmp_path / "data"
    _jobs.prepare(name="digits", params={}, root=None, folder=str(folder))
    return folder


@pytest.fixture
def panel_of(prepared, tmp_path):
    def run(method, budget=2, **params):
        artefact = str(tmp_path / "k.safetensors")
        _jobs.distil(
            data=str(prepared),
            method=method,
            params=params,
            task="classification",
            budget=budget,
            seed=0,
            artefact=artefact,
            metrics=[],
        )
        return _jobs.privacy(data=str(prepared), artefact=artefact)

    return run


def test_the_panel_is_that_of_the_set_against_the_test_rows(panel_of, prepared, tmp_path):
    panel = panel_of("random")
    data, small = load_prepared(prepared, "train", "test"), DistilledSet.load(tmp_path / "k.safetensors")
    assert panel == privacy_report(data.X_train, None, small, holdout=data.X_test).to_dict() | {"version": PANEL}
    assert (panel["verdict"], panel["copies"], panel["holdout"]) == ("fail", 20, len(data.X_test))
    assert is_panel(panel)


def test_targets_of_the_test_rows_have_no_effect(panel_of, prepared):
    before = panel_of("kmeans")
    labels = np.load(prepared / "y_test.npy")
    np.save(prepared / "y_test.npy", labels[::-1])
    assert panel_of("kmeans") == before


def test_the_panel_changes_nothing_in_the_set_and_its_record(panel_of, tmp_path):
    panel_of("kmeans")
    path = tmp_path / "k.safetensors"
    before, record = path.read_bytes(), read_record(path)
    panel_of("kmeans")
    assert (path.read_bytes(), read_record(path)) == (before, record)


def test_the_whole_set_is_told_without_a_comparison(panel_of, prepared):
    (prepared / "X_test.npy").unlink()
    panel = panel_of("whole")
    assert panel["verdict"] == "fail"
    assert panel["reasons"] == ["the set is the training set itself."]


def test_a_set_that_cannot_be_compared_is_unknown(panel_of, prepared):
    rows = np.load(prepared / "X_test.npy")
    np.save(prepared / "X_test.npy", np.full_like(rows, np.nan))
    panel = panel_of("random")
    assert panel["verdict"] == "unknown"
    assert "held-out rows hold NaN" in panel["reasons"][0]


def test_a_set_that_is_gone_is_unknown(prepared, tmp_path):
    panel = _jobs.privacy(data=str(prepared), artefact=str(tmp_path / "none.safetensors"))
    assert panel["reasons"] == ["the distilled set is gone or damaged."]


@pytest.mark.parametrize("panel", [None, "pass", {}, {"verdict": "pass"}, {"verdict": 1, "version": PANEL}])
def test_what_is_no_panel_is_computed_again(panel):
    assert not is_panel(panel)


def test_rows_hold_the_panel_and_what_the_method_does(trouble, tmp_path, plan_for, do):
    rows = do(plan_for('["random", "kmeans"]', seeds="1"), tmp_path / "results", jobs=1)
    found = {row["method"]: row for row in rows}
    assert {name: row["exposes_originals"] for name, row in found.items()} == {"random": True, "kmeans": False}
    assert not any(row["starts_from_real"] for row in rows)
    assert found["random"]["privacy"]["copies"] == found["random"]["rows"]
    assert all(is_panel(row["privacy"]) and wrong_row(row) is None for row in rows)
