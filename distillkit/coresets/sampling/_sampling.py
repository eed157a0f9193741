"""Unequal-probability sampling of exactly as many different rows as are wanted, with unbiased weights."""

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
    """Draw each group's rows with probabilities in proportion to its shares, and weigh them without bias.

    A row of mass u that is drawn with probability pi weighs ``u / pi`` (Horvitz and Thompson 1952): sums of any
    function over the rows are right in expectation. These weights are then scaled to the mass of their group.

    Parameters
    ----------
    rows : TrainingRows
    run : Run
        Its `rng` draws, and its history gets one record per group.
    shares : sequence of ndarray
        One per group: positive, in the order of its rows.

    Returns
    -------
    outcome : Outcome
    included : ndarray of shape (n,)
        Probability of each row to be drawn; over a group they sum to the rows drawn.
    """
    included = np.zeros(len(rows.X))
    picks, weights = [], []
    for group, share in zip(rows.groups, shares, strict=True):
        own = inclusion_probabilities(share, group.size)
        found = systematic_sample(own, group.size, run.rng)
        mass = np.ones(len(group.rows)) if rows.weight is None else rows.weight[group.rows]
        weight = mass[found] / own[found]
        included[group.rows] = own
        picks.append(group.rows[found])
        weights.append(weight * (mass.sum() / weight.sum()))
        run.record(label=group.label, rows=len(group.rows), size=group.size, unscaled=float(weight.sum()))
    order = interleave([group.size for group in rows.groups])
    return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order]), included


def inclusion_probabilities(share: np.ndarray, size: int) -> np.ndarray:
    """Probabilities in proportion to `share`, but none above 1, that sum to `size`.

    Parameters
    ----------
    share : ndarray of shape (n,)
        Not negative.
    size : int
        At most n.
    """
    included = np.zeros(len(share))
    certain = np.zeros(len(share), dtype=bool)
    while True:
        left, mass = size - int(certain.sum()), float(share[~certain].sum())
        if mass <= 0:  # the rest has no share: equal ones
            included[~certain] = left / max(1, int((~certain).sum()))
        else:
            included[~certain] = share[~certain] * (left / mass)
        included[certain] = 1
        over = (included >= 1 - _ROUNDING) & ~certain
        if not over.any():
            return included
        certain |= over


def systematic_sample(included: np.ndarray, size: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw exactly `size` different rows, row i with probability ``included[i]``.

    The rows lie in random order, each with a length of its probability, on a line of length `size`; one is taken at
    every whole number after a random start.

    Parameters
    ----------
    included : ndarray of shape (n,)
        In [0, 1], of sum `size`.
    size : int
    rng : RandomState

    Returns
    -------
    ndarray of shape (size,)
        In the random order.
    """
    order = rng.permutation(len(included))
    # rows that are certain come first and on whole numbers: rounding must neither lose nor repeat them
    order = order[np.argsort(included[order] < 1, kind="stable")]
    certain = order[included[order] >= 1]
    rest = order[len(certain) :]
    wanted = size - len(certain)
    if not wanted:
        return np.asarray(rng.permutation(certain))
    ends = np.cumsum(included[rest])
    ends *= wanted / ends[-1]
    found = np.searchsorted(ends, np.arange(wanted) + rng.uniform(), side="right")
    return np.asarray(rng.permutation(np.concatenate([certain, rest[np.minimum(found, len(rest) - 1)]])))
