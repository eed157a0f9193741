"""How each kind of student is taught, against closed forms and independent optimisers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._student import fit_student, new_student
from distillkit.knowledge._targets import DistillationTargets, Rows
from distillkit.nn import NetworkClassifier, NetworkRegressor, count_parameters

CLASSES = np.array(["ant", "bee", "cow"])


@pytest.fixture
def targets(table):
    X, y = table
    logits = np.random.default_rng(1).normal(size=(len(X), 3)) * 3 + X[:, :3]
    return DistillationTargets(Rows(X, y), CLASSES, logits, 4.0, 0.3)


def with_(targets, **changes):
    rows = Rows(targets.rows.X, changes.pop("y", targets.rows.y), changes.pop("weight", targets.rows.weight))
    fields = {name: getattr(targets, name) for name in ("classes", "teacher_outputs", "temperature", "alpha")}
    return DistillationTargets(rows, **fields | changes)


def mixed(targets):
    hard = targets.rows.y[:, None] == CLASSES
    return targets.alpha * hard + (1 - targets.alpha) * softmax(targets.teacher_outputs / targets.temperature, axis=1)


@pytest.mark.parametrize("weighted", [False, True])
def test_weight_expansion_is_soft_cross_entropy(weighted, targets):
    """Logistic regression against scipy's minimum of the soft cross-entropy with the same penalty."""
    weight = np.linspace(0.2, 2, len(targets.rows)) if weighted else None
    targets = with_(targets, weight=weight)
    student = fit_student(LogisticRegression(C=0.7, tol=1e-10, max_iter=2000), targets)
    assert student.method == "weights"
    X, targets = targets.rows.X, mixed(targets) * (1.0 if weight is None else weight[:, None])

    def objective(flat):
        w = flat.reshape(5, 3)
        return -(targets * log_softmax(X @ w[:4] + w[4], axis=1)).sum() + (w[:4] ** 2).sum() / (2 * 0.7)

    best = minimize(objective, np.zeros(15), tol=1e-10).x.reshape(5, 3)
    np.testing.assert_allclose(student.model.coef_, best[:4].T, atol=2e-4)
    logits = X @ best[:4] + best[4]
    np.testing.assert_allclose(student.model.predict_proba(X), softmax(logits, axis=1), atol=1e-4)
    np.testing.assert_allclose(student.probabilities(X), softmax(4 * logits, axis=1), atol=1e-3)  # T = 4


def test_a_tree_learns_the_mean_of_the_mixed_labels(targets):
    student = fit_student(DecisionTreeClassifier(max_depth=2, random_state=0), targets)
    leaf = student.model.apply(targets.rows.X)
    for number in np.unique(leaf):
        inside = leaf == number
        expected = mixed(targets)[inside].mean(0)
        np.testing.assert_allclose(student.model.predict_proba(targets.rows.X[inside])[0], expected, atol=1e-6)
        sharpened = expected**4 / (expected**4).sum()  # T = 4
        np.testing.assert_allclose(student.probabilities(targets.rows.X[inside])[0], sharpened, atol=1e-6)


def test_a_pipeline_is_weighted_at_its_last_step(targets):
    student = fit_student(make_pipeline(StandardScaler(), LogisticRegression(C=0.7, tol=1e-8, max_iter=500)), targets)
    assert student.method == "weights"
    Z = StandardScaler().fit_transform(targets.rows.X)
    alone = fit_student(
        LogisticRegression(C=0.7, tol=1e-8, max_iter=500),
        DistillationTargets(Rows(Z, targets.rows.y), CLASSES, targets.teacher_outputs, 4.0, 0.3),
    )
    np.testing.assert_allclose(student.probabilities(targets.rows.X), alone.probabilities(Z), atol=1e-5)


