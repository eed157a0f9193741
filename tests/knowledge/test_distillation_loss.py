from __future__ import annotations

import pytest
import torch

from distillkit.knowledge._loss import DistillationLoss
from distillkit.nn import class_loss, distillation_loss, number_loss

ROWS = torch.tensor([3, 0, 2])


@pytest.fixture
def values():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(3, (5,), generator=generator)
    logits, outputs = torch.randn(5, 3, generator=generator) * 3, torch.randn(3, 3, generator=generator)
    return codes, logits, outputs.requires_grad_()


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.6, 1.0])
def test_it_is_the_distillation_loss(alpha, values):
    codes, logits, outputs = values
    given = DistillationLoss.of_classes(codes, logits, 4.0, alpha)(outputs, ROWS)
    expected = distillation_loss(codes, logits, 4.0, alpha)(outputs, ROWS)
    assert torch.equal(given, expected)
    assert torch.equal(*(torch.autograd.grad(loss.mean(), outputs)[0] for loss in (given, expected)))


def test_its_parts_are_means_since_last_asked(values):
    codes, logits, outputs = values
    loss = DistillationLoss.of_classes(codes, logits, 4.0, 0.3)
    loss(outputs, ROWS)
    loss(outputs[:1], ROWS[:1])
    parts = loss.parts()
    hard, soft = class_loss(codes)(outputs, ROWS), distillation_loss(None, logits, 4.0, 0.0)(outputs, ROWS)
    assert parts["hard"] == pytest.approx((hard.sum() + hard[0]).item() / 4)
    assert parts["soft"] == pytest.approx((soft.sum() + soft[0]).item() / 4)
    assert loss.parts() == {"hard": 0.0, "soft": 0.0}


def test_terms_without_weight_are_not_computed(values):
    codes, logits, outputs = values
    alone = DistillationLoss.of_classes(codes, logits * torch.nan, 4.0, 1.0)
    assert torch.isfinite(alone(outputs, ROWS)).all()
    assert list(alone.parts()) == ["hard"]
    unlabelled = DistillationLoss.of_classes(None, logits, 4.0, 0.0)
    assert torch.isfinite(unlabelled(outputs, ROWS)).all()
    assert list(unlabelled.parts()) == ["soft"]


def test_numbers():
    y, t, s = torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 2, 2, 2]), torch.tensor([[3.0], [0.0], [1.0]])
    given = DistillationLoss.of_numbers(y, t, 0.25)(s, ROWS)
    assert given.tolist() == [0.25 * 1 + 0.75 * 1, 0.25 * 1 + 0.75 * 4, 0.25 * 4 + 0.75 * 1]
    assert torch.equal(DistillationLoss.of_numbers(y, t, 1.0)(s, ROWS), number_loss(y)(s, ROWS))
    assert torch.equal(DistillationLoss.of_numbers(None, t, 0.0)(s, ROWS), number_loss(t)(s, ROWS))
