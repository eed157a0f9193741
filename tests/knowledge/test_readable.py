"""Students by name, as text and as SQL."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from distillkit import TeacherStudentDistiller
from distillkit.exceptions import DataError

SETTINGS = {"validation_fraction": None, "random_state": 0}


def answers(sql, names, X):
    """Return what a database says for each row."""
    with sqlite3.connect(":memory:") as database:
        columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        database.execute(f"CREATE TABLE rows ({columns})")
        database.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(names))})", X.tolist())  # noqa: S608
        return np.array([value for (value,) in database.execute(f"SELECT {sql} FROM rows ORDER BY rowid")])  # noqa: S608


def test_a_database_predicts_as_the_tree_does(table, numbers):
    pandas = pytest.importorskip("pandas")
    X, y = table[0].astype(np.float32), np.where(table[1] == "ant", "it's", table[1])
    names = ["a", 'say "b"', "c d", "e"]
    frame = pandas.DataFrame(X, columns=names)
    model = TeacherStudentDistiller(GaussianNB(), "tree", n_augment=500, **SETTINGS).fit(frame, y)
    assert isinstance(model.student_, DecisionTreeClassifier)
    assert model.student_.get_n_leaves() <= 32
    np.testing.assert_array_equal(answers(model.export_sql(), names, X), model.predict(frame))
    A = numbers[0].astype(np.float32)
    line = TeacherStudentDistiller(LinearRegression(), "tree", n_augment=500, **SETTINGS).fit(A, numbers[1])
    np.testing.assert_allclose(answers(line.export_sql(), ["x0", "x1", "x2"], A), line.predict(A))
    codes = TeacherStudentDistiller(GaussianNB(), "tree", **SETTINGS).fit(X, np.arange(150) % 3)
    np.testing.assert_array_equal(answers(codes.export_sql(), ["x0", "x1", "x2", "x3"], X), codes.predict(X))


def test_rules_and_coefficients_as_text(table, numbers):
    X, y = table
    tree = TeacherStudentDistiller(GaussianNB(), "tree", **SETTINGS).fit(X, y)
    text = tree.export_text()
    assert text.count("class: ") == tree.student_.get_n_leaves()
    assert "x0" in text
    linear = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), **SETTINGS).fit(X, y)
    values = [float(line.rpartition(":")[2]) for line in linear.export_text().splitlines()[1:]]
    expected = np.c_[linear.student_.intercept_, linear.student_.coef_].ravel()
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    scaled = TeacherStudentDistiller(LinearRegression(), "linear", **SETTINGS).fit(*numbers)
    assert scaled.export_text().startswith("coefficients of the scaled columns\nvalue: ")
    assert not hasattr(linear, "export_sql")
    assert not hasattr(TeacherStudentDistiller(GaussianNB(), epochs=1, **SETTINGS).fit(X, y), "export_text")


def test_an_additive_student_is_a_sum_over_columns(numbers):
    """The effect of a column does not depend on the other columns."""
    X, _ = numbers
    y = X[:, 0] * X[:, 1]
    model = TeacherStudentDistiller(LinearRegression(), "gam", alpha=0.9, **SETTINGS).fit(X, y)
    first, second = X[:30].copy(), X[30:60].copy()
    effects = []
    for rows in (first, second):
        low, high = rows.copy(), rows.copy()
        low[:, 0], high[:, 0] = -1, 1
        effects.append(model.predict(high) - model.predict(low))
    np.testing.assert_allclose(np.concatenate(effects), effects[0][0], atol=1e-6)


def test_no_sql_of_encoded_columns(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    frame = pandas.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "up", "down")})
    model = TeacherStudentDistiller("linear", "tree", **SETTINGS).fit(frame, y)
    assert "class: " in model.export_text()
    with pytest.raises(DataError, match="encoded columns of a mixed table"):
        model.export_sql()