def test_hard_labels_alone_are_a_plain_fit(targets):
    targets = with_(targets, alpha=1.0, teacher_outputs=None)
    student = fit_student(LogisticRegression(), targets)
    plain = LogisticRegression().fit(targets.rows.X, targets.rows.y)
    np.testing.assert_array_equal(student.model.coef_, plain.coef_)
    assert student.method == "hard"


def test_the_last_resort_is_the_most_probable_mixed_label(targets):
    student = fit_student(KNeighborsClassifier(1), targets)
    assert student.method == "hard"
    np.testing.assert_array_equal(student.predict(targets.rows.X), CLASSES[mixed(targets).argmax(1)])
    own = fit_student(LinearDiscriminantAnalysis(), with_(targets, alpha=0.9))
    plain = LinearDiscriminantAnalysis().fit(targets.rows.X, targets.rows.y)
    np.testing.assert_array_equal(own.model.coef_, plain.coef_)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_a_regressor_learns_mixed_logits(alpha, targets):
    targets = with_(targets, alpha=alpha)
    student = fit_student(LinearRegression(), targets)
    assert student.method == "logits"
    logits = 4.0 * np.log(mixed(targets))
    centered = logits - logits.mean(1, keepdims=True)
    A = np.c_[targets.rows.X, np.ones(len(targets.rows))]
    expected = A @ np.linalg.lstsq(A, centered, rcond=None)[0]
    np.testing.assert_allclose(student.logits(targets.rows.X), expected, atol=1e-6)
    np.testing.assert_allclose(student.probabilities(targets.rows.X), softmax(expected, axis=1), atol=1e-6)
    np.testing.assert_array_equal(student.predict(targets.rows.X), CLASSES[expected.argmax(1)])
    if alpha == 0:  # then these are the teacher's own logits, whatever the temperature
        np.testing.assert_allclose(
            centered, targets.teacher_outputs - targets.teacher_outputs.mean(1, keepdims=True), atol=1e-9
        )


def test_a_regressor_of_one_column_is_repeated(targets):
    student = fit_student(GradientBoostingRegressor(n_estimators=3, random_state=0), targets)
    assert len(student.model.regressor_.estimators_) == 3
    assert student.logits(targets.rows.X).shape == (150, 3)


def test_numbers_are_mixed_exactly(numbers):
    """Errors from y and t add up to the error from their mean, up to a constant: the normal equations agree."""
    X, y = numbers
    taught = np.sin(X[:, 0])
    student = fit_student(LinearRegression(), DistillationTargets(Rows(X, y), None, taught, 4.0, 0.3))
    assert student.method == "numbers"
    A = np.c_[X, np.ones(len(X))]
    doubled = np.r_[np.sqrt(0.3) * A, np.sqrt(0.7) * A]
    expected = np.linalg.lstsq(doubled, np.r_[np.sqrt(0.3) * y, np.sqrt(0.7) * taught], rcond=None)[0]
    np.testing.assert_allclose(np.r_[student.model.coef_, student.model.intercept_], expected)
    alone = fit_student(Ridge(), DistillationTargets(Rows(X, None), None, taught, 4.0, 0.0))
    np.testing.assert_array_equal(alone.model.coef_, Ridge().fit(X, taught).coef_)
    plain = fit_student(Ridge(), DistillationTargets(Rows(X, y), None, None, 4.0, 1.0))
    np.testing.assert_array_equal(plain.model.coef_, Ridge().fit(X, y).coef_)


def quick(**params):
    return {"hidden": (6,), "epochs": 3, "batch_size": 64, "random_state": 0} | params


def weights(model):
    return [weight.detach().numpy() for weight in model.network_.parameters()]


def test_a_network_without_teacher_is_plain_training_bit_for_bit(targets, numbers):
    rows = targets.rows
    given = fit_student(NetworkClassifier(**quick()), with_(targets, alpha=1.0))
    plain = NetworkClassifier(**quick()).fit(rows.X, rows.y)
    assert given.method == "loss"
    assert all(np.array_equal(a, b) for a, b in zip(weights(given.model), weights(plain), strict=True))
    given = fit_student(
        NetworkRegressor(**quick()), DistillationTargets(Rows(*numbers), None, numbers[1] * 0, 4.0, 1.0)
    )
    plain = NetworkRegressor(**quick()).fit(*numbers)
    assert all(np.array_equal(a, b) for a, b in zip(weights(given.model), weights(plain), strict=True))


