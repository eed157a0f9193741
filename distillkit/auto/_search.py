"""Successive halving: candidates are fitted to more and more rows and splits, and half go on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from distillkit.advice._extrapolation import extrapolate
from distillkit.auto._contender import Contender
from distillkit.auto._fitting import Fitted, fit_candidate
from distillkit.auto._judges import Judges
from distillkit.auto._rung import Rung
from distillkit.auto._scoreboard import Scoreboard
from distillkit.auto._source import Source
from distillkit.auto._splits import Split, make_split
from distillkit.auto._trial import Trial

__all__ = ["Search"]

_USED = 0.93
"""Share of the seconds that is planned with; the rest is for what is not measured."""
_SEARCH = 0.62
"""Share of the seconds after which the search ends; the chosen method gets the rest."""
_FIRST = 0.4
"""Share of the search for the first rung, which has the most candidates."""
_SAFETY = 1.3
_FINAL_SHARE = 0.5
"""Share of the seconds that the fit to all rows may take."""
_FAILED = "It failed: {}"
_SLOW = "It would take about {:.2g} s on all rows, more than half of the {:g} s given."


class Search:
    """Measures candidates by successive halving until the rungs or the seconds are over.

    Parameters
    ----------
    source : Source
    contenders : sequence of Contender
        The first of them is the random subset, which is measured on every rung.
    judges : Judges
    rungs : sequence of Rung
    seed : int
    device : str
    clock : callable
        Returns the seconds since the start of the fit.
    limit : float or None
        Seconds of the whole fit.
    on_trial : callable
        Called with each trial.
    """

    def __init__(
        self,
        source: Source,
        contenders: Sequence[Contender],
        judges: Judges,
        rungs: Sequence[Rung],
        *,
        seed: int,
        device: str,
        clock: Callable[[], float],
        limit: float | None,
        on_trial: Callable[[Trial], None] = lambda _: None,
    ) -> None:
        self.source, self.judges, self.rungs, self.seed, self.device = source, judges, rungs, seed, device
        self.clock, self.limit, self.on_trial = clock, limit, on_trial
        self.alive = list(contenders)
        self.trials: list[Trial] = []
        self.dropped: dict[str, str] = {}
        self.ended_early = False
        self.reached = 0
        self._costs: dict[str, tuple[list[int], list[float]]] = {}
        self._judging: list[float] = []
        self.split = cache(self._split)

    def run(self) -> Scoreboard:
        """Measure, and return the scores of all candidates; `alive` has those not dropped."""
        rows = self.rungs[0].rows
        for rung in self.rungs:
            rows = rung.rows if self._has_time_for(rung) else rows
            self.reached = rung.number
            if not self._climb(rung, rows):
                self.ended_early = True
                if self.limit is not None and self.clock() >= self._end():
                    break
            if rung is not self.rungs[-1]:
                self._halve(rung)
        return Scoreboard(self.trials)

    def splits(self) -> tuple[Split, ...]:
        """Return the splits with the largest number of rows that trials were made on."""
        measured = [one for one in self.trials if one.scores]
        most = max((one.rows for one in measured), default=0)
        numbers = sorted({one.split for one in measured if one.rows == most})
        levels = [rung.rows for rung in self.rungs if len(self.split(0, rung.rows).train) == most]
        return tuple(self.split(number, levels[-1]) for number in numbers) if levels else ()

    def final_seconds(self, contender: Contender) -> float:
        """Return the seconds that the fit of a candidate to all rows is expected to take."""
        return 0.0 if contender.stepping else self._predicted(contender.name, self.source.n_rows)

    def _split(self, number: int, rows: int) -> Split:
        return make_split(self.source, number, self.seed, rows)

    def _climb(self, rung: Rung, rows: int) -> bool:
        """Measure the candidates on the splits of a rung; return whether there was time for all."""
        complete = True
        known = {(one.method, one.split, one.rows) for one in self.trials}
        for number in range(rung.splits):
            split = self.split(number, rows)
            for contender in list(self.alive):
                if contender.stepping and number >= rung.stepping_splits:
                    continue
                again = contender.stepping and rung.number > 0  # It gets more seconds than before.
                if (contender.name, number, len(split.train)) in known and not again:
                    continue
                if not self._in_time(contender, rung, len(split.train)):
                    complete = False
                    continue
                self._measure(contender, rung, split)
        return complete

    def _measure(self, contender: Contender, rung: Rung, split: Split) -> None:
        quotas = self.source.quotas_of(split.train, split.share)
        seconds = rung.seconds if contender.stepping else self._left(rung)
        facts: dict[str, Any] = {
            "method": contender.name,
            "rung": rung.number,
            "split": split.number,
            "seed": split.seed,
            "rows": len(split.train),
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # The fit to all rows gives the warnings.
                fitted = fit_candidate(
                    contender.name,
                    self.source,
                    split.train,
                    quotas,
                    seed=split.seed,
                    device=self.device,
                    seconds=seconds,
                )
                started = time.perf_counter()
                scores, parts = self.judges.scores(fitted.judged, split.validation, split.seed)
        except Exception as exc:
            text = " ".join(f"{type(exc).__name__}: {exc}".split())
            self.trials.append(Trial(**facts, error=text))
            self._drop(contender, _FAILED.format(text))
            return
        judging = time.perf_counter() - started
        kept = len(fitted.small)
        trial = Trial(**facts, kept=kept, scores=scores, seconds=fitted.seconds, judge_seconds=judging, parts=parts)
        self._replace(trial)
        self._learn(contender, fitted, trial)
        self.on_trial(trial)

    def _replace(self, trial: Trial) -> None:
        """Add a trial; one with more seconds takes the place of that with fewer."""
        key = (trial.method, trial.split, trial.rows)
        self.trials = [one for one in self.trials if (one.method, one.split, one.rows) != key]
        self.trials.append(trial)

    def _learn(self, contender: Contender, fitted: Fitted, trial: Trial) -> None:
        """Remember what a fit and its judges cost, and drop a candidate that takes too long."""
        self._judging.append(trial.judge_seconds)
        sizes, costs = self._costs.setdefault(contender.name, ([], []))
        if trial.rows in sizes:
            place = sizes.index(trial.rows)
            costs[place] = min(costs[place], fitted.seconds)
        else:
            sizes.append(trial.rows)
            costs.append(fitted.seconds)
        expected = self.final_seconds(contender)
        if self.limit is not None and _SAFETY * expected > _FINAL_SHARE * self.limit and not contender.is_control:
            self._drop(contender, _SLOW.format(expected, self.limit))

    def _drop(self, contender: Contender, reason: str) -> None:
        self.alive = [one for one in self.alive if one is not contender]
        self.dropped[contender.name] = reason

    def _halve(self, rung: Rung) -> None:
        """Let the better half of the candidates of each kind go on, and the random subset."""
        board = Scoreboard(self.trials)
        control = next((one for one in self.alive if one.is_control), None)
        going = [] if control is None else [control]
        for stepping, keep in ((False, rung.keep), (True, rung.stepping_keep)):
            others = [one for one in self.alive if one.stepping == stepping and one is not control]
            gains = {one.name: self._gain(board, one, control) for one in others}
            going += sorted(others, key=lambda one: -gains[one.name])[: max(keep, 1)]
        self.alive = [one for one in self.alive if one in going]

    @staticmethod
    def _gain(board: Scoreboard, contender: Contender, control: Contender | None) -> float:
        """Return the gain over the random subset on common splits, or the score without one."""
        if control is not None and control.name in board:
            gain = board.difference(contender.name, control.name)
            return -np.inf if gain is None else gain.mean
        return board.score(contender.name).mean if contender.name in board else -np.inf

    def _predicted(self, name: str, rows: int) -> float:
        """Return the seconds that a fit to some rows is expected to take; 0 if nothing is known."""
        sizes, costs = self._costs.get(name, ([], []))
        return extrapolate(sizes, costs, rows) if sizes else 0.0

    def _end(self) -> float:
        """Return the second at which the search ends, so that the fit to all rows has its time."""
        limit = float(self.limit or np.inf)
        reserve = max((self.final_seconds(one) for one in self.alive if one.eligible), default=0.0)
        return max(min(_SEARCH * limit, _USED * limit - _SAFETY * reserve), 0.0)

    def _left(self, rung: Rung) -> float | None:
        """Return the seconds left for a rung: those after the first share the rest equally."""
        if self.limit is None:
            return None
        later = len(self.rungs) - 1
        share = _FIRST + (1 - _FIRST) * rung.number / later if later else 1.0
        return max(self._end() * share - self.clock(), 0.0)

    def _in_time(self, contender: Contender, rung: Rung, rows: int) -> bool:
        left = self._left(rung)
        if left is None:
            return True
        cost = rung.seconds if contender.stepping and rung.seconds else self._predicted(contender.name, rows)
        return cost + self._judge_seconds() < left

    def _has_time_for(self, rung: Rung) -> bool:
        """Return whether there is time for one split of a rung with its own number of rows."""
        left = self._left(rung)
        if left is None or rung.number == 0:
            return True
        costs = [rung.seconds or 0.0 if one.stepping else self._predicted(one.name, rung.rows) for one in self.alive]
        return sum(costs) + len(costs) * self._judge_seconds() < left / 2

    def _judge_seconds(self) -> float:
        """Return what judging one set usually takes; the first one also loads libraries."""
        return float(np.median(self._judging)) if self._judging else 0.0
