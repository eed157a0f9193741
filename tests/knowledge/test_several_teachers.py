"""Several teachers, whose answers are averaged, and students that teach themselves."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from distillkit import TeacherStudentDistiller
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier

SETTINGS = {"validation_fraction": None, "random_state": 0}


def test_probabilities_are_averaged_not_logits(table):
    X, y = table
    teachers = [GaussianNB().fit(X, y), LogisticRegression().fit(X[:, :], y)]
    together = TeacherStudentDistiller(teachers, LogisticRegression(), alpha=0, **SETTINGS).fit(X, y)
    mean = np.mean([teacher.predict_proba(X) for teacher in teachers], axis=0)
    given = TeacherStudentDistiller(student=LogisticRegression(), alpha=0, **SETTINGS).fit(X, y, teacher_proba=mean)
    np.testing.assert_allclose(together.predict_proba(X), given.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(together.predict_teacher(X), teachers[0].classes_[mean.argmax(1)])
    back = pickle.loads(pickle.dumps(together))
    np.testing.assert_array_equal(back.predict_teacher(X), together.predict_teacher(X))


def test_those_that_are_not_fitted_are_trained(table, numbers):
    X, y = table
    fitted = GaussianNB().fit(X[:60], y[:60])
    model = TeacherStudentDistiller([fitted, LogisticRegression(), "linear"], Ridge(), **SETTINGS).fit(X, y)
    means = [
        fitted.predict_proba(X),
        LogisticRegression().fit(X, y).predict_proba(X),
        model.teacher_.teachers_[2].predict_proba(X),
    ]
    np.testing.assert_array_equal(model.predict_teacher(X), fitted.classes_[np.mean(means, axis=0).argmax(1)])
    assert fitted.class_count_.sum() == 60
    line = TeacherStudentDistiller([LinearRegression(), DecisionTreeRegressor(max_depth=2)], Ridge(), **SETTINGS)
    assert is_regressor(line)
    line.fit(*numbers)
    expected = [LinearRegression().fit(*numbers), DecisionTreeRegressor(max_depth=2, random_state=0).fit(*numbers)]
    mean = np.mean([teacher.predict(numbers[0]) for teacher in expected], axis=0)
    np.testing.assert_allclose(line.predict_teacher(numbers[0]), mean)
    assert is_classifier(clone(model))


def test_modules_among_the_teachers(table):
    X, y = table
    model = TeacherStudentDistiller([nn.Linear(4, 3), GaussianNB().fit(X, y)], LogisticRegression(), **SETTINGS)
    assert model.fit(X, y).predict_teacher(X).shape == (150,)


@pytest.mark.parametrize(
    ("teachers", "message"),
    [
        (lambda *_: [], "holds no teacher"),
        (lambda X, y: [GaussianNB().fit(X, y), 3], "teacher=3 cannot teach"),
        (
            lambda X, y: [GaussianNB().fit(X, y), GaussianNB().fit(X[y != "cow"], y[y != "cow"])],
            r"different classes: \['cow'\]",
        ),
    ],
)
def test_lists_that_cannot_teach(teachers, message, table):
    with pytest.raises(DataError, match=message):
        TeacherStudentDistiller(teachers(*table), LogisticRegression()).fit(*table)


def test_a_student_teaches_itself(table, numbers):
    X, y = table
    model = TeacherStudentDistiller("self", LogisticRegression(C=0.5), alpha=0, **SETTINGS).fit(X, y)
    first = LogisticRegression(C=0.5).fit(X, y)
    np.testing.assert_allclose(model.teacher_.coef_, first.coef_, atol=1e-6)
    again = TeacherStudentDistiller(first, LogisticRegression(C=0.5), alpha=0, **SETTINGS).fit(X, y)
    np.testing.assert_allclose(model.student_.coef_, again.student_.coef_, atol=1e-6)
    network = TeacherStudentDistiller("self", epochs=3, **SETTINGS).fit(X, y)
    assert isinstance(network.teacher_, NetworkClassifier)
    line = TeacherStudentDistiller("self", Ridge(), **SETTINGS).fit(*numbers)
    assert isinstance(line.teacher_, Ridge)
