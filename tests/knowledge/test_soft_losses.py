"""The losses of network students, against closed forms, and their schedules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

from distillkit import TeacherStudentDistiller
from distillkit.exceptions import DataError
from distillkit.knowledge._loss import DistillationLoss
from distillkit.knowledge._loss_plan import LossPlan, at
from distillkit.knowledge._soft_losses import soft_loss
from distillkit.nn import NetworkClassifier

LOSSES = ["kd", "dkd", "dist", "logit_std", "mse_logits"]
QUICK = {"epochs": 5, "batch_size": 64, "lr": 0.02, "random_state": 0}


@pytest.fixture
def logits():
    rng = np.random.default_rng(0)
    return rng.normal(size=(12, 4)), rng.normal(size=(12, 4)) * 2, rng.integers(4, size=12)


def value(name, student, teacher, codes, temperature):
    loss = soft_loss(name, torch.as_tensor(teacher), torch.as_tensor(codes), lambda: temperature)
    return loss(torch.as_tensor(student), torch.arange(len(student)))


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_gradients_are_those_of_the_closed_form(logits, temperature):
    s, t, codes = logits
    outputs = torch.as_tensor(s).requires_grad_()
    loss = soft_loss("kd", torch.as_tensor(t), torch.as_tensor(codes), lambda: temperature)
    loss(outputs, torch.arange(12)).sum().backward()
    expected = temperature * (softmax(s / temperature, axis=1) - softmax(t / temperature, axis=1))
    np.testing.assert_allclose(outputs.grad, expected, atol=1e-12)


def test_the_scale_of_the_gradients_does_not_depend_on_the_temperature(logits):
    """For large T the gradient tends to that of half the squared error of centered logits, over K."""
    s, t, codes = logits
    outputs = torch.as_tensor(s).requires_grad_()
    loss = soft_loss("kd", torch.as_tensor(t), torch.as_tensor(codes), lambda: 1e4)
    loss(outputs, torch.arange(12)).sum().backward()
    centered = (s - s.mean(1, keepdims=True)) - (t - t.mean(1, keepdims=True))
    np.testing.assert_allclose(outputs.grad, centered / 4, atol=1e-3)


def test_decoupled_losses_are_those_of_the_paper(logits):
    """The divergence of (label, others) plus 8 times that of the others by themselves."""
    s, t, codes = logits
    expected = []
    for row, code in enumerate(codes):
        p, q = softmax(t[row] / 4), softmax(s[row] / 4)
        others = np.arange(4) != code
        binary = rel_entr([p[code], 1 - p[code]], [q[code], 1 - q[code]]).sum()
        expected.append(16 * (binary + 8 * rel_entr(p[others] / p[others].sum(), q[others] / q[others].sum()).sum()))
    np.testing.assert_allclose(value("dkd", s, t, codes, 4.0), expected, rtol=1e-9)


def test_relations_are_correlations(logits):
    s, t, codes = logits
    p, q = softmax(s / 3, axis=1), softmax(t / 3, axis=1)
    within = 1 - np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(p.T, q.T, strict=True)])
    expected = [9 * (1 - np.corrcoef(a, b)[0, 1] + within) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(value("dist", s, t, codes, 3.0), expected, rtol=1e-6)


def test_standardized_logits_and_squares(logits):
    s, t, codes = logits
    a, b = ((z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True) for z in (s, t))
    expected = 4 * rel_entr(softmax(b / 2, axis=1), softmax(a / 2, axis=1)).sum(1)
    np.testing.assert_allclose(value("logit_std", s, t, codes, 2.0), expected, rtol=1e-5)
    centered = (s - s.mean(1, keepdims=True)) - (t - t.mean(1, keepdims=True))
    np.testing.assert_allclose(value("mse_logits", s, t, codes, 1.0), (centered**2).mean(1))


@pytest.mark.parametrize("name", LOSSES)
def test_a_student_that_says_the_same_has_no_loss(name, logits):
    _, t, codes = logits
    np.testing.assert_allclose(value(name, t + 3, t, codes, 2.0), 0, atol=1e-6)
    certain = np.where(np.eye(4) > 0, 0.0, -700.0)  # probabilities of a certain forest
    outputs = torch.zeros((4, 4), dtype=torch.float64, requires_grad=True)
    loss = soft_loss(name, torch.as_tensor(certain), None, lambda: 4.0)(outputs, torch.arange(4))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(outputs.grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_networks_learn_by_every_loss(name, table):
    X, y = table
    model = TeacherStudentDistiller(
        GaussianNB(), loss=name, alpha=0, epochs=60, lr=0.02, random_state=0, validation_fraction=None
    ).fit(X, y)
    assert model.agreement_ > 0.85
    assert model.temperature_ == {"logit_std": 2.0, "mse_logits": 1.0}.get(name, 4.0)


def test_labels_alone_are_plain_training_with_any_loss(table):
    X, y = table
    student = NetworkClassifier(hidden=(6,), epochs=4, batch_size=64, random_state=0)
    model = TeacherStudentDistiller(GaussianNB(), student, alpha=1, loss="dkd", validation_fraction=None).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), student.fit(X, y).predict_proba(X))


def test_schedules_are_followed_and_recorded(table):
    settings = {"temperature_schedule": (8.0, 2.0), "alpha_schedule": lambda progress: 0.5 * progress}
    model = TeacherStudentDistiller(GaussianNB(), refit=False, **settings, **QUICK).fit(*table)
    assert [entry["temperature"] for entry in model.history_] == [8.0, 6.5, 5.0, 3.5, 2.0]
    assert [entry["alpha"] for entry in model.history_] == [0, 0.125, 0.25, 0.375, 0.5]
    for entry in model.history_:
        mixed = entry["alpha"] * entry["hard"] + (1 - entry["alpha"]) * entry["soft"]
        assert entry["loss"] == pytest.approx(mixed, rel=1e-5)
    constant = TeacherStudentDistiller(GaussianNB(), temperature_schedule=(4.0, 4.0), **QUICK).fit(*table)
    plain = TeacherStudentDistiller(GaussianNB(), **QUICK).fit(*table)
    np.testing.assert_array_equal(constant.predict_proba(table[0]), plain.predict_proba(table[0]))
    assert at(None, 0.3, 7.0) == 7.0


def test_a_schedule_leaves_rows_without_labels_to_the_teacher():
    alpha, logits = torch.tensor([0.1, 0.0]), torch.randn(2, 3)
    plan = LossPlan(alpha=(1.0, 1.0))
    loss = DistillationLoss.of_classes(torch.tensor([0, 0]), logits, 4.0, alpha, plan, 3)
    outputs = torch.randn(2, 3)
    hard = torch.nn.functional.cross_entropy(outputs[:1], torch.tensor([0]))
    soft = soft_loss("kd", logits, None, lambda: 4.0)(outputs, torch.arange(2))
    np.testing.assert_allclose(loss(outputs, torch.arange(2)), [hard, soft[1]], rtol=1e-6)


@pytest.mark.parametrize(
    ("student", "settings", "message"),
    [
        (LogisticRegression(), {"loss": "dkd"}, "this student is taught by weights"),
        (LogisticRegression(), {"temperature_schedule": (4, 1)}, "schedules are for networks"),
        (None, {"alpha_schedule": (0, 1), "alpha": 0.0}, "alpha=0 leaves one of them out"),
    ],
)
def test_losses_that_do_not_apply(student, settings, message, table):
    with pytest.raises(DataError, match=message):
        TeacherStudentDistiller(GaussianNB(), student, **settings).fit(*table)


def test_numbers_have_one_loss(numbers):
    with pytest.raises(DataError, match="networks that learn classes"):
        TeacherStudentDistiller(LinearRegression(), loss="dist").fit(*numbers)
