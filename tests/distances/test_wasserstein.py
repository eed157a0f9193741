from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from distillkit.distances import _wasserstein, sliced_wasserstein, wasserstein
from distillkit.distances._pot import import_pot
from distillkit.exceptions import DataError, DistillkitError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(1, 2, size=(25, 3))
A, B = RNG.random(40), RNG.random(25)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_shifted_set_is_as_far_as_the_shift(p):
    shift = np.array([1.0, -2.0, 2.0])
    assert wasserstein(X, X + shift, x_weight=A, y_weight=A, p=p) == pytest.approx(3.0, rel=1e-9)


def test_between_gaussians_in_the_limit():
    # W2 of N(0, I) and N(m, s^2 I) in d dimensions: sqrt(|m|^2 + d (1 - s)^2); quantiles stand for a large 1-d sample
    from scipy.stats import norm

    rows = norm.ppf((np.arange(300) + 0.5) / 300)[:, None]
    assert wasserstein(rows, 3 + 2 * rows) == pytest.approx(np.sqrt(9 + np.mean(rows**2)), rel=1e-9)
    assert wasserstein(rows, 3 + 2 * rows) == pytest.approx(np.sqrt(10), rel=2e-3)


@pytest.mark.parametrize("distance", [wasserstein, sliced_wasserstein])
def test_one_dimension_against_scipy(distance):
    x, y = X[:, 0], Y[:, 0]
    expected = wasserstein_distance(x, y, A, B)
    assert distance(x[:, None], y[:, None], x_weight=A, y_weight=B, p=1) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("p", [1, 2, 2.5])
def test_equal_numbers_of_rows_against_the_best_assignment(p):
    costs = cdist(X[:25], Y) ** p
    expected = costs[linear_sum_assignment(costs)].mean() ** (1 / p)
    assert wasserstein(X[:25], Y, p=p) == pytest.approx(expected, rel=1e-9)


def test_units_do_not_matter():
    assert wasserstein(1e6 * X, 1e6 * Y) == pytest.approx(1e6 * wasserstein(X, Y), rel=1e-9)
    assert wasserstein(1e-6 * X, 1e-6 * Y) == pytest.approx(1e-6 * wasserstein(X, Y), rel=1e-9)


def test_a_simplex_that_does_not_end_is_an_error():
    with (
        pytest.warns(UserWarning, match="numItermax"),
        pytest.raises(DistillkitError, match="raise max_iter=1 or lower"),
    ):
        wasserstein(X, Y, max_iter=1)


@pytest.mark.parametrize("p", [1, 2])
def test_sliced_equals_pot(p):
    ot = import_pot()
    a, b = A / A.sum(), B / B.sum()
    expected = ot.sliced_wasserstein_distance(X, Y, a, b, n_projections=64, p=p, seed=5)
    value = sliced_wasserstein(X, Y, x_weight=A, y_weight=B, n_projections=64, p=p, seed=5)
    assert value == pytest.approx(expected, rel=1e-9)


def test_sliced_in_one_dimension_is_exact():
    assert sliced_wasserstein(X[:, :1], Y[:, :1], n_projections=3) == pytest.approx(wasserstein(X[:, :1], Y[:, :1]))


def test_sliced_of_a_shift():
    # along a random direction a shift v counts |<v, theta>|, whose mean square is |v|^2 / d
    shift = np.array([1.0, -2.0, 2.0])
    assert sliced_wasserstein(X, X + shift, n_projections=4000) == pytest.approx(np.sqrt(9 / 3), rel=0.05)


def test_blocks_of_projections_change_nothing(monkeypatch):
    whole = sliced_wasserstein(X, Y, n_projections=50)
    monkeypatch.setattr(_wasserstein, "_BLOCK_VALUES", 7 * 65)
    assert sliced_wasserstein(X, Y, n_projections=50) == pytest.approx(whole, rel=1e-12)


def test_float32_rows_stay_near():
    rows, others = X.astype(np.float32), Y.astype(np.float32)
    assert sliced_wasserstein(rows, others) == pytest.approx(sliced_wasserstein(X, Y), rel=1e-5)


@pytest.mark.parametrize("p", [0.5, 0, np.inf, np.nan])
@pytest.mark.parametrize("distance", [wasserstein, sliced_wasserstein])
def test_orders_that_cannot_be(distance, p):
    with pytest.raises(DataError, match="p="):
        distance(X, Y, p=p)


def test_no_projection():
    with pytest.raises(DataError, match="n_projections=0"):
        sliced_wasserstein(X, Y, n_projections=0)


def test_pot_is_loaded_on_use_and_without_torch():
    code = (
        "import sys, distillkit.distances as d\n"
        "assert 'ot' not in sys.modules\n"
        "d.wasserstein([[0.0]], [[1.0]])\n"
        "assert 'ot' in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_and_the_same_point():
    assert wasserstein([[2.0, 3.0]], np.full((5, 2), [2.0, 3.0])) == 0.0
