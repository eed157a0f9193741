from __future__ import annotations

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from distillkit.condensation.trajectory._unrolled import best_rate, flat_weights, train_unrolled
from distillkit.nn import Augmentation, ConvNet, Mlp, seeded


def squared_error(outputs, targets):
    return (outputs[:, 0] - targets).square().mean()


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(task):
    with seeded(0):
        network = (ConvNet((1, 4, 4), 3, width=3, depth=1) if task == "images" else Mlp((3,), 1, hidden=(5,))).double()
    start = flat_weights(network)
    goal = start + 0.1 * normal(len(start), seed=1)
    rows = normal(4, 1, 4, 4, seed=2) if task == "images" else normal(4, 3, seed=2)
    targets = torch.tensor([0, 1, 2, 0]) if task == "images" else normal(4, seed=3)
    return network, start, goal, rows, targets, F.cross_entropy if task == "images" else squared_error


def by_autograd(network, loss, start, goal, rows, targets, log_rate, batches, changes):
    """The textbook: one graph of all steps."""
    weights = start.clone().requires_grad_()
    for picks, change in zip(batches, changes, strict=True):
        parts = torch.split(weights, [part.numel() for part in network.parameters()])
        named = {
            name: part.view(weight.shape)
            for (name, weight), part in zip(network.named_parameters(), parts, strict=True)
        }
        value = loss(functional_call(network, named, (change(rows[picks]),)), targets[picks])
        weights = weights - log_rate.exp() * torch.autograd.grad(value, weights, create_graph=True)[0]
    return (weights - goal).square().sum() / (start - goal).square().sum()


BATCHES = [torch.tensor([0, 1]), torch.tensor([3, 2, 1]), torch.tensor([0, 1, 2, 3]), torch.tensor([2])]


@pytest.mark.parametrize("task", ["images", "numbers"])
def test_the_way_back_gives_the_derivatives_of_the_whole_graph(task):
    network, start, goal, rows, targets, loss = problem(task)
    log_rate = torch.tensor([-1.5], dtype=torch.float64, requires_grad=True)
    leaves = [rows.requires_grad_(), log_rate]
    if task == "numbers":
        leaves.insert(1, targets.requires_grad_())
        changes = [lambda batch: batch] * 4
    else:
        augment, generator = Augmentation(["rotate", "scale"]), torch.Generator().manual_seed(0)
        draws = [augment.draw(1, generator, shared=True) for _ in BATCHES]
        changes = [lambda batch, draw=draw: augment(batch, draw) for draw in draws]
    expected = by_autograd(network, loss, start, goal, rows, targets, log_rate, BATCHES, changes)
    path = train_unrolled(network, loss, start, goal, rows, targets, log_rate, BATCHES, changes)
    assert path.loss == pytest.approx(float(expected.detach()), rel=1e-12)
    gradients = [path.rows, path.log_rate] if path.targets is None else [path.rows, path.targets, path.log_rate]
    for mine, theirs in zip(gradients, torch.autograd.grad(expected, leaves), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


def test_derivatives_are_those_of_finite_differences():
    network, start, goal, rows, targets, loss = problem("numbers")
    targets.requires_grad_()
    log_rate = torch.tensor([-1.0], dtype=torch.float64)
    path = train_unrolled(network, loss, start, goal, rows, targets, log_rate, BATCHES)
    step = 1e-6

    def slope(**moved):
        values = []
        for sign in (1, -1):
            inputs = {"rows": rows, "targets": targets, "log_rate": log_rate}
            inputs |= {name: inputs[name].detach() + sign * step * change for name, change in moved.items()}
            values.append(train_unrolled(network, loss, start, goal, **inputs, batches=BATCHES).loss)
        return (values[0] - values[1]) / (2 * step)

    for place in [(0, 0), (1, 2), (2, 1), (3, 0)]:
        change = torch.zeros_like(rows)
        change[place] = 1
        assert float(path.rows[place]) == pytest.approx(slope(rows=change), rel=1e-5, abs=1e-9)
    for place in range(4):
        change = torch.zeros(4, dtype=torch.float64)
        change[place] = 1
        assert float(path.targets[place]) == pytest.approx(slope(targets=change), rel=1e-5, abs=1e-9)
    change = torch.ones(1, dtype=torch.float64)
    assert float(path.log_rate[0]) == pytest.approx(slope(log_rate=change), rel=1e-5, abs=1e-9)


def test_memory_does_not_grow_with_the_steps():
    network, start, goal, rows, targets, loss = problem("images")
    most = []
    for steps in (2, 12):
        alive, peak = set(), 0

        class Kept:
            def __init__(self, tensor, alive=alive):
                nonlocal peak
                self.tensor = tensor
                alive.add(id(self))
                self.alive = alive
                peak = max(peak, len(alive))

            def __del__(self):
                self.alive.discard(id(self))

        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda saved: saved.tensor):
            train_unrolled(
                network, loss, start, goal, rows, targets, torch.zeros(1, dtype=torch.float64) - 2, BATCHES[2:3] * steps
            )
        most.append(peak)
    assert most[0] == most[1] > 0


def test_a_student_that_stays_has_made_no_progress_and_the_best_rate_is_found():
    network, start, _, rows, targets, loss = problem("numbers")
    still = torch.tensor([-80.0], dtype=torch.float64)
    goal = start - 0.1 * _gradient(network, loss, start, rows, targets)
    everything = [torch.arange(4)]
    assert train_unrolled(network, loss, start, goal, rows, targets, still, everything).loss == pytest.approx(1)
    assert best_rate(network, loss, [(start, goal)], rows, targets, everything, [1e-3, 0.01, 0.1, 1.0, 1e30]) == 0.1


def _gradient(network, loss, start, rows, targets):
    value = loss(network(rows), targets)
    assert torch.equal(flat_weights(network), start)
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, list(network.parameters()))])
