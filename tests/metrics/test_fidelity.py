from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from distillkit import distances, metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import _fidelity

METRICS = [metrics.mmd, metrics.wasserstein, metrics.sliced_wasserstein]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def picked(X, y, per_class, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(np.flatnonzero(y == label), per_class, replace=False) for label in np.unique(y)])
    return DistilledSet(X[rows], y[rows], classes=np.unique(y))


@pytest.mark.parametrize("metric", METRICS)
def test_the_whole_set_is_at_no_distance(metric, digits):
    assert metric(*digits, DistilledSet(*digits, classes=np.arange(10)), 0) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_classes_count_by_their_share(metric, digits):
    X, y = digits
    keep = np.flatnonzero(y < 3)[:200]
    X, y = X[keep], y[keep]
    distilled = picked(X, y, 5)
    distilled.sample_weight = np.random.default_rng(1).random(len(distilled))
    options = {"bandwidth": distances.median_bandwidth(X, seed=0)} if metric is metrics.mmd else {}
    power = 1 if metric is metrics.mmd else 2
    total = 0.0
    for label in range(3):
        own = distilled.y == label
        distance = getattr(distances, metric.__name__)
        value = distance(X[y == label], distilled.X[own], y_weight=distilled.sample_weight[own], **options)
        total += np.mean(y == label) * value**power
    assert metric(X, y, distilled, 0) == pytest.approx(total ** (1 / power), rel=1e-6)


def test_wasserstein_is_transport_that_stays_in_its_class():
    # moving a label is made dearer than any other way; what is left is the exact distance of the whole sets
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.repeat([0, 1], [30, 10])
    distilled = DistilledSet(
        rng.normal(size=(8, 2)), np.repeat([0, 1], 4), np.repeat([30 / 4, 10 / 4], 4), classes=np.arange(2)
    )
    joint = distances.wasserstein(
        np.column_stack([X, 1e3 * y]),
        np.column_stack([distilled.X, 1e3 * distilled.y]),
        y_weight=distilled.sample_weight,
    )
    assert metrics.wasserstein(X, y, distilled, 0) == pytest.approx(joint, rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_wrong_labels_noise_and_classes_left_out_are_seen(metric, digits):
    X, y = digits
    good = picked(X, y, 10)
    value = metric(X, y, good, 0)
    shuffled = DistilledSet(good.X, np.roll(good.y, 10), classes=good.classes)
    noise = DistilledSet(np.random.default_rng(0).random(good.X.shape, np.float32), good.y, classes=good.classes)
    one_class = DistilledSet(good.X[:10], good.y[:10], classes=good.classes)
    for bad in (shuffled, noise, one_class):
        assert metric(X, y, bad, 0) > 1.2 * value


@pytest.mark.parametrize("metric", METRICS)
def test_weights_and_order_and_shape_of_rows(metric, digits):
    X, y = digits
    good = picked(X, y, 4)
    copies = np.random.default_rng(2).integers(1, 4, len(good))
    weighted = DistilledSet(good.X, good.y, copies.astype(float), classes=good.classes)
    order = np.random.default_rng(3).permutation(copies.sum())
    repeated = DistilledSet(
        np.repeat(good.X, copies, axis=0)[order].reshape(-1, 1, 8, 8),
        np.repeat(good.y, copies)[order],
        classes=good.classes,
    )
    value = metric(X, y, weighted, 0)
    assert metric(X.reshape(-1, 1, 8, 8), y, repeated, 0) == pytest.approx(value, rel=1e-5)
    assert metric(X, y, good, 0) != pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_a_continuous_target_counts(metric):
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    rows = np.random.default_rng(0).choice(len(X), 40, replace=False)
    right = metric(X, y, DistilledSet(X[rows], y[rows]), 0)
    assert 0 < right < metric(X, y, DistilledSet(X[rows], y[rows[::-1]]), 0)
    # the units of the target do not
    assert metric(X, 1000 * y + 7, DistilledSet(X[rows], 1000 * y[rows] + 7), 0) == pytest.approx(right, rel=1e-6)


def test_the_seed_fixes_the_directions(digits):
    metric = metrics.sliced_wasserstein
    X, y = np.repeat(digits[0], 2, axis=0) + np.float32(0.01), np.repeat(digits[1], 2)
    good = picked(X, y, 2)
    y = np.zeros_like(y)  # one class of 3,594 rows, more than are looked at
    good.y = np.zeros_like(good.y)
    assert metric(X, y, good, 5) == metric(X, y, good, 5) != metric(X, y, good, 6)


@pytest.mark.parametrize("metric", [metrics.wasserstein, metrics.sliced_wasserstein])
def test_rows_left_out_of_the_reference(metric, digits):
    X, y = digits
    small, removed = picked(X, y, 7), np.random.default_rng(1).choice(len(X), 300, replace=False)
    small.sample_weight = np.random.default_rng(2).random(70)
    kept = np.delete(np.arange(len(X)), removed)
    expected = metric(X[kept], y[kept], small)
    assert metric(metrics.Reference(X, y).without(removed), None, small) == pytest.approx(expected, rel=1e-9)


def test_the_order_of_the_rows_changes_nothing(digits):
    X, y = digits
    small, order = picked(X, y, 5), np.random.default_rng(1).permutation(len(X))
    shuffled = DistilledSet(X[order], y[order], classes=np.arange(10))
    for metric in (metrics.wasserstein, metrics.sliced_wasserstein):
        assert metric(X[order], y[order], small) == pytest.approx(metric(X, y, small), rel=1e-7)
        assert metric(X, y, shuffled) == pytest.approx(0, abs=1e-6)


def test_single_precision_changes_little(digits, monkeypatch):
    small = picked(*digits, 8)
    value = metrics.wasserstein(*digits, small)
    monkeypatch.setattr(_fidelity, "_SINGLE_VALUES", 0)
    assert metrics.wasserstein(*digits, small) == pytest.approx(value, rel=1e-6)


def test_the_error_of_drawn_rows_holds_their_bias(digits, monkeypatch):
    X = digits[0]
    rows = np.random.default_rng(0).choice(len(X), 100, replace=False)
    small = DistilledSet(X[rows] + np.float32(0.05))
    whole = metrics.wasserstein(X, None, small)
    assert whole.error is None
    monkeypatch.setattr(_fidelity, "_MAX_PAIRS", 400 * 100)
    drawn = metrics.wasserstein(X, None, small)
    assert "random rows" in drawn.note
    assert 0 < abs(drawn - whole) < 3 * drawn.error < 0.3 * whole


def test_sinkhorn_tends_to_the_exact_distance(digits):
    digits = tuple(array[:200] for array in digits)
    small = picked(*digits, 5)
    exact, entropic = (metrics.wasserstein(*digits, small, method=method) for method in ("exact", "sinkhorn"))
    assert 0.4 * exact < entropic < 1.05 * exact
    with pytest.raises(DataError, match="method='fast' is not known"):
        metrics.wasserstein(*digits, small, method="fast")
    with pytest.raises(DataError, match="n_projections=0"):
        metrics.sliced_wasserstein(*digits, small, n_projections=0)


def test_features_in_place_of_rows(digits):
    small, reference = picked(*digits, 6), metrics.Reference(*digits)
    for metric in (metrics.wasserstein, metrics.sliced_wasserstein):
        value = metric(reference, None, small, features="pca")
        mapped = DistilledSet(reference.extractor("pca").transform(small.X), small.y, classes=small.classes)
        assert value == pytest.approx(metric(reference.features("pca"), digits[1], mapped), rel=1e-6)
        assert value.features == reference.extractor("pca").identity
