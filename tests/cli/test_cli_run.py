"""`distillkit run`, `plan` and `report`."""

from __future__ import annotations

import json
import shutil

import numpy as np

from distillkit.distilled import DistilledSet


def test_a_run_prints_the_leaderboard_and_writes_everything(finished):
    folder, told = finished
    assert told.status == 0, told.err
    assert told.err.startswith("2 of 2 cells to run, 2 at a time\n")
    assert "[2/2]" in told.err
    assert "random" in told.out
    assert "whole" in told.out
    results = folder / "results" / "mini"
    for name in ("leaderboard.txt", "leaderboard.md", "leaderboard.csv", "leaderboard.html", "rows.csv", "plan.json"):
        assert (results / name).stat().st_size > 100, name
    assert len(list((results / "cells").iterdir())) == 2


def test_running_again_runs_nothing(finished, distillkit_, monkeypatch):
    folder, _ = finished
    monkeypatch.chdir(folder)
    monkeypatch.setattr("distillkit.bench.execution._group_runner.run_job", None)  # calling it would raise
    before = {path: path.read_bytes() for path in (folder / "results" / "mini" / "cells").iterdir()}
    told = distillkit_("run", "mini.toml")
    assert told.status == 0
    assert told.err.startswith("0 of 2 cells to run, 2 were done before, 1 at a time\n")
    assert "random" in told.out
    assert {path: path.read_bytes() for path in (folder / "results" / "mini" / "cells").iterdir()} == before


def test_a_plan_shows_what_is_done_and_how_long_the_rest_takes(finished, distillkit_, monkeypatch):
    folder, _ = finished
    monkeypatch.chdir(folder)
    told = distillkit_("plan", "mini.toml")
    assert told.status == 0
    assert told.out.splitlines() == [
        "mini: 2 cells in results/mini",
        "  done               2",
        "  iris: 1 split, ranked by accuracy",
        "nothing to run",
    ]
    told = distillkit_("plan", "mini.toml", "--seeds", "3", "--cells")
    lines = told.out.splitlines()
    assert len([line for line in lines if "done          iris" in line]) == 2
    assert len([line for line in lines if "to run        iris  split 0  random  budget 2  seed" in line]) == 2
    assert "  to run             2" in lines, "the whole set and nearest neighbours do not depend on a seed"
    assert lines[-1].startswith("time: about 0:")
    told = distillkit_("plan", "mini.toml", "-o", "elsewhere")
    assert "  to run             2" in told.out
    assert "time: not known yet" in told.out
    assert not (folder / "elsewhere").exists(), "a plan writes nothing"


def test_a_plan_says_what_is_skipped_and_why(tmp_path, distillkit_, mini):
    (tmp_path / "s.toml").write_text(mini.replace('["knn"]', '["knn", "ridge"]'))
    told = distillkit_("plan", tmp_path / "s.toml", "-o", tmp_path / "r")
    assert "  skipped            2" in told.out
    assert "  skipped: evaluator ridge does not do classification (iris) (2 cells)" in told.out


def test_a_plan_can_be_narrowed(distillkit_, tmp_path):
    options = ["--methods", "kmeans:medoids,random,random", "--evaluators", "logistic", "--budgets", "1,5%,0.05"]
    told = distillkit_("plan", "quickstart", "-o", tmp_path, "--cells", "--seeds", "2", "--splits", "3", *options)
    cells = [line.split(maxsplit=1)[1] for line in told.out.splitlines() if " seed " in line]
    assert len(cells) == len(set(cells)) == 2 * 2 * 2 * 3
    assert "digits: 3 splits, ranked by accuracy or balanced-accuracy" in told.out
    assert all("logistic" in cell for cell in cells)
    assert {cell.split("budget ")[1].split()[0] for cell in cells} == {"1", "0.05"}


def test_a_student_is_run_by_name_and_listed_by_what_it_reduces(tmp_path, distillkit_, mini):
    methods = '["random", {name = "teacher-student", epochs = 2, label = "teacher-student"}]'
    text = mini.replace('["random", "whole"]', methods).replace(
        '["accuracy", "rows"]', '["accuracy", "agreement", "parameters"]'
    )
    (tmp_path / "s.toml").write_text(text)
    options = (tmp_path / "s.toml", "-o", tmp_path / "r", "--methods", "teacher-student")
    told = distillkit_("plan", *options, "--cells")
    assert "iris  split 0  teacher-student  budget -  seed 0  student  seed 0" in told.out
    told = distillkit_("run", *options, "-q")
    assert told.status == 0
    assert "iris · student" in told.out
    (row,) = [json.loads(path.read_text()) for path in (tmp_path / "r" / "cells").iterdir()]
    assert (row["status"], row["metrics"]["parameters"]) == ("ok", 4 * 32 + 32 + 32 * 3 + 3)
    assert 0 <= row["metrics"]["agreement"] <= 1
    assert "nothing to run" in distillkit_("plan", *options).out
    lines = {line["name"]: line for line in json.loads(distillkit_("list", "methods", "--json").out)}
    assert (lines["teacher-student"]["reduces"], lines["kmeans"]["reduces"]) == ("model", "rows")


def test_a_report_rebuilds_the_leaderboard(finished, distillkit_):
    results = finished[0] / "results" / "mini"
    before = (results / "leaderboard.md").read_text()
    for name in ("leaderboard.md", "leaderboard.html"):
        (results / name).unlink()
    told = distillkit_("report", results)
    assert told.status == 0
    assert "random" in told.out
    assert (results / "leaderboard.md").read_text() == before
    assert (results / "leaderboard.html").is_file()
    (results / "leaderboard.html").unlink()
    told = distillkit_("report", results, "--format", "markdown")
    assert told.out == f"wrote {results / 'leaderboard.md'}\n"
    assert not (results / "leaderboard.html").exists()
    distillkit_("report", results)


