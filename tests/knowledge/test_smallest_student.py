"""The search for the smallest student: what is compared, on which rows, and which one is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from distillkit import TeacherStudentDistiller
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.knowledge import SmallestStudent
from distillkit.knowledge._shared_teacher import SharedTeacher

FOREST = TeacherStudentDistiller(RandomForestClassifier(20, random_state=0), n_augment=200, random_state=0)
ANY_SPEED = {"max_latency_ratio": None, "random_state": 0}


def trees(*leaves):
    return {str(size): DecisionTreeClassifier(max_leaf_nodes=size, random_state=0) for size in leaves}


def test_the_smallest_within_the_tolerance_is_taken(table):
    """Recomputed from the table of all students, for tolerances that admit few and many."""
    X, y = table
    for tolerance in (0.0, 0.05, 0.3, 1.0):
        search = SmallestStudent(FOREST, trees(2, 3, 6, 40), tolerance=tolerance, reference="largest", **ANY_SPEED)
        report = search.fit(X, y).report_
        assert list(report["bytes"]) == sorted(report["bytes"])
        enough = report[report["score"] >= report["score"].iloc[-1] - tolerance - 1e-9]
        assert search.best_name_ == enough["student"].iloc[0] == report["student"][report["chosen"]].item()
        assert search.within_limits_
        assert search.best_distiller_.student_.max_leaf_nodes == int(search.best_name_)
    assert search.best_name_ == "2"


def test_scores_are_those_of_rows_that_no_model_has_seen(table):
    X, y = table
    seen = {"teacher": [], "student": []}

    class Spy(GaussianNB):
        def __init__(self, role="", priors=None, var_smoothing=1e-9):
            super().__init__(priors=priors, var_smoothing=var_smoothing)
            self.role = role

        def fit(self, X, y, sample_weight=None):
            seen[self.role].append({tuple(row) for row in X})
            return super().fit(X, y, sample_weight)

    search = SmallestStudent(TeacherStudentDistiller(Spy("teacher")), [Spy("student")], **ANY_SPEED).fit(X, y)
    assert [len(rows) for rows in seen["teacher"]] == [120, 150]
    assert [len(rows) for rows in seen["student"]] == [120, 150]
    held = np.array([tuple(row) not in seen["teacher"][0] for row in X])
    assert search.n_validation_ == held.sum() == 30
    by_hand = GaussianNB().fit(X[~held], y[~held])
    assert search.teacher_score_ == by_hand.score(X[held], y[held])
    assert search.score(X, y) == search.best_distiller_.score(X, y)


def test_students_share_one_teacher_and_its_answers(table):
    """Each student is what a fit of its own on these rows gives."""
    X, y = table
    shared, fits = SharedTeacher(), []

    class Counted(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            fits.append(len(X))
            return super().fit(X, y, sample_weight)

    settings = {"validation_fraction": None, "control": False, "random_state": 0, "teacher_cv": 3}
    for student in (LogisticRegression(), DecisionTreeClassifier(max_depth=3)):
        model = TeacherStudentDistiller(Counted(), student, n_augment=100, **settings)
        model._shared_teacher = shared
        model.fit(X, y)
        assert model.teacher_ is shared.teacher.model
        if isinstance(student, LogisticRegression):
            alone = TeacherStudentDistiller(GaussianNB(), student, **settings).fit(X, y)
            np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X))
    assert sorted(fits) == [100, 100, 100, 150]


def test_a_student_that_is_too_slow_is_not_taken(table):
    class Slow(DecisionTreeClassifier):
        def predict(self, X):
            for _ in range(20):
                super().predict_proba(X)
                np.linalg.svd(np.ones((60, 60)))
            return super().predict(X)

    students = {"slow": Slow(max_leaf_nodes=3), "fast": DecisionTreeClassifier(max_leaf_nodes=8)}
    search = SmallestStudent(FOREST, students, tolerance=1.0, max_latency_ratio=1.0, random_state=0).fit(*table)
    assert search.best_name_ == "fast"
    slow = search.report_.set_index("student").loc["slow"]
    assert (slow["good"], slow["fast"]) == (True, False)
    assert slow["latency_ratio"] > 1


def test_the_most_accurate_is_taken_with_a_warning_if_none_is_good(table):
    X, y = table
    search = SmallestStudent(FOREST, trees(2, 3, 6), tolerance=1.0, max_latency_ratio=1e-9, random_state=0)
    with pytest.warns(DistillkitWarning, match="no student is within tolerance=1 .* raise a limit"):
        search.fit(X, y)
    assert not search.within_limits_
    assert search.report_["score"][search.report_["chosen"]].item() == search.report_["score"].max()


def test_default_students_of_tables_and_numbers(numbers):
    X, y = numbers
    forest = TeacherStudentDistiller(RandomForestRegressor(20, random_state=0), n_augment=200, random_state=0)
    search = SmallestStudent(forest, tolerance=5.0, **ANY_SPEED).fit(X, y)
    assert len(search.report_) == 8
    assert search.best_name_ == search.report_["student"][0]
    assert search.predict(X).shape == (120,)
    assert is_regressor(search)
    assert not hasattr(search, "predict_proba")
    assert is_classifier(SmallestStudent(FOREST))
    assert clone(search).get_params()["tolerance"] == 5.0


def test_frames_of_text(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    frame = pandas.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "up", "down"), "c": X[:, 2]})
    search = SmallestStudent(FOREST, ["linear", "tree"], tolerance=1.0, **ANY_SPEED).fit(frame, y)
    assert set(search.report_["student"]) == {"linear", "tree"}
    np.testing.assert_allclose(search.predict_proba(frame).sum(axis=1), 1)
    assert list(search.classes_) == ["ant", "bee", "cow"]


def test_bad_input(table):
    X, y = table
    with pytest.raises(DataError, match="fewer than ten rows"):
        SmallestStudent(FOREST).fit(X[:20], y[:20])
    with pytest.raises(DataError, match="holds no student"):
        SmallestStudent(FOREST, []).fit(X, y)
