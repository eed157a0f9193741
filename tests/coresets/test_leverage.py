"""Leverage: scores by QR and by the hat matrix, samples with the probabilities they promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from distillkit.coresets import LeverageCoreset
from distillkit.coresets.sampling._leverage import leverage_scores
from distillkit.coresets.sampling._sampling import inclusion_probabilities, systematic_sample


def hat_diagonal(X):
    design = np.column_stack([X, np.ones(len(X))])
    return np.diag(design @ np.linalg.pinv(design))


def test_scores_are_the_diagonal_of_the_hat_matrix_and_of_qr(numbers):
    X, y = numbers
    scores = LeverageCoreset(random_state=0).fit(X, y).scores_
    basis = np.linalg.qr(np.column_stack([X, np.ones(200)]))[0]
    np.testing.assert_allclose(scores, np.square(basis).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(scores, hat_diagonal(X), rtol=1e-10)
    assert scores.sum() == pytest.approx(5)


def test_a_score_is_the_share_of_the_own_target_in_the_prediction(numbers):
    X, y = numbers
    scores = leverage_scores(X)
    for i in (0, 99):
        moved = y.copy()
        moved[i] += 1
        change = LinearRegression().fit(X, moved).predict(X)[i] - LinearRegression().fit(X, y).predict(X)[i]
        assert scores[i] == pytest.approx(change)


@pytest.mark.parametrize("case", ["dependent", "constant", "scaled", "offset", "wide"])
def test_scores_stand_columns_of_any_kind(case, numbers):
    X, _ = numbers
    made = {
        "dependent": np.column_stack([X, X @ np.ones(4), 2 * X[:, 0]]),
        "constant": np.column_stack([X, np.full(200, 0.1)]),
        "scaled": X * np.array([1e-9, 1.0, 1e9, 3.0]),
        "offset": X + 1e6,
        "wide": np.random.default_rng(0).normal(size=(200, 300)),
    }[case]
    expected = np.ones(200) if case == "wide" else hat_diagonal(X)
    np.testing.assert_allclose(leverage_scores(made), expected, rtol=1e-6)


def test_repeated_rows_of_many_columns_share_their_leverage():
    X = np.repeat(np.random.default_rng(0).normal(size=(5, 40)), 2, axis=0)
    np.testing.assert_allclose(leverage_scores(X), 0.5)


def test_classes_have_scores_of_their_own(table):
    X, y = table
    scores = LeverageCoreset(random_state=0).fit(X, y).scores_
    for c in range(3):
        np.testing.assert_allclose(scores[y == c], hat_diagonal(X[y == c]))


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1.0])
def test_probabilities_sum_to_the_rows_wanted_and_weights_are_bounded(uniform, numbers):
    X, y = numbers
    model = LeverageCoreset(budget=30, uniform=uniform, random_state=0).fit(X, y)
    included = model.inclusion_probabilities_
    assert included.sum() == pytest.approx(30)
    assert 0 < included.min() <= included.max() <= 1
    share = (1 - uniform) * model.scores_ / 5 + uniform / 200
    free = included < 1
    np.testing.assert_allclose(included[free] / share[free], (included / share)[free][0])
    if uniform:
        assert (1 / included).max() <= 200 / (30 * uniform) * (1 + 1e-9)


def test_no_probability_is_above_one():
    included = inclusion_probabilities(np.array([100.0, 10, 1, 1, 1, 1]), 4)
    np.testing.assert_allclose(included, [1, 1, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(inclusion_probabilities(np.array([0.3, 0.3, 0.4]), 3), 1)
    np.testing.assert_allclose(inclusion_probabilities(np.array([1.0, 0, 0]), 2), [1, 0.5, 0.5])


def test_samples_have_their_size_no_repeats_and_the_probabilities_promised():
    included = inclusion_probabilities(np.array([9.0, 4, 3, 2, 2, 1, 1, 0.5]), 4)
    rng = np.random.RandomState(0)
    counts = np.zeros(8)
    for _ in range(4000):
        sample = systematic_sample(included, 4, rng)
        assert len(set(sample.tolist())) == 4
        counts[sample] += 1
    error = np.sqrt(included * (1 - included) / 4000)
    assert (np.abs(counts / 4000 - included) <= 4 * error + 1e-12).all()


def test_weighted_sums_are_unbiased(numbers):
    # X'X and X'y of the weighted sample, in the mean over samples, within four standard errors
    X, y = numbers
    design = np.column_stack([X, y])
    whole = design.T @ design
    found = []
    for seed in range(300):
        model = LeverageCoreset(budget=20, random_state=seed).fit(X, y)
        picked = model.sample_indices_
        found.append((design[picked] / model.inclusion_probabilities_[picked, None]).T @ design[picked])
    error = np.std(found, axis=0) / np.sqrt(300)
    assert (np.abs(np.mean(found, axis=0) - whole) <= 4 * error).all()
    scaled = 1 / model.inclusion_probabilities_[picked]
    np.testing.assert_allclose(model.sample_weight_, scaled * 200 / scaled.sum())


def test_without_a_target_all_rows_are_one_design(numbers):
    model = LeverageCoreset(budget=12, random_state=0).fit(numbers[0])
    np.testing.assert_allclose(model.scores_, hat_diagonal(numbers[0]))
    assert len(model.X_distilled_) == 12


def test_rows_that_the_fit_hangs_on_are_always_there():
    X = np.zeros((100, 3))
    X[[3, 50, 77], [0, 1, 2]] = 1  # each the only row with its column
    for seed in range(10):
        model = LeverageCoreset(budget=8, random_state=seed).fit(X)
        assert {3, 50, 77} <= set(model.sample_indices_.tolist())
