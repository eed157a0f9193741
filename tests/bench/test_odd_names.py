"""Names that are not valid UTF-8, and files that cannot be read, fail their own cells and nothing else."""

from __future__ import annotations

import csv
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from distillkit.bench.execution._run_plan import pending_cells
from distillkit.bench.leaderboard import build_leaderboard
from distillkit.bench.reporters import _csv, _html, _markdown, _terminal
from distillkit.bench.results._store import ResultsStore
from distillkit.datasets import _revision, fingerprint, load_dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DatasetError, DatasetNotFoundError

ODD = "caf\udce9"  # how Python shows the Latin-1 bytes of "café"
SHOWN = r"caf\udce9"
METRICS = {"metrics": '["accuracy", "rows"]', "primary": "{}", "evaluators": '["knn"]'}


def png(seed):
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (4, 4), dtype=np.uint8)).save(content, "PNG")
    return content.getvalue()


def archive(path, files):
    with tarfile.open(path, "w", encoding="utf-8", errors="surrogateescape") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def images(classes, n=6):
    return {f"{label}/{i}.png": png(i) for label in classes for i in range(n)}


def report(store):
    """Run every reporter and return the leaderboard."""
    plan = store.plan()
    leaderboard = build_leaderboard(
        plan["cells"], store.rows(), {}, title=plan["suite"], primary=plan["primary"], folder=store.folder
    )
    for reporter in (_csv, _markdown, _html, _terminal):
        for path in reporter.write(leaderboard, store.folder):
            path.read_text(encoding="utf-8")
    return leaderboard


def test_an_image_of_an_odd_name_that_is_damaged_fails_its_own_cells(tmp_path, plan_for, do):
    archive(tmp_path / "bad.tar", images("ab") | {f"a/{ODD}.png": b"no image"})
    archive(tmp_path / "good.tar", images("ab"))
    datasets = f'[{{path = "{tmp_path}/bad.tar"}}, {{path = "{tmp_path}/good.tar"}}]'
    plan = plan_for('["random"]', datasets=datasets, **METRICS)
    rows = do(plan, tmp_path / "run")
    assert [(row["dataset"], row["status"]) for row in rows] == [("bad", "failed"), ("good", "ok")]
    store = ResultsStore(tmp_path / "run")
    stored = store.row(rows[0]["key"])
    assert f"the image a/{SHOWN}.png cannot be read" in stored["error"]
    assert pending_cells(plan, store) == [], "the next start runs nothing"
    assert list(report(store).failures["error"]) == [stored["error"]]


def test_a_class_of_an_odd_name_is_shown_escaped(tmp_path):
    archive(tmp_path / "x.tar", images([ODD, "b"]))
    assert load_dataset(tmp_path / "x.tar").classes == ("b", SHOWN)


