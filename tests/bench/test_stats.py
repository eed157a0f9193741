"""Intervals, tests and corrections against scipy, closed forms and printed tables."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats as reference

from distillkit.bench.leaderboard._stats import (
    holm,
    mean_ranks,
    nemenyi_cd,
    student_p,
    student_quantile,
    t_interval,
)


@pytest.mark.parametrize("n", [2, 3, 5, 30])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_t_interval_is_scipys(n: int, level: float) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = reference.t.interval(level, n - 1, loc=values.mean(), scale=reference.sem(values))
    assert t_interval(values.tolist(), level) == pytest.approx(expected, rel=1e-9)


def test_t_interval_of_three_values_from_the_printed_quantile() -> None:
    low, high = t_interval([1.0, 2.0, 3.0]) or (0, 0)  # t(.975; 2) = 4.302653 in every table
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), abs=1e-6)


def test_one_value_has_no_interval_and_equal_values_have_one_of_no_width() -> None:
    assert t_interval([0.5]) is None
    assert t_interval([]) is None
    assert t_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize("level", [0, 1, -0.1, 95])
def test_a_level_outside_0_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level="):
        t_interval([1.0, 2.0], level)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = sum(
        low <= 1 <= high for low, high in (t_interval(rng.normal(1, 3, 4).tolist()) or (0, 0) for _ in range(4000))
    )
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)  # four standard errors of the share


@pytest.mark.parametrize("dof", [1, 2.5, 9, 1e6])
def test_p_values_and_quantiles_are_scipys(dof: float) -> None:
    for t in (-3.0, 0.0, 0.7, 12.0):
        assert student_p(t, dof) == pytest.approx(2 * reference.t.sf(abs(t), dof), rel=1e-9)
    assert student_quantile(0.95, dof) == pytest.approx(reference.t.ppf(0.975, dof), rel=1e-9)
    assert student_p(student_quantile(0.95, dof), dof) == pytest.approx(0.05)


def test_holm_is_the_closed_test_with_bonferroni() -> None:
    """Holm's correction is the closure of Bonferroni: the largest corrected p of all subsets that hold the test."""
    rng = np.random.default_rng(3)
    for m in (1, 2, 5):
        p = rng.uniform(0, 0.3, m).tolist()
        subsets = [s for size in range(1, m + 1) for s in itertools.combinations(range(m), size)]
        closed = [max(min(1.0, len(s) * min(p[j] for j in s)) for s in subsets if i in s) for i in range(m)]
        assert holm(p) == pytest.approx(closed)


def test_holm_on_a_worked_example_and_on_nothing() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("k", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_nemenyi_quantiles_are_those_of_the_printed_table(k: int, q: float) -> None:
    n = 14
    assert nemenyi_cd(k, n) / math.sqrt(k * (k + 1) / (6 * n)) == pytest.approx(q, abs=1e-3)


def test_nemenyi_on_the_published_example() -> None:
    assert nemenyi_cd(4, 14) == pytest.approx(1.25, abs=0.005)  # Demšar 2006, section 3.2.2: q = 2.569, CD = 1.25


@pytest.mark.parametrize(("k", "n"), [(1, 5), (3, 0)])
def test_nemenyi_refuses_what_cannot_be_compared(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        nemenyi_cd(k, n)


def test_ranks_are_scipys_with_the_best_first() -> None:
    scores = np.random.default_rng(0).integers(0, 4, (20, 6)).astype(float)
    assert np.array_equal(mean_ranks(scores), reference.rankdata(-scores, axis=1))
