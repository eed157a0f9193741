from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from distillkit.knowledge._cross_fitting import assign_folds, out_of_fold
from distillkit.knowledge._models import class_logits
from distillkit.knowledge._split import hold_out
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._temperature import TINY, logits_of


def rng():
    return np.random.RandomState(0)


def test_folds_are_even_within_and_over_classes():
    y = np.repeat(["a", "b", "c"], [11, 7, 5])
    folds = assign_folds(y, 23, 5, rng())
    assert np.ptp(np.bincount(folds)) <= 1
    for label in "abc":
        assert np.ptp(np.bincount(folds[y == label], minlength=5)) <= 1


def test_a_class_of_one_row_is_in_no_fold():
    folds = assign_folds(np.array([0] * 8 + [1]), 9, 4, rng())
    assert folds[-1] == -1
    assert (folds[:-1] >= 0).all()


def test_numbers_are_dealt_together():
    assert np.bincount(assign_folds(None, 10, 3, rng())).tolist() in ([4, 3, 3], [3, 4, 3], [3, 3, 4])


def test_no_row_is_labelled_by_a_teacher_that_saw_it(table):
    X, y = table
    y = np.random.default_rng(1).permutation(y)  # nothing to learn: only memory could be right
    template, classes = DecisionTreeClassifier(random_state=0), np.unique(y)
    teacher = Teacher(DecisionTreeClassifier(random_state=0).fit(X, y), classes)
    truth = np.searchsorted(classes, y)
    assert (teacher.outputs(X).argmax(1) == truth).all()
    apart = out_of_fold(template, teacher, Rows(X, y), 5, rng()).argmax(1)
    assert (apart == truth).mean() < 0.5


def test_folds_are_refitted_by_hand(table):
    X, y = table
    template = LogisticRegression()
    teacher = Teacher(LogisticRegression().fit(X, y), np.unique(y))
    given = out_of_fold(template, teacher, Rows(X, y), 4, rng())
    folds = assign_folds(y, len(y), 4, rng())
    for fold in range(4):
        model = LogisticRegression().fit(X[folds != fold], y[folds != fold])
        np.testing.assert_allclose(given[folds == fold], model.predict_log_proba(X[folds == fold]), atol=1e-6)


def test_only_wanted_rows_are_asked_for_in_their_order(table):
    X, y = table
    teacher = Teacher(LogisticRegression().fit(X, y), np.unique(y))
    everything = out_of_fold(LogisticRegression(), teacher, Rows(X, y), 4, rng())
    wanted = np.array([77, 3, 140, 3])
    some = out_of_fold(LogisticRegression(), teacher, Rows(X, y), 4, rng(), wanted)
    # a product of fewer rows may differ in the last bit
    np.testing.assert_allclose(some, everything[wanted], rtol=1e-12)


def test_numbers_and_weights(numbers):
    X, y = numbers
    weight = np.linspace(0.1, 2, len(y))
    given = out_of_fold(Ridge(), Teacher(Ridge().fit(X, y), None), Rows(X, y, weight), 3, rng())
    folds = assign_folds(None, len(y), 3, rng())
    model = Ridge().fit(X[folds != 1], y[folds != 1], sample_weight=weight[folds != 1])
    np.testing.assert_allclose(given[folds == 1], model.predict(X[folds == 1]))


def test_a_class_of_one_row_is_labelled_by_the_teacher_itself(table):
    X, y = table[0].copy(), table[1].astype(object)
    y[0] = "dog"
    teacher = Teacher(KNeighborsClassifier(1).fit(X, y), np.unique(y))
    given = out_of_fold(KNeighborsClassifier(1), teacher, Rows(X, y), 5, rng())
    assert given[0].argmax() == 3


def test_classes_that_a_fold_lacks_are_least_probable(table):
    X, y = table
    model = LogisticRegression().fit(X[y != "bee"], y[y != "bee"])
    given = class_logits(model, X, model.classes_, np.unique(y))
    np.testing.assert_allclose(given[:, 1], np.log(TINY))
    np.testing.assert_allclose(given[:, [0, 2]], logits_of(model.predict_proba(X)), atol=1e-6)


@pytest.mark.parametrize(("fraction", "n_held"), [(0.1, 15), (None, 0), (0.05, 0)])
def test_rows_held_out(fraction, n_held, table):
    _, y = table
    learn, held = hold_out(y, 150, fraction, rng())
    assert sorted([*learn, *held]) == list(range(150))
    assert len(held) == n_held  # fewer than ten are not worth it
    if n_held:
        assert np.unique(y[held], return_counts=True)[1].tolist() == [5, 5, 5]


def test_a_rare_class_is_not_held_out():
    y = np.array([0] * 100 + [1])
    learn, held = hold_out(y, 101, 0.2, rng())
    assert len(held) == 20
    assert 100 in learn
    assert len(hold_out(None, 101, 0.2, rng())[1]) == 20
