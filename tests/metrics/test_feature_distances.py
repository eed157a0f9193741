"""FID, KID, inception score and divergences against independent computations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from sklearn.datasets import load_diabetes, load_digits
from sklearn.metrics.pairwise import polynomial_kernel

from distillkit import metrics
from distillkit.distances._pot import import_pot
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference, _kernel_distance


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:, X.std(axis=0) > 2] / 16, y  # without pixels that are hardly ever set


@pytest.fixture(scope="module")
def reference(digits):
    return Reference(*digits)


def picked(X, y, n, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(X), n, replace=False)
    return DistilledSet(X[rows] + rng.normal(0, noise, (n, X.shape[1])), y[rows], rng.random(n), classes=np.unique(y))


def weighted_moments(S, weight, ddof=0):
    a = weight / weight.sum()
    centered = S - a @ S
    return a @ S, (centered * a[:, None]).T @ centered / (1 - ddof * (a @ a))


@pytest.mark.parametrize("n", [5, 40, 300])
@pytest.mark.parametrize("ddof", [0, 1])
def test_fid_is_the_bures_wasserstein_distance(digits, reference, n, ddof):
    X, y = digits
    small = picked(X, y, n)
    reference = reference.without(np.arange(0, 1797, 7))
    F, S = reference.features("pca"), reference.extractor("pca").transform(small.X)
    mean, covariance = weighted_moments(S, small.sample_weight, ddof)
    real = np.cov(F.T, ddof=ddof)
    value = metrics.fid(reference, None, small, features="pca", ddof=ddof)
    # 1. By the eigenvalues of the product of the covariances.
    roots = np.sqrt(np.linalg.eigvals(real @ covariance).astype(complex)).real
    difference = F.mean(axis=0) - mean
    expected = difference @ difference + np.trace(real + covariance) - 2 * roots.sum()
    assert value == pytest.approx(expected, rel=1e-5)
    # 2. By matrix roots, which other libraries cannot compute for singular matrices.
    if n > len(mean):
        root = sqrtm(real @ covariance).real
        assert value == pytest.approx(difference @ difference + np.trace(real + covariance - 2 * root), rel=1e-6)
        distance = import_pot().gaussian.bures_wasserstein_distance(F.mean(axis=0), mean, real, covariance)
        assert value == pytest.approx(float(distance) ** 2, rel=1e-4)
    assert value.features == reference.extractor("pca").identity


def test_fid_of_normal_samples_in_one_dimension_is_known():
    X, S = np.array([-1.0, 1.0])[:, None], np.array([2.0, 8.0])[:, None]  # means 0 and 5, deviations 1 and 3
    assert metrics.fid(X, None, DistilledSet(S), features="rows") == pytest.approx(5**2 + (3 - 1) ** 2)


def test_the_training_rows_are_at_no_distance(digits, reference):
    whole = DistilledSet(*digits, classes=np.arange(10))
    for metric in (metrics.fid, metrics.kl_targets, metrics.js_targets, metrics.kl_predictions, metrics.js_predictions):
        assert metric(reference, None, whole) == pytest.approx(0, abs=1e-6)
    assert abs(metrics.kid(reference, None, whole)) < 0.05


@pytest.mark.parametrize("features", ["pca", "rows", "tripled"])
def test_kid_is_the_statistic_over_all_pairs(digits, features, monkeypatch):
    X, y = digits
    X = np.concatenate([X, X**2, X**3], axis=1) if features == "tripled" else X  # more than 128 features
    small = picked(X, y, 30)
    reference = Reference(X, y).without([3, 700, 1500])
    features = "rows" if features == "tripled" else features
    F, S = reference.features(features), reference.extractor(features).transform(small.X)
    d, n, a = F.shape[1], len(F), small.sample_weight / small.sample_weight.sum()
    K = {
        name: polynomial_kernel(P, Q, degree=3, gamma=1 / d, coef0=1)
        for name, P, Q in (("xx", F, F), ("ss", S, S), ("xs", F, S))
    }

    def statistic(keep):
        w = a[keep] / a[keep].sum()
        ss = K["ss"][np.ix_(keep, keep)]
        own = (w @ ss @ w - w**2 @ np.diag(ss)) / (1 - w @ w)
        return (K["xx"].sum() - np.trace(K["xx"])) / (n * (n - 1)) + own - 2 * (K["xs"][:, keep].mean(axis=0) @ w)

    value = metrics.kid(reference, None, small, features=features)
    assert value == pytest.approx(statistic(np.arange(30)), rel=1e-8)
    without = [statistic(np.delete(np.arange(30), i)) for i in range(30)]
    assert value.error == pytest.approx(np.sqrt(29 / 30 * np.sum(np.square(without - np.mean(without)))), rel=1e-6)
    monkeypatch.setattr(_kernel_distance, "_FEW", 0)
    assert metrics.kid(reference, None, small, features=features) == pytest.approx(value, rel=1e-8)


def test_kid_of_torchmetrics(digits, reference):
    kernel = pytest.importorskip("torchmetrics.image.kid")
    import torch

    X, y = digits
    small = DistilledSet(X[:50] + 0.1, y[:50], classes=np.arange(10))
    left_out = np.arange(50, len(X))  # torchmetrics compares samples of equal sizes
    F, S = reference.without(left_out).features("pca"), reference.extractor("pca").transform(small.X)
    value = metrics.kid(reference.without(left_out), None, small, features="pca")
    assert value == pytest.approx(float(kernel.poly_mmd(torch.from_numpy(F), torch.from_numpy(S))), rel=1e-6)


def test_kid_is_unbiased_for_independent_rows_and_its_error_is_right(digits):
    X = digits[0]
    reference, rng, values = Reference(X), np.random.default_rng(0), []
    for seed in range(60):
        rows = rng.choice(len(X), 100, replace=False)
        values.append(metrics.kid(reference.without(rows), None, DistilledSet(X[rows]), seed, features="pca"))
    spread = np.std(values, ddof=1)
    assert abs(np.mean(values)) < 4 * spread / np.sqrt(60)
    assert 0.6 < np.mean([value.error for value in values]) / spread < 1.7


def test_random_rows_of_many_features_estimate_kid(digits, monkeypatch):
    X = np.concatenate([digits[0], digits[0] ** 2, digits[0] ** 3], axis=1)
    small = DistilledSet(X[:40])
    value = metrics.kid(X, None, small, features="rows")
    monkeypatch.setattr(_kernel_distance, "_PAIR_VALUES", 1000**2 * X.shape[1])
    drawn = metrics.kid(X, None, small, features="rows")
    assert "pairs of 1,000 random training rows" in drawn.note
    assert drawn == pytest.approx(value, abs=0.3 * abs(value) + 0.1)
    assert metrics.kid(Reference(X).without([5, 9]), None, small, features="rows") == pytest.approx(drawn, abs=0.05)


def test_the_inception_score_by_its_definition(digits, reference):
    X, y = digits
    small = picked(X, y, 30)
    value = metrics.inception_score(reference, None, small)
    p = reference.extractor("classifier").probabilities(small.X)
    a = small.sample_weight / small.sample_weight.sum()
    assert value == pytest.approx(np.exp(a @ rel_entr(p, a @ p).sum(axis=1)), rel=1e-6)
    assert value.interval[0] < value.interval[1] <= 10
    assert value.error > 0
    one = DistilledSet(X[:1], y[:1], classes=np.arange(10))
    assert metrics.inception_score(reference, None, one) == pytest.approx(1)


def test_the_divergences_of_scipy(digits):
    X, y = digits
    keep = np.flatnonzero((y < 6) | (np.arange(len(y)) % 3 == 0))
    X, y = X[keep], y[keep]
    small = picked(X, y, 25)
    counts = [np.bincount(y) + 0.5, np.bincount(small.y, weights=small.sample_weight, minlength=10) + 0.5]
    p, q = (values / values.sum() for values in counts)
    assert metrics.kl_targets(X, y, small) == pytest.approx(rel_entr(p, q).sum())
    assert metrics.js_targets(X, y, small) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    reference = Reference(X, y).without([0, 1, 2])
    classifier = reference.extractor("classifier")
    sums = classifier.probabilities(X[3:]).sum(axis=0), small.sample_weight @ classifier.probabilities(small.X)
    p, q = ((values + 0.5) / (values + 0.5).sum() for values in sums)
    assert metrics.kl_predictions(reference, None, small) == pytest.approx(rel_entr(p, q).sum(), rel=1e-5)
    assert metrics.js_predictions(reference, None, small) == pytest.approx(jensenshannon(p, q, base=2) ** 2, rel=1e-5)


def test_disjoint_proportions_and_numbers():
    X, y = np.zeros((200, 1)), np.repeat([0, 1], 100)
    other = DistilledSet(X[:100], np.ones(100, int), classes=np.arange(2))
    assert metrics.js_targets(X[:100], y[:100], DistilledSet(X[:100], y[:100], classes=np.arange(2))) == 0
    assert 0.25 < metrics.js_targets(X, y, other) < 0.35
    assert np.isfinite(metrics.kl_targets(X, y, other))
    X, y = load_diabetes(return_X_y=True)
    whole, low = DistilledSet(X, y), DistilledSet(X[y < 100], y[y < 100])
    assert metrics.kl_targets(X, y, whole) == pytest.approx(0, abs=1e-12)
    assert metrics.kl_targets(X, y, low) > 1


def test_sets_that_are_too_small():
    X = np.random.default_rng(0).normal(size=(20, 3))
    for metric in (metrics.fid, metrics.kid):
        with pytest.raises(DataError, match="needs at least two distilled rows"):
            metric(X, None, DistilledSet(X[:1]))
    assert metrics.kid(X, None, DistilledSet(X[:2])).error is None
    with pytest.raises(DataError, match="need targets y of both sets"):
        metrics.kl_targets(X, None, DistilledSet(X[:2]))


def test_the_order_of_rows_changes_nothing(digits, reference):
    X, y = digits
    small = picked(X, y, 30)
    order, small_order = np.random.default_rng(1).permutation(len(X)), np.random.default_rng(2).permutation(30)
    shuffled = DistilledSet(
        small.X[small_order], small.y[small_order], small.sample_weight[small_order], classes=small.classes
    )
    other = Reference(X[order], y[order])
    for metric in (metrics.fid, metrics.kid, metrics.inception_score, metrics.js_predictions):
        assert metric(other, None, shuffled) == pytest.approx(metric(reference, None, small), rel=1e-3)
