"""Rows that threads share have the outputs and the gradients of one pass."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from distillkit.nn import ConvNet, Mlp, Threads, map_rows, mixed_precision, rows_per_piece


def images(n=100):
    return torch.randn(n, 1, 28, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def network():
    torch.manual_seed(0)
    return ConvNet((1, 28, 28), 3, width=32, norm="none").double()


@pytest.mark.usefixtures("two_threads")
def test_outputs_and_gradients_are_those_of_one_pass():
    model, seen = network(), []

    def embed(rows):
        seen.append(len(rows))
        return model.embed(rows)

    X = images().requires_grad_()
    with Threads() as threads:
        found = map_rows(embed, model, X, threads)
        (gradient,) = torch.autograd.grad(found.square().sum(), X)
    assert sum(seen) == 100
    assert max(seen) <= min(50, rows_per_piece(model, X))
    plain = model.embed(X)
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(gradient, torch.autograd.grad(plain.square().sum(), X)[0])
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.usefixtures("two_threads")
def test_nothing_is_kept_where_no_gradient_is_wanted():
    model = network()
    with Threads() as threads:
        with torch.no_grad():
            assert not map_rows(model, model, images().requires_grad_(), threads).requires_grad
        found = map_rows(model, model, images(), threads)
    assert not found.requires_grad
    torch.testing.assert_close(found, model(images()).detach())


@pytest.mark.usefixtures("two_threads")
def test_precision_is_set_within_each_thread():
    model = network().float()

    def embed(rows):
        with mixed_precision(rows.device, "bfloat16"):
            return model.embed(rows)

    with Threads() as threads:
        found = map_rows(embed, model, images().float(), threads)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, embed(images().float()).detach())


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("rows", [1, 20])
def test_small_work_is_not_shared(rows):
    model = Mlp((4,), 2)
    X = torch.randn(rows, 4, requires_grad=True)

    def never(_function, _items):
        raise AssertionError("shared")

    with Threads() as threads:
        threads.map = never
        map_rows(model, model, X, threads)


@pytest.mark.usefixtures("two_threads")
def test_a_second_derivative_is_refused_rather_than_wrong():
    model = network()
    X = images().requires_grad_()
    with Threads() as threads:
        found = map_rows(model, model, X, threads)
        (gradient,) = torch.autograd.grad(found.square().sum(), X, create_graph=True)
        with pytest.raises(RuntimeError, match=r"once_differentiable|to not have been used"):
            torch.autograd.grad(gradient.sum(), X)


@pytest.mark.usefixtures("two_threads")
def test_an_error_within_a_thread_arrives():
    class Broken(nn.Module):
        def forward(self, rows):
            raise ValueError("no")

    model = network()
    with Threads() as threads, pytest.raises(ValueError, match="no"):
        map_rows(Broken(), model, images(), threads)
