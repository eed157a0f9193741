"""What a comparison of teacher, student and student alone rests on: one teacher, sizes that differ, honest seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from distillkit import TeacherStudentDistiller
from distillkit.knowledge._models import module_outputs
from distillkit.knowledge._student import epochs_for, new_student
from distillkit.knowledge._teacher import new_teacher
from distillkit.knowledge._teacher_alone import TeacherAlone
from distillkit.nn import NetworkClassifier, count_parameters

TREE = DecisionTreeClassifier(max_features=1, max_depth=3)  # random: another seed gives another tree


def test_the_teacher_can_be_asked(table, numbers):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), validation_fraction=None).fit(X, y)
    np.testing.assert_array_equal(model.predict_teacher(X), GaussianNB().fit(X, y).predict(X))
    line = TeacherStudentDistiller(LinearRegression(), Ridge(), validation_fraction=None).fit(*numbers)
    np.testing.assert_array_equal(line.predict_teacher(numbers[0]), line.teacher_.predict(numbers[0]))
    module = nn.Linear(4, 3)
    taught = TeacherStudentDistiller(module, LogisticRegression()).fit(X, y)
    expected = np.array(["ant", "bee", "cow"])[module_outputs(module, X).argmax(axis=1)]
    np.testing.assert_array_equal(taught.predict_teacher(X), expected)


@pytest.mark.parametrize("student", [None, DecisionTreeClassifier()])
def test_the_same_seed_gives_the_same_teacher_in_all_three(student, table):
    X, y = table
    settings = {"control": False, "epochs": 1}
    taught, by_itself, reference = (
        cls(TREE, student, alpha=alpha, random_state=3, **settings).fit(X, y)
        for cls, alpha in ((TeacherStudentDistiller, 0.1), (TeacherStudentDistiller, 1.0), (TeacherAlone, 0.1))
    )
    answers = reference.predict(X)
    np.testing.assert_array_equal(taught.predict_teacher(X), answers)
    np.testing.assert_array_equal(by_itself.predict_teacher(X), answers)
    other = TeacherAlone(TREE, student, random_state=4, **settings).fit(X, y)
    assert not np.array_equal(other.predict(X), answers)


def test_the_teacher_alone_is_compared_with_itself(table):
    X, y = table
    model = TeacherAlone(GaussianNB(), validation_fraction=None).fit(X, y)
    expected = GaussianNB().fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-6)
    assert model.score(X, y) == expected.score(X, y) == model.teacher_score_ == model.student_score_
    assert (model.agreement_, model.compression_ratio_) == (1.0, 1.0)
    assert (model.latency_ratio_, model.latency_ratio_single_) == (1.0, 1.0)
    assert model.n_parameters_student_ == model.n_parameters_teacher_
    assert model.student_alone_ is None


def test_a_module_can_be_the_teacher_alone(table):
    module = nn.Linear(4, 3)
    model = TeacherAlone(module, temperature=1).fit(*table)
    np.testing.assert_allclose(model.transform(table[0]), softmax(module_outputs(module, table[0]), axis=1), atol=1e-6)
    np.testing.assert_array_equal(model.predict(table[0]), model.predict_teacher(table[0]))


def test_seconds_are_those_of_what_was_needed(table):
    class Slow(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            import time

            time.sleep(0.2)
            return super().fit(X, y, sample_weight)

    taught, by_itself, reference = (
        cls(Slow(), LogisticRegression(), alpha=alpha, control=False).fit(*table)
        for cls, alpha in ((TeacherStudentDistiller, 0.1), (TeacherStudentDistiller, 1), (TeacherAlone, 0.1))
    )
    assert taught.seconds_teacher_ >= 0.2
    assert taught.seconds_student_ > 0
    assert by_itself.seconds_teacher_ == 0.0, "a student that learns from labels needs no teacher"
    assert by_itself.seconds_student_ > 0
    assert (reference.seconds_teacher_, reference.seconds_student_ >= 0.2) == (0.0, True)


@pytest.mark.parametrize(("n_rows", "batch_size"), [(1, 256), (112, 256), (1348, 256), (60_000, 256), (10**6, 10)])
def test_epochs_make_600_steps_and_no_epoch_more(n_rows, batch_size):
    steps = math.ceil(n_rows / batch_size)
    epochs = epochs_for(n_rows, batch_size)
    assert epochs * steps >= 600
    assert (epochs - 1) * steps < 600


def test_students_train_for_that_many_unless_told_otherwise(table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), batch_size=1, validation_fraction=None, control=False)
    assert len(clone(model).fit(X, y).history_) == 4  # of 150 steps each
    assert len(clone(model).set_params(epochs=2).fit(X, y).history_) == 2


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 150)])
def test_the_default_student_is_smaller_than_the_default_teacher(shape):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(4, *shape)), np.arange(4) % 2
    teacher = new_teacher(None, shape, 4, "classification", "cpu", rng).set_params(epochs=1)
    student = new_student(None, "classification", epochs=1, device="cpu")
    assert isinstance(teacher, NetworkClassifier)
    sizes = [count_parameters(model.fit(X, y).network_) for model in (teacher, student)]
    assert sizes[0] > 3 * sizes[1]


def test_global_random_numbers_are_left_alone(table):
    state = torch.get_rng_state()
    TeacherAlone(TREE, random_state=0).fit(*table)
    assert torch.equal(torch.get_rng_state(), state)
