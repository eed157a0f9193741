"""Random training rows of the size, the class counts and the weights of a distilled set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.distilled import DistilledSet
from distillkit.metrics.reference._reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["class_counts", "random_sets"]


def random_sets(
    reference: Reference, distilled: DistilledSet, draws: int, random_state: int = 0
) -> Iterator[DistilledSet]:
    """Yield sets of random training rows that have the make-up of a distilled set.

    Parameters
    ----------
    reference : Reference
        Training rows to draw from, without replacement within a set.
    distilled : DistilledSet
        Each random set has as many rows as this set, the same number of rows of each class, and the
        same weights within each class.
    draws : int
        Number of sets.
    random_state : int, default=0
        Seeds the draws, which do not depend on the order of the training rows.

    Yields
    ------
    DistilledSet
        With `indices` in the rows of `reference`. Nothing is yielded if there are fewer training
        rows of a class than distilled rows.
    """
    order = reference.order
    groups = [(rows, of_class) for rows, of_class in _groups(reference, distilled, order) if len(of_class)]
    if any(len(rows) < len(of_class) for rows, of_class in groups):
        return
    weight = np.concatenate([np.sort(np.asarray(distilled.sample_weight)[of_class]) for _, of_class in groups])
    for draw in range(draws):
        rng = np.random.default_rng([random_state, draw])
        indices = np.concatenate(
            [rows[rng.choice(len(rows), len(of_class), replace=False)] for rows, of_class in groups]
        )
        yield DistilledSet(
            reference.X[indices],
            None if reference.y is None else reference.y[indices],
            weight,
            indices,
            classes=reference.classes,
            provenance={} if reference.task is None else {"task": reference.task},
        )


def class_counts(reference: Reference, distilled: DistilledSet) -> list[tuple[int, int]]:
    """Return the numbers of training rows and of distilled rows of each class, or of all rows."""
    return [(len(rows), len(own)) for rows, own in _groups(reference, distilled, np.arange(len(reference)))]


def _groups(reference: Reference, distilled: DistilledSet, order: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions of training rows, in the given order, and of distilled rows by class."""
    if reference.classes is None or reference.codes is None or distilled.y is None:
        return [(order, np.arange(len(distilled)))]
    codes, labels = reference.codes[order], np.asarray(distilled.y)
    return [(order[codes == code], np.flatnonzero(labels == label)) for code, label in enumerate(reference.classes)]