def test_a_linear_network_reaches_the_minimum_of_the_distillation_loss(targets):
    """The same minimum as scipy's, for ``alpha CE + (1 - alpha) T^2 KL`` on standardized rows."""
    params = {"network": "mlp", "hidden": (), "epochs": 1200, "lr": 0.1, "weight_decay": 0, "precision": "float32"}
    student = fit_student(NetworkClassifier(**params, random_state=0), targets)
    Z = StandardScaler().fit_transform(targets.rows.X)
    hard, p = targets.rows.y[:, None] == CLASSES, softmax(targets.teacher_outputs / 4, axis=1)

    def objective(flat):
        s = Z @ flat[:12].reshape(4, 3) + flat[12:]
        kl = (p * (np.log(p) - log_softmax(s / 4, axis=1))).sum(1)
        return (-0.3 * (hard * log_softmax(s, axis=1)).sum(1) + 0.7 * 16 * kl).mean()

    best = minimize(objective, np.zeros(15))
    expected = softmax(Z @ best.x[:12].reshape(4, 3) + best.x[12:], axis=1)
    np.testing.assert_allclose(student.probabilities(targets.rows.X), expected, atol=2e-3)
    assert student.model.history_[-1]["loss"] == pytest.approx(best.fun, rel=1e-4)


def test_a_network_of_numbers_is_trained_on_both(numbers):
    X, y = numbers
    taught = 0.5 * y
    params = {"network": "mlp", "hidden": (), "epochs": 600, "lr": 0.05, "weight_decay": 0, "precision": "float32"}
    student = fit_student(
        NetworkRegressor(**params, random_state=0), DistillationTargets(Rows(X, y), None, taught, 4.0, 0.4)
    )
    expected = LinearRegression().fit(X, 0.4 * y + 0.6 * taught).predict(X)
    np.testing.assert_allclose(student.predict(X), expected, atol=0.02)
    assert set(student.model.history_[0]) == {"epoch", "loss", "hard", "soft", "seconds"}


def test_changed_images_would_meet_the_wrong_labels(images):
    X, y = images
    targets = DistillationTargets(Rows(X, y), np.array([3, 7]), np.zeros((40, 2)), 4.0, 0.5)
    student = NetworkClassifier(width=2, epochs=1, augment="auto")
    with pytest.raises(DataError, match="student has augment='auto', but the teacher has seen the rows as they are"):
        fit_student(student, targets)
    fit_student(student, targets.without_teacher())


def test_students_by_name_function_and_module():
    assert isinstance(new_student(None, "classification"), NetworkClassifier)
    assert isinstance(new_student("auto", "regression"), NetworkRegressor)
    assert new_student("lenet", "classification", epochs=7).get_params()["epochs"] == 7
    small, full = (new_student(s, "classification", epochs=1) for s in ("auto", "mlp"))
    X, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 2
    assert count_parameters(small.fit(X, y).network_) < count_parameters(full.fit(X, y).network_) / 10
    module = nn.Linear(5, 2)
    assert new_student(module, "classification").network is module
    given = NetworkClassifier(width=3)
    copied = new_student(given, "classification", epochs=7)
    assert copied is not given
    assert copied.get_params() == given.get_params()


@pytest.mark.parametrize(
    ("student", "task", "message"),
    [
        (7, "classification", "student=7 cannot be taught"),
        (LogisticRegression(), "regression", "is a classifier, but y holds numbers"),
    ],
)
def test_things_that_cannot_be_taught(student, task, message):
    with pytest.raises(DataError, match=message):
        new_student(student, task)
