"""The inception score of distilled rows, by the probabilities of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import entr

from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import distilled_rows
from distillkit.metrics._selected import probabilities_of
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["inception_score"]

_RESAMPLES = 200


@shares_reference
def inception_score(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, features: Any = "classifier"
) -> Measured:
    r"""Return the inception score, by a classifier that is trained on the training rows.

    .. math:: \exp\big( \tfrac{1}{m} \sum_i KL(p(y | s_i) \,\|\, p(y)) \big)

    where p(y) is the mean of the probabilities of the rows. It is high if the classifier is sure
    of each row and the rows are spread over the classes. All rows are taken at once; they count by
    their sample weights. A set of one clear row of each class has the largest possible value, so
    that the score tells nothing about the variety within the classes.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels; ignored if `X` is a reference.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the classifier, and the resampling of the error.
    features : str or object, default="classifier"
        An extractor with class probabilities: "classifier" or "inception".

    Returns
    -------
    Measured
        Between 1 and the smaller of the numbers of classes and of rows. Its `error` is the standard
        deviation over 200 bootstrap samples of the distilled rows, and its `interval` spans 95 % of
        them. They lie lower than the value, since repeated rows are less diverse.

    Raises
    ------
    DataError
        If the extractor has no probabilities or the rows cannot be compared.

    References
    ----------
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved techniques for training GANs.
    NeurIPS 2016, arXiv:1606.03498.
    """
    reference = Reference.of(X, y, distilled)
    extractor, probabilities = probabilities_of(reference, features, random_state)
    p = probabilities(distilled_rows(reference, distilled))
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    p, weight = p[weight > 0], weight[weight > 0]
    (value,) = _scores(p, weight[None])
    counts = np.random.default_rng(random_state).multinomial(len(p), np.full(len(p), 1 / len(p)), _RESAMPLES)
    scores = _scores(p, counts * weight)
    low, high = np.quantile(scores, [0.025, 0.975])
    return Measured(value, float(scores.std(ddof=1)), (float(low), float(high)), features=extractor.identity)


def _scores(p: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the score of rows with probabilities (m, k) for each row of weights (b, m)."""
    shares = weight / weight.sum(axis=1, keepdims=True)
    # The mean divergence from the mixture is the entropy of the mixture minus the mean entropy.
    information = entr(shares @ p).sum(axis=1) - shares @ entr(p).sum(axis=1)
    return np.asarray(np.exp(np.maximum(information, 0.0)))
