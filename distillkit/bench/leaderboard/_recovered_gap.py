"""How much of the gap between a teacher and the student alone a taught student recovers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distillkit.bench.leaderboard._joint_samples import JointSample
from distillkit.bench.leaderboard._stats import student_quantile

__all__ = ["RecoveredGap", "recovered_gap"]

_LEVEL = 0.95


@dataclass(frozen=True)
class RecoveredGap:
    """A share of the gap with its 95 % interval.

    Parameters
    ----------
    share, low, high : float or None
        1 is the teacher and 0 the student alone. All are None where the gap is below its noise.
    below_noise : bool
        Whether the teacher is not better than the student alone by more than the interval of their
        difference.
    """

    share: float | None = None
    low: float | None = None
    high: float | None = None
    below_noise: bool = False


def recovered_gap(sample: JointSample, method: str, control: str, teacher: str, sign: int) -> RecoveredGap | None:
    """Return the recovered share of the gap, with the interval of Fieller for a ratio.

    Parameters
    ----------
    sample : JointSample
        Of these methods on the same test rows.
    method, control, teacher : str
        The taught student, the student alone, and the teacher.
    sign : {1, -1}
        1 if greater values of the metric are better.

    Returns
    -------
    RecoveredGap or None
        None if a standard error is not known.

    References
    ----------
    E. C. Fieller, Some problems in interval estimation, Journal of the Royal Statistical Society B
    16, 1954.
    """
    if not all(sample.comparable(name) for name in (method, control, teacher)):
        return None
    gap = sample.difference(teacher, control)
    if gap is None:
        return None
    spread = gap.error**2
    quantile = student_quantile(_LEVEL, gap.dof)
    if sign * gap.value <= quantile * gap.error:
        return RecoveredGap(below_noise=True)
    gain = sample.difference(method, control)
    rest = sample.difference(teacher, method)
    if gain is None or rest is None:
        return None
    # The variance of the rest, which is gap minus gain, gives the covariance of the two.
    quantile = student_quantile(_LEVEL, min(gap.dof, gain.dof))
    noise = quantile**2 * spread / gap.value**2
    if noise >= 1:
        return RecoveredGap(below_noise=True)
    shared = (gain.error**2 + spread - rest.error**2) / 2
    share = gain.value / gap.value
    inside = gain.error**2 - 2 * share * shared + share**2 * spread - noise * (gain.error**2 - shared**2 / spread)
    half = quantile / abs(gap.value) * math.sqrt(max(inside, 0.0))
    center = share - noise * shared / spread
    return RecoveredGap(share, (center - half) / (1 - noise), (center + half) / (1 - noise))
