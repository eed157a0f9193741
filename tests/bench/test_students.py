"""Methods that reduce a model and not rows: planned once per dataset and seed, fitted and judged in one job."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import r2_score

from distillkit import TeacherStudentDistiller
from distillkit.bench.execution import _group_runner as runner_module
from distillkit.bench.execution import _jobs
from distillkit.bench.execution._run_plan import pending_cells
from distillkit.bench.planning._cells import ANY_LABELS, STUDENT
from distillkit.bench.planning._forecast import forecast
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.bench.results._store import ResultsStore
from distillkit.budget import Budget
from distillkit.cli._single import make_distiller
from distillkit.datasets import load_dataset
from distillkit.exceptions import DataError
from distillkit.knowledge import _teacher
from distillkit.plugins import get_manager

SCORE = {"classification": "accuracy", "regression": "r2"}
ALL = ["teacher-student", "student-alone", "teacher"]
SUITE = """
datasets = ["iris", "diabetes"]
methods = ["teacher-student", "student-alone", "teacher", "random"]
evaluators = ["knn", "forest"]
budgets = [2, 5]
splits = 1
controls = false
seeds = 3
"""


def cells_of(text, method):
    return [cell for cell in make_plan(parse_suite(text)).cells if cell.method == method]


# the plan


def test_there_is_one_cell_per_dataset_seed_and_evaluation_seed():
    for method in ALL:
        cells = cells_of(SUITE + "evaluation_seeds = 2", method)
        found = [(cell.dataset, cell.distil_seed, cell.eval_seed) for cell in cells]
        assert found == [(data, seed, again) for data in ("iris", "diabetes") for seed in range(3) for again in (0, 1)]
        assert {(cell.evaluator, cell.evaluator_name, cell.budget, cell.budget_value) for cell in cells} == {
            (STUDENT, STUDENT, "-", None)
        }
        assert {cell.label_mode for cell in cells} == {ANY_LABELS}
        assert all(cell.reduces_model and cell.skip is None for cell in cells)
        assert len({cell.key for cell in cells}) == len({cell.distil_key for cell in cells}) == 12
    rows = cells_of(SUITE, "random")
    assert len(rows) == 2 * 2 * 3 * 2
    assert not any(cell.reduces_model for cell in rows)


def test_metrics_are_those_that_a_model_can_have():
    iris, diabetes = (
        {name.partition("@")[0] for name in cell.metrics}
        for cell in cells_of(SUITE.replace("seeds = 3", "seeds = 1"), "teacher-student")
    )
    of_models = {"agreement", "parameters", "parameter-compression", "latency-ratio"}
    assert of_models | {"accuracy"} <= iris
    assert of_models | {"r2"} <= diabetes
    assert not {"mmd", "wasserstein", "coverage"} & (iris | diabetes)


@pytest.mark.parametrize(
    ("old", "new"),
    [("budgets = [2, 5]", "budgets = [7]"), ('["knn", "forest"]', '["mlp"]'), (', "random"]', "]")],
)
def test_what_does_not_reach_a_student_does_not_change_its_key(old, new):
    assert old in SUITE
    before, after = (cells_of(text, "teacher-student") for text in (SUITE, SUITE.replace(old, new)))
    assert [cell.key for cell in before] == [cell.key for cell in after]


def test_its_parameters_do_and_the_control_learns_from_labels_alone():
    text = SUITE.replace(
        '"teacher-student",', '{name = "teacher-student", student = "mlp", label = "teacher-student"},'
    )
    before, after = (cells_of(one, "teacher-student")[0] for one in (SUITE, text))
    assert before.key != after.key
    assert after.method_params == {"control": False, "validation_fraction": None, "student": "mlp"}
    (params,) = {cell.method_params["alpha"] for cell in cells_of(SUITE, "student-alone")}
    assert params == 1.0
    assert {cell.kind for cell in cells_of(SUITE, "student-alone") + cells_of(SUITE, "teacher")} == {"control"}


def test_data_that_it_does_not_take_is_skipped_with_the_reason(trouble):
    cell = cells_of(SUITE.replace('"random"', '"bare"').replace('["iris", "diabetes"]', '["digits"]'), "bare")[0]
    assert cell.skip == "method bare does not take data of modality image (digits)"


# the job


@pytest.fixture
def prepared(tmp_path):
    def prepare(name):
        folder = tmp_path / name
        _jobs.prepare(name=name, params={}, root=None, folder=str(folder), targets=str(folder) + ".json")
        return load_dataset(name).as_float(), folder

    return prepare


OF_MODELS = ["agreement", "parameters", "parameter-compression", "model-bytes", "model-compression", "latency-ratio"]


def fit(folder, method, *, task="classification", seed=(3, 0), metrics=(), **params):
    spec = get_manager().get("method", method)
    return _jobs.fit_model(
        data=str(folder),
        method=method,
        params={**spec.params, **params},
        task=task,
        seed=list(seed),
        metrics=[SCORE[task], *OF_MODELS, *metrics],
    )


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_a_student_is_measured_on_the_test_rows_beside_its_teacher(prepared, name):
    data, folder = prepared(name)
    found = fit(folder, "teacher-student", task=data.task, epochs=20)
    state = int(np.random.SeedSequence([3, 0]).generate_state(1)[0] >> 1)
    by_hand = TeacherStudentDistiller(epochs=20, task=data.task, validation_fraction=None, random_state=state)
    by_hand.fit(data.X_train, data.y_train)
    metrics, score = found["metrics"], SCORE[data.task]
    assert metrics[score] == by_hand.score(data.X_test, data.y_test)
    answers, taught = by_hand.predict(data.X_test), by_hand.predict_teacher(data.X_test)
    alike = np.mean(answers == taught) if score == "accuracy" else r2_score(taught, answers)
    assert metrics["agreement"] == pytest.approx(alike)
    assert metrics["parameters"] == by_hand.n_parameters_student_
    assert metrics["parameter-compression"] == by_hand.compression_ratio_ > 1
    assert metrics["model-bytes"] == by_hand.n_bytes_student_
    assert metrics["model-compression"] == by_hand.n_bytes_teacher_ / by_hand.n_bytes_student_ > 1
    assert metrics["latency-ratio"] > 0
    assert (found["rows"], found["rows_seen"]) == (len(data.X_train), len(data.X_train))
    assert found["bytes"] == found["bytes_seen"] == data.X_train.nbytes + data.y_train.nbytes
    assert min(found["seconds_distil"], found["seconds_train"], found["seconds_predict"]) > 0
    assert found["stopped_by"] == "max_iter"


def test_the_three_have_one_teacher_and_the_control_owes_it_nothing(prepared, monkeypatch):
    # Nothing below depends on how well the teacher has learned.
    monkeypatch.setattr(_teacher, "_STEPS", 20)
    _, folder = prepared("iris")
    seeds = [(0, 0), (0, 1), (1, 0), (0, 0)]
    made = {
        method: [fit(folder, method, seed=seed, teacher="mlp", epochs=3, metrics=["macro-f1"]) for seed in seeds]
        for method in ALL
    }
    for taught, alone, reference in zip(*(made[method] for method in ALL), strict=True):
        figures = [one["metrics"]["parameters"] for one in (taught, alone, reference)]
        assert figures[0] == figures[1] < figures[2]
        assert taught["metrics"]["parameter-compression"] == figures[2] / figures[0]
        assert alone["seconds_distil"] == reference["seconds_distil"] == 0.0
        assert taught["seconds_distil"] > 0
        own = {name: reference["metrics"][name] for name in ("agreement", "parameter-compression", "latency-ratio")}
        assert own == dict.fromkeys(own, 1.0)
    for runs in made.values():
        assert runs[0]["metrics"]["macro-f1"] == runs[3]["metrics"]["macro-f1"]


def test_test_rows_are_opened_after_the_fit(prepared, monkeypatch):
    data, folder = prepared("iris")

    class Spy:
        def fit(self, X, y):
            np.testing.assert_array_equal(X, data.X_train)
            for name in ("X_test", "y_test"):
                (folder / f"{name}.gone").rename(folder / f"{name}.npy")
            return self

        def predict(self, X):
            np.testing.assert_array_equal(X, data.X_test)
            return data.y_test

    for name in ("X_test", "y_test"):
        (folder / f"{name}.npy").rename(folder / f"{name}.gone")
    monkeypatch.setattr(_jobs, "build_distiller", lambda *_: Spy())
    found = fit(folder, "teacher-student")
    assert found["metrics"] == {"accuracy": 1.0}
    assert found["seconds_distil"] > 0, "nothing is known of a teacher: all of it is the distillation"
    assert found["seconds_train"] is None


# whole runs


@pytest.fixture(scope="module")
def finished(trouble, tmp_path_factory, plan_for, do):
    folder = tmp_path_factory.mktemp("students")
    methods = f"""[
        {{name = "shrunk", log = "{folder / "log.txt"}", label = "shrunk"}}, "bare", "first",
        {{name = "shrunk", how = "raise", label = "raises"}}, {{name = "shrunk", how = "segfault", label = "dies"}},
        {{name = "shrunk", late = "raise", label = "raises-late"}},
    ]""".replace("\n", " ")
    metrics = '["right", "rows", "farthest", "agreement", "parameters", "parameter-compression", "latency-ratio"]'
    plan = plan_for(methods, budgets="[2, 3]", metrics=metrics, seeds="2")
    return plan, folder, do(plan, folder, jobs=2)


def row_of(finished, method, seed=0):
    (row,) = [row for row in finished[2] if row["method"] == method and row["distil_seed"] == seed]
    return row


def test_a_row_holds_what_was_measured(finished):
    row = row_of(finished, "shrunk")
    assert (row["status"], row["phase"], row["evaluator"], row["budget"]) == ("ok", None, "student", "-")
    assert row["metrics"] == {
        "right": 1.0, "rows": 24.0, "agreement": 7 / 8, "parameters": 20.0, "parameter-compression": 3.0, "latency-ratio": 3.5,
    }  # fmt: skip
    assert (row["rows"], row["rows_seen"], row["bytes"], row["bytes_seen"]) == (24, 24, 24 * 20, 24 * 20)
    assert (row["seconds_distil"], row["seconds_train"], row["seconds_distil_job"]) == (0.75, 0.25, 0.0)
    assert 0 <= row["seconds_predict"] < row["seconds"]
    assert (row["stopped_by"], row["artefact"], row["n_concurrent"]) == ("max_iter", None, 2)
    assert row["peak_mb"] == row["peak_mb_distil"] == row["peak_mb_evaluate"] > 10  # one process fits and predicts


def test_a_model_needs_no_more_than_fit_and_predict(finished):
    row = row_of(finished, "bare")
    assert (row["status"], row["metrics"]) == ("ok", {"right": 0.5, "rows": 24.0})
    assert row["seconds_train"] is None
    assert row["seconds_distil"] >= 0


def test_sets_of_rows_have_no_figures_of_models(finished):
    rows = [row for row in finished[2] if row["method"] == "first"]
    assert len(rows) == 4
    assert all(row["metrics"].keys() == {"right", "rows", "farthest"} for row in rows)


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [
        ("raises", "failed", "ValueError: first line second line"),
        ("dies", "crashed", "killed by SIGSEGV: last words"),
        ("raises-late", "failed", "ValueError: first line second line (after the fit, on the test rows)"),
    ],
)
def test_what_goes_wrong_is_a_row_as_well(finished, method, status, error):
    row = row_of(finished, method)
    assert (row["status"], row["phase"], row["metrics"]) == (status, "distil", {})
    assert row["error"].startswith(error)


def test_each_is_fitted_once_with_a_random_state_of_its_seeds(finished):
    states = (finished[1] / "log.txt").read_text().split()
    expected = [int(np.random.SeedSequence([seed, 0]).generate_state(1)[0] >> 1) for seed in (0, 1)]
    assert sorted(map(int, states)) == sorted(expected)


def test_resuming_runs_nothing_twice_and_retries_what_is_asked_for(finished, monkeypatch, do):
    plan, folder, _ = finished
    with monkeypatch.context() as patch:
        patch.setattr(runner_module, "run_job", None)  # calling it would raise
        assert do(plan, folder) == []
    store = ResultsStore(folder)
    lost = row_of(finished, "bare", seed=1)
    store.cell_path(lost["key"]).unlink()
    assert [cell.key for cell in pending_cells(plan, store)] == [lost["key"]]
    (again,) = do(plan, folder)
    assert again["metrics"] == lost["metrics"]
    assert {cell.method for cell in pending_cells(plan, store, frozenset({"failed"}))} == {"raises", "raises-late"}


def test_a_run_that_stopped_goes_on_with_the_students_left(finished, tmp_path, do):
    plan = finished[0]
    only = [cell for cell in plan.cells if cell.method in ("shrunk", "bare")]
    do(dataclasses.replace(plan, cells=tuple(only[:1])), tmp_path)
    rows = do(dataclasses.replace(plan, cells=tuple(only)), tmp_path)
    assert sorted(row["key"] for row in rows) == sorted(cell.key for cell in only[1:])
    assert {row["status"] for row in rows} == {"ok"}


def test_the_forecast_counts_the_one_job_once(finished):
    plan, _, rows = finished
    own = [row for row in rows if row["method"] == "shrunk"]
    cells = [cell for cell in plan.cells if cell.method == "shrunk"]
    assert forecast(cells, own) == (pytest.approx(sum(row["seconds"] for row in own)), 2)


# elsewhere


def test_a_command_that_writes_rows_refuses_it():
    with pytest.raises(
        DataError, match=r"'teacher-student' reduces a model instead of rows: .*--methods teacher-student"
    ):
        make_distiller("teacher-student", Budget(2), {}, {})
