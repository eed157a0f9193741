from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn import (
    Augmentation,
    DivergedError,
    Recipe,
    class_loss,
    embed_rows,
    make_generator,
    make_network,
    number_loss,
    predict_rows,
    seeded,
    train_network,
)

PLAIN = {"momentum": 0.0, "weight_decay": 0.0, "precision": "float32"}


def weights(network):
    return [weight.detach().clone() for weight in network.parameters()]


def test_rates_of_the_schedules():
    assert [Recipe(schedule="constant").rate(p) for p in (0.0, 0.9)] == [1.0, 1.0]
    assert [Recipe(schedule="step").rate(p) for p in (0.1, 0.5, 0.51)] == [1.0, 1.0, 0.1]
    assert [Recipe(schedule="onecycle").rate(p) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == [0, 0.5, 1, 0.5, 0]
    assert Recipe(schedule="cosine").rate(1 / 3) == pytest.approx(0.75)
    with pytest.raises(DataError, match="schedule='linear' is not known"):
        Recipe(schedule="linear").rate(0.5)


def test_optimizers():
    network = nn.Linear(2, 2)
    for name, cls in (("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        optimizer = Recipe(optimizer=name, lr=0.3, weight_decay=0.2).make_optimizer(network)
        assert type(optimizer) is cls
        assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"]) == (0.3, 0.2)
    assert Recipe(momentum=0.7).make_optimizer(network).defaults["momentum"] == 0.7
    with pytest.raises(DataError, match="optimizer='lion' is not known"):
        Recipe(optimizer="lion").make_optimizer(network)


def test_training_is_the_loop_written_by_hand(classes):
    """SGD with momentum, decay, weights and a falling rate, written out without torch's optimizers."""
    X, y = classes
    weight = torch.linspace(0.5, 2, len(X))
    recipe = Recipe(
        epochs=3, batch_size=16, lr=0.1, momentum=0.9, weight_decay=0.01, schedule="cosine", precision="float32"
    )
    given, by_hand = (make_network("mlp", (4,), 3, seed=1, hidden=(5,)) for _ in range(2))
    notes = []
    done = train_network(
        given,
        X,
        class_loss(y),
        recipe,
        generator=make_generator(2),
        weight=weight,
        on_epoch=lambda *note: notes.append(note),
    )
    assert done == 3
    generator = make_generator(2)
    torch.randint(2**31 - 1, (1,), generator=generator)  # the seed for dropout comes first
    speed = [torch.zeros_like(w) for w in by_hand.parameters()]
    step, means = 0, []
    for _ in range(3):
        total = 0.0
        for rows in torch.randperm(60, generator=generator).split(16):
            logits = by_hand(X[rows])
            losses = logits.logsumexp(1) - logits[torch.arange(len(rows)), y[rows]]
            loss = (losses * weight[rows]).sum() / len(rows) / weight.mean()
            gradients = torch.autograd.grad(loss, list(by_hand.parameters()))
            rate = 0.1 * 0.5 * (1 + math.cos(math.pi * (step + 0.5) / 12))
            with torch.no_grad():
                for w, g, v in zip(by_hand.parameters(), gradients, speed, strict=True):
                    v.mul_(0.9).add_(g + 0.01 * w)
                    w.sub_(rate * v)
            total += loss.item() * len(rows)
            step += 1
        means.append(total / 60)
    for a, b in zip(given.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert [epoch for epoch, _ in notes] == [1, 2, 3]
    assert [mean for _, mean in notes] == pytest.approx(means)


def test_one_epoch_of_one_batch_still_learns(classes):
    X, y = classes
    network = make_network("mlp", (4,), 3, seed=0)
    before = weights(network)
    train_network(
        network, X, class_loss(y), Recipe(epochs=1, schedule="onecycle", **PLAIN), generator=make_generator(0)
    )
    assert not torch.equal(before[0], weights(network)[0])


def test_full_batches_descend_to_the_closed_form():
    """A linear model with squared error has its minimum at the normal equations."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(40, 3, generator=generator)
    y = X @ torch.tensor([1.0, -2.0, 0.5]) + 0.3 * torch.randn(40, generator=generator) + 1
    weight = torch.linspace(0.1, 3, 40)
    network = make_network("mlp", (3,), 1, seed=0, hidden=())
    recipe = Recipe(epochs=300, lr=0.1, schedule="constant", **PLAIN)
    train_network(network, X, number_loss(y), recipe, generator=make_generator(0), weight=weight)
    A = torch.cat([X, torch.ones(40, 1)], dim=1)
    solution = torch.linalg.solve(A.T @ (weight[:, None] * A), A.T @ (weight * y))
    torch.testing.assert_close(network.head.weight[0].detach(), solution[:3], atol=1e-4, rtol=0)
    torch.testing.assert_close(network.head.bias[0].detach(), solution[3], atol=1e-4, rtol=0)


def test_same_seed_same_bits_and_no_trace_in_the_global_state(classes):
    X, y = classes
    state = torch.get_rng_state()
    results = []
    for seed in (1, 1, 2):
        with seeded(0):
            network = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
        train_network(
            network, X, class_loss(y), Recipe(epochs=2, batch_size=16, **PLAIN), generator=make_generator(seed)
        )
        results.append(weights(network)[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_augmentation_changes_what_is_seen():
    X = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            seen.append(x.detach())
            return x.flatten(1)[:, :1] * self.scale

    recipe = Recipe(epochs=1, batch_size=12, **PLAIN)
    train_network(
        Spy(), X, number_loss(torch.zeros(12)), recipe, generator=make_generator(4), augment=Augmentation(["flip"])
    )
    generator = make_generator(4)
    torch.randint(2**31 - 1, (1,), generator=generator)
    order = torch.randperm(12, generator=generator)
    augment = Augmentation(["flip"])
    assert torch.equal(seen[0], augment(X[order], augment.draw(12, generator)))


def test_a_last_row_alone_joins_the_batch_before():
    """Batch norm cannot train on one row."""
    sizes = []
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    network.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    X = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    train_network(
        network, X, number_loss(X[:, 0]), Recipe(epochs=1, batch_size=4, **PLAIN), generator=make_generator(0)
    )
    assert sizes[:2] == [4, 5]


def test_the_clock_is_asked_after_every_step(classes):
    X, y = classes
    asked, notes = [], []
    done = train_network(
        make_network("mlp", (4,), 3, seed=0),
        X,
        class_loss(y),
        Recipe(epochs=5, batch_size=20, **PLAIN),
        generator=make_generator(0),
        should_stop=lambda: asked.append(1) or len(asked) == 4,
        on_epoch=lambda epoch, mean: notes.append((epoch, mean)),
    )
    assert done == 2  # the fourth step is the first of the second epoch
    assert [epoch for epoch, _ in notes] == [1, 2]
    assert all(math.isfinite(mean) for _, mean in notes)


@pytest.mark.parametrize(("bad_step", "left_after"), [(8, 2), (7, 1), (2, 0), (1, 0)])
def test_a_loss_that_is_not_finite_leaves_the_best_state(bad_step, left_after, classes):
    """Three steps an epoch; what an epoch ends in has proved finite only when the next one has begun."""
    X, y = classes
    network, steps, states = make_network("mlp", (4,), 3, seed=0), [], []
    states.append(weights(network))
    plain = class_loss(y)

    def loss(outputs, rows):
        steps.append(1)
        return plain(outputs, rows) * (math.nan if len(steps) == bad_step else 1)

    recipe = Recipe(epochs=5, batch_size=20, lr=0.02, schedule="constant", **PLAIN)
    message = rf"the loss is nan in step {bad_step} \(epoch {(bad_step + 2) // 3}\)"
    with pytest.raises(DivergedError, match=message) as error:
        train_network(
            network, X, loss, recipe, generator=make_generator(0), on_epoch=lambda *_: states.append(weights(network))
        )
    assert error.value.epoch == left_after
    assert all(torch.equal(a, b) for a, b in zip(weights(network), states[left_after], strict=True))


def test_a_state_after_worse_epochs_is_not_kept(classes):
    X, y = classes
    network, steps, states = make_network("mlp", (4,), 3, seed=0), [], []
    plain = class_loss(y)

    def loss(outputs, rows):
        steps.append(1)
        return plain(outputs, rows) * {3: 50.0, 4: math.nan}.get(len(steps), 1)  # one step an epoch

    recipe = Recipe(epochs=9, lr=0.02, schedule="constant", **PLAIN)
    with pytest.raises(DivergedError) as error:
        train_network(
            network, X, loss, recipe, generator=make_generator(0), on_epoch=lambda *_: states.append(weights(network))
        )
    assert error.value.epoch == 1  # the start of the second epoch, whose loss was lowest
    assert torch.equal(weights(network)[0], states[0][0])


@pytest.mark.parametrize("lr", [1e30, 1e17])
def test_a_last_step_that_ruins_the_weights_or_the_outputs_is_seen(lr):
    """Its own loss is finite, and no loss follows it."""
    network = make_network("mlp", (1,), 1, seed=0, hidden=())
    before = weights(network)
    recipe = Recipe(epochs=1, lr=lr, schedule="constant", **PLAIN)
    X = torch.full((4, 1), 1e11)
    with pytest.raises(DivergedError, match="weights or outputs are not finite after step 1"):
        train_network(network, X, number_loss(torch.zeros(4)), recipe, generator=make_generator(0))
    assert all(torch.equal(a, b) for a, b in zip(weights(network), before, strict=True))


def test_predictions_do_not_depend_on_blocks_and_keep_the_mode():
    network = make_network("convnet", (1, 8, 8), 3, seed=0, width=4, norm="batch").train()
    X = torch.randn(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before = network.features[0].norm.running_mean.clone()
    whole = predict_rows(network, X)
    torch.testing.assert_close(predict_rows(network, X, batch_size=3), whole)
    torch.testing.assert_close(network.head(embed_rows(network, X, batch_size=4)), whole)
    assert network.training
    assert torch.equal(network.features[0].norm.running_mean, before)
    assert not whole.requires_grad
