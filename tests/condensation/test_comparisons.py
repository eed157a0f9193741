from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.condensation.distribution._comparisons import DISTRIBUTION_LOSSES, Embedding, make_comparison
from distillkit.condensation.distribution._embedded_rows import EmbeddedRows
from distillkit.distances import js_divergence, kl_divergence, median_bandwidth, mmd, sinkhorn_divergence, wasserstein
from distillkit.exceptions import NotEnoughMemoryError
from distillkit.nn import Mlp, seeded

REAL, MADE = [7, 1, 4], [2, 1, 3]  # rows of three groups


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def in_groups(embeddings, sizes):
    return [part.numpy() for part in torch.split(embeddings, sizes)]


def compared(loss, real, synthetic):
    comparison = make_comparison(loss)
    return comparison.loss(comparison.observe(EmbeddedRows(real), REAL), synthetic, MADE)


def softmax(rows):
    powers = np.exp(rows)
    return powers / powers.sum(axis=1, keepdims=True)


def test_on_a_linear_embedding_the_mean_loss_is_a_quadratic_form():
    with seeded(0):
        weight = torch.nn.Linear(5, 3).double()
    real, synthetic = normal(12, 5), normal(6, 5, seed=1).requires_grad_()
    loss = compared("mean", weight(real).detach(), weight(synthetic))
    (gradient,) = torch.autograd.grad(loss, synthetic)
    metric = (weight.weight.T @ weight.weight).detach().numpy()
    expected, start = 0.0, 0
    for x, y in zip(in_groups(real, REAL), in_groups(synthetic.detach(), MADE), strict=True):
        gap = y.mean(axis=0) - x.mean(axis=0)
        expected += gap @ metric @ gap
        np.testing.assert_allclose(gradient[start : start + len(y)], np.tile(2 / len(y) * metric @ gap, (len(y), 1)))
        start += len(y)
    assert float(loss.detach()) == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["mmd", "wasserstein", "sinkhorn"])
def test_losses_of_samples_are_the_distances_summed_over_the_groups(loss):
    real, synthetic = normal(12, 4), normal(6, 4, seed=1) + 1
    scale = median_bandwidth(real.numpy())
    distance = {
        "mmd": lambda x, y: mmd(x, y, bandwidth=scale),
        "wasserstein": lambda x, y: wasserstein(x, y) ** 2,
        "sinkhorn": lambda x, y: sinkhorn_divergence(x, y, reg=scale**2 / 10),
    }[loss]
    pairs = zip(in_groups(real, REAL), in_groups(synthetic, MADE), strict=True)
    assert float(compared(loss, real, synthetic)) == pytest.approx(sum(distance(x, y) for x, y in pairs), rel=1e-3)


@pytest.mark.parametrize(("loss", "divergence"), [("kl", kl_divergence), ("js", js_divergence)])
def test_losses_of_outputs_are_the_divergences_of_mean_probabilities(loss, divergence):
    real, synthetic = normal(12, 4) * 3, normal(6, 4, seed=1)
    mean, spread = real.numpy().mean(axis=0), real.numpy().std(axis=0)
    pairs = zip(in_groups(real, REAL), in_groups(synthetic, MADE), strict=True)
    expected = sum(
        divergence(softmax((x - mean) / spread).mean(axis=0), softmax((y - mean) / spread).mean(axis=0))
        for x, y in pairs
    )
    assert float(compared(loss, real, synthetic)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", DISTRIBUTION_LOSSES)
def test_gradients_through_a_network_are_those_of_finite_differences(loss):
    with seeded(0):
        network = Mlp((3,), 5, hidden=(7,)).double()
    embedding = Embedding("float32", outputs=loss in ("kl", "js"))
    real, synthetic, nothing = normal(12, 3), normal(6, 3, seed=1), torch.zeros(0)
    comparison = make_comparison(loss)
    observed = comparison.observe(EmbeddedRows(embedding.observe(network, real, nothing)), REAL)

    def value(rows):
        return comparison.loss(observed, embedding(network, rows, nothing), MADE)

    (gradient,) = torch.autograd.grad(value(synthetic.requires_grad_()), synthetic)
    step = 1e-6
    for row, column in [(0, 0), (1, 2), (2, 1), (4, 0), (5, 2)]:
        moved = torch.zeros_like(synthetic)
        moved[row, column] = step
        with torch.no_grad():
            slope = float(value(synthetic + moved) - value(synthetic - moved)) / (2 * step)
        # A loss ends its iterations early; the tests of the distances check converged ones more
        # strictly.
        assert float(gradient[row, column]) == pytest.approx(slope, rel=0.03 if loss == "sinkhorn" else 1e-4, abs=1e-6)


def test_the_joint_embedding_holds_how_rows_and_targets_go_together():
    embedding = Embedding("float32", joint=True)(torch.nn.Identity(), torch.tensor([[1.0, 2.0]]), torch.tensor([3.0]))
    assert embedding.tolist() == [[1, 2, 3, 6]]


def test_chunks_are_halved_where_memory_ends_and_one_row_too_much_is_said():
    class Small(torch.nn.Module):
        def __init__(self, most):
            super().__init__()
            self.most = most

        def embed(self, rows):
            if len(rows) > self.most:
                raise torch.OutOfMemoryError
            return rows * 2

    rows, targets = normal(2500, 3), torch.zeros(2500)
    assert torch.equal(Embedding("float32").observe(Small(100), rows, targets), rows * 2)
    with pytest.raises(NotEnoughMemoryError, match="lower width"):
        Embedding("float32").observe(Small(0), rows, targets)
