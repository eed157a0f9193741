"""Writes what a report says of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from distillkit.auto._candidate_report import CandidateReport
from distillkit.auto._choice import Choice
from distillkit.auto._contender import Contender
from distillkit.auto._scoreboard import Scoreboard
from distillkit.auto._trial import Trial

__all__ = ["candidate_reports"]

_PLACES = {"chosen": 0, "tied": 1, "beaten": 1, "dropped": 2, "not reached": 3}


def candidate_reports(
    contenders: Sequence[Contender],
    choice: Choice,
    board: Scoreboard,
    trials: Sequence[Trial],
    alive: Sequence[Contender],
    dropped: Mapping[str, str],
) -> tuple[CandidateReport, ...]:
    """Return one report for each candidate, the chosen one first and the others by score.

    Parameters
    ----------
    contenders : sequence of Contender
    choice : Choice
    board : Scoreboard
    trials : sequence of Trial
    alive : sequence of Contender
        The candidates that were measured to the end.
    dropped : mapping of str to str
        Why others were not, by name; the rest of them were in the worse half of a rung.
    """
    control = next((one for one in contenders if one.is_control and one.name in board), None)
    rungs = {trial.method: trial.rung for trial in trials}
    reports = []
    for one in contenders:
        own = [trial for trial in trials if trial.method == one.name]
        note = dropped.get(one.name, "")
        if one is choice.contender:
            outcome = "chosen"
        elif one.name in choice.tied:
            outcome = "tied"
        elif one.name not in board and not note:
            outcome = "not reached"
        elif one in alive:
            outcome = "beaten"
        else:
            outcome = "dropped"
            note = note or f"It was in the worse half of rung {rungs.get(one.name, 0) + 1}."
        if not one.eligible:
            note = "It is measured for comparison alone: " + (note or " ".join(one.judged.reasons))
        is_measured = one.name in board
        compared = is_measured and control is not None and one is not control
        reports.append(
            CandidateReport(
                name=one.name,
                kind=one.candidate.kind,
                outcome=outcome,
                score=board.score(one.name) if is_measured else None,
                gain=board.difference(one.name, control.name) if compared and control is not None else None,
                rows=board.rows(one.name),
                trials=len(own),
                seconds=sum(trial.seconds + trial.judge_seconds for trial in own),
                note=note or " ".join(one.judged.reasons),
            )
        )
    return tuple(sorted(reports, key=_place))


def _place(report: CandidateReport) -> tuple[int, float]:
    return _PLACES[report.outcome], -report.score.mean if report.score else 0.0
