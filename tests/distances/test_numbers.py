"""Distances are right, or refused, for values of any size, offset and type."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import exp, log, sqrt

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from distillkit.distances import (
    gradient_distance,
    js_divergence,
    js_loss,
    kl_divergence,
    kl_loss,
    mean_loss,
    median_bandwidth,
    mmd,
    mmd_loss,
    sinkhorn_divergence,
    sinkhorn_loss,
    sliced_wasserstein,
    squared_distances,
    wasserstein,
    wasserstein_loss,
)
from distillkit.exceptions import DataError

METRICS = {
    "mmd": lambda X, Y: mmd(X, Y, bandwidth=20.0),
    "mmd-median": mmd,
    "wasserstein": wasserstein,
    "sliced": sliced_wasserstein,
    "sinkhorn": lambda X, Y: sinkhorn_divergence(X, Y, reg=200.0),
    "squared": lambda X, Y: float(squared_distances(X, Y).sum()),
    "median": lambda X, Y: median_bandwidth(X) + median_bandwidth(Y),
}
LOSSES = {
    "mean": mean_loss,
    "mmd": lambda X, Y: mmd_loss(X, Y, 20.0),
    "wasserstein": wasserstein_loss,
    "sinkhorn": lambda X, Y: sinkhorn_loss(X, Y, 200.0),
    "gradient": lambda X, Y: gradient_distance([X], [Y[: len(X)]], "l2"),
}
NEAR, FAR = np.array([[0.0], [1e9]]), np.array([[1.0], [1e9]])
HALF_OF_KERNEL = (1 - sum(exp(-1 / (2 * s * s)) for s in (0.25, 0.5, 1, 2, 4)) / 5) / 2


def exact_squares(X, Y):
    return np.array(
        [[float(sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x, y, strict=True))) for y in Y] for x in X]
    )


@pytest.mark.parametrize("columns", [1, 20])
def test_points_next_to_each_other_in_a_wide_sample(columns):
    X, Y = (np.repeat(rows, columns, axis=1) / sqrt(columns) for rows in (NEAR, FAR))
    assert wasserstein(X, Y) == pytest.approx(sqrt(0.5), rel=1e-6)
    assert sinkhorn_divergence(X, Y, reg=1.0) == pytest.approx(0.5, rel=1e-6)
    assert mmd(X, Y, bandwidth=1.0) == pytest.approx(HALF_OF_KERNEL, rel=1e-6)
    P, Q = torch.tensor(X), torch.tensor(Y)
    assert float(mean_loss(P, Q)) == pytest.approx(0.25, rel=1e-5)
    assert float(wasserstein_loss(P, Q)) == pytest.approx(0.5, rel=1e-6)
    assert float(sinkhorn_loss(P, Q, 1.0)) == pytest.approx(0.5, rel=1e-6)
    assert float(mmd_loss(P, Q, 1.0)) == pytest.approx(HALF_OF_KERNEL, rel=1e-6)


def test_one_column_next_to_each_other_is_exact():
    assert wasserstein(NEAR, FAR) == pytest.approx(sqrt(0.5), rel=1e-12)
    assert sliced_wasserstein(NEAR, FAR) == pytest.approx(sqrt(0.5), rel=1e-12)
    assert wasserstein(NEAR, FAR, p=1) == pytest.approx(wasserstein_distance(NEAR[:, 0], FAR[:, 0]), rel=1e-12)
    assert median_bandwidth([[0.0], [1.0], [3.0], [1e9]]) == pytest.approx((3 + 1e9 - 3) / 2, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [1.0, 1e3, 1e6, 1e9])
def test_the_optimal_plan_among_all_permutations(spread, seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.random((5, 2)), rng.random((5, 2))
    X[3:], Y[3:] = X[3:] + spread, Y[3:] + spread
    squares = exact_squares(X, Y)
    best = min(sum(squares[i, j] for i, j in enumerate(order)) for order in permutations(range(5))) / 5
    assert wasserstein(X, Y) == pytest.approx(sqrt(best), rel=1e-9)
    assert float(wasserstein_loss(torch.tensor(X), torch.tensor(Y))) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("shape", [(12, 7, 3), (40, 60, 30)])
def test_squared_distances_in_exact_arithmetic(shape, offset):
    n, m, d = shape
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(n, d)) + offset, rng.normal(size=(m, d)) + offset
    X[0], X[1], Y[1] = Y[0], X[1] + 1e9, Y[1] + 1e7
    expected = exact_squares(X, Y)
    np.testing.assert_allclose(squared_distances(X, Y), expected, rtol=1e-10)
    assert squared_distances(X, Y)[0, 0] == 0
    np.testing.assert_allclose(squared_distances(X, Y, dtype=np.float32), expected, rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_of_every_type_of_numbers(name, dtype):
    rng = np.random.default_rng(1)
    X, Y = rng.integers(0, 100, (12, 6)), rng.integers(0, 100, (9, 6))
    expected = METRICS[name](X.astype(np.float64), Y.astype(np.float64))
    for P, Q in ((X.astype(dtype), Y.astype(dtype)), (X.astype(dtype), Y * 1.0), (X * 1.0, Y.astype(dtype))):
        assert METRICS[name](P, Q) == pytest.approx(expected, rel=1e-12)
    assert METRICS[name](torch.tensor(X.astype(dtype)), torch.tensor(Y.astype(dtype))) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_every_type_of_numbers(name, dtype):
    rng = np.random.default_rng(1)
    X, Y = torch.tensor(rng.integers(0, 100, (9, 6))), torch.tensor(rng.integers(0, 100, (12, 6)))
    expected = float(LOSSES[name](X.double(), Y.double()))
    for P, Q in ((X.to(dtype), Y.to(dtype)), (X.to(dtype), Y.double()), (X.double(), Y.to(dtype))):
        value = LOSSES[name](P, Q)
        assert value.dtype == torch.float64
        assert float(value) == pytest.approx(expected, rel=1e-12)


def test_booleans_and_counts():
    assert squared_distances([[True]], [[False]]) == 1
    assert kl_divergence(np.array([200, 200], dtype=np.uint8), [1, 1]) == pytest.approx(0)
    assert kl_divergence([1e308, 1e308], [1e308, 3e307]) == pytest.approx(kl_divergence([1, 1], [1, 0.3]), rel=1e-12)
    assert js_divergence([1e308, 1e308], [1, 1]) == pytest.approx(0)
    assert float(kl_loss(torch.tensor([0, 1]), torch.tensor([0.5, 0.5]))) == pytest.approx(log(2))
    assert wasserstein(NEAR, FAR, x_weight=[1e308, 1e308]) == pytest.approx(sqrt(0.5))


def test_integers_that_float64_cannot_tell_apart():
    rows = np.array([[2**60], [2**60 + 1]])
    with pytest.raises(DataError, match=r"X holds integers beyond 2\*\*53"):
        wasserstein(rows, rows)
    with pytest.raises(DataError, match=r"integers beyond 2\*\*53"):
        mean_loss(torch.tensor(rows), torch.tensor(rows))


@pytest.mark.parametrize("rows", [np.array([[1j]]), np.array([["a"]]), [[object()]]])
def test_values_that_are_no_numbers(rows):
    with pytest.raises(DataError, match="Y holds values"):
        wasserstein([[1.0]], rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sample", ["X", "Y"])
def test_values_that_are_not_finite_are_refused(sample, bad):
    X, Y = np.ones((3, 2)), np.zeros((3, 2))
    (X if sample == "X" else Y)[1, 1] = bad
    for name, distance in METRICS.items():
        with pytest.raises(DataError, match="X holds NaN" if name == "median" else f"{sample} holds NaN"):
            distance(X, Y)
    for name, loss in LOSSES.items():
        named = {"X": "first", "Y": "second"}[sample] if name == "gradient" else sample
        for kind in (DataError, FloatingPointError):  # training loops catch the latter
            with pytest.raises(kind, match=f"{named} holds NaN or infinite"):
                loss(torch.tensor(X), torch.tensor(Y))
    for loss in (kl_loss, js_loss):
        with pytest.raises(DataError, match="p holds NaN or infinite"):
            loss(torch.tensor([0.5, bad]), torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e160, 1e200, 3e307])
def test_any_scale_of_the_rows(scale):
    rng = np.random.default_rng(2)
    X, Y = rng.uniform(-2, 2, (12, 9)), rng.uniform(-1, 2, (8, 9))
    for distance in (
        wasserstein,
        sliced_wasserstein,
        lambda P, Q: wasserstein(P, Q, p=5),
        lambda P, Q: median_bandwidth(np.concatenate([P, Q])),
    ):
        assert distance(scale * X, scale * Y) / scale == pytest.approx(distance(X, Y), rel=1e-9)
    assert mmd(scale * X, scale * Y) == pytest.approx(mmd(X, Y), rel=1e-9)
    assert mmd(scale * X, scale * Y, bandwidth=scale) == pytest.approx(mmd(X, Y, bandwidth=1.0), rel=1e-9)
    loss = mmd_loss(torch.tensor(scale * X), torch.tensor(scale * Y), scale)
    assert float(loss) == pytest.approx(mmd(X, Y, bandwidth=1.0), rel=1e-9)
    if scale > 1:
        for distance in (squared_distances, sinkhorn_divergence):
            with pytest.raises(DataError, match="too large for float64"):
                distance(scale * X, scale * Y)
        for name in ("mean", "wasserstein", "sinkhorn"):
            with pytest.raises(DataError, match="too large"):
                LOSSES[name](torch.tensor(scale * X), torch.tensor(scale * Y))


def test_a_constant_column_of_any_size_changes_nothing():
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(9, 12)), rng.normal(size=(7, 12))
    for constant in (1e9, 1.7e308):
        P, Q = (np.column_stack([rows, np.full(len(rows), constant)]) for rows in (X, Y))
        for distance in (wasserstein, mmd, lambda A, B: sinkhorn_divergence(A, B, reg=1.0)):
            assert distance(P, Q) == pytest.approx(distance(X, Y), rel=1e-9)


@pytest.mark.parametrize("name", ["mmd", "wasserstein", "sinkhorn"])
@pytest.mark.parametrize("far", [False, True])
def test_gradients_where_distances_cancel(name, far):
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(12, 60)), rng.normal(size=(30, 60))  # enough values for the product
    Y[:3] = X[:3] + 0.01 * rng.normal(size=(3, 60))
    if far:  # all distances cancel, and come from differences
        X, Y = X + np.array([[0.0], [1e5]] * 6), Y + np.array([[0.0], [1e5]] * 15)
    loss = {**LOSSES, "sinkhorn": lambda A, B: sinkhorn_loss(A, B, 200.0, max_iter=5_000, tol=1e-12)}[name]
    first, second = torch.tensor(X), torch.tensor(Y).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(first, second), second)
    step = 1e-4
    for row, column in ((0, 0), (1, 5), (20, 3)):
        moved = torch.zeros_like(second)
        moved[row, column] = step
        with torch.no_grad():
            slope = (loss(first, second + moved) - loss(first, second - moved)) / (2 * step)
        assert float(gradient[row, column]) == pytest.approx(float(slope), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", ["mmd", "mmd-median", "wasserstein", "sinkhorn"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_rows_in_another_order_are_at_no_distance(name, weighted):
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(size=(80, 3)), np.zeros((40, 3)), rng.normal(size=(20, 3)).repeat(3, axis=0)])
    weight = rng.random(len(X)) * (rng.random(len(X)) > 0.2) if weighted else np.ones(len(X))
    order = rng.permutation(len(X))
    options = {"mmd": {"bandwidth": 1.0}, "sinkhorn": {"reg": 1.0}}.get(name, {})
    distance = {"mmd": mmd, "mmd-median": mmd, "wasserstein": wasserstein, "sinkhorn": sinkhorn_divergence}[name]
    weights = {"x_weight": weight, "y_weight": weight[order]}
    assert distance(X, X[order], **weights, **options) == pytest.approx(0, abs=1e-12)
    for seed in range(3):
        value = distance(X, X[order], **weights, max_rows=25, seed=seed, **options)
        assert value == pytest.approx(0, abs=1e-12)
    assert distance(X, X[:-1], max_rows=25, **options) < distance(X, X + 1.0, max_rows=25, **options) / 2


def test_each_row_is_drawn_equally_often():
    X = np.concatenate([np.arange(30.0), np.full(30, -1.0)])[:, None]  # half of the rows are copies of one row
    first, copies = np.zeros(30), []
    for seed in range(600):
        drawn = np.unique(squared_drawn(X, seed), return_counts=True)
        counts = dict(zip(*drawn, strict=True))
        copies.append(counts.pop(-1.0, 0))
        first[[int(value) for value in counts]] += 1
    assert np.mean(copies) == pytest.approx(6, abs=0.3)
    assert np.std(copies) == pytest.approx(sqrt(12 * 0.25 * 48 / 59), rel=0.15)  # hypergeometric
    np.testing.assert_allclose(first / 600, 0.2, atol=0.07)


def squared_drawn(X, seed):
    from distillkit.distances._samples import subsample

    rows, weight = subsample(X, np.full(len(X), 1 / len(X)), 12, seed)
    assert len(rows) == 12
    assert weight.sum() == pytest.approx(1)
    return rows[:, 0]