def test_odd_class_names_are_escaped_in_csv_files(tmp_path):
    small = DistilledSet(np.eye(2), np.array([ODD, "b"]))
    small.to_csv(tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert [line["target"] for line in csv.DictReader(file)] == [SHOWN, "b"]


def test_a_folder_that_holds_odd_names_has_a_fingerprint(tmp_path):
    (tmp_path / "plain").write_text("x")
    before = fingerprint(tmp_path)
    try:
        (tmp_path / ODD).write_text("x")
    except OSError:
        pytest.skip("this file system takes valid UTF-8 only")
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("field", ["dataset", "dataset_revision", "error", "method"])
def test_odd_texts_are_written_and_read_back_as_what_shows_them(tmp_path, field, trouble, plan_for, do):
    with ResultsStore(tmp_path) as store:
        plan = plan_for('["first"]')
        identity = plan.cells[0].identity()
        row = {
            **identity,
            "schema": 1,
            "status": "failed",
            "phase": "distil",
            "error": "boom",
            "metrics": {},
            field: ODD,
        }
        cells = [{**identity, **({field: ODD} if field in identity else {})}]
        store.write_row(row)
        store.write_plan({"suite": "s", "description": ODD, "primary": {"classification": "right"}, "cells": cells})
        assert store.row(row["key"])[field] == SHOWN
        report(store)


def test_odd_texts_that_another_program_wrote_are_read_as_what_shows_them(tmp_path):
    with ResultsStore(tmp_path) as store:
        (tmp_path / "environments" / "h.json").write_text(json.dumps({"processor": ODD, "pair": "\U0001f600"}))
        assert store.environments() == {"h": {"processor": SHOWN, "pair": "\U0001f600"}}


def test_a_results_folder_of_an_odd_name_takes_a_run(trouble, tmp_path, plan_for, do):
    folder = tmp_path / ODD
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes valid UTF-8 only")
    (row,) = do(plan_for('["first"]'), folder)
    assert row["status"] == "ok", row["error"]
    report(ResultsStore(folder))


@pytest.fixture
def two_files(tmp_path):
    """A file that is damaged and one that is not, as the datasets of a suite."""
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(40, 3)), "y": np.arange(40) % 2}
    np.savez(tmp_path / "good.npz", **arrays)
    (tmp_path / "bad.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:300])
    return f'[{{path = "{tmp_path}/bad.npz"}}, {{path = "{tmp_path}/good.npz"}}]'


def test_a_file_that_cannot_be_read_while_planning_fails_its_own_cells(tmp_path, two_files, plan_for, do):
    folder = tmp_path / "run"
    plan = plan_for('["random"]', datasets=two_files, **METRICS)
    rows = do(plan, folder)
    assert [(row["dataset"], row["status"], row["phase"]) for row in rows] == [
        ("bad", "failed", "plan"),
        ("good", "ok", None),
    ]
    assert rows[0]["error"].startswith(f"DatasetError: {tmp_path}/bad.npz cannot be read")
    assert do(plan_for('["random"]', datasets=two_files, **METRICS), folder) == [], "its row is final"
    report(ResultsStore(folder))
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "bad.npz", X=rng.normal(size=(40, 3)), y=np.arange(40) % 2)
    rows = do(plan_for('["random"]', datasets=two_files, **METRICS), folder)
    assert [(row["dataset"], row["status"]) for row in rows] == [("bad", "ok")], "once it can be read, it runs"


def test_a_file_without_the_right_to_read_it_fails_its_own_cells(tmp_path, two_files, plan_for, monkeypatch):
    real = _revision._file_digest

    def refuse(path):
        if path.name == "bad.npz":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(_revision, "_file_digest", refuse)
    bad, good = plan_for('["random"]', datasets=two_files, **METRICS).cells
    assert bad.failure == f"DatasetError: cannot read {tmp_path}/bad.npz: Permission denied."
    assert (good.failure, good.skip) == (None, None)


def test_two_files_that_cannot_be_read_have_keys_of_their_own(tmp_path, two_files, plan_for):
    (tmp_path / "worse.npz").write_bytes(b"")
    datasets = f'{two_files[:-1]}, {{path = "{tmp_path}/worse.npz"}}]'
    cells = plan_for('["random"]', datasets=datasets, **METRICS).cells
    assert [cell.failure is None for cell in cells] == [False, True, False]
    assert len({cell.key for cell in cells}) == 3


def test_a_loader_of_a_plugin_that_raises_while_planning_fails_its_own_cells(trouble, plan_for, monkeypatch, tmp_path):
    from distillkit.plugins import get_manager
    from distillkit.specs import DatasetSpec

    spec = DatasetSpec(name="tiny", target=lambda _root: 1 / 0, task="auto", modality="table")
    manager = get_manager()
    real = manager.get
    monkeypatch.setattr(manager, "get", lambda kind, name: spec if name == "tiny" else real(kind, name))
    (cell,) = plan_for('["first"]').cells
    assert cell.failure == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        ('{path = "nowhere.npz"}', DatasetNotFoundError, "nowhere.npz"),
        ('{name = "iris", colour = "red"}', DatasetError, "'colour' is not an option"),
    ],
)
def test_what_the_suite_says_wrongly_stops_it(plan_for, dataset, error, message):
    with pytest.raises(error, match=message):
        plan_for('["random"]', datasets=f"[{dataset}]", **METRICS)
