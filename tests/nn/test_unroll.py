"""Unrolled training against plain training, finite differences and autograd."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from distillkit.nn import ConvNet, Mlp, seeded, unroll

STEPS, RATE = 6, 0.3


def smooth_network(seed=0):
    """Without kinks, so that finite differences are exact to their order."""
    with seeded(seed):
        return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def problem():
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    targets = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    X = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    return rows, targets, X, torch.arange(20) % 3


def soft_loss(outputs, targets):
    return F.cross_entropy(outputs, targets.softmax(dim=1))


def meta_loss(network, rows, targets, rate, *, window=None, steps=STEPS):
    X, y = problem()[2:]
    weights = unroll(network, rows, targets, soft_loss, steps=steps, rate=rate, window=window)
    return F.cross_entropy(functional_call(network, weights, (X,)), y)


def meta_gradients(network, *, window=None):
    rows, targets = (part.requires_grad_() for part in problem()[:2])
    rate = torch.tensor(RATE, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(meta_loss(network, rows, targets, rate, window=window), [rows, targets, rate])


def test_it_is_gradient_descent():
    network, by_hand = smooth_network(), smooth_network()
    rows, targets = problem()[:2]
    weights = unroll(network, rows, targets, soft_loss, steps=STEPS, rate=RATE)
    optimizer = torch.optim.SGD(by_hand.parameters(), RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        soft_loss(by_hand(rows), targets).backward()
        optimizer.step()
    for name, weight in by_hand.named_parameters():
        torch.testing.assert_close(weights[name], weight, rtol=1e-12, atol=1e-14)


def test_the_network_itself_stays_as_it_was():
    network, before = smooth_network(), smooth_network()
    unroll(network, *problem()[:2], soft_loss, steps=2, rate=RATE)
    for one, other in zip(network.parameters(), before.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.grad is None


def test_the_meta_gradient_against_finite_differences():
    network = smooth_network()
    found = meta_gradients(network)
    values = [*problem()[:2], torch.tensor(RATE, dtype=torch.float64)]
    step = 1e-6
    for which, gradient in enumerate(found):
        for place in range(values[which].numel()):
            sides = []
            for sign in (1, -1):
                moved = [value.clone() for value in values]
                moved[which].view(-1)[place] += sign * step
                sides.append(meta_loss(network, *moved).item())
            expected = (sides[0] - sides[1]) / (2 * step)
            assert float(gradient.reshape(-1)[place]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_meta_gradient_of_a_convnet_against_finite_differences():
    with seeded(0):
        network = ConvNet((1, 8, 8), 2, width=3, depth=1).double()
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2, 1, 8, 8, generator=generator, dtype=torch.float64)
    y, X = torch.tensor([0, 1]), torch.randn(6, 1, 8, 8, generator=generator, dtype=torch.float64)

    def value(leaf):
        weights = unroll(network, leaf, y, F.cross_entropy, steps=3, rate=0.05)
        return F.cross_entropy(functional_call(network, weights, (X,)), torch.arange(6) % 2)

    leaf = rows.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(leaf), leaf)
    for place in [(0, 0, 3, 3), (1, 0, 0, 7), (1, 0, 5, 2)]:
        shift = torch.zeros_like(rows)
        shift[place] = 1e-7
        expected = (value(rows + shift) - value(rows - shift)).item() / 2e-7
        assert float(gradient[place]) == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_a_window_of_all_steps_is_no_truncation():
    for window in (STEPS, STEPS + 5):
        for truncated, full in zip(
            meta_gradients(smooth_network(), window=window), meta_gradients(smooth_network()), strict=True
        ):
            assert torch.equal(truncated, full)


@pytest.mark.parametrize("window", [1, 2, 5])
def test_a_truncated_gradient_is_that_of_the_last_steps_from_weights_held_fixed(window):
    network = smooth_network()
    rows, targets = problem()[:2]
    middle = unroll(network, rows, targets, soft_loss, steps=STEPS - window, rate=RATE, window=0)
    later = smooth_network()
    with torch.no_grad():
        for name, weight in later.named_parameters():
            weight.copy_(middle[name])
    leaf = rows.clone().requires_grad_()
    (expected,) = torch.autograd.grad(meta_loss(later, leaf, targets, RATE, steps=window), leaf)
    found, full = meta_gradients(network, window=window)[0], meta_gradients(network)[0]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-14)
    assert not torch.allclose(found, full, rtol=1e-3)


def test_without_a_window_there_is_no_graph():
    rows, targets = (part.requires_grad_() for part in problem()[:2])
    weights = unroll(smooth_network(), rows, targets, soft_loss, steps=3, rate=RATE, window=0)
    assert not any(weight.requires_grad for weight in weights.values())


def test_no_steps_are_the_first_weights():
    network = smooth_network()
    weights = unroll(network, *problem()[:2], soft_loss, steps=0, rate=RATE)
    assert all(torch.equal(weights[name], weight) for name, weight in network.named_parameters())


def test_frozen_weights_stay_and_unused_ones_do_no_harm():
    with seeded(0):
        network = Mlp((4,), 3, hidden=(5,)).double()
    network.features[1].weight.requires_grad_(False)  # noqa: FBT003
    network.register_parameter("unused", nn.Parameter(torch.ones(2, dtype=torch.float64)))
    weights = unroll(network, *problem()[:2], soft_loss, steps=2, rate=RATE)
    assert set(weights) == {"features.1.bias", "head.weight", "head.bias", "unused"}
    assert torch.equal(weights["unused"], torch.ones(2, dtype=torch.float64))
