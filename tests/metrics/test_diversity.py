from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.datasets import load_digits

from distillkit import distances, metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference, random_sets


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def picked(X, y, per_class=6, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(np.flatnonzero(y == label), per_class, replace=False) for label in np.unique(y)])
    return DistilledSet(X[rows], y[rows], rng.random(len(rows)), rows, classes=np.unique(y))


def test_the_vendi_score_counts_different_rows():
    groups = np.repeat(np.arange(3), [5, 2, 1])
    kernel = (groups[:, None] == groups[None]).astype(float)
    assert metrics.vendi_score(kernel) == pytest.approx(np.exp(entropy([5, 2, 1])))
    weight = np.arange(1.0, 9)
    masses = np.bincount(groups, weights=weight)
    assert metrics.vendi_score(kernel, weight) == pytest.approx(np.exp(entropy(masses)))
    mixed = np.array([[1, 0.5], [0.5, 1]])
    assert metrics.vendi_score(mixed) == pytest.approx(np.exp(entropy([0.75, 0.25])))


def test_the_vendi_ratio_is_that_to_random_training_rows(digits):
    X, y = digits
    small, reference = picked(X, y), Reference(X, y)
    F, h = reference.features("rows"), distances.median_bandwidth(reference.features("rows")[reference.order[:1000]])

    def score(rows, weight):
        return metrics.vendi_score(np.exp(-distances.squared_distances(rows, rows) / (2 * h * h)), weight)

    real = [score(F[each.indices], each.sample_weight) for each in random_sets(reference, small, 10)]
    value = metrics.vendi_ratio(reference, None, small, features="rows")
    own = score(reference.extractor("rows").transform(small.X), small.sample_weight)
    assert value == pytest.approx(own / np.mean(real), rel=1e-6)
    assert value.error == pytest.approx(own / np.mean(real) ** 2 * np.std(real, ddof=1) / np.sqrt(10), rel=1e-6)
    assert value == pytest.approx(1, abs=0.2)
    collapsed = DistilledSet(np.repeat(small.X[::6], 6, axis=0), small.y, classes=small.classes)
    noise = DistilledSet(np.random.default_rng(0).random(small.X.shape), small.y, classes=small.classes)
    assert metrics.vendi_ratio(reference, None, collapsed, features="pca") < 0.6
    assert metrics.vendi_ratio(reference, None, noise, features="rows") > 1.1


def test_the_variance_within_classes(digits):
    X, y = digits
    small, left_out = picked(X, y), [0, 5, 9]
    keep = np.delete(np.arange(len(X)), left_out)
    reference = Reference(X, y)
    F, S = reference.features("rows")[keep], reference.extractor("rows").transform(small.X)
    shares = np.bincount(y[keep]) / len(keep)
    real = sum(shares[k] * F[y[keep] == k].var(axis=0).sum() for k in range(10))
    made = 0.0
    for k in range(10):
        own = small.y == k
        mean = np.average(S[own], axis=0, weights=small.sample_weight[own])
        made += shares[k] * np.average(np.square(S[own] - mean).sum(axis=1), weights=small.sample_weight[own])
    assert metrics.variance_ratio(reference.without(left_out), None, small) == pytest.approx(made / real, rel=1e-9)
    assert metrics.variance_ratio(reference, None, DistilledSet(X, y, classes=np.arange(10))) == pytest.approx(1)
    assert metrics.variance_ratio(X, y, picked(X, y, 1)) == pytest.approx(0, abs=1e-12)
    equal = DistilledSet(np.ones((2, 3)), [0, 1], classes=np.arange(2))
    assert metrics.variance_ratio(np.ones((4, 3)), np.array([0, 0, 1, 1]), equal) == 1


def test_the_entropy_of_labels():
    X, y = np.zeros((100, 1)), np.repeat([0, 1], [80, 20])
    even = DistilledSet(X[:4], np.array([0, 0, 0, 1]), np.array([1.0, 1, 0, 2]), classes=np.arange(2))
    assert metrics.label_entropy(X, y, even) == pytest.approx(entropy([0.5, 0.5]) / entropy([0.8, 0.2]))
    assert metrics.label_entropy(X, y, DistilledSet(X[:4], np.zeros(4, int), classes=np.arange(2))) == 0
    assert metrics.label_entropy(X, np.zeros(100, int), DistilledSet(X, np.zeros(100, int), classes=np.array([0]))) == 1
    with pytest.raises(DataError, match="need targets y of both sets"):
        metrics.label_entropy(X, None, DistilledSet(X))
