from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from distillkit.distances import js_divergence, kl_divergence
from distillkit.exceptions import DataError

P, Q = np.random.default_rng(0).dirichlet(np.ones(6), size=(2, 5))


def test_kl_against_scipy():
    np.testing.assert_allclose(kl_divergence(P, Q), entropy(P, Q, axis=1))


def test_js_against_scipy():
    np.testing.assert_allclose(js_divergence(P, Q), jensenshannon(P, Q, axis=1) ** 2)


def test_js_is_symmetric_and_at_most_ln_2():
    np.testing.assert_allclose(js_divergence(P, Q), js_divergence(Q, P))
    assert (js_divergence(P, Q) < log(2)).all()
    assert js_divergence([1, 2, 0], [0, 0, 5]) == pytest.approx(log(2))


def test_counts_are_scaled_and_rows_broadcast():
    np.testing.assert_allclose(kl_divergence(P * 7, Q[0] * 3), [kl_divergence(p, Q[0]) for p in P])
    assert isinstance(kl_divergence(P[0], Q[0]), float)


@pytest.mark.parametrize("divergence", [kl_divergence, js_divergence])
def test_equal_vectors_diverge_by_nothing(divergence):
    assert divergence([0, 3, 1], [0, 6, 2]) == 0.0


def test_zeros():
    assert kl_divergence([0, 1], [1, 1]) == pytest.approx(log(2))
    assert kl_divergence([1, 1], [0, 1]) == inf


@pytest.mark.parametrize("divergence", [kl_divergence, js_divergence])
@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([1, -1], [1, 1], "p must hold vectors of finite"),
        ([1, 1], [1, np.nan], "q must hold vectors of finite"),
        (0.5, [1, 1], "p must hold vectors"),
        ([[1, 1], [0, 0]], [1, 1], "p holds a vector that sums to 0"),
        ([1, 1], [1, 1, 1], "p has 2 cells, but q has 3"),
    ],
)
def test_vectors_that_cannot_be_used(divergence, p, q, message):
    with pytest.raises(DataError, match=message):
        divergence(p, q)
