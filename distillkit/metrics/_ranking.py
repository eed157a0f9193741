"""Scores that combine the accuracies of several models: DD-Ranking and the selection of models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["augmentation_robust_score", "label_robust_score", "selection_correlation"]

_FEWEST = 3  # models that have a ranking worth a correlation


def label_robust_score(
    whole_hard: float, distilled_hard: float, distilled: float, random: float, *, weight: float = 0.5
) -> float:
    r"""Return the label-robust score of DD-Ranking (LRS).

    It separates what the distilled rows hold from what soft labels and the training recipe add:

    .. math::

        \alpha = w\,(a_\text{distilled} - a_\text{random})
                 - (1 - w)\,(a_\text{whole, hard} - a_\text{distilled, hard}),
        \qquad \frac{e^\alpha - e^{-1}}{e - e^{-1}}

    Parameters
    ----------
    whole_hard, distilled_hard : float
        Accuracy of models trained on all training rows and on the distilled rows, both with hard
        labels and the same recipe.
    distilled, random : float
        Accuracy of models trained on the distilled rows, and on equally many random training rows,
        with the labels and the recipe of the method.
    weight : float, default=0.5
        Weight w of the improvement over random rows.

    Returns
    -------
    float
        In [0, 1]: (1 - 1/e) / (e - 1/e) = 0.269 if the set is no better than random rows and no
        worse than all rows.

    Raises
    ------
    DataError
        If an accuracy or the weight is no fraction between 0 and 1.

    References
    ----------
    Li et al.: DD-Ranking: rethinking the evaluation of dataset distillation. arXiv:2505.13300. Its
    reference implementation takes accuracies in percent, for which the exponential leaves [0, 1];
    here they are fractions, as the definition needs.
    """
    _require_fractions(
        whole_hard=whole_hard, distilled_hard=distilled_hard, distilled=distilled, random=random, weight=weight
    )
    return _normalized(weight * (distilled - random) - (1 - weight) * (whole_hard - distilled_hard))


def augmentation_robust_score(
    distilled_augmented: float, random_augmented: float, distilled: float, random: float, *, weight: float = 0.5
) -> float:
    r"""Return the augmentation-robust score of DD-Ranking (ARS).

    It is the improvement over random rows, both with and without augmentation of the training rows:

    .. math::

        \beta = w\,(a_\text{distilled, augmented} - a_\text{random, augmented})
                + (1 - w)\,(a_\text{distilled} - a_\text{random}),
        \qquad \frac{e^\beta - e^{-1}}{e - e^{-1}}

    Parameters
    ----------
    distilled_augmented, random_augmented : float
        Accuracy of models trained with augmentation on the distilled rows, and on equally many
        random training rows.
    distilled, random : float
        The same without augmentation.
    weight : float, default=0.5
        Weight w of the accuracies with augmentation.

    Returns
    -------
    float
        In [0, 1]: 0.269 if the set is no better than random rows.

    Raises
    ------
    DataError
        If an accuracy or the weight is no fraction between 0 and 1.

    References
    ----------
    As for `label_robust_score`.
    """
    _require_fractions(
        distilled_augmented=distilled_augmented,
        random_augmented=random_augmented,
        distilled=distilled,
        random=random,
        weight=weight,
    )
    return _normalized(weight * (distilled_augmented - random_augmented) + (1 - weight) * (distilled - random))


def selection_correlation(
    distilled_scores: Mapping[str, float], whole_scores: Mapping[str, float], *, random_state: int = 0
) -> float:
    """Return the rank correlation of models trained on distilled rows with those trained on all.

    A set is fit for the selection of models (such as evaluators, or settings of one model) if the
    scores that they reach when trained on it rank them as their scores after training on all rows
    do. Kendall's tau-b counts the pairs of models in the same order minus those in the opposite
    order, corrected for ties.

    Parameters
    ----------
    distilled_scores, whole_scores : mapping of str to float
        Score of each model, by its name, trained on the distilled rows and on all training rows.
        Models that only one of them holds are left out.
    random_state : int, default=0
        Seeds the resampling of the models for the interval.

    Returns
    -------
    float
        In [-1, 1]. Its interval at 95 % is the percentile bootstrap over the models, which is wide
        for a few models.

    Raises
    ------
    DataError
        If there are fewer than three models, a score is not finite, or all scores of one side are
        equal.

    References
    ----------
    Kendall: The treatment of ties in ranking problems. Biometrika 33 (1945).

    Examples
    --------
    >>> whole = {"knn": 0.9, "logistic": 0.8, "tree": 0.7, "mlp": 0.95}
    >>> small = {"knn": 0.6, "logistic": 0.5, "tree": 0.55, "mlp": 0.7}
    >>> round(selection_correlation(small, whole), 3)
    0.667
    """
    names = sorted(set(distilled_scores) & set(whole_scores))
    pairs = np.array([[distilled_scores[name], whole_scores[name]] for name in names], dtype=np.float64)
    if len(names) < _FEWEST:
        raise DataError(f"{len(names)} models have both scores, but a rank correlation needs at least {_FEWEST}.")
    if not np.isfinite(pairs).all() or (np.ptp(pairs, axis=0) == 0).any():
        raise DataError("the scores cannot be ranked: they must be finite, and not all equal.")
    draws = np.random.default_rng(random_state).integers(len(names), size=(1000, len(names)))
    taus = [tau for rows in draws if not math.isnan(tau := _tau(pairs[rows]))]
    low, high = np.quantile(taus, [0.025, 0.975])
    return Measured(_tau(pairs), interval=(float(low), float(high)))


def _tau(pairs: np.ndarray) -> float:
    """Return Kendall's tau-b of two columns; NaN if one of them is constant."""
    signs = [np.sign(column[:, None] - column[None, :]) for column in pairs.T]
    scale = math.sqrt(np.abs(signs[0]).sum() * np.abs(signs[1]).sum())
    return float((signs[0] * signs[1]).sum() / scale) if scale else math.nan


def _normalized(exponent: float) -> float:
    return (math.exp(exponent) - math.exp(-1)) / (math.e - math.exp(-1))


def _require_fractions(**values: Any) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise DataError(f"{name}={value} is no fraction between 0 and 1: divide percentages by 100.")
