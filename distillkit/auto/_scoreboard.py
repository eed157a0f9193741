"""Compares candidates by their trials on the same splits, with errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from distillkit.auto._splits import SHARE
from distillkit.auto._trial import Trial

__all__ = ["MeanOverSplits", "Scoreboard"]

_FEW = 3
"""Splits from which on the error is estimated by how the splits differ."""
_OVERLAP = SHARE / (1 - SHARE)
"""Validation rows per training row of a split."""


@dataclass(frozen=True)
class MeanOverSplits:
    """Mean of a score, or of the difference of two, over validation splits.

    Parameters
    ----------
    mean : float
    error : float
        Standard error of the mean.
    n_splits : int
    """

    mean: float
    error: float
    n_splits: int

    @property
    def beyond_noise(self) -> bool:
        """Whether the mean is above its standard error."""
        return self.mean > self.error


class Scoreboard:
    """Scores of candidates, compared on the splits that both of two have.

    The error of a mean over three or more splits is the corrected one for splits of the same rows:
    its variance is that of the splits times 1/J + n_validation / n_training (Nadeau and Bengio
    2003). That of one or two splits is estimated by how the validation rows differ.

    Parameters
    ----------
    trials : iterable of Trial
        Those with an error are left out.
    """

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._trials: dict[str, dict[int, dict[int, Trial]]] = {}
        for trial in trials:
            if trial.scores:
                self._trials.setdefault(trial.method, {}).setdefault(trial.rows, {})[trial.split] = trial

    def __contains__(self, name: str) -> bool:
        return name in self._trials

    def splits(self, name: str) -> int:
        """Return the number of splits of a candidate at its largest number of rows."""
        levels = self._trials.get(name, {})
        return len(levels[max(levels)]) if levels else 0

    def rows(self, name: str) -> int:
        """Return the largest number of rows to which a candidate was fitted."""
        return max(self._trials.get(name, {0: {}}))

    def score(self, name: str) -> MeanOverSplits:
        """Return the mean score of a candidate at its largest number of rows."""
        trials = self._trials[name][self.rows(name)]
        return _mean([trials[split].score for split in sorted(trials)], [_parts(one) for one in trials.values()])

    def difference(self, first: str, second: str) -> MeanOverSplits | None:
        """Return how much the first candidate is above the second, or None if no split has both.

        The largest number of rows counts at which they have a split in common.
        """
        levels = self._trials.get(first, {}), self._trials.get(second, {})
        for rows in sorted(set(levels[0]) & set(levels[1]), reverse=True):
            own, other = levels[0][rows], levels[1][rows]
            if common := sorted(set(own) & set(other)):
                scores = [own[split].score - other[split].score for split in common]
                return _mean(scores, [_parts(own[split]) - _parts(other[split]) for split in common])
        return None


def _parts(trial: Trial) -> np.ndarray:
    return np.zeros(1) if trial.parts is None else trial.parts


def _mean(scores: list[float], parts: list[np.ndarray]) -> MeanOverSplits:
    n_splits = len(scores)
    if n_splits >= _FEW:
        variance = float(np.var(scores, ddof=1)) * (1 / n_splits + _OVERLAP)
    else:  # The splits may share rows, so that their number does not divide it.
        variance = float(np.mean([len(part) * np.var(part) for part in parts]))
    return MeanOverSplits(float(np.mean(scores)), float(np.sqrt(variance)), n_splits)
