"""The parts of the privacy panel against brute force, closed forms and other libraries."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score, roc_curve

from distillkit.metrics.privacy._copies import close_rows, equal_rows, spread_of
from distillkit.metrics.privacy._membership import attack
from distillkit.metrics.privacy._search import search
from distillkit.metrics.privacy._share import nearest_share


@pytest.mark.parametrize(("m", "n", "d", "offset"), [(1, 1, 3, 0), (7, 40, 5, 0), (90, 300, 64, 1e4), (30, 5, 2, -50)])
def test_neighbours_are_those_of_brute_force(m, n, d, offset):
    rng = np.random.RandomState(m)
    queries, rows = rng.normal(size=(m, d)) + offset, rng.normal(size=(n, d)) + offset
    found, expected = search(queries, rows), cdist(queries, rows)
    ordered = np.sort(expected, axis=1)
    np.testing.assert_allclose(found.first, ordered[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.second, ordered[:, 1] if n > 1 else np.full(m, np.nan), rtol=1e-9)
    np.testing.assert_array_equal(found.position, expected.argmin(axis=1))
    np.testing.assert_allclose(found.of_rows, expected.min(axis=0), rtol=1e-9)


def test_neighbours_are_the_same_in_blocks(monkeypatch):
    rng = np.random.RandomState(0)
    queries, rows = rng.normal(size=(20, 4)), rng.normal(size=(500, 4))
    whole = search(queries, rows)
    monkeypatch.setattr("distillkit.metrics.privacy._search._BLOCK", 20 * 7)
    blocks = search(queries, rows)
    for name in ("first", "second", "position", "of_rows"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))


def test_a_copy_is_at_distance_zero_although_products_do_not_see_it():
    # The same search with products alone misses most copies in float32.
    rng = np.random.RandomState(0)
    rows = rng.uniform(size=(2000, 784)).astype(np.float32)
    norms = np.einsum("ij,ij->i", rows, rows)
    products = norms[:50, None] + norms - 2 * rows[:50] @ rows.T
    assert np.mean(np.abs(products[np.arange(50), np.arange(50)]) > 1e-6) > 0.2
    found = search(np.asarray(rows[:50], dtype=float), np.asarray(rows, dtype=float))
    assert (found.first == 0).all()
    assert (found.ratio == 0).all()
    assert found.position.tolist() == list(range(50))


def test_twins_among_the_rows_give_a_ratio_of_zero_for_a_copy_and_one_otherwise():
    rows = np.array([[0.0], [0.0], [3.0], [3.0]])
    assert search(np.array([[0.0], [2.0]]), rows).ratio.tolist() == [0, 1]


def test_copies_are_found_in_the_coarser_type_and_regardless_of_the_sign_of_zero():
    rows = np.array([[0.1, 0.0], [0.2, -0.0], [np.pi, 1.0]])
    queries = np.array([[0.1, -0.0], [0.2, 0.0], [0.2, 1.0]], dtype=np.float32)
    assert equal_rows(queries, rows).tolist() == [True, True, False]
    assert equal_rows(np.array([[0.1 + 1e-18, 0.0], [0.1 + 1e-9, 0.0]]), rows).tolist() == [True, False]
    assert equal_rows(rows[:0], rows).shape == (0,)


def test_the_spread_is_the_scale_of_rounding_errors():
    rows = np.random.RandomState(0).normal(size=(100, 9))
    expected = np.sqrt(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1)))
    assert spread_of(rows) == pytest.approx(expected)
    assert close_rows(np.array([0, 1e-7 * expected, 1e-3 * expected]), expected).tolist() == [True, True, False]


def test_the_area_and_the_rates_are_those_of_scikit_learn():
    rng = np.random.RandomState(0)
    members, holdout = np.round(rng.normal(size=700), 2), np.round(rng.normal(0.4, size=1000), 2)
    found = attack(members, holdout)
    truth, score = np.repeat([1, 0], [700, 1000]), -np.concatenate([members, holdout])
    assert found.auc == pytest.approx(roc_auc_score(truth, score))
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    # The tie of the threshold itself is left out on both sides, so the rate is at most that of the curve.
    for rate in (0.01, 0.001):
        assert found.tpr[rate] <= tpr[fpr <= rate].max() + 1e-12
        threshold = np.sort(holdout)[int(rate * 1000)]
        assert found.tpr[rate] == np.mean(members < threshold)


def test_the_error_of_the_area_is_its_spread_over_draws():
    rng = np.random.RandomState(1)
    draws = [attack(rng.normal(size=80), rng.normal(0.5, size=120)) for _ in range(400)]
    assert np.std([draw.auc for draw in draws]) == pytest.approx(np.mean([draw.auc_error for draw in draws]), rel=0.15)


@pytest.mark.parametrize(("n", "m"), [(200, 30), (50, 400), (3000, 3000)])
def test_the_rate_of_fresh_rows_is_the_expected_one(n, m):
    rng = np.random.RandomState(2)
    draws = [attack(rng.uniform(size=n), rng.uniform(size=m)) for _ in range(2000 if n < 1000 else 300)]
    for rate in (0.01, 0.001):
        mean, error = np.mean([draw.tpr[rate] for draw in draws]), np.std([draw.tpr[rate] for draw in draws])
        assert mean == pytest.approx(draws[0].tpr_expected[rate], abs=4 * error / np.sqrt(len(draws)))


def test_equal_distances_give_no_advantage():
    found = attack(np.ones(10), np.ones(20))
    assert (found.auc, found.auc_error, found.tpr[0.01]) == (0.5, 0, 0)


def test_the_spread_of_the_share_is_that_of_draws_of_held_out_rows():
    # 300 published rows have only 40 of 120 held-out rows as their nearest ones, as those of a generator do.
    rng = np.random.RandomState(3)
    position = rng.choice(40, 300, p=rng.dirichlet(np.ones(40) / 2))
    share = nearest_share(rng.uniform(size=300), rng.uniform(size=300), position, 80, 40 + 80)
    stand_ins = round(share.expected * 120)
    draws = [np.isin(position, rng.permutation(120)[:stand_ins]).mean() for _ in range(4000)]
    assert share.expected == 0.4
    assert np.mean(draws) == pytest.approx(0.4, abs=4 * np.std(draws) / np.sqrt(4000))
    assert np.std(draws) == pytest.approx(share.sd, rel=0.04)
    assert share.sd > 2 * np.sqrt(0.4 * 0.6 / 300)


def test_ties_count_half_and_the_binomial_spread_is_the_least():
    share = nearest_share(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 1.0, 1.0]), np.arange(4), 10, 10)
    assert (share.value, share.expected) == (0.375, 0.5)
    assert share.sd == pytest.approx(np.sqrt(0.25 / 4))
    assert share.z == pytest.approx(-0.5)
