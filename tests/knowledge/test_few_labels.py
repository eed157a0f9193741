"""Students that see few labels: rows without labels, answers that are given, and made rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit import TeacherStudentDistiller
from distillkit.exceptions import DataError
from distillkit.knowledge._loss_plan import LossPlan
from distillkit.knowledge._memorizing import default_folds, out_of_bag, with_out_of_bag
from distillkit.knowledge._neighbor_rows import neighbor_rows
from distillkit.knowledge._student import fit_student
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teaching_rows import TeachingRows, choose_labeled
from distillkit.knowledge._temperature import mixed_labels
from distillkit.nn import NetworkClassifier

QUICK = {"epochs": 5, "batch_size": 64, "lr": 0.02, "random_state": 0, "validation_fraction": None}


def test_a_student_of_weights_learns_the_rows_without_labels(table):
    """Against logistic regression on the expansion, written out by hand."""
    X, y = table
    teacher = GaussianNB().fit(X, y)
    student = LogisticRegression(tol=1e-10, max_iter=2000)
    model = TeacherStudentDistiller(teacher, student, alpha=0.3, temperature=2, validation_fraction=None)
    model.fit(X[:30], y[:30], X_unlabeled=X[30:])
    soft = teacher.predict_proba(X) ** 0.5
    mixed = soft / soft.sum(1, keepdims=True)
    mixed[:30] = 0.7 * mixed[:30] + 0.3 * (y[:30, None] == teacher.classes_)
    expected = LogisticRegression(tol=1e-10, max_iter=2000).fit(
        np.repeat(X, 3, axis=0), np.tile(teacher.classes_, 150), sample_weight=mixed.ravel()
    )
    np.testing.assert_allclose(model.student_.coef_, expected.coef_, atol=1e-4)
    alone = LogisticRegression(tol=1e-10, max_iter=2000).fit(X[:30], y[:30])
    np.testing.assert_allclose(model.student_alone_.coef_, alone.coef_, atol=1e-4)


def test_the_loss_of_a_network_weighs_each_row(table):
    """Labels of weight zero change nothing, and a weight for each row equals the same for all."""
    X, y = table
    logits = GaussianNB().fit(X, y).predict_log_proba(X)
    student = NetworkClassifier(hidden=(6,), epochs=4, batch_size=64, random_state=0)
    classes = np.unique(y)

    def weights(y, alpha):
        targets = DistillationTargets(Rows(X, y), classes, logits, 4.0, alpha)
        return [part.detach().numpy() for part in fit_student(student, targets).model.network_.parameters()]

    per_row = np.where(np.arange(150) < 30, 0.3, 0.0)
    other = np.where(np.arange(150) < 30, y, "cow")
    for one, same in zip(weights(y, per_row), weights(other, per_row), strict=True):
        np.testing.assert_array_equal(one, same)
    for one, same in zip(weights(y, np.full(150, 0.25)), weights(y, 0.25), strict=True):
        np.testing.assert_allclose(one, same, atol=1e-6)


def test_labels_beyond_the_number_are_for_the_teacher_alone(table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), n_labeled=30, **QUICK).fit(X, y)
    again = TeacherStudentDistiller(GaussianNB(), alpha=1, n_labeled=30, **QUICK).fit(X, y)
    np.testing.assert_array_equal(model.student_alone_.predict_proba(X), again.student_.predict_proba(X))
    assert model.teacher_.class_count_.sum() == 150
    assert model.score(X, y) > 0.5
    mask = choose_labeled(y, np.arange(150), 150, 31, np.unique(y), np.random.RandomState(0))
    assert sorted(np.unique(y[mask], return_counts=True)[1].tolist()) == [10, 10, 11]
    with pytest.raises(DataError, match="n_labeled=2 is less than the 3 classes"):
        TeacherStudentDistiller(GaussianNB(), n_labeled=2, **QUICK).fit(X, y)


def test_the_student_never_meets_the_labels_of_the_others(table):
    X, y = table
    teacher = GaussianNB().fit(X, y)
    mask = np.arange(150) < 30
    models = []
    for hidden in ("ant", "cow"):
        material = TeachingRows(Rows(X, np.where(mask, y, hidden)), mask, X[:0])
        targets = material.targets(np.unique(y), np.log(teacher.predict_proba(X)), 1.0, 0.3, 0.3, LossPlan())
        models.append(fit_student(LogisticRegression(), targets).model.coef_)
    np.testing.assert_array_equal(*models)


def test_few_labels_and_a_teacher_of_many():
    """The student alone has 12 noisy labels, the teacher knows the rule."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 8))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    model = TeacherStudentDistiller(LogisticRegression(), LogisticRegression(), n_labeled=12, random_state=0)
    model.fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.95 > model.student_alone_.score(X[400:], y[400:])


