"""Repetitions of a method on a dataset: splits into training and test rows, and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from distillkit.bench.planning._suite import Suite

__all__ = ["SEEDS_OF_ONE_SPLIT", "Repetition", "repetitions"]

SEEDS_OF_ONE_SPLIT = 3
"""Number of distillation seeds of a suite with a single split that names no seeds."""


SEEDS_OF_THE_CONTROL = 5
"""Number of seeds of the random subset on each of several splits, if the suite names none."""

_STEP = 1000
"""Difference between the seeds of the control on one split, beyond the numbers of splits."""


class Repetition(NamedTuple):
    """One repetition: the number of the split, or None, and the distillation seed.

    `again` is true if an earlier repetition, with another seed, has the same training rows.
    """

    split: int | None
    seed: int
    again: bool = False


def repetitions(
    suite: Suite, method: str, splits: Sequence[int] | None, *, is_control: bool = False
) -> list[Repetition]:
    """Return the repetitions of a method on one dataset.

    Parameters
    ----------
    suite : Suite
    method : str
        Registry name, for which the suite may have a largest number of seeds.
    splits : sequence of int or None
        Splits of the dataset; None if it has test rows of its own.
    is_control : bool, default=False
        Whether other methods are tested against this cheap one. It depends most on the seed, and
        tests know how much of the differences between splits is due to it only if there are
        several seeds a split.

    Returns
    -------
    list of Repetition
        Seeds that the suite names are combined with each split. Without any, each of several splits
        has one seed, its own number, and the control four more; a single split has three. A dataset
        with test rows of its own has as many seeds as the suite has splits then, so that both kinds
        of datasets are repeated equally often.
    """
    most = suite.most_seeds.get(method)
    if splits is not None and suite.seeds is None and len(splits) > 1:
        number = min(SEEDS_OF_THE_CONTROL if is_control else 1, most or SEEDS_OF_THE_CONTROL)
        return [Repetition(split, split + _STEP * i, i > 0) for split, i in product(splits, range(number))]
    number = len(suite.splits) if len(suite.splits) > 1 else SEEDS_OF_ONE_SPLIT
    seeds = (tuple(range(number)) if suite.seeds is None else suite.seeds)[:most]
    places = product((None,) if splits is None else splits, seeds)
    return [Repetition(split, seed, seed != seeds[0]) for split, seed in places]
