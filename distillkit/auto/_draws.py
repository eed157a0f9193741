"""Several draws of the chosen method on all rows, of which the best is returned."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from distillkit.auto._contender import Contender
from distillkit.auto._fitting import Fitted
from distillkit.auto._judges import Judges
from distillkit.auto._source import Source
from distillkit.utils._hold_out import rows_by_class

__all__ = ["best_draw"]

_MOST_ROWS = 3000
_SAFETY = 1.3


def best_draw(
    source: Source,
    judges: Judges,
    contender: Contender,
    first: Fitted,
    *,
    fit: Callable[[int], Fitted],
    seed: int,
    n_draws: int,
    has_time_for: Callable[[float], bool],
) -> tuple[Fitted, dict[int, float]]:
    """Fit a method with several seeds, and return the fit whose rows teach the judges most.

    Few random rows differ much from others of the same method. Each draw is judged by the training
    rows that are not in it. The method may have used these rows, which favors no draw, because all
    of them come from the same method.

    Parameters
    ----------
    source : Source
    judges : Judges
    contender : Contender
        The method; one without randomness, or that takes steps until a limit, is fitted once.
    first : Fitted
        Its fit with `seed`.
    fit : callable
        Returns the fit with a seed.
    seed : int
        Seed of the first draw; the others have those that follow. The judges have it in all draws.
    n_draws : int
        Draws at most.
    has_time_for : callable
        Returns whether there is time for something that takes so many seconds.

    Returns
    -------
    fitted : Fitted
    scores : dict of int to float
        Score of each draw by its seed; empty if there was only one.
    """
    candidate = contender.candidate
    if n_draws == 1 or contender.stepping or candidate.spec.is_deterministic(candidate.params):
        return first, {}
    rows = _sample(source, seed)
    best = first
    scores: dict[int, float] = {}
    started = time.perf_counter()
    slowest = first.seconds
    while len(scores) < n_draws:
        number = len(scores)
        if not has_time_for(_SAFETY * slowest):
            break
        drawn = fit(seed + number) if number else first
        score = _score(judges, drawn, rows, seed)
        if not scores or score > max(scores.values()):
            best = drawn
        scores[seed + number] = score
        if number == 1 and score == scores[seed]:  # as of a method that depends on no seed here
            break
        slowest = max(slowest, time.perf_counter() - started)
        started = time.perf_counter()
    return best, scores if len(scores) > 1 else {}


def _score(judges: Judges, drawn: Fitted, rows: np.ndarray, seed: int) -> float:
    taken = drawn.small.indices
    outside = rows if taken is None else np.setdiff1d(rows, taken)
    return float(np.mean(judges.scores(drawn.judged, outside, seed)[0]))


def _sample(source: Source, seed: int) -> np.ndarray:
    """Return positions of at most about 3,000 rows, every class in proportion."""
    rng = np.random.RandomState(seed % 2**32)
    share = min(1.0, _MOST_ROWS / source.n_rows)
    classes = rows_by_class(source.y if source.task == "classification" else None, source.n_rows)
    return np.sort(np.concatenate([rng.permutation(rows)[: int(np.ceil(share * len(rows)))] for rows in classes]))
