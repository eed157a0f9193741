"""The kernel inception distance (KID), over all pairs of rows."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._cubic_sums import CubicSums, cubic_kernel
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import distilled_rows
from distillkit.metrics._selected import default_features
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["kid"]

_MAX_FEATURES = 128  # up to which the sums over pairs are computed by moments
_PAIR_VALUES = 3e11
_FEW = 2000  # distilled rows of which all pairs are computed one by one


@shares_reference
def kid(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = None) -> Measured:
    r"""Return the kernel inception distance (KID), an unbiased squared MMD between features.

    The kernel is :math:`(\langle x, y \rangle / d + 1)^3` for d features. All classes are compared
    at once, and all pairs of different rows count (a U-statistic), in place of the usual random
    subsets. So the value has no error of sampling subsets, can be negative, and is not clipped.

    With sample weights :math:`w`, a pair of distilled rows counts :math:`w_i w_j` for
    :math:`i \ne j`. The estimate is unbiased for rows that are drawn independently with chances in
    proportion to these weights. Sets with equal numbers of rows of each class are not drawn so, and
    real rows of such sets have values below 0: compare with the floors.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
        At least two rows of positive weight.
    random_state : int, default=0
        Seeds the feature extractor.
    features : str or object, default=None
        As for `fid`.

    Returns
    -------
    Measured
        The `error` is the jackknife standard error over the distilled rows, for at least three. For
        more than 128 features and too many training rows, the term of pairs of training rows is
        taken from random rows, as the note says.

    Raises
    ------
    DataError
        If there are fewer than two rows or the rows cannot be compared.

    References
    ----------
    Bińkowski, Sutherland, Arbel, Gretton: Demystifying MMD GANs. ICLR 2018, arXiv:1801.01401.
    """
    reference = Reference.of(X, y, distilled)
    features = default_features(reference, features)
    extractor = reference.extractor(features, random_state)
    S = extractor.transform(distilled_rows(reference, distilled)).astype(np.float64)
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    S, weight = S[weight > 0], weight[weight > 0] / weight.sum()
    if len(S) < 2 or len(reference) < 2:
        raise DataError("kid needs at least two distilled rows and two training rows: distil more rows.")
    whole = reference.root.features(features, random_state)
    if whole.shape[1] <= _MAX_FEATURES:
        among, across, note = _by_moments(reference, whole, S, extractor.identity)
    else:
        among, across, note = _by_pairs(reference, whole, S, extractor.identity)
    value, error = _estimate(S, weight, among, across)
    return Measured(value, error, note=note, features=extractor.identity)


def _by_moments(reference: Reference, whole: np.ndarray, S: np.ndarray, identity: str) -> tuple[float, np.ndarray, str]:
    """Return the mean kernel of pairs of training rows, and of each distilled row with them."""
    sums = reference.root.cached(("cubic", identity), lambda: CubicSums.of(whole))
    if len(reference.removed):
        sums = sums - CubicSums.of(whole[reference.removed])
    n = len(reference)
    return (sums.all_pairs() - sums.diagonal) / (n * (n - 1)), sums.with_rows(S) / n, ""


def _by_pairs(reference: Reference, whole: np.ndarray, S: np.ndarray, identity: str) -> tuple[float, np.ndarray, str]:
    """Do the same with the kernel of each pair, of random rows if there are too many."""
    limit = isqrt(int(_PAIR_VALUES / whole.shape[1]))
    is_kept = np.ones(len(whole), dtype=bool)
    is_kept[reference.removed] = False

    def sums() -> tuple[np.ndarray, np.ndarray]:
        chosen = reference.root.order[:limit]
        rows = whole[chosen].astype(np.float64)
        return chosen, np.concatenate(
            [cubic_kernel(rows[i : i + 512], rows).sum(axis=1) for i in range(0, len(rows), 512)]
        )

    # The sums over the chosen rows lose what belongs to rows that were left out.
    chosen, row_sums = reference.root.cached(("cubic pairs", identity), sums)
    left_out, kept = chosen[~is_kept[chosen]], chosen[is_kept[chosen]]
    rows, removed = whole[kept].astype(np.float64), whole[left_out].astype(np.float64)
    total = row_sums[is_kept[chosen]].sum()
    if len(removed):
        total -= cubic_kernel(removed, rows).sum()
    n = len(rows)
    among = (total - ((np.einsum("ij,ij->i", rows, rows) / rows.shape[1] + 1) ** 3).sum()) / (n * (n - 1))
    across = np.zeros(len(S))
    everything = np.flatnonzero(is_kept)
    for start in range(0, len(everything), 4096):
        across += cubic_kernel(S, whole[everything[start : start + 4096]].astype(np.float64)).sum(axis=1)
    note = "" if limit >= len(whole) else f"pairs of {limit:,} random training rows were compared."
    return float(among), across / len(everything), note


def _estimate(S: np.ndarray, weight: np.ndarray, among: float, across: np.ndarray) -> tuple[float, float | None]:
    """Return the estimate with its jackknife standard error over the distilled rows."""
    diagonal = (np.einsum("ij,ij->i", S, S) / S.shape[1] + 1) ** 3
    by_row = cubic_kernel(S, S) @ weight if len(S) <= _FEW else CubicSums.of(S, weight).with_rows(S)
    others = weight * (by_row - weight * diagonal)  # the pairs of each row with the other rows
    own, pairs, crossed = others.sum(), 1 - weight @ weight, weight * across
    value = among + own / pairs - 2 * crossed.sum()
    if len(S) < 3:
        return float(value), None
    rest = 1 - weight
    without = among + (own - 2 * others) / (rest**2 - (weight @ weight - weight**2))
    without = without - 2 * (crossed.sum() - crossed) / rest
    return float(value), float(np.sqrt((len(S) - 1) * np.var(without)))
