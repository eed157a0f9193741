"""Measures the data, compares the candidates, and fits the chosen one to all rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from distillkit.advice import Situation
from distillkit.advice._data import Data
from distillkit.advice._judge import is_differentiable
from distillkit.advice._measure import measure
from distillkit.advice._recommend import is_accelerated
from distillkit.auto._auto_report import AutoReport
from distillkit.auto._blind import NO_CLASSES, NO_ROWS, NO_TARGET, NO_TIME, blind_order, unmeasured
from distillkit.auto._candidate_reports import candidate_reports
from distillkit.auto._choice import Choice, choose
from distillkit.auto._contender import Contender
from distillkit.auto._contenders import NETWORK_SECONDS, select_contenders
from distillkit.auto._draws import best_draw
from distillkit.auto._fitting import Fitted, fit_candidate
from distillkit.auto._judges import Judges
from distillkit.auto._rung import Rung, plan_rungs
from distillkit.auto._scoreboard import Scoreboard
from distillkit.auto._search import Search
from distillkit.auto._source import Source
from distillkit.auto._splits import SHARE, can_split
from distillkit.auto._trial import Trial
from distillkit.base import Run
from distillkit.budget import Budget

__all__ = ["AutoRun"]

_MOST_MEASURED, _MEASURED_PER_SECOND = 4000, 100
_LAST = 0.96
"""Share of the seconds at which a method that takes steps must end."""
_LAST_DRAW = 0.93
"""Share of the seconds at which the last draw of another method must end."""


class AutoRun:
    """One automatic choice.

    Parameters
    ----------
    source : Source
    run : Run
        Its clock, seed and limit of seconds.
    budget, labels, privacy, estimator, n_splits, n_draws, device
        As of `AutoDistiller`.
    names : sequence of str or None
        Names of the candidates.
    """

    def __init__(
        self,
        source: Source,
        run: Run,
        *,
        budget: Any,
        labels: str,
        privacy: bool,
        estimator: Any,
        names: Sequence[str] | None,
        n_splits: int,
        n_draws: int,
        device: str,
    ) -> None:
        self.source, self.judge_of_user = source, estimator
        self.budget, self.labels, self.privacy, self.names = budget, labels, privacy, names
        self.n_splits, self.n_draws, self.device, self._run = n_splits, n_draws, device, run
        self.limit = run.max_seconds
        self.seed = run.seed()
        self.trials: list[Trial] = []

    def run(self) -> tuple[Fitted, AutoReport]:
        """Return the chosen method, fitted to all rows, and the report."""
        blind = self._why_blind()
        judges = None if self.source.y is None else Judges(self.source, self.judge_of_user)
        situation = self._situation(judges, blind)
        contenders, left_out = select_contenders(
            situation, labels=self.labels, names=self.names, weighted=self.source.weight is not None
        )
        measured = self._run.seconds
        common: dict[str, Any] = {
            "left_out": tuple(left_out),
            "situation": None if blind else situation,
            "n_rows": self.source.n_rows,
            "max_seconds": self.limit,
            "seconds_measuring": measured,
        }
        if blind or judges is None or self._out_of_time():
            reason = blind or NO_TIME
            order = blind_order(contenders, cheapest=reason == NO_TIME)
            return self._finish(order, Choice(order[0], reason), Scoreboard([]), contenders, None, common, measured)
        search = self._search(contenders, judges)
        board = search.run()
        measure_name = "balanced accuracy" if self.source.task == "classification" else "R2"
        choice = choose(board, search.alive, measure_name)
        order = self._order(choice, search, board, contenders)
        if choice is None:
            choice = Choice(order[0], NO_TIME)
        common |= {"judges": judges.names, "measure": measure_name, "rungs": tuple(search.rungs)}
        if search.ended_early:
            self._run.stopped_by = "max_seconds"
        return self._finish(order, choice, board, contenders, search, common, measured)

    def _why_blind(self) -> str:
        """Return why nothing can be measured, or an empty text."""
        if self.source.y is None:
            return NO_TARGET
        if self.source.task == "classification" and len(self.source.quotas) < 2:
            return NO_CLASSES
        if not can_split(self.source):
            return NO_ROWS
        return NO_TIME if self._out_of_time() else ""

    def _out_of_time(self) -> bool:
        return self._run.out_of_time()

    def _situation(self, judges: Judges | None, blind: str) -> Situation:
        model = None if judges is None else judges.model
        seconds = self.limit
        if blind:
            gradients = model is None or is_differentiable(model)
            return unmeasured(self.source, seconds=seconds, privacy=self.privacy, gradients=gradients)
        rows = _MOST_MEASURED if seconds is None else min(_MOST_MEASURED, int(_MEASURED_PER_SECOND * seconds))
        networks = seconds is None or seconds >= NETWORK_SECONDS
        data = Data(self.source.X, self.source.y, Budget(self.budget), self.seed, str(self.source.task))
        return measure(
            data,
            estimator=model,
            seconds=seconds,
            accelerated=networks and is_accelerated(self.device),  # This imports torch.
            privacy=self.privacy,
            most_rows=max(rows, 200),
        )

    def _search(self, contenders: list[Contender], judges: Judges) -> Search:
        stepping = sum(one.stepping for one in contenders)
        shares = self.source.is_share
        rungs: list[Rung] = plan_rungs(
            round(self.source.n_rows * (1 - SHARE)),
            len(contenders) - stepping,
            stepping,
            self.limit,
            self.n_splits,
            least_rows=0 if shares else 4 * self.source.total,
        )
        return Search(
            self.source,
            contenders,
            judges,
            rungs,
            seed=self.seed,
            device=self.device,
            clock=lambda: self._run.seconds,
            limit=self.limit,
            on_trial=self._record,
        )

    def _record(self, trial: Trial) -> None:
        self.trials.append(trial)
        shown = {name: value for name, value in trial.to_dict().items() if name not in ("seconds", "judge_seconds")}
        self._run.record(**shown, seconds_fit=trial.seconds, seconds_judge=trial.judge_seconds)
        self._run.progress.update(len(self.trials), score=trial.score)

    def _order(
        self, choice: Choice | None, search: Search, board: Scoreboard, contenders: list[Contender]
    ) -> list[Contender]:
        """Return the candidates in the order in which the fit to all rows is tried."""
        rest = blind_order(contenders, cheapest=True)
        scored = sorted(
            (one for one in search.alive if one.eligible and one.name in board),
            key=lambda one: -board.score(one.name).mean,
        )
        first = [] if choice is None else [choice.contender]
        return list(dict.fromkeys([*first, *scored, *rest]))

    def _finish(
        self,
        order: list[Contender],
        choice: Choice,
        board: Scoreboard,
        contenders: list[Contender],
        search: Search | None,
        common: dict[str, Any],
        measured: float,
    ) -> tuple[Fitted, AutoReport]:
        """Fit the first candidate that does not fail to all rows, and write the report."""
        searched = self._run.seconds
        failures: list[str] = []
        for contender in order:
            try:
                fitted = self._final_fit(contender)
            except Exception as exc:
                failures.append(f"{contender.name} failed on all rows: {' '.join(str(exc).split())}")
                if contender is order[-1]:
                    raise
                continue
            break
        draws: dict[int, float] = {}
        if search is not None:
            fitted, draws = best_draw(
                self.source,
                search.judges,
                contender,
                fitted,
                fit=partial(self._final_fit, contender),
                seed=self.seed,
                n_draws=self.n_draws,
                has_time_for=self._has_time_for,
            )
        reason = choice.reason
        if failures:
            reason = f"{' '.join(failures)} Therefore {contender.name} was taken."
            choice = Choice(contender, reason)
        dropped = {} if search is None else search.dropped
        alive = [] if search is None else search.alive
        report = AutoReport(
            chosen=contender.name,
            reason=reason,
            tied=choice.tied,
            candidates=candidate_reports(contenders, choice, board, self._all_trials(search), alive, dropped),
            trials=tuple(self._all_trials(search)),
            splits=() if search is None else search.splits(),
            draws=draws,
            seed=max(draws, key=lambda seed: draws[seed], default=self.seed),
            kept=len(fitted.small),
            seconds_search=searched - measured,
            seconds_final=self._run.seconds - searched,
            ended_early=search is not None and search.ended_early,
            **common,
        )
        return fitted, report

    @staticmethod
    def _all_trials(search: Search | None) -> list[Trial]:
        return [] if search is None else search.trials

    def _has_time_for(self, seconds: float) -> bool:
        return self.limit is None or self._run.seconds + seconds < _LAST_DRAW * self.limit

    def _final_fit(self, contender: Contender, seed: int | None = None) -> Fitted:
        seconds = None if self.limit is None else max(_LAST * self.limit - self._run.seconds, 1e-3)
        return fit_candidate(
            contender.name,
            self.source,
            None,
            self.source.quotas,
            seed=self.seed if seed is None else seed,
            device=self.device,
            seconds=seconds,
        )