def test_a_run_in_which_nothing_worked_ends_with_a_status(distillkit_, tmp_path, monkeypatch, mini):
    from distillkit.bench.execution._job_process import JobResult

    monkeypatch.setattr(
        "distillkit.bench.execution._group_runner.run_job",
        lambda *_, **__: JobResult("crashed", {}, "killed by SIGKILL", 0.1, 0.0),
    )
    (tmp_path / "s.toml").write_text(mini)
    told = distillkit_("run", tmp_path / "s.toml", "-o", tmp_path / "r", "--quiet")
    assert told.status == 1
    assert told.err == ""
    assert "killed by SIGKILL" in told.out
    rows = [json.loads(path.read_text()) for path in (tmp_path / "r" / "cells").iterdir()]
    assert {(row["status"], row["phase"]) for row in rows} == {("crashed", "prepare")}
    monkeypatch.setattr("distillkit.bench.execution._group_runner.run_job", None)
    assert distillkit_("run", tmp_path / "s.toml", "-o", tmp_path / "r", "--retry", "timeout,failed", "-q").status == 1
    monkeypatch.setattr(
        "distillkit.bench.execution._group_runner.run_job",
        lambda *_, **__: JobResult("timeout", {}, "ran past it", 0.1, 0.0),
    )
    distillkit_("run", tmp_path / "s.toml", "-o", tmp_path / "r", "--retry", "crashed", "-q")
    rows = [json.loads(path.read_text()) for path in (tmp_path / "r" / "cells").iterdir()]
    assert {row["status"] for row in rows} == {"timeout"}


def test_strict_asks_for_every_cell(finished, distillkit_, tmp_path, monkeypatch):
    shutil.copytree(finished[0], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr("distillkit.bench.execution._group_runner.run_job", None)  # calling it would raise
    told = distillkit_("run", "mini.toml", "--strict", "-q")
    assert (told.status, told.err) == (0, "")
    several = ("run", "mini.toml", "--evaluators", "knn,ridge", "-q")
    assert distillkit_(*several).status == 0
    told = distillkit_(*several, "--strict")
    assert told.status == 1
    assert told.err == "distillkit: --strict: 2 of 4 cells are not ok (2 skipped).\n"
    assert "random" in told.out


def test_damaged_results_are_told_or_made_again(refused, distillkit_, finished, tmp_path):
    (tmp_path / "plan.json").write_text('{"suite": ')
    assert "plan.json is damaged" in refused("report", tmp_path)
    (tmp_path / "plan.json").write_text((finished[0] / "results" / "mini" / "plan.json").read_text())
    (tmp_path / "cells").mkdir()
    for path in (finished[0] / "results" / "mini" / "cells").iterdir():
        (tmp_path / "cells" / path.name).write_text("damaged")
    told = distillkit_("report", tmp_path)
    assert told.status == 0
    assert "0 of 2" in told.out


def test_a_damaged_distilled_set_is_made_again(finished, distillkit_, monkeypatch):
    folder, _ = finished
    monkeypatch.chdir(folder)
    results = folder / "results" / "mini"
    (artefact,) = (results / "artefacts").glob("*.safetensors")
    small, whole = DistilledSet.load(artefact), artefact.read_bytes()
    cells = {path: path.read_bytes() for path in (results / "cells").iterdir()}
    artefact.write_bytes(whole[:-5])
    told = distillkit_("run", "mini.toml", "--retry", "any", "-q")
    assert (told.status, artefact.read_bytes()) == (0, whole[:-5]), "what is ok is not run again"
    random = next(path for path, text in cells.items() if b'"method": "random"' in text)
    random.unlink()
    told = distillkit_("run", "mini.toml", "-q")
    assert told.status == 0
    row, before = json.loads(random.read_text()), json.loads(cells[random])
    assert row["status"] == "ok"
    assert row["metrics"] == before["metrics"]
    np.testing.assert_array_equal(DistilledSet.load(artefact).X, small.X)


def test_two_runs_in_one_folder_are_refused(refused, finished, monkeypatch):
    from distillkit.bench.results._store import ResultsStore

    monkeypatch.chdir(finished[0])
    with ResultsStore(finished[0] / "results" / "mini"):
        assert "another run is at work in results/mini" in refused("run", "mini.toml")


def test_the_leaderboard_says_how_the_task_was_inferred(distillkit_, tmp_path):
    rows = "".join(f"k{i},{i % 7},{3 * i}\n" for i in range(100))
    (tmp_path / "rows.csv").write_text("id,x,y\n" + rows)
    (tmp_path / "s.toml").write_text(
        'name = "s"\ndatasets = [{ path = "rows.csv", target = "y" }]\nmethods = ["random"]\nevaluators = ["knn"]\n'
        "budgets = [5]\nseeds = 1\nsplits = 1\ncontrols = false\n"
    )
    result = distillkit_("run", tmp_path / "s.toml", "-o", tmp_path / "results", "-q")
    assert result.status == 0, result.err
    assert "column 'id' looks like an identifier" in result.err
    text = (tmp_path / "results" / "leaderboard.md").read_text()
    assert "regression (100 different values; task = 'classification' otherwise), r2" in text


def test_lists_that_are_given_twice_add_up(distillkit_, mini, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mini.toml").write_text(mini)
    narrowed = ("--methods", "random", "--methods", "kmeans,kcenter", "--budgets", "1", "--budgets", "2")
    told = distillkit_("plan", "mini.toml", *narrowed)
    assert told.status == 0
    assert "mini: 6 cells" in told.out, "three methods and two budgets"
