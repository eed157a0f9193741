"""Kernel ridge regression against scikit-learn, and its gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from distillkit.condensation.kernel._ridge import ridge_prediction
from distillkit.nn import embed_rows, make_network


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("shape", [(6,), (2, 16), (1, 8, 8)])
@pytest.mark.parametrize("ridge", [1e-6, 0.1])
def test_it_is_scikit_learns_on_the_features_of_a_network(shape, ridge):
    network = make_network("auto", shape, 3, seed=0, width=4, hidden=(16,))
    rows, others = (embed_rows(network, normal(n, *shape, seed=n, dtype=torch.float32)) for n in (7, 20))
    targets = normal(7, 3, seed=3)
    penalty = ridge * float((rows.double() ** 2).sum(dim=1).mean())
    expected = KernelRidge(alpha=penalty, kernel="linear").fit(rows.double().numpy(), targets.numpy())
    predicted = ridge_prediction(rows, targets, others, ridge)
    assert predicted.dtype == torch.float64
    np.testing.assert_allclose(predicted.numpy(), expected.predict(others.double().numpy()), rtol=1e-6, atol=1e-8)


def test_the_scale_of_the_features_does_not_count():
    rows, targets, others = normal(4, 9), normal(4, 2, seed=1), normal(5, 9, seed=2)
    torch.testing.assert_close(
        ridge_prediction(rows, targets, others, 0.01), ridge_prediction(1e3 * rows, targets, 1e3 * others, 0.01)
    )


def test_rows_that_are_alike_do_no_harm():
    rows = normal(3, 5).repeat(4, 1)
    targets = normal(3, 2, seed=1).repeat(4, 1)
    torch.testing.assert_close(ridge_prediction(rows, targets, rows), targets, rtol=1e-4, atol=1e-4)


def test_the_gradient_against_finite_differences():
    targets, others = normal(4, 2, seed=1), normal(10, 6, seed=2)

    def value(rows, labels):
        return ridge_prediction(rows, labels, others, 0.05).square().sum()

    torch.autograd.gradcheck(value, (normal(4, 6).requires_grad_(), targets.requires_grad_()))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_told(bad):
    rows = normal(3, 4)
    rows[0, 0] = bad
    with pytest.raises(FloatingPointError, match="kernel of the synthetic rows"):
        ridge_prediction(rows, normal(3, 1), normal(2, 4))