def test_answers_that_are_given_replace_the_teacher(table, numbers):
    X, y = table
    teacher = GaussianNB().fit(X, y)
    proba = teacher.predict_proba(X)
    settings = {"student": LogisticRegression(), "validation_fraction": None}
    with_model = TeacherStudentDistiller(teacher, **settings).fit(X[:100], y[:100], X_unlabeled=X[100:])
    without = TeacherStudentDistiller(**settings).fit(X[:100], y[:100], X_unlabeled=X[100:], teacher_proba=proba)
    np.testing.assert_allclose(without.predict_proba(X), with_model.predict_proba(X), atol=1e-9)
    assert (without.teacher_, without.latency_ratio_, without.compression_ratio_) == (None, None, None)
    assert without.teacher_score_ == with_model.teacher_score_
    assert without.agreement_ == with_model.agreement_
    with pytest.raises(DataError, match="only its answers were given"):
        without.predict_teacher(X)
    held_out = TeacherStudentDistiller(student=LogisticRegression(), random_state=0).fit(X, y, teacher_proba=proba)
    assert held_out.measured_on_ == "validation"
    weight = (np.arange(150) % 2).astype(float)
    odd = TeacherStudentDistiller(**settings).fit(X, y, sample_weight=weight, teacher_proba=proba)
    odd_alone = TeacherStudentDistiller(**settings).fit(
        X[1::2], y[1::2], sample_weight=np.ones(75), teacher_proba=proba[1::2]
    )
    np.testing.assert_allclose(odd.predict_proba(X), odd_alone.predict_proba(X))
    alone = TeacherStudentDistiller(student=LogisticRegression(), alpha=0).fit(X, teacher_proba=proba)
    assert alone.classes_.tolist() == [0, 1, 2]
    A, b = numbers
    line = TeacherStudentDistiller(student=Ridge(alpha=1e-9), alpha=0, validation_fraction=None, task="regression")
    line.fit(A, b, teacher_proba=A @ [1.0, 2.0, 3.0])
    np.testing.assert_allclose(line.student_.coef_, [1, 2, 3], atol=1e-6)


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        (lambda p: p[:, :2], r"has shape \(150, 2\), but \(150, 3\) is needed"),
        (lambda p: p[:70], r"has shape \(70, 3\)"),
        (lambda p: p * 2, "summing to one"),
        (lambda p: p * np.nan, "NaN or infinity"),
    ],
)
def test_answers_that_do_not_fit(proba, message, table):
    X, y = table
    with pytest.raises(DataError, match=message):
        TeacherStudentDistiller(student=LogisticRegression()).fit(X, y, teacher_proba=proba(softmax(X[:, :3], axis=1)))


def test_unlabeled_rows_of_another_form(table):
    X, y = table
    with pytest.raises(ValueError, match="3 features"):
        TeacherStudentDistiller(GaussianNB(), LogisticRegression()).fit(X, y, X_unlabeled=X[:, :3])


def test_the_temperature_follows_the_student(table):
    X, y = table
    expected = {None: 4.0, LogisticRegression(): 1.0, Ridge(): 4.0, KNeighborsClassifier(): 1.0}
    for student, temperature in expected.items():
        model = TeacherStudentDistiller(GaussianNB(), student, control=False, **QUICK).fit(X, y)
        assert model.temperature_ == temperature


@pytest.mark.parametrize(
    ("teacher", "loss", "temperature"),
    [
        (RandomForestClassifier(5, random_state=0), "kd", 1.0),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), "kd", 1.0),
        (RandomForestClassifier(5, random_state=0), "logit_std", 2.0),
    ],
)
def test_shares_of_votes_are_not_softened(teacher, loss, temperature, table):
    model = TeacherStudentDistiller(teacher, loss=loss, control=False, **QUICK).fit(*table)
    assert model.temperature_ == temperature


def test_all_rows_are_learned_after_measuring(table):
    X, y = table
    settings = {"temperature": 1, "random_state": 0}
    refitted = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), **settings).fit(X, y)
    everything = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), validation_fraction=None, **settings)
    np.testing.assert_allclose(refitted.predict_proba(X), everything.fit(X, y).predict_proba(X), atol=1e-9)
    assert refitted.measured_on_ == "validation"
    first = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), refit=False, **settings).fit(X, y)
    assert first.student_score_ == refitted.student_score_
    assert first.teacher_.class_count_.sum() == 135


