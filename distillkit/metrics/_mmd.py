"""The maximum mean discrepancy of the distilled rows from the training rows, within classes."""

from __future__ import annotations

from math import isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit import distances
from distillkit.distances._samples import normalized_weight, subsample
from distillkit.distances._squared import scaled
from distillkit.metrics._gaussian_sums import PAIR_VALUES, kernel_means, self_sum
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics.reference import Part, Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["bandwidth_of", "mmd"]

_BANDWIDTH_ROWS = 1000


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
    S, weight = subsample(pair.distilled, normalized_weight(pair.weight, len(pair.weight)), limit, 0)
    (X, S), exponent = scaled(part.whole, S)
    bandwidth = max(float(np.ldexp(bandwidth, -exponent)), float(np.finfo(float).smallest_subnormal))
    # 1. The mean over the pairs of training rows, and its change by rows that are left out.
    n = len(part)
    whole, error = reference.root.cached(
        ("kernel", part.key, bandwidth), lambda: _mean_of_pairs(part, X, bandwidth, reference.root.keys, limit)
    )
    total = whole * len(X) ** 2
    if len(part.removed):
        removed = X[part.removed]
        ones = np.ones(len(removed))
        total += self_sum(removed, ones, bandwidth) - 2 * kernel_means(removed, X, np.ones(len(X)), bandwidth).sum()
    # 2. The means over the pairs of a training row and a distilled row, and of two distilled rows.
    across = kernel_means(S, X, np.ones(len(X)), bandwidth)
    if len(part.removed):
        across -= kernel_means(S, X[part.removed], np.ones(len(part.removed)), bandwidth)
    own = self_sum(S, weight, bandwidth)
    return total / n**2 + own - 2 * float(weight @ across) / n, error


def _mean_of_pairs(part: Part, X: np.ndarray, bandwidth: float, keys: np.ndarray, limit: int) -> tuple[float, float]:
    """Return the mean kernel over all pairs of training rows, and the standard error of it."""
    n = len(X)
    if n <= limit:
        return self_sum(X, np.full(n, 1 / n), bandwidth), 0.0
    # The mean over different rows of a random part is an unbiased estimate (a U-statistic). Its
    # variance is four times that of the mean kernel of a row, divided by the number of rows.
    rows = X[np.argsort(keys[part.positions], kind="stable")[:limit]]
    row_means = (kernel_means(rows, rows, np.ones(limit), bandwidth) - 1) / (limit - 1)
    error = 2 * float(row_means.std(ddof=1)) * sqrt((1 / limit) * (1 - limit / n))
    return float((1 - 1 / n) * row_means.mean() + 1 / n), error


def _row_limit(n_features: int) -> int:
    """Return the number of rows whose pairs can all be computed."""
    return isqrt(int(PAIR_VALUES / max(1, n_features)))
