from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.distances import (
    js_divergence,
    js_loss,
    kl_divergence,
    kl_loss,
    mean_loss,
    mmd,
    mmd_loss,
    sinkhorn_divergence,
    sinkhorn_loss,
    wasserstein,
    wasserstein_loss,
)
from distillkit.distances._pot import import_pot
from distillkit.exceptions import DataError

TIGHT = {"max_iter": 2_000, "tol": 1e-9}
SAMPLE_LOSSES = {
    "mean": mean_loss,
    "mmd": lambda X, Y: mmd_loss(X, Y, 1.3),
    "wasserstein": wasserstein_loss,
    "sinkhorn": lambda X, Y: sinkhorn_loss(X, Y, 3.0, **TIGHT),
}


def samples(n=9, m=5, d=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)), rng.normal(0.7, 1.5, size=(m, d))


def vectors():
    rng = np.random.default_rng(1)
    return rng.dirichlet(np.ones(6), size=4), rng.dirichlet(np.ones(6), size=4)


def tensors(*arrays):
    return [torch.tensor(array) for array in arrays]


def test_the_losses_are_the_metrics():
    X, Y = samples()
    assert float(mean_loss(*tensors(X, Y))) == pytest.approx(((X.mean(0) - Y.mean(0)) ** 2).sum())
    assert float(mmd_loss(*tensors(X, Y), 1.3)) == pytest.approx(mmd(X, Y, bandwidth=1.3), rel=1e-9)
    assert float(wasserstein_loss(*tensors(X, Y))) == pytest.approx(wasserstein(X, Y) ** 2, rel=1e-9)
    assert float(sinkhorn_loss(*tensors(X, Y), 3.0, **TIGHT)) == pytest.approx(sinkhorn_divergence(X, Y, reg=3.0))
    p, q = vectors()
    assert float(kl_loss(*tensors(p, q))) == pytest.approx(kl_divergence(p, q).sum())
    assert float(js_loss(*tensors(p, q))) == pytest.approx(js_divergence(p, q).sum())


def test_transport_costs_are_those_of_pot():
    X, Y = samples()
    ot = import_pot()
    assert float(wasserstein_loss(*tensors(X, Y))) == pytest.approx(ot.emd2([], [], ot.dist(X, Y)), rel=1e-9)
    solved = [
        ot.solve(ot.dist(P, Q), reg=3.0, reg_type="KL", max_iter=5_000, tol=1e-10).value
        for P, Q in ((X, Y), (X, X), (Y, Y))
    ]
    expected = solved[0] - solved[1] / 2 - solved[2] / 2
    assert sinkhorn_divergence(X, Y, reg=3.0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", SAMPLE_LOSSES)
def test_the_gradient_is_that_of_finite_differences(name):
    X, Y = tensors(*samples())
    Y.requires_grad_()
    (found,) = torch.autograd.grad(SAMPLE_LOSSES[name](X, Y), Y)
    step = 1e-5
    for row, column in np.ndindex(*Y.shape):
        moved = torch.zeros_like(Y)
        moved[row, column] = step
        with torch.no_grad():
            slope = (SAMPLE_LOSSES[name](X, Y + moved) - SAMPLE_LOSSES[name](X, Y - moved)) / (2 * step)
        assert float(found[row, column]) == pytest.approx(float(slope), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("loss", [kl_loss, js_loss])
def test_divergences_have_the_gradient_of_finite_differences(loss):
    p, q = tensors(*vectors())
    assert torch.autograd.gradcheck(lambda logits: loss(p, logits.softmax(dim=1)), (q.log().requires_grad_(),))


@pytest.mark.parametrize("name", SAMPLE_LOSSES)
def test_equal_samples_are_at_zero_and_one_row_is_enough(name):
    X, _ = tensors(*samples())
    assert float(SAMPLE_LOSSES[name](X, X.clone())) == pytest.approx(0, abs=1e-9)
    assert float(SAMPLE_LOSSES[name](X, X[:1])) > 0
    assert float(SAMPLE_LOSSES[name](X[:1], X[1:2])) > 0


def test_the_sinkhorn_divergence_lies_between_transport_and_the_means():
    X, Y = samples()
    assert sinkhorn_divergence(X, Y, reg=0.1) == pytest.approx(wasserstein(X, Y) ** 2, rel=0.05)
    means = float(mean_loss(*tensors(X, Y)))
    assert sinkhorn_divergence(X, Y, reg=1e5) == pytest.approx(means, rel=1e-3)
    doubled = sinkhorn_divergence(X, np.repeat(Y, [2, 1, 1, 1, 1], axis=0), reg=3.0)
    assert sinkhorn_divergence(X, Y, y_weight=[2, 1, 1, 1, 1], reg=3.0) == pytest.approx(doubled)


@pytest.mark.parametrize("reg", [0, -1.0, float("nan"), "small"])
def test_a_regularisation_that_cannot_be(reg):
    with pytest.raises(DataError, match="must be a positive number or 'auto'"):
        sinkhorn_divergence(*samples(), reg=reg)


@pytest.mark.parametrize("loss", [mean_loss, wasserstein_loss])
def test_samples_that_do_not_fit(loss):
    with pytest.raises(DataError, match="cannot be compared"):
        loss(torch.zeros(3, 2), torch.zeros(3, 4))
