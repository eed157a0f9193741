"""Divisions of the training rows into a part for the candidates and a validation part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.auto._source import Source
from distillkit.utils._hold_out import rows_by_class

__all__ = ["SHARE", "Split", "can_split", "make_split"]

SHARE = 0.25
"""Share of the rows of each class that validate."""
_MOST_VALIDATION_ROWS = 3000
_LEAST_VALIDATION_ROWS = 4


@dataclass(frozen=True, eq=False)
class Split:
    """One division of the training rows.

    Parameters
    ----------
    number : int
        Number of the split, from 0.
    seed : int
        Seed of the candidates and judges on this split.
    train : ndarray of int
        Positions of the rows that the candidates see.
    validation : ndarray of int
        Positions of the rows by which they are judged.
    share : float
        Share of the rows that are not for validation which `train` has.
    """

    number: int
    seed: int
    train: np.ndarray
    validation: np.ndarray
    share: float = 1.0


def can_split(source: Source) -> bool:
    """Return whether enough rows are left for validation, beyond those of the budget."""
    if source.y is None or source.n_rows < 2 * _LEAST_VALIDATION_ROWS:
        return False
    held = sum(_held_out(len(rows), quota) for rows, quota in _classes(source))
    return held >= _LEAST_VALIDATION_ROWS and (source.task != "classification" or len(source.quotas) > 1)


def make_split(source: Source, number: int, seed: int, most_rows: int) -> Split:
    """Divide the rows at random; every class gives the same share of its rows.

    Parameters
    ----------
    source : Source
    number : int
        Number of the split. The same number and seed give the same validation rows for any
        `most_rows`.
    seed : int
        Seed of the first split.
    most_rows : int
        Rows of the part for the candidates, at most about.
    """
    rng = np.random.RandomState((seed + number) % 2**32)
    classes = _classes(source)
    held = np.array([_held_out(len(rows), quota) for rows, quota in classes])
    kept = np.array([len(rows) for rows, _ in classes]) - held
    share = min(1.0, most_rows / kept.sum())
    fewer = min(1.0, _MOST_VALIDATION_ROWS / held.sum())
    train, validation = [], []
    for (rows, _), n_held, n_kept in zip(classes, held, kept, strict=True):
        drawn = rng.permutation(rows)
        validation.append(drawn[: int(np.ceil(n_held * fewer))])
        train.append(drawn[n_held : n_held + max(min(2, n_kept), int(np.ceil(n_kept * share)))])
    return Split(number, seed + number, np.sort(np.concatenate(train)), np.sort(np.concatenate(validation)), share)


def _classes(source: Source) -> list[tuple[np.ndarray, int]]:
    """Return the rows and the quota of each class, or of all rows."""
    labels = source.y if source.task == "classification" else None
    return list(zip(rows_by_class(labels, source.n_rows), source.quotas.values(), strict=True))


def _held_out(n_rows: int, quota: int) -> int:
    """Return how many rows of a class validate: none that the budget asks for."""
    return int(min(max(1, round(SHARE * n_rows)), n_rows - quota)) if n_rows > 1 else 0
