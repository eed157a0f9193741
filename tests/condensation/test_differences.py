from __future__ import annotations

import functools
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from distillkit.condensation import GradientMatchingDistiller
from distillkit.condensation.gradient._differences import STEP
from distillkit.condensation.gradient._gradients import batch_gradients, match_gradients, matched_weights
from distillkit.distances import GRADIENT_DISTANCES
from distillkit.nn import Augmentation, ConvNet, Mlp, Threads, seeded

match_by_differences = functools.partial(match_gradients, step=STEP)


class Smooth(nn.Module):
    """A network without a place where it has no derivative."""

    def __init__(self, share=0.0):
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(1, 4, 3), nn.Linear(144, 8), nn.Linear(8, 3)
        self.dropout = nn.Dropout(share)

    def forward(self, x):
        x = torch.tanh(self.first(x)).flatten(1)
        return self.head(self.dropout(torch.tanh(self.second(x))))


def make(cls, *args, **options):
    with seeded(0):
        return cls(*args, **options).double()


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def squared_error(outputs, targets):
    return (outputs[:, 0] - targets).square().mean()


def compare(net, distance, how=match_by_differences, per_class=2, leaf=None, **options):
    weights = matched_weights(net, distance)
    real = [
        batch_gradients(net, weights, (normal(5, 1, 8, 8, seed=c), torch.full((5,), c)), F.cross_entropy)
        for c in range(3)
    ]
    if leaf is None:
        leaf = normal(3, per_class, 1, 8, 8, seed=9).requires_grad_()
    synthetic = [(leaf[c], torch.full((per_class,), c)) for c in range(3)]
    return how(net, weights, real, synthetic, F.cross_entropy, distance, [leaf], **options)


@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("distance", GRADIENT_DISTANCES)
def test_a_small_step_on_a_smooth_network_is_the_derivative(distance, vectorize):
    net = make(Smooth)
    exact = compare(net, distance, match_gradients)
    approximate = compare(net, distance, vectorize=vectorize, step=1e-5)
    assert (approximate.loss, approximate.similarity) == pytest.approx((exact.loss, exact.similarity))
    torch.testing.assert_close(approximate.gradients, exact.gradients, rtol=1e-5, atol=1e-9)


def test_the_error_falls_with_the_square_of_the_step():
    net = make(Smooth)
    exact = compare(net, "l2", match_gradients).gradients[0]
    coarse, fine = ((compare(net, "l2", step=step).gradients[0] - exact).norm() for step in (0.04, 0.02))
    assert float(coarse / fine) == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("vectorize", [False, True])
