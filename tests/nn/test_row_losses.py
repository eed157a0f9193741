from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from distillkit.nn import class_loss, distillation_loss, number_loss, predict_rows, soft_label_loss

ROWS = torch.tensor([4, 0, 2, 2])


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    labels, teacher, outputs = rng.integers(3, size=6), rng.normal(size=(6, 3)) * 3, rng.normal(size=(4, 3))
    return torch.tensor(labels), torch.tensor(teacher), torch.tensor(outputs, requires_grad=True)


def test_class_loss_is_minus_the_log_probability(numbers):
    labels, _, outputs = numbers
    expected = -log_softmax(outputs.detach(), axis=1)[np.arange(4), labels[ROWS]]
    np.testing.assert_allclose(class_loss(labels)(outputs, ROWS).detach(), expected)


def test_soft_label_loss_is_the_cross_entropy(numbers):
    labels, teacher, outputs = numbers
    p = softmax(teacher, axis=1)
    expected = -(p[ROWS] * log_softmax(outputs.detach(), axis=1)).sum(axis=1)
    np.testing.assert_allclose(soft_label_loss(torch.tensor(p))(outputs, ROWS).detach(), expected)
    hard = torch.nn.functional.one_hot(labels, 3).double()
    torch.testing.assert_close(soft_label_loss(hard)(outputs, ROWS), class_loss(labels)(outputs, ROWS))


def test_number_loss_is_the_squared_error():
    loss = number_loss(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))(torch.tensor([[5.0], [3.0], [3.5], [2.0]]), ROWS)
    assert loss.tolist() == [0.0, 4.0, 0.25, 1.0]


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.7])
def test_distillation_loss_is_hintons(temperature, alpha, numbers):
    labels, teacher, outputs = numbers
    t, s = teacher.numpy()[ROWS] / temperature, outputs.detach().numpy()
    kl = (softmax(t, axis=1) * (log_softmax(t, axis=1) - log_softmax(s / temperature, axis=1))).sum(axis=1)
    hard = -log_softmax(s, axis=1)[np.arange(4), labels[ROWS]]
    given = distillation_loss(labels if alpha else None, teacher, temperature, alpha)(outputs, ROWS)
    np.testing.assert_allclose(given.detach(), alpha * hard + (1 - alpha) * temperature**2 * kl)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_its_gradient_is_that_of_soft_cross_entropy_times_the_square(temperature, numbers):
    _, teacher, outputs = numbers
    loss = distillation_loss(None, teacher, temperature, 0.0)(outputs, ROWS).mean()
    given = torch.autograd.grad(loss, outputs)[0]
    p, q = softmax(teacher.numpy()[ROWS] / temperature, axis=1), softmax(outputs.detach() / temperature, axis=1)
    np.testing.assert_allclose(given, temperature * (q - p) / 4)  # T^2 times (q - p) / T of soft cross-entropy
    soft = (
        temperature**2
        * soft_label_loss(torch.softmax(teacher / temperature, dim=1))(outputs / temperature, ROWS).mean()
    )
    torch.testing.assert_close(given, torch.autograd.grad(soft, outputs)[0])


def test_the_square_of_the_temperature_keeps_the_scale_of_the_gradient():
    generator = torch.Generator().manual_seed(0)
    teacher, outputs = (torch.randn(64, 10, generator=generator, dtype=torch.float64) * 2 for _ in range(2))
    outputs.requires_grad_()

    def length(temperature):
        loss = distillation_loss(None, teacher, temperature, 0.0)(outputs, torch.arange(64)).mean()
        return torch.autograd.grad(loss, outputs)[0].norm().item()

    plain = length(1.0)
    for temperature in (4.0, 20.0):
        assert 0.5 < length(temperature) / plain < 2  # measured: 1.4 and 1.4
        assert length(temperature) / temperature**2 < 0.11 * plain  # without the factor it would vanish


def test_hard_labels_alone_are_plain_training_bit_for_bit(numbers):
    labels, teacher, outputs = numbers
    given = distillation_loss(labels, teacher, 4.0, 1.0)(outputs, ROWS)
    assert torch.equal(given, class_loss(labels)(outputs, ROWS))
    poisoned = distillation_loss(labels, teacher * torch.nan, 4.0, 1.0)(outputs, ROWS)
    assert torch.equal(poisoned, given)  # a term of weight zero is not even computed


def test_outputs_of_a_network_can_be_targets(numbers):
    _, _, outputs = numbers
    teacher = predict_rows(torch.nn.Linear(3, 3).double(), torch.ones(6, 3, dtype=torch.float64)).double()
    distillation_loss(None, teacher, 4.0, 0.0)(outputs, ROWS).sum().backward()
    assert outputs.grad.abs().sum() > 0


def test_the_soft_term_is_zero_at_the_teacher(numbers):
    _, teacher, _ = numbers
    given = distillation_loss(None, teacher, 4.0, 0.0)(teacher + 7.0, torch.arange(6))  # logits count up to a constant
    np.testing.assert_allclose(given, 0, atol=1e-12)
