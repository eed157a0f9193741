"""Distances of samples with distant rows or large offsets: right by an oracle, or with a warning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from distillkit.distances import median_bandwidth, mmd, sinkhorn_divergence
from distillkit.exceptions import DistillkitWarning


def exact_sinkhorn(X, Y, reg):
    """Sinkhorn divergence by iterations in extended precision."""

    def log_sum_exp(values, axis):
        top = values.max(axis=axis, keepdims=True)
        return (np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis)

    def cost(P, Q):
        squares = np.square(P[:, None] - Q[None]).sum(axis=-1)
        log_a, log_b = -np.log(np.longdouble(len(P))), -np.log(np.longdouble(len(Q)))
        g = np.zeros(len(Q), np.longdouble)
        for _ in range(500):
            f = -reg * log_sum_exp((g - squares) / reg + log_b, 1)
            g = -reg * log_sum_exp((f[:, None] - squares) / reg + log_a, 0)
        plan = np.exp((f[:, None] + g - squares) / reg + log_a + log_b)
        logs = np.log(np.where(plan > 0, plan, 1)) - log_a - log_b
        return (plan * squares).sum() + reg * (plan * logs).sum()

    X, Y = np.asarray(X, np.longdouble), np.asarray(Y, np.longdouble)
    return float(cost(X, Y) - cost(X, X) / 2 - cost(Y, Y) / 2)


def exact_mmd(X, Y, bandwidth):
    """Squared MMD in extended precision."""

    def mean(P, Q):
        squares = np.square(P[:, None] - Q[None]).sum(axis=-1) / np.longdouble(bandwidth) ** 2
        return np.mean([np.exp(squares / (-2 * scale**2)).mean() for scale in (0.25, 0.5, 1, 2, 4)])

    X, Y = np.asarray(X, np.longdouble), np.asarray(Y, np.longdouble)
    return float(mean(X, X) + mean(Y, Y) - 2 * mean(X, Y))


DISTANT = np.array([[0.0], [1e9]]), np.array([[1.0], [1e9]])


def test_a_sinkhorn_divergence_that_rounding_hides_is_a_warning_and_a_smaller_reg_is_right():
    with pytest.warns(DistillkitWarning, match="samples differ, but by less than .*: give a smaller reg"):
        sinkhorn_divergence(*DISTANT)
    assert sinkhorn_divergence(*DISTANT, reg=1.0) == pytest.approx(exact_sinkhorn(*DISTANT, 1.0), rel=1e-12)
    assert sinkhorn_divergence(*DISTANT, reg=1.0) == pytest.approx(0.5)


def test_an_mmd_that_rounding_hides_is_a_warning_and_a_smaller_bandwidth_is_right():
    with pytest.warns(DistillkitWarning, match="samples differ, but by less than .*: give a bandwidth"):
        mmd(*DISTANT)
    assert mmd(*DISTANT, bandwidth=1.0) == pytest.approx(exact_mmd(*DISTANT, 1.0), rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
def test_a_common_offset_changes_neither(offset):
    rng = np.random.default_rng(0)
    X, Y = np.round(rng.normal(size=(12, 2)) * 64) / 64, np.round(rng.normal(size=(9, 2)) * 64) / 64 + 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mmd(X + offset, Y + offset) == pytest.approx(exact_mmd(X, Y, median_bandwidth(np.r_[X, Y])), rel=1e-12)
        reg = float(np.square(X[:, None] - Y).sum(axis=-1).mean() / 20)
        assert sinkhorn_divergence(X + offset, Y + offset) == pytest.approx(exact_sinkhorn(X, Y, reg), rel=1e-6)


@pytest.mark.parametrize("distance", [mmd, sinkhorn_divergence])
def test_equal_samples_are_at_a_distance_of_0_without_a_warning(distance):
    X = np.array([[0.0], [1.0], [1e9]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert distance(X, X[[2, 0, 1]]) == 0.0
        assert distance(X, X[[0, 0, 1, 1, 2, 2]]) == 0.0
        assert distance(X[[0, 1, 1]], X[:2], y_weight=[1, 2]) == 0.0
        assert distance(np.full((4, 2), 5.0), np.full((3, 2), 5.0)) == 0.0


def test_constant_samples_apart_are_at_their_distance():
    X, Y = np.full((4, 1), 5.0), np.full((3, 1), 7.0)
    assert sinkhorn_divergence(X, Y) == pytest.approx(4.0)
    assert mmd(X, Y) == pytest.approx(exact_mmd(X, Y, 2.0), rel=1e-12)
