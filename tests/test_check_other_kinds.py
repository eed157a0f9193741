"""The checks of datasets, evaluators, reporters and executors fail where one thing is wrong, and say what."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from distillkit.datasets import Dataset, load_dataset, loader
from distillkit.exceptions import UnknownNameError
from distillkit.plugins import get_manager
from distillkit.specs import DatasetSpec, EvaluatorSpec, ExecutorSpec, MethodSpec, ReporterSpec
from distillkit.testing import check_dataset, check_evaluator, check_executor, check_reporter
from distillkit.testing._conformance import spec_results

FIELDS = tuple(Dataset.__dataclass_fields__)


def dataset_with(**changes):
    """A specification of the flowers with some fields of the dataset changed by functions."""

    @loader()
    def load(root=None, split=0):
        """Load it; `split` chooses the rows held out."""
        data = load_dataset("iris", split=split)
        fields = {name: getattr(data, name) for name in FIELDS}
        return Dataset(**{**fields, **{name: change(data) for name, change in changes.items()}})

    return DatasetSpec(name="own", target=load, task="classification", modality="table", summary="Flowers")


def failures(spec, *skip):
    return {result.name: result.text for result in spec_results(spec, skip) if not result.passed}


@pytest.mark.parametrize(
    ("changes", "check", "remedy"),
    [
        ({"X_train": lambda d: d.X_train.astype(float)}, "check_units", "X_train is float64: convert it to float32"),
        ({"X_train": lambda d: d.X_train * 1e6}, "check_units", "standardize the rows"),
        ({"y_test": lambda d: d.y_test.astype(np.int32)}, "check_labels", "must be int64 positions in classes"),
        ({"y_test": lambda d: d.y_test + 1}, "check_labels", "there are 3 names in classes"),
        ({"y_train": lambda d: d.y_train * 0}, "check_labels", "have test rows but no training rows"),
        ({"task": lambda d: "regression"}, "check_is_dataset", "task is 'regression', but 'classification'"),
        ({"feature_names": lambda d: ("a",)}, "check_shapes", "1 feature_names for 4 columns"),
        (
            {"X_test": lambda d: d.X_train, "y_test": lambda d: d.y_train},
            "check_leakage",
            "100% of the test rows are training rows",
        ),
        (
            {"X_test": lambda d: d.X_test + np.float32(np.random.rand())},
            "check_repeatable",
            "X_test of a second call",
        ),
    ],
)
def test_a_wrong_dataset_fails_its_check(changes, check, remedy):
    found = failures(dataset_with(**changes), "check_spec_pickle")
    assert remedy in found[check]


def test_a_right_dataset_fails_none_and_one_with_equal_splits_does():
    assert failures(dataset_with(), "check_spec_pickle") == {}
    fixed = load_dataset("iris")
    same = {name: (lambda d, name=name: getattr(fixed, name)) for name in ("X_train", "y_train", "X_test", "y_test")}
    assert list(failures(dataset_with(**same), "check_spec_pickle")) == ["check_splits"]


def test_a_loader_that_takes_any_option_fails():
    def load(root=None, **options):
        """Load the flowers."""
        return load_dataset("iris")

    spec = replace(dataset_with(), target=load)
    assert "decorate the function with @distillkit.datasets.loader()" in failures(spec)["check_options"]


def test_data_that_are_not_there_give_one_failure_with_the_way_to_get_them(tmp_path):
    results = spec_results(get_manager().get("dataset", "mnist"), root=tmp_path)
    assert [result.name for result in results if not result.passed] == ["check_is_dataset"]


class Forgetful(KNeighborsClassifier):
    """Neighbors that change their rows."""

    def fit(self, X, y):
        X[0] = 0
        return super().fit(X, y)


def ignore_weights(task, seed):
    class Model(DecisionTreeClassifier):
        """A tree that takes weights and does not use them."""

        def fit(self, X, y, sample_weight=None):
            return super().fit(X, y)

    return Model(random_state=seed)


@pytest.mark.parametrize(
    ("make", "check", "remedy"),
    [
        (lambda task, seed: DummyClassifier(), "check_learns", "% of the predictions"),
        (lambda task, seed: SGDClassifier(max_iter=5, tol=None, shuffle=True), "check_seed", "second model"),
        (lambda task, seed: Forgetful(1), "check_inputs_untouched", "X after fit and predict"),
        (ignore_weights, "check_weights", "use sample_weight, or leave it out of fit"),
        (lambda task, seed: KNeighborsClassifier(5), "check_two_rows", "it raises ValueError"),
        (lambda task, seed: object(), "check_interface", "has no attribute 'fit'"),
    ],
)
def test_a_wrong_evaluator_fails_its_check(make, check, remedy):
    spec = EvaluatorSpec(name="own", target=make, tasks=frozenset({"classification"}), summary="Own")
    assert remedy in failures(spec)[check]


def writer(write):
    return ReporterSpec(name="own", target=write, extension="txt", summary="Own")


def write_outside(leaderboard, folder):
    path = Path(folder).parent / "own.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return [path]


def append(leaderboard, folder):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "own.txt").open("a") as file:
        file.write(str(leaderboard.n_done) + "\n")
    return [folder / "own.txt"]


def write_random(leaderboard, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.txt").write_text(str(time.perf_counter_ns()))
    return [folder / "own.txt"]


def sort_in_place(leaderboard, folder):
    del leaderboard.table["rank"]
    return []


def divide(leaderboard, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.txt").write_text(str(1 / len(leaderboard.rows)))
    return [folder / "own.txt"]


def other_suffix(leaderboard, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.dat").write_text("x")
    return [folder / "own.dat"]


@pytest.mark.parametrize(
    ("write", "check", "remedy"),
    [
        (write_outside, "check_files", "lies outside the folder"),
        (append, "check_rewrite", "keeps parts of an earlier report"),
        (write_random, "check_repeatable", "differs when written again"),
        (sort_in_place, "check_leaderboard_untouched", "work on a copy"),
        (divide, "check_empty", "it raises ZeroDivisionError"),
        (other_suffix, "check_extension", "the registered extension is .txt, but the files have .dat"),
    ],
)
def test_a_wrong_reporter_fails_its_check(write, check, remedy):
    assert remedy in failures(writer(write))[check]


def all_at_the_end(groups, run_group, jobs):
    yield from [run_group(group) for group in list(groups)]


def twice(groups, run_group, jobs):
    for group in groups:
        run_group(group)
        yield run_group(group)


def never_cancel(groups, run_group, jobs):
    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(run_group, group) for group in groups]:
            yield future.result()


def too_many(groups, run_group, jobs):
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(run_group, groups)


def lose_one(groups, run_group, jobs):
    for group in list(groups)[1:]:
        yield run_group(group)


@pytest.mark.parametrize(
    ("run", "check", "remedy"),
    [
        (all_at_the_end, "check_rows_arrive_early", "yield the rows of a group when it is done"),
        (twice, "check_all_rows", "each must run once"),
        (lose_one, "check_all_rows", "each must run once"),
        (too_many, "check_jobs", "limit the number of workers to jobs"),
        (never_cancel, "check_interrupt", "cancel those that wait"),
    ],
)
def test_a_wrong_executor_fails_its_check(run, check, remedy):
    assert remedy in failures(ExecutorSpec(name="own", target=run, summary="Own"))[check]


def undocumented(task, random_state, depth=3):
    """Make a tree."""
    return DecisionTreeClassifier(max_depth=depth, random_state=random_state)


@pytest.mark.parametrize(
    ("spec", "check", "remedy"),
    [
        (EvaluatorSpec(name="own", target=undocumented, summary="Own"), "check_docstring", "does not name depth"),
        (EvaluatorSpec(name="own", target=undocumented), "check_summary", "summary is empty"),
        (EvaluatorSpec(name="Own", target=undocumented, summary="Own"), "check_fields", "must be lower case words"),
        (MethodSpec(name="own", target=lambda: None, summary="Own"), "check_spec_pickle", "cannot be pickled"),
        (EvaluatorSpec(name="own", target="a.b:c", requires=("not_there",)), "check_target", "not_there"),
    ],
)
def test_a_wrong_registration_fails_its_check(spec, check, remedy):
    assert remedy in failures(spec)[check]


def test_a_class_that_is_no_distiller_fails():
    spec = MethodSpec(name="own", target=dict, summary="Own")
    assert "is no distiller: it has no fit" in failures(spec)["check_contract"]


def test_the_functions_for_authors_raise_at_the_first_failure_and_name_it():
    for check, name in (
        (check_dataset, "digits"),
        (check_evaluator, "knn"),
        (check_reporter, "markdown"),
        (check_executor, "local"),
    ):
        check(name)
        with pytest.raises(UnknownNameError, match="unknown check"):
            check(name, skip=["check_nothing"])
        with pytest.raises(TypeError, match="give a registered name or a"):
            check(7)
    with pytest.raises(AssertionError, match=r"reporter 'own' fails check_files: .* lies outside the folder"):
        check_reporter(writer(write_outside), skip=["check_docstring"])
