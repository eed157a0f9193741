from __future__ import annotations

import subprocess
import sys
from math import sqrt

import numpy as np
import pytest
import torch

from distillkit.distances import GRADIENT_DISTANCES, gradient_distance, gradient_similarity
from distillkit.exceptions import DataError

SHAPES = [(4, 3, 2, 2), (4,), (3, 16), (3,)]  # a convolution and a linear layer with their biases


def gradients(seed, stack=()):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*stack, *shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def by_loops(first, second):
    total = 0.0
    for a, b in zip(first, second, strict=True):
        if a.ndim < 2:
            continue
        for row in range(len(a)):
            u, v = a[row].reshape(-1).tolist(), b[row].reshape(-1).tolist()
            dot = sum(x * z for x, z in zip(u, v, strict=True))
            norms = sqrt(sum(x * x for x in u)) * sqrt(sum(z * z for z in v))
            total += 1 - dot / norms
    return total


def test_layer_cosine_is_the_sum_over_layers_and_output_rows():
    first, second = gradients(0), gradients(1)
    assert float(gradient_distance(first, second)) == pytest.approx(by_loops(first, second), rel=1e-12)


def test_biases_count_nothing_in_layer_cosine():
    first, second = gradients(0), gradients(1)
    value = gradient_distance(first, second)
    second[1], second[3] = second[1] * -7, second[3] + 100
    assert torch.equal(gradient_distance(first, second), value)


def test_others_are_those_of_one_long_vector():
    first, second = gradients(0), gradients(1)
    u, v = (np.concatenate([part.numpy().ravel() for part in parts]) for parts in (first, second))
    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    assert float(gradient_distance(first, second, "cosine")) == pytest.approx(1 - cosine, rel=1e-12)
    assert float(gradient_similarity(first, second)) == pytest.approx(cosine, rel=1e-12)
    assert float(gradient_distance(first, second, "l1")) == pytest.approx(np.abs(u - v).sum(), rel=1e-12)
    assert float(gradient_distance(first, second, "l2")) == pytest.approx(((u - v) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", GRADIENT_DISTANCES)
def test_a_stack_is_each_gradient_on_its_own(kind):
    first, second = gradients(0, (5,)), gradients(1, (5,))
    together = gradient_distance(first, second, kind, stacked=True)
    assert together.shape == (5,)
    for index in range(5):
        alone = gradient_distance([part[index] for part in first], [part[index] for part in second], kind)
        assert float(together[index]) == pytest.approx(float(alone), rel=1e-12)


@pytest.mark.parametrize("kind", GRADIENT_DISTANCES)
def test_equal_gradients_are_at_distance_zero(kind):
    first = gradients(2)
    first[0][1] = 0  # a unit that is off in both
    assert float(gradient_distance(first, first, kind)) == pytest.approx(0, abs=1e-12)


def test_a_row_of_zeros_is_at_distance_one_and_passes_no_gradient_on():
    first = [torch.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)]
    second = [torch.tensor([[3.0, 4.0], [-2.0, 1.0]], requires_grad=True)]
    value = gradient_distance(first, second)
    assert value.item() == 2.0
    value.backward()
    assert torch.equal(first[0].grad[0], torch.zeros(2))
    assert torch.equal(second[0].grad[0], torch.zeros(2))
    assert first[0].grad[1].abs().sum() > 0


@pytest.mark.parametrize("kind", GRADIENT_DISTANCES)
def test_derivatives_against_finite_differences(kind):
    first = [part.requires_grad_() for part in gradients(3)]
    second = [part.requires_grad_() for part in gradients(4)]
    n = len(first)
    assert torch.autograd.gradcheck(lambda *parts: gradient_distance(parts[:n], parts[n:], kind), (*first, *second))


def test_the_length_of_a_gradient_matters_to_l1_and_l2_alone():
    first, second = gradients(0), gradients(1)
    longer = [part * 3 for part in second]
    for kind in ("layer-cosine", "cosine"):
        assert float(gradient_distance(first, longer, kind)) == pytest.approx(
            float(gradient_distance(first, second, kind))
        )
    for kind in ("l1", "l2"):
        assert gradient_distance(first, longer, kind) > gradient_distance(first, second, kind)


def test_what_cannot_be_compared():
    first = gradients(0)
    with pytest.raises(DataError, match="distance='l3' is not known"):
        gradient_distance(first, first, "l3")
    with pytest.raises(DataError, match="have shapes"):
        gradient_distance(first, first[:-1])
    with pytest.raises(DataError, match="have shapes"):
        gradient_distance([], [])


def test_the_other_distances_load_no_torch():
    code = "import distillkit.distances as d, sys; d.mmd; assert 'torch' not in sys.modules; d.gradient_distance; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("angle", [1e-1, 1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("kind", ["cosine", "layer-cosine"])
def test_nearly_parallel_gradients_keep_their_digits(angle, kind):
    first = torch.tensor([[3.0, 4.0]])
    # Turn by the angle in float64; the rounding to float32 changes the angle itself slightly.
    turned = torch.tensor([[3.0 - 4.0 * np.tan(angle), 4.0 + 3.0 * np.tan(angle)]], dtype=torch.float64).float()
    a, b = (rows.double().numpy().ravel().astype(np.longdouble) for rows in (first, turned))
    cross, dot = a[0] * b[1] - a[1] * b[0], a @ b
    exact = float(2 * np.sin(np.arctan2(cross, dot) / 2) ** 2)  # 1 - cos = 2 sin^2(angle / 2)
    assert float(gradient_distance([first], [turned], kind)) == pytest.approx(exact, rel=1e-3, abs=1e-14)


def test_the_derivative_of_nearly_parallel_gradients_is_that_of_the_cosine():
    first = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    turned = torch.tensor([[3.0, 4.01]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda rows: gradient_distance([first], [rows], "cosine"), turned)


@pytest.mark.parametrize("scale", [1e-30, 1e-42, 1e25, 1e37])
def test_directions_do_not_depend_on_the_length(scale):
    first, second = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[4.0, -3.0], [1.0, 1.0]])
    expected = float(gradient_distance([first], [second]))
    assert float(gradient_distance([first * scale], [second])) == pytest.approx(expected, rel=1e-2)
    assert float(gradient_distance([first * scale], [second * scale])) == pytest.approx(expected, rel=1e-2)
