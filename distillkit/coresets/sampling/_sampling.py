"""Unequal-probability sampling without replacement, of fixed size and with unbiased weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import Outcome
from distillkit.coresets.shared._ranking import interleave

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["draw_rows", "inclusion_probabilities", "systematic_sample"]

_ROUNDING = 1e-12


def draw_rows(rows: TrainingRows, run: Run, shares: Sequence[np.ndarray]) -> tuple[Outcome, np.ndarray]:
    """Draw rows of each group in proportion to their shares, with unbiased weights.

    A row of mass u that is drawn with probability pi has weight ``u / pi`` (Horvitz and Thompson
    1952), so that the sum of any function over the rows is correct in expectation. The weights are
    then scaled to sum to the mass of their group.

    Parameters
    ----------
    rows : TrainingRows
    run : Run
        Source of randomness; its history gets one record per group.
    shares : sequence of ndarray
        Positive shares of the rows of each group, in the order of its rows.

    Returns
    -------
    outcome : Outcome
    included : ndarray of shape (n,)
        Inclusion probability of each row; over a group they sum to the number of drawn rows.
    """
    included = np.zeros(rows.n_rows)
    picks, weights = [], []
    for group, share in zip(rows.groups, shares, strict=True):
        probabilities = inclusion_probabilities(share, group.size)
        drawn = systematic_sample(probabilities, group.size, run.rng)
        mass = rows.mass_in(group)
        weight = mass[drawn] / probabilities[drawn]
        included[group.rows] = probabilities
        picks.append(group.rows[drawn])
        weights.append(weight * (mass.sum() / weight.sum()))
        run.record(label=group.label, rows=len(group.rows), size=group.size, unscaled=float(weight.sum()))
    order = interleave([group.size for group in rows.groups])
    return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order]), included


def inclusion_probabilities(share: np.ndarray, size: int) -> np.ndarray:
    """Return probabilities in proportion to `share`, none above 1, that sum to `size`.

    Parameters
    ----------
    share : ndarray of shape (n,)
        Non-negative.
    size : int
        At most n.

    Returns
    -------
    ndarray of shape (n,)
    """
    included = np.zeros(len(share))
    certain = np.zeros(len(share), dtype=bool)
    # Rows whose probability would exceed 1 are certain; repeat for the other rows until none is.
    while True:
        remaining, mass = size - int(certain.sum()), float(share[~certain].sum())
        if mass <= 0:  # the remaining rows have no shares: give them equal ones
            included[~certain] = remaining / max(1, int((~certain).sum()))
        else:
            included[~certain] = share[~certain] * (remaining / mass)
        included[certain] = 1
        capped = (included >= 1 - _ROUNDING) & ~certain
        if not capped.any():
            return included
        certain |= capped


def systematic_sample(included: np.ndarray, size: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw exactly `size` different rows, row i with probability ``included[i]``.

    The rows are laid end to end in random order, each with a length equal to its probability. A
    grid of unit steps with a random start selects the rows on which its points fall.

    Parameters
    ----------
    included : ndarray of shape (n,)
        Inclusion probabilities in [0, 1] that sum to `size`.
    size : int
    rng : RandomState

    Returns
    -------
    ndarray of shape (size,)
        Positions of the drawn rows, in random order.
    """
    order = rng.permutation(len(included))
    # Rows with probability 1 are set apart, so that rounding neither loses nor repeats them.
    order = order[np.argsort(included[order] < 1, kind="stable")]
    certain = order[included[order] >= 1]
    rest = order[len(certain) :]
    n_random = size - len(certain)
    if not n_random:
        return np.asarray(rng.permutation(certain))
    ends = np.cumsum(included[rest])
    ends *= n_random / ends[-1]
    positions = np.searchsorted(ends, np.arange(n_random) + rng.uniform(), side="right")
    return np.asarray(rng.permutation(np.concatenate([certain, rest[np.minimum(positions, len(rest) - 1)]])))
