"""Confidence intervals of ranks, from paired comparisons with all other methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from distillkit.bench.leaderboard._stats import student_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillkit.bench.leaderboard._joint_samples import JointSample

__all__ = ["rank_intervals"]


def rank_intervals(
    sample: JointSample, methods: Sequence[str], sign: int, level: float = 0.95
) -> dict[str, tuple[int, int]]:
    """Return a confidence interval of the rank of each method.

    A method is compared with each other one by their paired difference. Its best rank is one more
    than the number of methods that are significantly better, and its worst rank is the number of
    all methods less those that are significantly worse. The critical value is the quantile of the
    largest of its studentized differences over the bootstrap draws, so that the interval holds the
    true rank of this method with probability `level`.

    Parameters
    ----------
    sample : JointSample
    methods : sequence of str
        Methods of the sample that take part.
    sign : {1, -1}
        1 if a greater mean is better, otherwise -1.
    level : float, default=0.95
        Confidence level in (0, 1).

    Returns
    -------
    dict of str to (int, int)
        Best and worst rank. Empty if the difference of any two methods has no standard error.

    References
    ----------
    M. Mogstad, J. P. Romano, A. M. Shaikh, D. Wilhelm, Inference for ranks with applications to
    mobility across neighbourhoods and academic achievement across countries, Review of Economic
    Studies 91, 2024.
    """
    k = len(methods)
    if k < 2:
        return dict.fromkeys(methods, (1, 1))
    estimates = {
        (one, other): sample.difference(one, other) for i, one in enumerate(methods) for other in methods[i + 1 :]
    }
    if any(estimate is None for estimate in estimates.values()):
        return {}
    deviations = sample.deviations(methods)
    intervals = {}
    for i, method in enumerate(methods):
        critical = _critical_level(deviations, i, level)
        better = worse = 0
        for other in methods:
            if other == method:
                continue
            flip = 1 if (method, other) in estimates else -1
            estimate = estimates[(method, other) if flip > 0 else (other, method)]
            assert estimate is not None
            gain = sign * flip * estimate.value
            if abs(gain) > student_quantile(critical, estimate.dof) * estimate.error:
                better, worse = better + (gain < 0), worse + (gain > 0)
        intervals[method] = (1 + better, k - worse)
    return intervals


def _critical_level(deviations: np.ndarray, index: int, level: float) -> float:
    """Return the level of each difference at which all those of one method hold together.

    The draws are studentized by their own standard deviations, and are close to normal; the level
    is carried to Student's t by the caller, whose standard errors have few degrees of freedom.
    """
    differences = np.delete(deviations - deviations[:, index : index + 1], index, axis=1)
    spreads = differences.std(axis=0)
    varied = spreads > 1e-12
    if not varied.any():
        return level
    largest = np.abs(differences[:, varied] / spreads[varied]).max(axis=1)
    z = float(np.quantile(largest, level))
    return float(np.clip(2 * special.ndtr(z) - 1, level, 1 - 1e-12))