def test_of_a_quadratic_loss_any_step_gives_rows_and_targets_their_derivative(vectorize):
    net = make(Mlp, (3,), 1, hidden=())
    weights = matched_weights(net, "l2")
    batches = [(normal(20, 3, seed=c), normal(20, seed=5 + c)) for c in range(2)]
    real = [batch_gradients(net, weights, batch, squared_error) for batch in batches]
    X, y = normal(2, 4, 3, seed=3).requires_grad_(), normal(2, 4, seed=4).requires_grad_()
    synthetic = [(X[c], y[c]) for c in range(2)]
    exact = match_gradients(net, weights, real, synthetic, squared_error, "l2", [X, y])
    approximate = match_by_differences(net, weights, real, synthetic, squared_error, "l2", [X, y], vectorize=vectorize)
    torch.testing.assert_close(approximate.gradients, exact.gradients, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_unit_that_is_about_to_switch_is_seen(vectorize):
    net = make(Mlp, (1,), 1, hidden=(1,))
    with torch.no_grad():
        for weight, value in zip(net.parameters(), (1.0, 0.005, 1.0, 0.0), strict=True):
            weight.fill_(value)
    assert [tuple(weight.shape) for weight in net.parameters()] == [(1, 1), (1,), (1, 1), (1,)]
    weights = matched_weights(net, "l2")
    X, y = torch.full((2, 1, 1), -0.01, dtype=torch.float64).requires_grad_(), torch.ones(2, 1, dtype=torch.float64)
    on = torch.full((1, 1), 0.01, dtype=torch.float64)
    real = [batch_gradients(net, weights, (on, y[0]), squared_error)] * 2

    def of(how, rows, **options):
        synthetic = [(rows[c], y[c]) for c in range(2)]
        return how(net, weights, real, synthetic, squared_error, "l2", [rows], **options)

    before = of(match_by_differences, X, vectorize=vectorize)
    assert not of(match_gradients, X).gradients[0].any()  # the unit is off: nothing of the row comes through
    assert (before.gradients[0] < 0).all()
    moved = (X - 0.01 * before.gradients[0] / before.gradients[0].abs()).detach().requires_grad_()
    assert of(match_by_differences, moved).loss < 0.1 * before.loss


@pytest.mark.parametrize("distance", GRADIENT_DISTANCES)
def test_one_pass_for_all_classes_equals_the_loop(distance):
    net = make(ConvNet, (1, 8, 8), 3, width=4, depth=2)
    loop, one_pass = (compare(net, distance, vectorize=vectorize) for vectorize in (False, True))
    assert (one_pass.loss, one_pass.similarity) == pytest.approx((loop.loss, loop.similarity), rel=1e-10)
    torch.testing.assert_close(one_pass.gradients, loop.gradients, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("vectorize", [False, True])
def test_threads_and_pieces_change_nothing_and_weights_stay(monkeypatch, vectorize):
    net = make(ConvNet, (1, 8, 8), 3, width=4, depth=2)
    before = [weight.detach().clone() for weight in net.parameters()]
    # Not "l1", whose signs of tiny differences depend on the rounding of the processor.
    alone = compare(net, "cosine", per_class=3)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Threads() as threads:
            together = compare(net, "cosine", per_class=3, threads=threads, vectorize=vectorize)
    finally:
        torch.set_num_threads(threads_before)
    monkeypatch.setattr("distillkit.nn.runtime._pieces._BYTES", 2 * 4 * 8 * 8 * 8)
    in_pieces = compare(net, "cosine", per_class=3)
    for other in (together, in_pieces):
        assert other.loss == pytest.approx(alone.loss)
        torch.testing.assert_close(other.gradients, alone.gradients, rtol=1e-7, atol=1e-10)
    assert all(map(torch.equal, before, net.parameters()))
    assert all(weight.requires_grad and weight.grad is None for weight in net.parameters())


def test_a_direction_of_zeros_moves_nothing():
    net = make(ConvNet, (1, 8, 8), 3, width=4, depth=2)
    weights = matched_weights(net, "l2")
    X = normal(3, 2, 1, 8, 8).requires_grad_()
    synthetic = [(X[c], torch.full((2,), c)) for c in range(3)]
    real = [batch_gradients(net, weights, batch, F.cross_entropy) for batch in synthetic]
    for vectorize in (False, True):
        match = match_by_differences(net, weights, real, synthetic, F.cross_entropy, "l2", [X], vectorize=vectorize)
        assert match.loss == pytest.approx(0, abs=1e-20)
        assert float(match.gradients[0].abs().max()) < 1e-6


def test_masks_of_dropout_are_the_same_on_both_sides():
    plain, masked = make(Smooth), make(Smooth, 0.5)
    size = compare(plain, "l2").gradients[0].norm()
    with seeded(1):
        approximate = compare(masked, "l2", step=1e-5).gradients[0].norm()
    assert 0.1 < float(approximate / size) < 10  # two masks would differ by about one, divided by the step


def test_a_network_of_the_users_own_need_not_be_copied():
    plain, held = make(Smooth), make(Smooth)
    held.lock = threading.Lock()  # cannot be
    expected, approximate = (compare(net, "l2", vectorize=False) for net in (plain, held))
    assert torch.equal(approximate.gradients[0], expected.gradients[0])


def test_a_change_of_the_rows_is_differentiated_through():
    net = make(Smooth)
    augment = Augmentation(["rotate"])
    draw = augment.draw(1, torch.Generator().manual_seed(0), shared=True)
    change = lambda rows: augment(rows, draw)  # noqa: E731
    exact, approximate = (
        compare(net, "l2", match_gradients, change=change),
        compare(net, "l2", change=change, step=1e-5),
    )
    torch.testing.assert_close(approximate.gradients, exact.gradients, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({}, 0.5),
        ({"distance": "l1"}, 0.7),
        ({"downscale": 2}, 0.7),
        ({"augment": "auto"}, 0.7),
        ({"train_on": "real"}, 0.5),
    ],
)
def test_images_come_closer_to_the_real_gradients_and_are_the_same_again(images, options, share):
    def fitted():
        settings = {
            "width": 8,
            "max_iter": 30,
            "record_every": 6,
            "init": "noise",
            "lr": 0.3,
            "random_state": 0,
            "device": "cpu",
        }
        return GradientMatchingDistiller(1, derivative="differences", **settings, **options).fit(*images)

    first = fitted()
    assert first.history_[-1]["loss"] < share * first.history_[0]["loss"]
    assert first.X_distilled_.tobytes() == fitted().X_distilled_.tobytes()


def test_targets_move_with_the_rows(numbers):
    X, y = numbers
    settings = {"hidden": (16,), "max_iter": 4, "random_state": 0, "device": "cpu", "derivative": "differences"}
    fixed, moved = (GradientMatchingDistiller(6, target_lr=rate, **settings).fit(X, y) for rate in (None, 0.05))
    assert not (fixed.y_distilled_ == moved.y_distilled_).any()


def test_a_graph_of_gradients_is_not_counted_where_there_is_none(images, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "distillkit.condensation.gradient._distiller.require_memory", lambda needed, *_: asked.append(needed)
    )
    for derivative in ("exact", "differences"):
        settings = {"width": 8, "max_iter": 1, "real_batch": 2, "device": "cpu"}
        GradientMatchingDistiller(10, derivative=derivative, **settings).fit(*images)
    assert asked[0] == 3 * asked[1]
