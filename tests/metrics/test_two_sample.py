from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.metrics.models import _two_sample
from distillkit.metrics.models._two_sample import _area, _wilson


def gaussians(n, shift=0.0, seed=0, d=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + np.array([shift] + [0.0] * (d - 1))


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_two_gaussians_have_the_accuracy_and_the_area_of_the_closed_form(shift):
    X, S = gaussians(2000), gaussians(2000, shift, seed=1)
    result = metrics.two_sample_test(X, None, DistilledSet(S), classifier=LogisticRegression())
    accuracy, area = norm.cdf(shift / 2), norm.cdf(shift / np.sqrt(2))
    assert result.accuracy == pytest.approx(accuracy, abs=0.03)
    assert result.auc == pytest.approx(area, abs=0.03)
    assert result.accuracy.interval[0] < accuracy < result.accuracy.interval[1]
    assert result.auc.interval[0] < area < result.auc.interval[1]
    assert (result.rows, result.draws) == (2000, 1)


def test_intervals_of_equal_distributions_hold_one_half():
    held = 0
    for seed in range(20):
        X, S = gaussians(600, seed=2 * seed), gaussians(100, seed=2 * seed + 1)
        low, high = metrics.two_sample_auc(X, None, DistilledSet(S), seed, classifier=LogisticRegression()).interval
        held += low <= 0.5 <= high
    assert held >= 17


def test_the_area_within_one_fold_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    truth, scores, weight = np.repeat([1, 0], 30), rng.integers(0, 9, 60) / 9, rng.uniform(0.5, 2, 60)
    value, variance = _area(scores, truth, weight, np.zeros(60, dtype=int))
    assert value == pytest.approx(roc_auc_score(truth, scores, sample_weight=weight), rel=1e-12)
    assert 0 < variance < 0.02


def test_wilson_interval():
    z = NormalDist().inv_cdf(0.975)
    low, high = _wilson(0.3, 50)
    for end in (low, high):  # its ends solve (share - end)^2 = z^2 end (1 - end) / n
        assert (0.3 - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / 50)
    assert _wilson(1.0, 10)[1] == pytest.approx(1)
    assert _wilson(1.0, 10)[0] < 0.75


def test_copies_are_not_told_apart_and_noise_is():
    X = gaussians(160, d=5)
    whole = metrics.two_sample_test(X, None, DistilledSet(X))
    assert whole.auc == pytest.approx(0.5, abs=0.02)
    assert whole.accuracy == pytest.approx(0.5, abs=0.02)
    picked = metrics.two_sample_test(X, None, DistilledSet(X[:40]))
    assert picked.auc.interval[0] < 0.5 < picked.auc.interval[1]
    assert picked.draws == 3
    noise = metrics.two_sample_test(X, None, DistilledSet(5 * gaussians(40, seed=4, d=5)))
    assert noise.auc.interval[0] > 0.8


def test_wrong_labels_are_noticed_and_class_counts_are_matched():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 600)
    X = rng.normal(size=(600, 2)) + 4 * y[:, None]
    rows = np.concatenate([np.flatnonzero(y == 0)[:40], np.flatnonzero(y == 1)[:20]])
    fair = metrics.two_sample_test(X[120:], y[120:], DistilledSet(X[rows], y[rows]))
    assert fair.auc.interval[0] < 0.5 < fair.auc.interval[1]
    assert fair.rows == 60
    wrong = metrics.two_sample_test(X, y, DistilledSet(X[rows], 1 - y[rows]))
    assert wrong.auc > 0.9


def test_order_references_and_few_rows():
    X, S = gaussians(200), DistilledSet(gaussians(20, 0.3, seed=6))
    options = {"classifier": LogisticRegression()}
    value = metrics.two_sample_auc(X, None, S, **options)
    order = np.random.default_rng(7).permutation(200)
    assert metrics.two_sample_auc(X[order], None, DistilledSet(S.X[::-1]), **options) == pytest.approx(value, abs=1e-6)
    assert metrics.two_sample_auc(Reference(X), None, S, **options) == value
    assert metrics.two_sample_accuracy(X, None, S, **options) == metrics.two_sample_test(X, None, S, **options).accuracy
    assert metrics.two_sample_auc(X, None, DistilledSet(S.X[:1])) is None
    assert metrics.two_sample_accuracy(X, None, DistilledSet(S.X[:1])) is None
    with pytest.raises(DataError, match="at least two distilled rows"):
        metrics.two_sample_test(X, None, DistilledSet(S.X[:1]))


def test_the_area_and_the_accuracy_share_their_tests(monkeypatch):
    """One test of the set, and one of each draw against all rows and against those without the draw."""
    monkeypatch.setattr(_two_sample, "RandomForestClassifier", lambda **_: LogisticRegression())  # takes less time
    seen, real = [], _two_sample._test
    monkeypatch.setattr(_two_sample, "_test", lambda *args: seen.append(args) or real(*args))
    X = gaussians(60)
    reference, small = Reference(X), DistilledSet(gaussians(6, seed=1))
    found = [
        metrics.floors(metric, reference, None, small, draws=2)
        for metric in (metrics.two_sample_auc, metrics.two_sample_accuracy)
    ]
    assert len(seen) == 5
    assert found[1] == metrics.floors(metrics.two_sample_accuracy, X, None, small, draws=2)
    assert metrics.two_sample_auc(reference, None, DistilledSet(small.X + 1), 0) != found[0].value  # another set
