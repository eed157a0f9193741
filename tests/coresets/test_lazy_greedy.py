"""Lazy greedy picks what plain greedy picks, with fewer questions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from distillkit.coresets.shared._lazy_greedy import lazy_greedy


class Coverage:
    """Weighted coverage: how much of a universe the picked sets cover. Whole numbers, so that ties are ties."""

    def __init__(self, seed, n=60, universe=200):
        rng = np.random.default_rng(seed)
        self.sets = rng.random((n, universe)) < 0.08
        self.worth = rng.integers(1, 5, size=universe).astype(float)
        self.covered = np.zeros(universe, dtype=bool)
        self.asked = 0

    def gains(self, candidates):
        self.asked += len(candidates)
        return (self.sets[candidates] & ~self.covered) @ self.worth

    def update(self, pick):
        self.covered |= self.sets[pick]

    def value(self, picks):
        return self.sets[list(picks)].any(axis=0) @ self.worth


def plain_greedy(problem, n, size):
    picks, gained = [], []
    for _ in range(size):
        gains = problem.gains(np.arange(n))
        gains[picks] = -np.inf
        picks.append(int(np.argmax(gains)))
        gained.append(gains[picks[-1]])
        problem.update(picks[-1])
    return picks, gained


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [1, 7, 60])
def test_picks_gains_and_ties_are_those_of_plain_greedy(seed, size):
    lazy, plain = Coverage(seed), Coverage(seed)
    picks, gained = lazy_greedy(lazy.gains, lazy.update, 60, size)
    expected, expected_gains = plain_greedy(plain, 60, size)
    assert picks.tolist() == expected
    assert gained.tolist() == expected_gains
    if size == 7:
        assert lazy.asked < plain.asked


@pytest.mark.parametrize("seed", range(3))
def test_the_guarantee_holds_against_brute_force(seed):
    problem = Coverage(seed, n=12, universe=30)
    picks, _ = lazy_greedy(problem.gains, problem.update, 12, 4)
    best = max(problem.value(subset) for subset in itertools.combinations(range(12), 4))
    assert (1 - 1 / math.e) * best <= problem.value(picks) <= best


def test_stopped_early_the_rest_is_filled_by_bounds_without_repeats():
    problem = Coverage(0)
    answers = iter([False, False, True])
    picks, _ = lazy_greedy(problem.gains, problem.update, 60, 20, should_stop=lambda: next(answers))
    expected, _ = plain_greedy(Coverage(0), 60, 3)
    assert picks[:3].tolist() == expected
    assert len(set(picks.tolist())) == 20
