"""Metrics of predicted class probabilities: log loss, Brier score and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["brier_score", "expected_calibration_error", "log_loss"]

_SUM_ERROR = 1e-3  # of the probabilities of a row, in single precision with many classes
_BINS = 15


def log_loss(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean negative logarithm of the probability of the true class (cross-entropy).

    Probabilities below 2.2e-16 count as 2.2e-16, as in scikit-learn, so that one class that a model
    cannot predict does not make the loss infinite. Such a row costs 36 nats.

    Parameters
    ----------
    y_true : array-like of int, of shape (n,)
        Positions of the true classes in the columns of `probabilities`; a position outside of them
        stands for a class that has no column, whose probability is 0.
    probabilities : array-like of shape (n, n_classes)
        Probabilities of the classes; each row sums to 1.

    Returns
    -------
    float
        In nats, at least 0; the logarithm of the number of classes is that of uniform
        probabilities.

    Raises
    ------
    DataError
        If the probabilities do not lie between 0 and 1, do not sum to 1, or have another number of
        rows.
    """
    codes, values = _checked(y_true, probabilities)
    return float(-np.mean(np.log(np.maximum(_of_true_class(codes, values), np.finfo(np.float64).eps))))


def brier_score(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    r"""Return the mean squared distance of the probabilities from the true class (Brier score).

    .. math:: \frac{1}{n} \sum_i \sum_k (p_{ik} - 1[y_i = k])^2

    Parameters
    ----------
    y_true, probabilities
        As for `log_loss`.

    Returns
    -------
    float
        In [0, 2], for two classes as well; some definitions for two classes are half of this.

    Raises
    ------
    DataError
        As for `log_loss`.

    References
    ----------
    Brier: Verification of forecasts expressed in terms of probability. Monthly Weather Review 78
    (1950).
    """
    codes, values = _checked(y_true, probabilities)
    # (p - 1)^2 + sum of the other p^2 = sum of all p^2 - 2 p + 1
    return float(np.mean(np.square(values).sum(axis=1) - 2 * _of_true_class(codes, values) + 1))


def expected_calibration_error(y_true: ArrayLike, probabilities: ArrayLike, *, n_bins: int = _BINS) -> float:
    """Return the expected calibration error of the most probable classes (ECE).

    The rows are divided by their largest probability into bins of equal width on (0, 1], which are
    closed on the right. The result is the mean, weighted by their rows, of the distance between the
    share of correct predictions and the mean largest probability of each bin. Of equal largest
    probabilities, the first class is the prediction.

    Parameters
    ----------
    y_true, probabilities
        As for `log_loss`.
    n_bins : int, default=15
        Number of bins.

    Returns
    -------
    float
        In [0, 1]; 0 for calibrated probabilities. With few rows, the estimate is too large, since
        the shares of the bins vary by chance.

    Raises
    ------
    DataError
        As for `log_loss`, or if `n_bins` is not positive.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks. ICML 2017.
    """
    if n_bins < 1:
        raise DataError(f"n_bins={n_bins} must be at least 1.")
    codes, values = _checked(y_true, probabilities)
    confidence, correct = values.max(axis=1), values.argmax(axis=1) == codes
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(codes))


def _of_true_class(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the probability of the true class of each row, 0 for classes without a column."""
    known = (codes >= 0) & (codes < values.shape[1])
    return np.where(known, values[np.arange(len(codes)), np.where(known, codes, 0)], 0.0)


def _checked(y_true: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    codes, values = np.asarray(y_true), np.asarray(probabilities, dtype=np.float64)
    if (
        codes.ndim != 1
        or codes.dtype.kind not in "iu"
        or values.ndim != 2
        or len(values) != len(codes)
        or not len(codes)
    ):
        raise DataError(
            f"y_true of shape {codes.shape} and probabilities of shape {values.shape} do not fit: give one position "
            "of a class (int) and one row of probabilities per row."
        )
    sums = values.sum(axis=1)
    if not (values >= 0).all() or not (np.abs(sums - 1) <= _SUM_ERROR).all():
        raise DataError(
            "the probabilities must lie between 0 and 1 and sum to 1 in each row: give those of predict_proba, "
            "without NaN."
        )
    return codes, values / sums[:, None]
