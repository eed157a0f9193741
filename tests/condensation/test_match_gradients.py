from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distillkit.condensation.gradient._gradients import (
    batch_gradients,
    fits_one_vmap,
    match_gradients,
    matched_weights,
)
from distillkit.distances import GRADIENT_DISTANCES
from distillkit.nn import Augmentation, ConvNet, Mlp, Threads, seeded


def squared_error(outputs, targets):
    return (outputs[:, 0] - targets).square().mean()


def make(cls, *args, seed=0, **options):
    with seeded(seed):
        return cls(*args, **options).double()


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def small_net():
    return make(ConvNet, (1, 8, 8), 3, width=4, depth=2)


def classes(per_class, n_classes=3, seed=0):
    rows = normal(n_classes, per_class, 1, 8, 8, seed=seed)
    return [(rows[c], torch.full((per_class,), c)) for c in range(n_classes)]


def matching_inputs(net, distance, per_class=2):
    weights = matched_weights(net, distance)
    real = [batch_gradients(net, weights, batch, F.cross_entropy) for batch in classes(5, seed=1)]
    leaf = normal(3, per_class, 1, 8, 8, seed=2).requires_grad_()
    return weights, real, leaf


def loss_of(net, distance, weights, real, leaf, **options):
    synthetic = [(leaf[c], torch.full((leaf.shape[1],), c)) for c in range(3)]
    return match_gradients(net, weights, real, synthetic, F.cross_entropy, distance, [leaf], **options)


