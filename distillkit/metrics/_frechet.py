"""The Fréchet inception distance (FID) between features of distilled and of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import distilled_rows
from distillkit.metrics._selected import default_features
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["fid", "frechet_distance"]


@shares_reference
def fid(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = None, ddof: int = 0
) -> Measured:
    r"""Return the Fréchet distance between Gaussians fitted to features of both sets (FID).

    .. math:: \|\mu_1 - \mu_2\|^2 + \operatorname{tr}(C_1 + C_2 - 2 (C_1 C_2)^{1/2})

    It is the squared 2-Wasserstein distance of the two Gaussians. All classes are compared at once.
    The distilled rows count by their sample weights. The features are centered and scaled by one
    number on the training rows, so that their variance is 1 on average.

    The value depends on the extractor, and for few rows on their number: the covariance of m rows
    has at most m - 1 directions. Compare only values of one extractor (`features` of the result),
    beside the floors.

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
        See `make_extractor`. None is "classifier" if there are class labels and torch is installed,
        and otherwise "pca".
    ddof : {0, 1}, default=0
        0 takes the covariance of the rows themselves, so that a row of weight 2 equals two rows. 1
        takes the unbiased estimate, as published values of FID do.

    Returns
    -------
    Measured
        At least 0; 0 for the training rows themselves.

    Raises
    ------
    DataError
        If there are fewer than two rows or the rows cannot be compared.

    References
    ----------
    Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter: GANs trained by a two time-scale update rule
    converge to a local Nash equilibrium. NeurIPS 2017.
    """
    reference = Reference.of(X, y, distilled)
    features = default_features(reference, features)
    extractor = reference.extractor(features, random_state)
    S = extractor.transform(distilled_rows(reference, distilled)).astype(np.float64)
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    S, weight = S[weight > 0], weight[weight > 0] / weight.sum()
    if len(S) < 2 or len(reference) < 2:
        raise DataError("fid needs at least two distilled rows and two training rows: distil more rows.")
    mean, covariance = _moments(reference, features, random_state, ddof)
    center = weight @ S
    factor = (S - center) * np.sqrt(weight / (1 - ddof * (weight @ weight)))[:, None]
    return Measured(frechet_distance(mean, covariance, center, factor), features=extractor.identity)


def frechet_distance(mean: np.ndarray, covariance: np.ndarray, other: np.ndarray, factor: np.ndarray) -> float:
    """Return the squared Fréchet distance of two Gaussians.

    Parameters
    ----------
    mean : ndarray of shape (d,)
    covariance : ndarray of shape (d, d)
    other : ndarray of shape (d,)
        Mean of the second Gaussian.
    factor : ndarray of shape (m, d)
        The covariance of the second Gaussian is ``factor.T @ factor``.

    Returns
    -------
    float
        At least 0.
    """
    # The eigenvalues of C1 C2 are those of A C1 A' with C2 = A'A. For m < d this matrix is smaller
    # than C1 C2, symmetric, and without the complex roots that rounding gives a matrix root.
    if len(factor) <= len(mean):
        product = factor @ covariance @ factor.T
    else:
        values, vectors = np.linalg.eigh(covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        product = root @ (factor.T @ factor) @ root
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0.0))
    difference = mean - other
    value = difference @ difference + np.trace(covariance) + np.einsum("ij,ij->", factor, factor) - 2 * roots.sum()
    return max(0.0, float(value))


def _moments(reference: Reference, features: Any, random_state: int, ddof: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the features, without those of rows that were left out."""
    root, extractor = reference.root, reference.extractor(features, random_state)
    whole = root.features(features, random_state)

    def sums() -> tuple[np.ndarray, np.ndarray]:
        return _sums(whole)

    # The features have mean 0 and variance 1 on average, so the sums of squares lose no digits.
    total, squares = root.cached(("moments", extractor.identity), sums)
    if len(reference.removed):
        removed = _sums(whole[reference.removed])
        total, squares = total - removed[0], squares - removed[1]
    n = len(reference)
    mean = total / n
    return mean, (squares - n * np.outer(mean, mean)) / (n - ddof)


def _sums(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum and the sum of squares of rows in float64, in blocks."""
    total, squares = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), 8192):
        block = rows[start : start + 8192].astype(np.float64)
        total += block.sum(axis=0)
        squares += block.T @ block
    return total, squares
