"""The maximum mean discrepancy of the distilled rows from the training rows, within classes."""

from __future__ import annotations

from math import isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit import distances
from distillkit.distances._samples import normalized_weight, subsample
from distillkit.distances._squared import mean_row, scaled
from distillkit.metrics._gaussian_sums import KernelRows
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics.reference import Part, Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["bandwidth_of", "mmd"]

_BANDWIDTH_ROWS = 1000
_PAIR_VALUES = 3e11  # largest product of pairs of rows and features that is computed for one class


@shares_reference
def mmd(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = None) -> Measured:
    """Return the squared maximum mean discrepancy between distilled rows and training rows.

    With class labels, it is the mean of the discrepancies within the classes, weighted by their
    shares of the training rows; the sample weights are scaled to sum to 1 in each class. A class
    without distilled rows is compared with all distilled rows. With a continuous target, it is the
    discrepancy of all rows, with the standardized target as one more column.

    This is the V-statistic of `distances.mmd`: the exact discrepancy between the two weighted sets
    of points, which is 0 for the training rows themselves and positive for all others. Random
    training rows have a positive value, too, which shrinks with their number; see `floors`.

    The bandwidth of the kernel is the median distance of at most 1,000 training rows of all classes
    (features alone), so it is the same for every distilled set.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the feature extractor, if it draws at random.
    features : str or object, default=None
        The features to compare, see `make_extractor`; None compares the values of the rows.

    Returns
    -------
    Measured
        In [0, 2], up to rounding; 0 only if both are the same weighted points. All pairs of rows
        count, unless there are too many of them in a class (for 784 features, beyond some 19,000
        rows): then the term of the training rows alone, and very large distilled sets, are
        estimated from random rows. The standard error of this is the `error`. It is the same for
        all distilled sets up to that size, so it does not change their order.

    Raises
    ------
    DataError
        If the rows cannot be compared.
    """
    reference = Reference.of(X, y, distilled)
    pairs = list(paired(reference, None, distilled, features, random_state))
    shares = np.array([len(pair.part) for pair in pairs], dtype=float)
    shares /= shares.sum()
    bandwidth = bandwidth_of(reference, features, random_state)
    terms = [_discrepancy(reference, pair, bandwidth) for pair in pairs if len(pair.part)]
    used = shares[shares > 0]
    value = float(used @ [term[0] for term in terms])
    error = float(np.linalg.norm(used * [term[1] for term in terms]))
    note = "" if error == 0 else "the kernel between training rows was averaged over a random part of them."
    extractor = reference.extractor(features, random_state)
    return Measured(max(0.0, value), error or None, note=note, features=extractor.identity if features else "")


def bandwidth_of(reference: Reference, features: Any, random_state: int) -> float:
    """Return the median distance of at most 1,000 rows of the root reference."""

    def compute() -> float:
        chosen = root.order[:_BANDWIDTH_ROWS] if len(root) > _BANDWIDTH_ROWS else slice(None)
        return distances.median_bandwidth(root.features(features, random_state)[chosen])

    root = reference.root
    return root.cached(("bandwidth", root.extractor(features, random_state).identity), compute)


def _discrepancy(reference: Reference, pair: Pair, bandwidth: float) -> tuple[float, float]:
    """Return the squared discrepancy of a pair with its standard error."""
    part, limit = pair.part, _row_limit(pair.part.whole.shape[1])
    rows, weight = subsample(pair.distilled, normalized_weight(pair.weight, len(pair.weight)), limit, 0)
    X, S, exponent = _prepared(reference, part, rows, bandwidth)
    # 1. The mean over the pairs of training rows, and its change by rows that are left out.
    n = len(part)
    whole, error = reference.root.cached(
        ("kernel mean", part.key, exponent), lambda: _mean_of_pairs(part, X, reference.root.keys, limit)
    )
    total, across = whole * len(X) ** 2, X.column_sums(S)
    if len(part.removed):
        removed = X.of(X.rows[part.removed])
        total += removed.self_sum(np.ones(len(removed))) - 2 * X.column_sums(removed).sum()
        across -= removed.column_sums(S)
    # 2. The means over the pairs of a training row and a distilled row, and of two distilled rows.
    return total / n**2 + S.self_sum(weight) - 2 * float(weight @ across) / n, error


def _prepared(reference: Reference, part: Part, S: np.ndarray, bandwidth: float) -> tuple[KernelRows, KernelRows, int]:
    """Prepare training rows, once for all sets, and distilled rows for sums of kernels.

    The exponent of two by which the rows were scaled is 0, except for extreme values.
    """
    extent = reference.root.cached(
        ("extent", part.key), lambda: np.stack([part.whole.min(axis=0), part.whole.max(axis=0)])
    )
    (_, scaled_S), exponent = scaled(extent, S)
    X = scaled(part.whole, S)[0][0] if exponent else part.whole
    smallest = float(np.finfo(float).smallest_subnormal)
    h = max(float(np.ldexp(bandwidth, -exponent)), smallest)
    key = ("kernel rows", part.key, h, exponent)
    prepared = reference.root.cached(key, lambda: KernelRows(X, mean_row(X), h))
    return prepared, prepared.of(scaled_S), exponent


def _mean_of_pairs(part: Part, X: KernelRows, keys: np.ndarray, limit: int) -> tuple[float, float]:
    """Return the mean kernel over all pairs of training rows, and the standard error of it."""
    n = len(X)
    if n <= limit:
        return X.self_sum(np.full(n, 1 / n)), 0.0
    # The mean over different rows of a random part is an unbiased estimate (a U-statistic). Its
    # variance is four times that of the mean kernel of a row, divided by the number of rows.
    rows = X.of(X.rows[np.argsort(keys[part.positions], kind="stable")[:limit]])
    row_means = (rows.column_sums(rows) - 1) / (limit - 1)
    error = 2 * float(row_means.std(ddof=1)) * sqrt((1 / limit) * (1 - limit / n))
    return float((1 - 1 / n) * row_means.mean() + 1 / n), error


def _row_limit(n_features: int) -> int:
    """Return the number of rows whose pairs can all be computed."""
    return isqrt(int(_PAIR_VALUES / max(1, n_features)))