def test_gradients_are_those_of_plain_backpropagation(small_net):
    X, y = normal(6, 1, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    weights = matched_weights(small_net, "cosine")
    gradient = batch_gradients(small_net, weights, (X, y), F.cross_entropy)
    F.cross_entropy(small_net(X), y).backward()
    expected = torch.cat([weight.grad.flatten() for weight in small_net.parameters()])
    assert torch.equal(torch.cat([part.flatten() for part in gradient]), expected)


@pytest.mark.parametrize("rows_at_a_time", [4, 5, 40])
def test_gradients_of_a_batch_in_pieces_are_those_of_the_batch(small_net, monkeypatch, rows_at_a_time):
    monkeypatch.setattr("distillkit.nn.runtime._pieces._BYTES", rows_at_a_time * 4 * 8 * 8 * 8)
    X, y = normal(11, 1, 8, 8), torch.arange(11) % 3
    weights = matched_weights(small_net, "cosine")
    gradient = batch_gradients(small_net, weights, (X, y), F.cross_entropy)
    F.cross_entropy(small_net(X), y).backward()
    for part, weight in zip(gradient, small_net.parameters(), strict=True):
        torch.testing.assert_close(part, weight.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("distance", ["layer-cosine", "l2"])
def test_threads_change_nothing(small_net, distance, vectorize):
    before, weights_before = torch.get_num_threads(), list(small_net.parameters())
    torch.set_num_threads(2)
    try:
        weights, real, leaf = matching_inputs(small_net, distance)
        alone = loss_of(small_net, distance, weights, real, leaf)
        with Threads() as threads:
            together = loss_of(small_net, distance, weights, real, leaf, threads=threads, vectorize=vectorize)
    finally:
        torch.set_num_threads(before)
    assert together.loss == pytest.approx(alone.loss)
    assert together.similarity == pytest.approx(alone.similarity)
    torch.testing.assert_close(together.gradients, alone.gradients)
    assert all(now is then for now, then in zip(small_net.parameters(), weights_before, strict=True))


def test_layer_cosine_leaves_out_what_it_does_not_look_at(small_net):
    names = set(matched_weights(small_net, "layer-cosine"))
    assert names == {"features.0.conv.weight", "features.1.conv.weight", "head.weight"}
    assert set(matched_weights(small_net, "l2")) == {name for name, _ in small_net.named_parameters()}


def test_frozen_weights_are_not_matched(small_net):
    small_net.head.weight.requires_grad_(False)  # noqa: FBT003
    assert "head.weight" not in matched_weights(small_net, "l2")


def test_the_update_of_a_linear_model_is_the_closed_form():
    n, d = 4, 3
    net = make(Mlp, (d,), 1, hidden=())
    w, b = net.head.weight.detach().numpy()[0], net.head.bias.item()
    X, y = normal(n, d, seed=3).requires_grad_(), normal(n, seed=4).requires_grad_()
    X_real, y_real = normal(20, d, seed=5), normal(20, seed=6)
    weights = matched_weights(net, "l2")
    real = [batch_gradients(net, weights, (X_real, y_real), squared_error)]
    match = match_gradients(net, weights, real, [(X, y)], squared_error, "l2", [X, y])

    def gradient(rows, targets):
        residual = rows @ w + b - targets
        return 2 / len(rows) * rows.T @ residual, 2 / len(rows) * residual.sum(), residual

    rows, targets = X.detach().numpy(), y.detach().numpy()
    (g_w, g_b, residual), (r_w, r_b, _) = gradient(rows, targets), gradient(X_real.numpy(), y_real.numpy())
    e_w, e_b = g_w - r_w, g_b - r_b
    # With the mean squared error, d g_w = 2/n (r_i dx + x_i w.dx) and d g_b = 2/n w.dx; for a
    # target, they are -2/n x_i and -2/n.
    by_rows = 4 / n * (np.outer(residual, e_w) + np.outer(rows @ e_w + e_b, w))
    by_targets = -4 / n * (rows @ e_w + e_b)
    assert match.loss == pytest.approx(e_w @ e_w + e_b**2, rel=1e-12)
    np.testing.assert_allclose(match.gradients[0].numpy(), by_rows, rtol=1e-10)
    np.testing.assert_allclose(match.gradients[1].numpy(), by_targets, rtol=1e-10)


@pytest.mark.parametrize("distance", GRADIENT_DISTANCES)
@pytest.mark.parametrize("vectorize", [False, True])
def test_the_update_of_a_network_against_finite_differences(small_net, distance, vectorize):
    weights, real, leaf = matching_inputs(small_net, distance)
    gradient = loss_of(small_net, distance, weights, real, leaf, vectorize=vectorize).gradients[0]
    step = 1e-6
    for place in [(0, 0, 0, 3, 3), (1, 1, 0, 0, 7), (2, 0, 0, 5, 2)]:
        values = []
        for sign in (1, -1):
            moved = leaf.detach().clone()
            moved[place] += sign * step
            values.append(loss_of(small_net, distance, weights, real, moved.requires_grad_()).loss)
        assert float(gradient[place]) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("distance", GRADIENT_DISTANCES)
def test_one_pass_for_all_classes_equals_the_loop(small_net, distance):
    weights, real, leaf = matching_inputs(small_net, distance)
    loop, one_pass = (loss_of(small_net, distance, weights, real, leaf, vectorize=v) for v in (False, True))
    assert one_pass.loss == pytest.approx(loop.loss, rel=1e-10)
    assert one_pass.similarity == pytest.approx(loop.similarity, rel=1e-10)
    torch.testing.assert_close(one_pass.gradients[0], loop.gradients[0], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([10] * 10, True), ([50] * 2, True), ([4] * 90, True), ([11] * 10, False), ([2, 2, 1], False), ([5], False)],
)
def test_groups_go_in_one_pass_where_they_are_equal_and_small(sizes, expected):
    assert fits_one_vmap(sizes) == expected


def test_rows_that_are_the_real_batch_match_it(small_net):
    weights = matched_weights(small_net, "layer-cosine")
    batches = classes(4)
    real = [batch_gradients(small_net, weights, batch, F.cross_entropy) for batch in batches]
    leaf = torch.stack([rows for rows, _ in batches]).requires_grad_()
    match = loss_of(small_net, "layer-cosine", weights, real, leaf)
    assert match.loss == pytest.approx(0, abs=1e-9)
    assert match.similarity == pytest.approx(1)


def test_the_same_change_of_real_and_synthetic_rows_matches_and_passes_gradients_on(small_net):
    weights = matched_weights(small_net, "layer-cosine")
    augment = Augmentation(["rotate"])
    draw = augment.draw(1, torch.Generator().manual_seed(0), shared=True)
    batches = classes(4)
    leaf = torch.stack([rows for rows, _ in batches]).requires_grad_()
    turned = [(augment(rows, draw), y) for rows, y in batches]
    real = [batch_gradients(small_net, weights, batch, F.cross_entropy) for batch in turned]
    change = lambda rows: augment(rows, draw)  # noqa: E731
    assert loss_of(small_net, "layer-cosine", weights, real, leaf, change=change).loss == pytest.approx(0, abs=1e-9)
    other = [batch_gradients(small_net, weights, batch, F.cross_entropy) for batch in classes(4, seed=9)]
    moved = loss_of(small_net, "layer-cosine", weights, other, leaf, change=change)
    assert moved.loss > 0.1
    assert moved.gradients[0].abs().sum() > 0


def test_a_step_against_the_gradient_lowers_the_distance(small_net):
    weights, real, leaf = matching_inputs(small_net, "layer-cosine")
    before = loss_of(small_net, "layer-cosine", weights, real, leaf)
    leaf = (leaf - 1e-3 * before.gradients[0]).detach().requires_grad_()
    assert loss_of(small_net, "layer-cosine", weights, real, leaf).loss < before.loss
