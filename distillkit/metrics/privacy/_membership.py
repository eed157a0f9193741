"""Membership inference by the distance to the nearest published row."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np

__all__ = ["Attack", "attack"]


@dataclass(frozen=True)
class Attack:
    """What an attacker achieves who calls the rows nearest to the published rows members.

    Parameters
    ----------
    auc, auc_error : float
        Area under the ROC curve, .5 for chance, and its standard error (DeLong et al. 1988).
    tpr : dict of float to float
        Share of the members found, by the share of held-out rows that are taken for members.
    tpr_expected : dict of float to float
        The same if members and held-out rows were alike.
    """

    auc: float
    auc_error: float
    tpr: dict[float, float]
    tpr_expected: dict[float, float]


def attack(members: np.ndarray, holdout: np.ndarray, rates: tuple[float, ...] = (0.01, 0.001)) -> Attack:
    """Attack with the distance to the nearest published row as the score; smaller means member.

    Parameters
    ----------
    members : ndarray of shape (n,)
        Distances from the training rows to their nearest published rows.
    holdout : ndarray of shape (m,)
        The same for rows that were not used.
    rates : tuple of float
        False positive rates.

    Returns
    -------
    Attack
    """
    members, holdout = np.sort(members), np.sort(holdout)
    # 1. The area is the mean share of held-out rows that lie farther away; ties count half.
    above = _share_above(members, holdout)
    below = 1 - _share_above(holdout, members)
    error = sqrt(_variance(above) / len(members) + _variance(below) / len(holdout))
    # 2. At a false positive rate, k held-out rows may lie below the threshold, which is therefore
    #    the next one. If both samples are alike, it has (k + 1) / (m + 1) of the members below it
    #    on average.
    tpr, expected = {}, {}
    for rate in rates:
        k = min(floor(rate * len(holdout) + 1e-9), len(holdout) - 1)
        tpr[rate] = float(np.searchsorted(members, holdout[k], side="left") / len(members))
        expected[rate] = (k + 1) / (len(holdout) + 1)
    return Attack(float(above.mean()), error, tpr, expected)


def _share_above(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return for each value the share of the others (sorted) above it, with ties counted half."""
    upper = np.searchsorted(others, values, side="right")
    lower = np.searchsorted(others, values, side="left")
    return np.asarray(1 - (upper + lower) / (2 * len(others)))


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
