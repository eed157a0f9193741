from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import periodogram

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.metrics.series._series_metrics import autocorrelations, periodograms


def series_of(n, length=40, channels=2, seed=0, memory=0.8):
    """Return series of first-order autoregression; the second class has the opposite sign."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, channels, length))
    sign = np.where(y == 0, memory, -memory)[:, None]
    for step in range(1, length):
        X[..., step] += sign * X[..., step - 1]
    return 3 + X, y


def direct_sum(series, lag):
    centered = series - series.mean()
    return np.sum(centered[: len(series) - lag] * centered[lag:]) / np.sum(centered**2)


@pytest.mark.parametrize("length", [3, 40, 65])
def test_autocorrelations_are_the_direct_sums(length):
    X = series_of(6, length)[0]
    lags = length - 1
    values = autocorrelations(X * 1e100, lags)
    expected = [[[direct_sum(channel, lag) for lag in range(1, lags + 1)] for channel in row] for row in X]
    np.testing.assert_allclose(values, expected, atol=1e-10)


def test_autocorrelations_are_those_of_statsmodels():
    acf = pytest.importorskip("statsmodels.tsa.stattools").acf
    X = series_of(2)[0]
    np.testing.assert_allclose(autocorrelations(X, 9)[0, 0], acf(X[0, 0], nlags=9, fft=False)[1:], atol=1e-10)


def test_a_constant_channel_has_no_autocorrelation():
    assert not autocorrelations(np.full((2, 1, 9), 0.1), 4).any()


@pytest.mark.parametrize("length", [40, 41])
def test_periodograms_are_those_of_scipy(length):
    X = series_of(5, length)[0]
    expected = periodogram(X, detrend="constant", return_onesided=False, axis=-1)[1]
    np.testing.assert_allclose(periodograms(X), expected[..., 1 : length // 2 + 1], rtol=1e-9, atol=1e-12)


def test_the_error_is_the_mean_over_classes_channels_and_lags():
    X, y = series_of(50)
    y = np.where(np.arange(50) < 35, 0, 1)
    small, y_small = series_of(6, seed=1)
    weight = np.array([1.0, 2, 0, 1, 3, 1])
    expected = 0.0
    for label, share in ((0, 0.7), (1, 0.3)):
        whole = autocorrelations(X[y == label], 7).mean(axis=0)
        own = np.average(autocorrelations(small[y_small == label], 7), axis=0, weights=weight[y_small == label])
        expected += share * np.abs(whole - own).mean()
    value = metrics.autocorrelation_error(X, y, DistilledSet(small, y_small, weight), max_lag=7)
    assert value == pytest.approx(expected, rel=1e-12)


def test_the_spectrum_distance_in_decibels():
    X, y = series_of(60)
    assert metrics.spectrum_distance(X, y, DistilledSet(X, y)) == 0
    # Four times the power is 6.02 dB at every frequency.
    louder = metrics.spectrum_distance(X, y, DistilledSet(2 * X, y))
    assert louder == pytest.approx(20 * np.log10(2), rel=1e-6)
    small, y_small = series_of(4, seed=2)
    distances = []
    for label in (0, 1):
        first = periodograms(X[y == label]).mean(axis=0)
        second = periodograms(small[y_small == label]).mean(axis=0)
        distances.append(np.sqrt(np.mean((10 * np.log10(first / second)) ** 2, axis=1)).mean())
    value = metrics.spectrum_distance(X, y, DistilledSet(small, y_small))
    assert value == pytest.approx(np.mean(distances), rel=1e-5)


@pytest.mark.parametrize("metric", [metrics.autocorrelation_error, metrics.spectrum_distance])
def test_order_units_references_and_graded_noise(metric):
    X, y = series_of(300)
    rng = np.random.default_rng(3)
    small, y_small = series_of(40, seed=4)
    value = metric(X, y, DistilledSet(small, y_small))
    order = rng.permutation(300)
    assert metric(X[order], y[order], DistilledSet(small[::-1], y_small[::-1])) == pytest.approx(value, rel=1e-9)
    assert metric(X * 1e3 - 7, y, DistilledSet(small * 1e3 - 7, y_small)) == pytest.approx(value, rel=1e-6)
    child = Reference(X, y).without(np.arange(50))
    assert metric(child, None, DistilledSet(small, y_small)) == pytest.approx(
        metric(X[50:], y[50:], DistilledSet(small, y_small)), rel=1e-5
    )
    noise = rng.normal(size=small.shape)
    graded = [metric(X, y, DistilledSet(small + scale * noise, y_small)) for scale in (0, 1, 2, 4, 8)]
    assert graded == sorted(graded)
    assert metric(X, y, DistilledSet(small, 1 - y_small)) > 3 * value  # wrong labels


def test_a_class_without_series_is_named_and_not_rewarded():
    X, y = series_of(40)
    one_class = DistilledSet(X[y == 0], y[y == 0])
    value = metrics.autocorrelation_error(X, y, one_class)
    assert "[1]" in value.note
    assert value > 2 * metrics.autocorrelation_error(X, y, DistilledSet(X[:20], y[:20]))


def test_errors_that_name_the_remedy():
    X, y = series_of(10)
    table = DistilledSet(X[:4, 0], y[:4])
    for metric in (metrics.autocorrelation_error, metrics.spectrum_distance):
        with pytest.raises(DataError, match="needs series of shape"):
            metric(X[:, 0], y, table)
        with pytest.raises(DataError, match=r"at least three|than 2 steps"):
            metric(X[..., :2], y, DistilledSet(X[:4, :, :2], y[:4]))
        with pytest.raises(DataError, match="NaN"):
            metric(X, y, DistilledSet(X[:4] * np.nan, y[:4]))
    with pytest.raises(DataError, match="up to lag 40"):
        metrics.autocorrelation_error(X, y, DistilledSet(X, y), max_lag=40)
    with pytest.raises(DataError, match="constant"):
        metrics.spectrum_distance(np.ones_like(X), y, DistilledSet(X, y))
