from __future__ import annotations

import numpy as np
import pytest

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.metrics.images._structural_similarity import ImageMoments, pair_similarities, window_weights

structural_similarity = pytest.importorskip("skimage.metrics", reason="the oracle").structural_similarity


def images_of(n, channels=1, side=(20, 24), seed=0):
    """Return smooth random images of two classes in [2, 12]: their pixels are correlated."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((n, channels, 5, 6))
    grown = np.kron(coarse, np.ones((1, 1, side[0] // 5, side[1] // 6)))
    return 2 + 10 * np.clip(0.8 * grown + 0.2 * rng.random(grown.shape), 0, 1), np.arange(n) % 2


def oracle(first, second, low, span):
    return structural_similarity(
        (first - low) / span,
        (second - low) / span,
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_all_pairs_equal_scikit_image(channels):
    first, second = images_of(4, channels)[0] / 12, images_of(6, channels, seed=1)[0] / 12
    values = pair_similarities(ImageMoments.of(first), ImageMoments.of(second), 1.0)
    expected = [[oracle(a, b, 0.0, 1.0) for b in second] for a in first]
    np.testing.assert_allclose(values, expected, atol=1e-9)


def test_small_images_have_the_largest_odd_window_that_fits():
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 1, 8, 5))
    rows, columns = window_weights(8), window_weights(5)
    assert (len(rows), len(columns)) == (7, 5)
    weights, values = np.outer(rows, columns), []
    for top in range(2):
        a, b = first[0, top : top + 7], second[0, top : top + 7]
        mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
        var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
        covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
        above = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
        values.append(above / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4)))
    value = pair_similarities(ImageMoments.of(first[None]), ImageMoments.of(second[None]), 1.0)
    assert value[0, 0] == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize("candidates", [16, 1000])
def test_nearest_is_the_weighted_mean_of_the_largest_similarity_within_the_class(candidates):
    X, y = images_of(60)
    small, y_small = images_of(5, seed=3)
    weight = np.array([1.0, 2.0, 0.0, 1.0, 4.0])
    low, span = X.min(), np.ptp(X)
    best = [
        max(oracle(image, other, low, span) for other in X[y == label])
        for image, label in zip(small, y_small, strict=True)
    ]
    value = metrics.ssim_nearest(X, y, DistilledSet(small, y_small, weight), candidates=candidates)
    assert value == pytest.approx(np.average(best, weights=weight), abs=1e-6)


def test_the_units_and_the_order_of_images_and_a_reference_change_nothing():
    X, y = images_of(90)
    small, y_small = images_of(6, seed=4)
    order = np.random.default_rng(5).permutation(90)
    for metric in (metrics.ssim_nearest, metrics.ssim_diversity):
        value = metric(X, y, DistilledSet(small, y_small))
        assert metric(X[order], y[order], DistilledSet(small[::-1], y_small[::-1])) == pytest.approx(value, abs=1e-9)
        assert metric(X * 9 - 5, y, DistilledSet(small * 9 - 5, y_small)) == pytest.approx(value, abs=1e-9)
        assert metric(Reference(X, y), None, DistilledSet(small, y_small)) == value
    removed = np.arange(10)
    child = metrics.ssim_nearest(Reference(X, y).without(removed), None, DistilledSet(small, y_small), candidates=16)
    # The lowest and the highest value remain those of all rows.
    best = [
        max(oracle(image, other, X.min(), np.ptp(X)) for other in X[10:][y[10:] == label])
        for image, label in zip(small, y_small, strict=True)
    ]
    assert child == pytest.approx(np.mean(best), abs=1e-6)


def test_copies_noise_and_collapse():
    X, y = images_of(120)
    copies = DistilledSet(X[:8], y[:8])
    assert metrics.ssim_nearest(X, y, copies) == pytest.approx(1)
    assert metrics.ssim_nearest(X[8:], y[8:], copies) < 0.7
    assert metrics.ssim_diversity(X, y, copies) == pytest.approx(1, abs=0.2)
    assert metrics.ssim_diversity(X, y, DistilledSet(X[[0, 0, 1, 1]], y[[0, 0, 1, 1]])) == pytest.approx(0, abs=1e-9)
    rows = {"holdout": X[60:], "y_holdout": y[60:]}
    copied = metrics.ssim_memorisation(X[:60], y[:60], copies, **rows)
    assert copied > 10 * copied.error > 0
    fresh = metrics.ssim_memorisation(X[:60], y[:60], DistilledSet(*images_of(40, seed=6)), **rows)
    assert abs(fresh) < 4 * fresh.error


def test_memorisation_compares_equally_many_images_of_each_class():
    X, y = images_of(100)
    fresh = DistilledSet(*images_of(30, seed=7))
    value = metrics.ssim_memorisation(X[:80], y[:80], fresh, holdout=X[80:], y_holdout=y[80:])
    assert abs(value) < 4 * value.error  # the nearest of more images would be nearer
    order = np.random.default_rng(8).permutation(80)
    again = metrics.ssim_memorisation(X[order], y[order], fresh, holdout=X[80:][::-1], y_holdout=y[80:][::-1])
    assert again == pytest.approx(value, abs=1e-9)


def test_diversity_names_the_classes_without_pairs():
    X, y = images_of(40)
    value = metrics.ssim_diversity(X, y, DistilledSet(X[[0, 2, 1]], y[[0, 2, 1]]))
    assert "left out: [1]" in value.note
    assert metrics.ssim_diversity(X, y, DistilledSet(X[:2], y[:2])) is None


def test_errors_that_name_the_remedy():
    X, y = images_of(20)
    small = DistilledSet(X[:4], y[:4])
    table = DistilledSet(X[:4].reshape(4, -1), y[:4])
    for metric in (metrics.ssim_nearest, metrics.ssim_diversity, metrics.ssim_memorisation):
        with pytest.raises(DataError, match=r"needs images of shape .* a table of shape \(20, 480\)"):
            metric(X.reshape(20, -1), y, table)
    with pytest.raises(DataError, match="at least 3x3"):
        metrics.ssim_nearest(X[..., :2], y, DistilledSet(X[:4, ..., :2], y[:4]))
    with pytest.raises(DataError, match="all training images hold the value 1"):
        metrics.ssim_nearest(np.ones_like(X), y, small)
    with pytest.raises(DataError, match="NaN"):
        metrics.ssim_nearest(X, y, DistilledSet(np.where(X[:4] > 5, np.nan, X[:4]), y[:4]))
    with pytest.raises(DataError, match="which no training row has"):
        metrics.ssim_nearest(X, y, DistilledSet(X[:4], y[:4] + 1))
    with pytest.raises(DataError, match="give as holdout"):
        metrics.ssim_memorisation(X, y, small)
    with pytest.raises(DataError, match="give y_holdout"):
        metrics.ssim_memorisation(X, y, small, holdout=X)
    with pytest.raises(DataError, match="no image of class 1"):
        metrics.ssim_memorisation(X, y, small, holdout=X[y == 0], y_holdout=y[y == 0])