def test_forests_answer_out_of_their_bags(table, numbers):
    """Each row is answered by the trees that were trained without it, here one by one."""
    X, y = table
    forest = with_out_of_bag(RandomForestClassifier(30, random_state=0)).fit(X, y)
    given = softmax(out_of_bag(Teacher(forest, forest.classes_), X), axis=1)
    total = np.zeros((150, 3))
    for tree, inside in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        outside = np.setdiff1d(np.arange(150), inside)
        total[outside] += tree.predict_proba(X[outside])
    known = total.sum(1) > 0
    np.testing.assert_allclose(given[known], total[known] / total[known].sum(1, keepdims=True), atol=1e-9)
    A, b = numbers
    of_numbers = with_out_of_bag(RandomForestRegressor(60, random_state=0)).fit(A, b)
    np.testing.assert_array_equal(out_of_bag(Teacher(of_numbers, None), A), of_numbers.oob_prediction_)
    assert out_of_bag(Teacher(GaussianNB().fit(X, y), np.unique(y)), X) is None


def test_which_teachers_are_cross_fitted_by_default():
    for memorizes in (DecisionTreeClassifier(), ExtraTreesClassifier(), KNeighborsClassifier()):
        assert default_folds(memorizes) == 5
        assert default_folds(make_pipeline(StandardScaler(), memorizes)) == 5
    for other in (RandomForestClassifier(), GaussianNB(), LogisticRegression()):
        assert default_folds(other) is None


@pytest.mark.filterwarnings("error::distillkit.exceptions.DistillkitWarning")
def test_a_forest_says_more_than_its_labels_by_default(table):
    X, y = table
    y = np.random.default_rng(1).permutation(y)  # nothing to learn but by heart
    forest = RandomForestClassifier(20, random_state=0)
    student = KNeighborsClassifier(1)
    model = TeacherStudentDistiller(forest, student, alpha=0, validation_fraction=None, random_state=0).fit(X, y)
    assert model.score(X, y) < 0.6
    by_heart = TeacherStudentDistiller(
        GaussianNB().fit(X, y), student, alpha=1, validation_fraction=None, random_state=0
    ).fit(X, y)
    assert by_heart.score(X, y) == 1.0


def test_made_rows_take_each_column_from_a_row_or_its_neighbor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * [1, 10, 100]
    made = neighbor_rows(X, 500, np.random.RandomState(0))
    scaled = (X - X.mean(0)) / X.std(0)
    nearest = np.argsort(((scaled[:, None] - scaled) ** 2).sum(2), axis=1)[:, :6]
    assert len(np.unique(made, axis=0)) > 100
    for row in made:
        sources = [np.flatnonzero(X[:, column] == row[column]) for column in range(3)]
        assert all(len(source) == 1 for source in sources)
        rows = {int(source[0]) for source in sources}
        assert any(rows <= {anchor, other} for anchor in rows for other in nearest[anchor])
    np.testing.assert_array_equal(made, neighbor_rows(X, 500, np.random.RandomState(0)))


def test_a_tree_learns_made_rows_from_the_teacher_and_its_own_labels_as_they_are(table):
    X, y = table
    settings = {"validation_fraction": None, "random_state": 0}
    tree = DecisionTreeClassifier(random_state=0)
    model = TeacherStudentDistiller(GaussianNB(), tree, n_augment=600, **settings).fit(X, y)
    assert model.student_.tree_.n_node_samples[0] > 600
    # A deep tree repeats the labels of its own rows, except where a made row is a copy of one.
    assert np.mean(model.predict(X) == y) > 0.97
    assert np.mean(model.teacher_.predict(X) == y) < 0.97
    plain = TeacherStudentDistiller(GaussianNB(), tree, augment=None, **settings).fit(X, y)
    assert plain.student_.tree_.n_node_samples[0] <= 450
    numbers = X[:, 0] ** 2 + X[:, 1]
    by_number = TeacherStudentDistiller(
        LinearRegression(), DecisionTreeRegressor(random_state=0), n_augment=300, **settings
    ).fit(X, numbers)
    assert np.mean(np.isclose(by_number.predict(X), numbers)) > 0.7
    assert by_number.student_.tree_.n_node_samples[0] == 450
    with pytest.raises(DataError, match="leave one of the two out"):
        TeacherStudentDistiller(student=tree, augment="neighbors").fit(X, y, teacher_proba=softmax(X[:, :3], axis=1))
    with pytest.raises(DataError, match=r"makes rows of tables, but these have the shape \(2, 2\)"):
        TeacherStudentDistiller(GaussianNB(), tree, augment="neighbors").fit(X.reshape(-1, 2, 2), y)


def test_the_mixture_takes_a_weight_for_each_row():
    z = np.random.default_rng(0).normal(size=(3, 2))
    codes = np.array([0, 1, 1])
    together = mixed_labels(codes, z, 2, 4.0, np.array([0.0, 0.3, 1.0]))
    for row, alpha in enumerate((0.0, 0.3, 1.0)):
        np.testing.assert_allclose(together[row], mixed_labels(codes, z, 2, 4.0, alpha)[row])
