"""Diversity of distilled rows, relative to that of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import entr

from distillkit.distances import squared_distances
from distillkit.distances._samples import normalized_weight, subsample
from distillkit.metrics._divergences import target_counts
from distillkit.metrics._measured import Measured
from distillkit.metrics._mmd import bandwidth_of
from distillkit.metrics._pairs import distilled_rows, paired
from distillkit.metrics._selected import default_features
from distillkit.metrics.reference import Part, Reference, class_counts, random_sets, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["label_entropy", "variance_ratio", "vendi_ratio", "vendi_score"]

_DRAWS = 10
_MAX_ROWS = 1000


def vendi_score(kernel: Any, weight: Any = None) -> float:
    r"""Return the Vendi score of rows, the effective number of different rows among them.

    It is the exponential of the entropy of the eigenvalues of :math:`K_{ij} \sqrt{p_i p_j}` for a
    kernel K and weights p of sum 1: 1 for equal rows, and n for n rows without any similarity.

    Parameters
    ----------
    kernel : array-like of shape (n, n)
        Positive semidefinite similarities of the rows, 1 on the diagonal.
    weight : array-like of shape (n,) or None
        Non-negative weights; None gives equal weights.

    Returns
    -------
    float
        In [1, n].

    References
    ----------
    Friedman, Dieng: The Vendi score: A diversity evaluation metric for machine learning. TMLR 2023,
    arXiv:2210.02410.

    Examples
    --------
    >>> import numpy as np
    >>> round(vendi_score(np.eye(4)), 6), round(vendi_score(np.ones((4, 4))), 6)
    (4.0, 1.0)
    """
    kernel = np.asarray(kernel, dtype=np.float64)
    roots = np.sqrt(normalized_weight(weight, len(kernel)))
    values = np.maximum(np.linalg.eigvalsh(kernel * np.outer(roots, roots)), 0.0)
    return float(np.exp(entr(values / values.sum()).sum()))


@shares_reference
def vendi_ratio(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = None) -> Measured:
    """Return the Vendi score of the distilled rows over that of equally many random training rows.

    The similarity of two rows is a Gaussian kernel of their features, whose bandwidth is the median
    distance of training rows. Below 1, the set is less diverse than random training rows of the
    same class counts and weights; above 1, it is more diverse, as are noise and outliers.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the feature extractor and the draws of training rows.
    features : str or object, default=None
        As for `fid`.

    Returns
    -------
    Measured
        Above 0. The `error` is that of the mean over ten draws of training rows. Sets of more than
        1,000 rows are represented by random ones, as the note says.

    Raises
    ------
    DataError
        If the rows cannot be compared.
    """
    reference = Reference.of(X, y, distilled)
    features, root = default_features(reference, features), reference.root
    extractor = root.extractor(features, random_state)
    bandwidth = bandwidth_of(root, features, random_state)

    def score(rows: np.ndarray, weight: Any) -> float:
        rows, weight = subsample(rows, normalized_weight(weight, len(rows)), _MAX_ROWS, 0)
        with np.errstate(over="ignore", under="ignore"):
            return vendi_score(np.exp(squared_distances(rows, rows) / bandwidth / bandwidth / -2), weight)

    def scores_of_training_rows() -> list[float]:
        sets = list(random_sets(root, distilled, _DRAWS, random_state))
        whole = root.features(features, random_state)
        # A set with more rows of a class than there are training rows is compared with these.
        drawn = [score(whole[np.asarray(each.indices)], each.sample_weight) for each in sets]
        return drawn or [score(whole, None)]

    value = score(extractor.transform(distilled_rows(reference, distilled)), distilled.sample_weight)
    weight = np.sort(np.asarray(distilled.sample_weight, dtype=np.float64)).tobytes()
    key = ("vendi", extractor.identity, tuple(class_counts(root, distilled)), weight, random_state)
    real = root.cached(key, scores_of_training_rows)
    spread = float(np.std(real, ddof=1) / np.sqrt(len(real))) if len(real) > 1 else 0.0
    note = f"{_MAX_ROWS:,} random rows of each set were compared." if len(distilled) > _MAX_ROWS else ""
    mean = float(np.mean(real))
    return Measured(value / mean, value / mean**2 * spread, note=note, features=extractor.identity)


@shares_reference
def label_entropy(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:  # noqa: ARG001
    """Return the entropy of the class proportions over that of the training rows.

    Distilled rows count by their sample weights. A continuous target is counted in ten bins between
    the deciles of the training target.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
        With targets.
    random_state : int, default=0
        Has no effect.

    Returns
    -------
    float
        0 if there is only one class among the distilled rows, and 1 for the proportions of the
        training rows. Above 1 if the classes are more even than in the training rows. 1 if the
        training rows have only one class.

    Raises
    ------
    DataError
        If there are no targets.
    """
    reference = Reference.of(X, y, distilled)
    distilled_rows(reference, distilled)  # raises an error for rows and weights that cannot be used
    real, made = (
        float(entr(counts / counts.sum()).sum()) if counts.sum() else 0.0
        for counts in target_counts(reference, distilled)
    )
    return made / real if real > 0 else 1.0


@shares_reference
def variance_ratio(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = "rows"
) -> Measured:
    """Return the variance of distilled rows within the classes over that of the training rows.

    The variances within the classes, summed over the features, are averaged with the proportions of
    the classes in the training rows; distilled rows count by their sample weights. A single row, as
    a class mean, has no variance. With a continuous target, all rows form one class.

    Parameters
    ----------
    X, y, distilled
        As for `vendi_ratio`.
    random_state : int, default=0
        Seeds the feature extractor.
    features : str or object, default="rows"
        The features to compare, see `make_extractor`.

    Returns
    -------
    Measured
        At least 0; 1 for the training rows themselves. m random rows of a class have 1 - 1/m on
        average.

    Raises
    ------
    DataError
        If the rows cannot be compared.
    """
    reference = Reference.of(X, y, distilled)
    extractor = reference.extractor(features, random_state)
    real = made = 0.0
    for pair in paired(reference, None, distilled, features, random_state):
        share = len(pair.part) / len(reference)
        if share > 0:
            real += share * _training_variance(reference, pair.part)
            made += share * _variance(pair.distilled, pair.weight) * (not pair.stand_in)
    value = made / real if real > 0 else float(made == real)
    return Measured(value, features=extractor.identity if features else "")


def _training_variance(reference: Reference, part: Part) -> float:
    """Return the variance of the training rows of a class, summed over the features."""

    def sums() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        center = part.whole.mean(axis=0, dtype=np.float64)
        return center, *_centered_sums(part.whole, center)

    center, total, squares = reference.root.cached(("variance", part.key), sums)
    if len(part.removed):
        removed = _centered_sums(part.whole[part.removed], center)
        total, squares = total - removed[0], squares - removed[1]
    return max(0.0, float((squares / len(part) - (total / len(part)) ** 2).sum()))


def _centered_sums(rows: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of differences from a center and of their squares, for each feature."""
    total, squares = np.zeros(len(center)), np.zeros(len(center))
    for start in range(0, len(rows), 4096):
        differences = rows[start : start + 4096] - center
        total += differences.sum(axis=0)
        squares += np.einsum("ij,ij->j", differences, differences)
    return total, squares


def _variance(rows: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted variance of rows, summed over the features."""
    share = normalized_weight(weight, len(rows))
    differences = rows - share @ rows.astype(np.float64)
    return float(share @ np.einsum("ij,ij->i", differences, differences))
