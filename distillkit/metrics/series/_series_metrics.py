"""Differences between the autocorrelations and between the power spectra of two sets of series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._sides import Sides, require_axes, sides_of
from distillkit.metrics.reference import shares_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from distillkit.distilled import DistilledSet

__all__ = ["autocorrelation_error", "spectrum_distance"]

_LARGEST_LAG = 50
_FLOOR = 1e-8  # power that is added to both spectra, as a share of the mean training power
_BLOCK_VALUES = 4_000_000


@shares_reference
def autocorrelation_error(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    random_state: int = 0,  # noqa: ARG001 (part of the call of a metric)
    *,
    max_lag: int | None = None,
) -> float:
    r"""Return the mean absolute difference between the autocorrelations of both sets of series.

    The autocorrelation of one channel of one series, of length T and mean :math:`\bar x`, is

    .. math:: r_k = \frac{\sum_{t=1}^{T-k} (x_t - \bar x)(x_{t+k} - \bar x)}
                         {\sum_{t=1}^{T} (x_t - \bar x)^2}

    and 0 for a constant channel. Its mean over the series, weighted by their sample weights, is
    compared for each class, channel and lag; the mean over the classes is weighted by their
    training rows. A class without distilled series is compared with all distilled series. Without
    class labels, all series are compared at once.

    Parameters
    ----------
    X : array-like of shape (n, channels, time), or Reference
        Training series as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet
    random_state : int, default=0
        Has no effect: nothing is drawn.
    max_lag : int or None, default=None
        Largest lag; None is half of the length, and at most 50.

    Returns
    -------
    float
        In [0, 2].

    Raises
    ------
    DataError
        If the rows are no series, are shorter than three steps, or cannot be compared, or if the
        lag is not between 1 and T - 1.
    """
    sides = sides_of(X, y, distilled)
    require_axes(sides, 2, "autocorrelation-error")
    length = sides.X.shape[2]
    lags = min(_LARGEST_LAG, length // 2) if max_lag is None else max_lag
    if length < 3 or not 1 <= lags < length:
        raise DataError(
            f"autocorrelations up to lag {lags} need longer series than {length} steps: give a smaller lag."
        )
    root = sides.reference.root
    whole = root.cached(
        ("autocorrelation", lags), lambda: _in_blocks(root.X, lambda part: autocorrelations(part, lags))
    )
    small = _in_blocks(sides.small, lambda part: autocorrelations(part, lags))
    differences = [float(np.abs(first - second).mean()) for first, second, _ in _class_means(sides, whole, small)]
    return _mean_over_classes(sides, differences)


@shares_reference
def spectrum_distance(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:  # noqa: ARG001 (part of the call of a metric)
    r"""Return the log-spectral distance between the mean power spectra of both sets of series.

    .. math:: \sqrt{\frac{1}{F} \sum_{f=1}^{F}
              \Big(10 \log_{10} \frac{P(f)}{Q(f)}\Big)^2} \ \text{dB}

    with the mean periodograms P of the training series and Q of the distilled series, each without
    its mean value, over the F frequencies above 0. It is computed for each class and channel and
    averaged, over the classes by their training rows. A power of 1e-8 of the mean training power of
    the channel is added to both sides, which bounds the distance. Classes are treated as by
    `autocorrelation_error`.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `autocorrelation_error`.

    Returns
    -------
    float
        In decibels, at least 0; 3 dB is a factor of 2 in power.

    Raises
    ------
    DataError
        If the rows are no series, are shorter than three steps, or cannot be compared.
    """
    sides = sides_of(X, y, distilled)
    require_axes(sides, 2, "spectrum-distance")
    if sides.X.shape[2] < 3:
        raise DataError(f"a spectrum needs series of at least three steps, but they have {sides.X.shape[2]}.")
    root = sides.reference.root
    whole = root.cached("periodograms", lambda: _in_blocks(root.X, periodograms))
    floor = root.cached("spectrum floor", lambda: whole.mean(axis=(0, 2))[:, None] * _FLOOR)
    if not floor.any():
        raise DataError("a spectrum needs series that vary, but all training series are constant.")
    floor = np.where(floor > 0, floor, floor.max())
    distances = []
    for first, second, _ in _class_means(sides, whole, _in_blocks(sides.small, periodograms)):
        decibels = 10 * (np.log10(first + floor) - np.log10(second + floor))
        distances.append(float(np.sqrt(np.square(decibels).mean(axis=1)).mean()))
    return _mean_over_classes(sides, distances)


def autocorrelations(series: np.ndarray, max_lag: int) -> np.ndarray:
    """Return the autocorrelation of each channel of each series.

    Parameters
    ----------
    series : ndarray of shape (n, channels, time)
    max_lag : int

    Returns
    -------
    ndarray of shape (n, channels, max_lag)
        At the lags from 1 on; 0 for constant channels.
    """
    length = series.shape[-1]
    scaled, constant = _centered(series)
    # Zeros after the end of the series keep its end from being multiplied with its start.
    spectrum = np.fft.rfft(scaled, n=2 ** int(np.ceil(np.log2(length + max_lag))), axis=-1)
    products = np.fft.irfft(np.square(np.abs(spectrum)), axis=-1)[..., : max_lag + 1]
    return np.asarray(products[..., 1:] / np.where(constant, 1.0, products[..., :1]))


def periodograms(series: np.ndarray) -> np.ndarray:
    """Return the squared magnitudes of the Fourier transform above frequency 0.

    Parameters
    ----------
    series : ndarray of shape (n, channels, time)

    Returns
    -------
    ndarray of shape (n, channels, time // 2)
        Without the mean of each series, divided by the length.
    """
    values = np.asarray(series, dtype=np.float64)
    centered = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(np.square(np.abs(np.fft.rfft(centered, axis=-1)[..., 1:])) / series.shape[-1])


def _centered(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return series of mean 0 and largest magnitude 1, and which channels are constant."""
    values = np.asarray(series, dtype=np.float64)
    constant = (values.max(axis=-1) == values.min(axis=-1))[..., None]
    centered = np.where(constant, 0.0, values - values.mean(axis=-1, keepdims=True))
    return centered / np.where(constant, 1.0, np.abs(centered).max(axis=-1, keepdims=True)), constant


def _in_blocks(series: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    step = max(1, _BLOCK_VALUES // max(1, series[0].size))
    return np.concatenate([function(series[start : start + step]) for start in range(0, len(series), step)])


def _class_means(sides: Sides, whole: np.ndarray, small: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Return for each class the mean of both sides and the number of its training rows."""
    training = whole[sides.reference.kept]
    return [
        (
            training[group.rows].mean(axis=0),
            np.average(small[group.small], axis=0, weights=sides.weight[group.small]),
            len(group.rows),
        )
        for group in sides.groups()
    ]


def _mean_over_classes(sides: Sides, values: list[float]) -> float:
    """Return the mean weighted by the training rows, with a note on classes without a series."""
    groups = list(sides.groups())
    missing = [sides.label(group.code) for group in groups if group.stand_in]
    note = f"classes without distilled series, compared with all of them: {missing}." if missing else ""
    return Measured(float(np.average(values, weights=[len(group.rows) for group in groups])), note=note)
