"""HerdingCoreset against the rule as it stands in the paper, every term computed anew."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from distillkit.base import Group, Run, TrainingRows
from distillkit.coresets import HerdingCoreset
from distillkit.coresets.geometric._herding import herd


def by_the_rule(points, size, *, worst=False):
    points = np.asarray(points, dtype=np.float64)
    mean, picks = points.mean(axis=0), []
    for _ in range(size):
        left = [i for i in range(len(points)) if i not in picks]
        target = (len(picks) + 1) * mean - points[picks].sum(axis=0)
        norms = np.array([np.linalg.norm(target - points[i]) for i in left])
        best = norms >= norms.max() - 1e-12 if worst else norms <= norms.min() + 1e-12
        picks.append(left[np.argmax(best)])  # the first of equals
    return picks


def mean_error(points, picks):
    return np.linalg.norm(points[picks].mean(axis=0) - points.mean(axis=0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 3), (9, 2), (40, 5)])
def test_picks_are_those_of_the_rule(seed, n, d):
    points = np.random.default_rng(seed).gamma(1.0, size=(n, d))
    for size in {1, (n + 1) // 2, n}:
        found = herd(points, size)
        assert found.picks.tolist() == by_the_rule(points, size)
        expected = [mean_error(points, found.picks[: j + 1]) for j in range(size)]
        np.testing.assert_allclose(found.errors, expected, atol=1e-12)
        assert found.complete


def test_each_class_is_herded_on_its_own(table):
    X, y = table
    model = HerdingCoreset(budget={0: 12, 1: 5, 2: 3}).fit(X, y)
    for c, size in enumerate((12, 5, 3)):
        rows, own = np.flatnonzero(y == c), model.y_distilled_ == c
        picks = by_the_rule(X[rows], size)
        assert model.sample_indices_[own].tolist() == rows[picks].tolist()
        np.testing.assert_allclose(model.sample_weight_[own], len(rows) / size)
        errors = [mean_error(X[rows], picks[: j + 1]) for j in range(size)]
        np.testing.assert_allclose(model.mean_errors_[own], errors, rtol=1e-9)
        assert model.history_[c]["error"] == pytest.approx(errors[-1])


def test_on_digits_the_mean_is_kept_better_than_by_random_rows_and_by_the_inverted_rule():
    X, y = load_digits(return_X_y=True)
    model = HerdingCoreset(budget=10).fit(X, y)
    rng = np.random.default_rng(0)
    for c in range(10):
        points = X[y == c]
        ours = model.mean_errors_[model.y_distilled_ == c][-1]
        random = np.mean([mean_error(points, rng.choice(len(points), 10, replace=False)) for _ in range(50)])
        assert 2 * ours < random < mean_error(points, by_the_rule(points, 10, worst=True))


def test_all_rows_have_the_mean_of_all_rows(table):
    X, _ = table
    model = HerdingCoreset(budget=300).fit(X)
    assert sorted(model.sample_indices_.tolist()) == list(range(300))
    assert model.mean_errors_[-1] == pytest.approx(0, abs=1e-12)


def test_far_from_the_origin_nothing_cancels():
    points = np.random.default_rng(0).integers(0, 2**10, size=(200, 4)) / 2.0**8  # exact at any of these offsets
    assert herd(points + 2.0**30, 60).picks.tolist() == herd(points, 60).picks.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_dtypes_agree_with_float64(dtype):
    points = load_digits().data[:200].astype(dtype)
    model = HerdingCoreset(budget=40).fit(points)
    assert model.sample_indices_.tolist() == by_the_rule(points, 40)


def test_equal_rows_are_picked_in_their_order():
    assert herd(np.full((6, 2), 0.1), 4).picks.tolist() == [0, 1, 2, 3]


def test_rows_that_differ_by_rounding_only_are_equals():
    # 0.1 + 0.2 is not 0.3: a rule that looked at the last bit would take the second row first
    X = np.array([[0.3, 0.0], [0.1 + 0.2, 0.0], [-0.3, 0.0], [-0.3, 0.0]])
    assert herd(X, 2).picks.tolist() == [0, 2]


class TestContinuousTarget:
    """The target is one more column."""

    @pytest.mark.parametrize("target_weight", [0.5, 1.0, 3.0])
    def test_the_space_is_the_one_documented(self, numbers, target_weight):
        X, y = numbers
        column = target_weight * (y - y.mean()) / y.std() * np.sqrt(X.var(axis=0).mean())
        model = HerdingCoreset(budget=25, target_weight=target_weight).fit(X, y)
        assert model.sample_indices_.tolist() == by_the_rule(np.column_stack([X, column]), 25)

    def test_weight_zero_and_a_constant_target_change_nothing(self, numbers):
        X, y = numbers
        picks = by_the_rule(X, 20)
        assert HerdingCoreset(budget=20, target_weight=0).fit(X, y).sample_indices_.tolist() == picks
        constant = HerdingCoreset(budget=20, task="regression").fit(X, np.full(200, 2.5))
        assert constant.sample_indices_.tolist() == picks

    @pytest.mark.parametrize("factor", [1e-9, 1e6])
    def test_units_of_the_target_do_not_matter(self, numbers, factor):
        X, y = numbers
        first, second = (HerdingCoreset(budget=25).fit(X, target) for target in (y, factor * y + 5))
        np.testing.assert_array_equal(first.sample_indices_, second.sample_indices_)

    def test_the_mean_target_is_kept_better_than_by_random_rows(self, numbers):
        X, y = numbers
        ours = abs(HerdingCoreset(budget=10, target_weight=2).fit(X, y).y_distilled_.mean() - y.mean())
        rng = np.random.default_rng(0)
        random = np.mean([abs(rng.choice(y, 10, replace=False).mean() - y.mean()) for _ in range(200)])
        assert ours < 0.5 * random


class TestClock:
    """A wall-clock budget ends the picking by the rule, never the result."""

    def test_no_time_at_all_still_gives_every_row(self, table):
        model = HerdingCoreset(budget=9, max_seconds=1e-9).fit(*table)
        assert np.bincount(model.y_distilled_).tolist() == [9, 9, 9]
        assert len(set(model.sample_indices_.tolist())) == 27
        assert model.distilled_.provenance["stopped_by"] == "max_seconds"
        assert not any(step["complete"] for step in model.history_)

    def test_what_was_picked_before_is_kept_and_errors_stay_true(self):
        points = np.random.default_rng(0).normal(size=(60, 3))
        answers = iter([False] * 7 + [True])
        found = herd(points, 20, should_stop=lambda: next(answers))
        assert found.picks[:8].tolist() == by_the_rule(points, 8)
        assert not found.complete
        assert found.errors[-1] == pytest.approx(mean_error(points, found.picks))

    def test_time_enough_changes_nothing(self, table):
        free, timed = (HerdingCoreset(budget=9, max_seconds=s).fit(*table) for s in (None, 1e6))
        np.testing.assert_array_equal(free.sample_indices_, timed.sample_indices_)
        assert timed.distilled_.provenance["stopped_by"] is None


def test_rows_that_stand_for_several_count_as_often_in_the_mean(numbers):
    X, _ = numbers
    times = np.random.default_rng(0).integers(1, 5, size=200)
    rows = TrainingRows(X, None, None, (Group(None, np.arange(200), 20),), weight=times.astype(float))
    outcome = HerdingCoreset()._distill(rows, Run())
    total, picks, mean = np.zeros(4), [], np.average(X, axis=0, weights=times)
    for _ in range(20):
        distance = np.linalg.norm(total + X - mean, axis=1)
        distance[picks] = np.inf
        picks.append(int(distance.argmin()))
        total += X[picks[-1]] - mean
    assert outcome.indices.tolist() == picks
    assert outcome.weight.sum() == pytest.approx(times.sum())


def test_a_feature_space_is_where_means_are_kept(table):
    X, y = table
    model = HerdingCoreset(budget=10, feature_space=lambda rows: rows[:, :2] ** 2).fit(X, y)
    own = model.y_distilled_ == 1
    rows = np.flatnonzero(y == 1)
    assert model.sample_indices_[own].tolist() == rows[by_the_rule(X[rows][:, :2] ** 2, 10)].tolist()
