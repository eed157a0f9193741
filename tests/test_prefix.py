"""A prefix of a ranked set is the set of a smaller budget."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit import DistilledSet, FacilityLocationCoreset, KCenterCoreset, KMeansCoreset
from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import BudgetError, DataError


class Leading(BaseDistiller):
    """The first rows of each class, in their order: a ranking that is easy to know. Weights are equal within a class."""

    def _distill(self, rows, run):
        picks = [group.rows[: group.size] for group in rows.groups]
        weight = [np.full(group.size, len(group.rows) / group.size) for group in rows.groups]
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weight), ranked=True)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], [90, 45, 15]))
    return rng.normal(size=(150, 4)) + 2 * y[:, None], y


@pytest.fixture
def numbers():
    rng = np.random.default_rng(1)
    return rng.normal(size=(80, 3)), rng.normal(size=80)


def same_rows(first, second):
    """Equal as sets of (row, weight): ties between classes may come in another order."""
    one, two = np.argsort(first.indices), np.argsort(second.indices)
    np.testing.assert_array_equal(first.indices[one], second.indices[two])
    np.testing.assert_array_equal(first.X[one], second.X[two])
    np.testing.assert_allclose(first.sample_weight[one], second.sample_weight[two], rtol=1e-12)


@pytest.mark.parametrize("budget", [1, 2, 7, 14, 0.05, 0.1, {0: 3, 1: 14, 2: 1}])
def test_with_the_rows_it_is_what_a_fit_with_that_budget_gives(table, budget):
    X, y = table
    prefix = KCenterCoreset(budget=15).fit(X, y).distilled_.prefix(budget, X, y)
    same_rows(prefix, KCenterCoreset(budget=budget).fit(X, y).distilled_)


@pytest.mark.parametrize("y_is", ["numbers", "absent"])
@pytest.mark.parametrize("budget", [1, 9, 0.2])
def test_the_same_without_classes(numbers, y_is, budget):
    X, y = numbers[0], numbers[1] if y_is == "numbers" else None
    prefix = KCenterCoreset(budget=20).fit(X, y).distilled_.prefix(budget, X, y)
    same_rows(prefix, KCenterCoreset(budget=budget).fit(X, y).distilled_)


@pytest.mark.parametrize("budget", [1, 4, 0.06])
def test_equal_weights_are_scaled_to_those_of_the_smaller_fit(table, budget):
    prefix = Leading(budget=0.1).fit(*table).distilled_.prefix(budget) if budget != 4 else None
    prefix = Leading(budget=10).fit(*table).distilled_.prefix(budget) if prefix is None else prefix
    same_rows(prefix, Leading(budget=budget).fit(*table).distilled_)


def test_without_the_rows_each_dropped_weight_goes_to_the_nearest_kept_row_of_its_class(table):
    X, y = table
    whole = KCenterCoreset(budget=12).fit(X, y).distilled_
    prefix = whole.prefix(5)
    for label in (0, 1, 2):
        own, kept = whole.y == label, prefix.y == label
        nearest = ((whole.X[own][:, None] - prefix.X[kept]) ** 2).sum(axis=2).argmin(axis=1)
        expected = np.bincount(nearest, weights=whole.sample_weight[own], minlength=5)
        np.testing.assert_allclose(prefix.sample_weight[kept], expected, rtol=1e-12)
        assert prefix.sample_weight[kept].sum() == pytest.approx(np.sum(y == label))


def test_a_repeated_row_that_was_picked_counts_for_itself():
    X = np.repeat(np.random.default_rng(0).normal(size=(4, 3)), 5, axis=0)
    same_rows(KCenterCoreset(budget=9).fit(X).distilled_.prefix(6, X), KCenterCoreset(budget=6).fit(X).distilled_)


def test_the_ranking_is_the_place_within_the_class_and_is_kept_on_disk(table, tmp_path):
    model = KCenterCoreset(budget=0.1).fit(*table)
    for label in (0, 1, 2):
        own = model.y_distilled_ == label
        assert model.ranking_[own].tolist() == list(range(own.sum()))
    loaded = DistilledSet.load(model.distilled_.save(tmp_path / "ranked.safetensors"))
    np.testing.assert_array_equal(loaded.ranking, model.ranking_)
    same_rows(loaded.prefix(1), model.distilled_.prefix(1))
    assert loaded.prefix(1).provenance["prefix"] == 1


def test_a_prefix_has_prefixes(table):
    whole = KCenterCoreset(budget=9).fit(*table).distilled_
    same_rows(whole.prefix(6, *table).prefix(2, *table), whole.prefix(2, *table))


def test_the_whole_set_is_its_own_prefix(table):
    whole = KCenterCoreset(budget=9).fit(*table).distilled_
    same_rows(whole.prefix(9), whole)


def test_soft_labels_go_with_their_rows():
    ranked = DistilledSet(
        np.arange(4.0)[:, None], soft_labels=np.eye(4), ranking=np.array([2, 0, 3, 1]), provenance={"rows_seen": 8}
    )
    prefix = ranked.prefix(2)
    np.testing.assert_array_equal(prefix.soft_labels, np.eye(4)[[1, 3]])
    assert prefix.sample_weight.tolist() == [2.0, 2.0]


def test_a_set_without_a_ranking_says_so(table):
    model = KMeansCoreset(budget=5, random_state=0).fit(*table)
    assert not hasattr(model, "ranking_")
    with pytest.raises(DataError, match="this set has no ranking: KMeansCoreset does not order its rows"):
        model.distilled_.prefix(2)


def test_more_than_it_holds_is_refused(table, numbers):
    with pytest.raises(BudgetError, match="asks for 4 rows of class 2, but the set holds 1"):
        KCenterCoreset(budget=0.1).fit(*table).distilled_.prefix(4)
    with pytest.raises(BudgetError, match="asks for 9 rows, but the set holds 8"):
        KCenterCoreset().fit(numbers[0]).distilled_.prefix(9)
    with pytest.raises(BudgetError, match="must be at least 1"):
        KCenterCoreset().fit(numbers[0]).distilled_.prefix(0)


def test_rows_that_it_was_not_made_from_are_refused(table):
    X, y = table
    whole = KCenterCoreset(budget=5).fit(X, y).distilled_
    with pytest.raises(DataError, match="X has 149 rows with y, but the set was made from 150 with it"):
        whole.prefix(2, X[1:], y[1:])
    with pytest.raises(DataError, match="without y"):
        whole.prefix(2, X)
    with pytest.raises(DataError, match="do not count nearest rows"):
        Leading(budget=5).fit(X, y).distilled_.prefix(2, X, y)


def test_a_refit_of_another_kind_forgets_the_ranking(table):
    model = Leading(budget=2).fit(*table)
    assert hasattr(model, "ranking_")
    model._distill = lambda *_: Outcome(indices=np.array([0, 1]))
    assert not hasattr(model.fit(*table), "ranking_")


def _tied_rows(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of which many are equally near to several others, in two classes."""
    rng = np.random.default_rng(7)
    grid = rng.integers(0, 3, size=(120, 6)).astype(np.float64)
    rows = {
        "grid": grid,
        "tenths": grid * 0.1,
        "far-grid": grid * 0.3 + 1e6,
        "float32": (grid * 0.1).astype(np.float32),
        "duplicates": np.repeat(rng.normal(size=(12, 3)), 10, axis=0),
    }[kind]
    return rows, np.arange(len(rows)) % 2


@pytest.mark.parametrize("kind", ["grid", "tenths", "far-grid", "float32", "duplicates"])
@pytest.mark.parametrize("method", [KCenterCoreset, FacilityLocationCoreset])
def test_a_prefix_with_the_rows_equals_the_fit_among_ties(method, kind):
    X, y = _tied_rows(kind)
    whole = method(budget=8).fit(X, y).distilled_
    for budget in range(1, 8):
        small = method(budget=budget).fit(X, y).distilled_
        prefix = whole.prefix(budget, X, y)
        np.testing.assert_array_equal(prefix.indices, small.indices)
        np.testing.assert_array_equal(prefix.sample_weight, small.sample_weight)
