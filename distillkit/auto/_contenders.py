"""Selects the methods that take part in a choice, by the rules of `recommend`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sklearn.utils.validation import has_fit_parameter

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._probe import is_time_bound
from distillkit.advice._ranking import judge, rank, verdicts_of
from distillkit.advice._recommend import candidates
from distillkit.advice._recommended import Recommended
from distillkit.advice._rule import Rule
from distillkit.advice._situation import Situation
from distillkit.advice.rules import RULES, Privacy
from distillkit.auto._contender import Contender
from distillkit.exceptions import DataError
from distillkit.plugins import get_manager

__all__ = ["NETWORK_SECONDS", "select_contenders"]

NETWORK_SECONDS = 30.0
"""Seconds below which no networks are trained; see the rule `LittleTime`."""
_STRONG = -3.0
"""Points of a rule from which on it leaves a method out."""
_LABELS = {
    "soft": "Its labels are probabilities, and hard labels are asked for.",
    "hard": "Its labels are hard, and probabilities are asked for.",
}


def select_contenders(
    situation: Situation,
    *,
    labels: str,
    names: Sequence[str] | None,
    weighted: bool,
) -> tuple[list[Contender], list[Recommended]]:
    """Return the methods that take part, the first by the rules first, and those left out.

    A method is left out if a rule of `recommend` excludes it or speaks strongly against it, if its
    labels are of the other kind, or if it takes no weights and the rows have some. If that leaves
    none, as few rows that must not be revealed do, only what cannot be used or reveals rows is left
    out. Controls come first, so that there is something to compare with from the beginning.

    Parameters
    ----------
    situation : Situation
    labels : {"hard", "soft"}
    names : sequence of str or None
        Registered names, perhaps with presets, that take part besides the control; the rules then
        leave out what cannot be used, and nothing else.
    weighted : bool
        Whether the rows have weights.

    Raises
    ------
    DataError
        If no method is left.
    UnknownNameError
        If there is no method of a name.
    """
    networks = situation.seconds is None or situation.seconds >= NETWORK_SECONDS
    known = candidates(networks=networks)
    controls = [one for one in known if one.is_control and one.spec.reduces == "rows" and one.spec.label_mode == labels]
    chosen = known
    if names is not None:
        chosen = [one for one in controls if one.name not in names] + [_named(name) for name in dict.fromkeys(names)]
    for strict in (RULES, (Privacy(),)) if names is None else ((),):
        found, left_out = [], []
        for candidate in chosen:
            judged = judge(candidate, situation)
            reason = _reason(candidate, judged, situation, labels, strict=strict, weighted=weighted)
            yardstick = candidate in controls and situation.privacy and _exposes(candidate)
            if reason:
                left_out.append(replace(judged, excluded=True, reasons=(reason,)))
            if not reason or yardstick:
                found.append(Contender(candidate, judged, eligible=not reason))
        if any(one.eligible for one in found):
            break
    if not any(one.eligible for one in found):
        raise DataError(
            "no method can be used here: "
            + " ".join(f"{one.name}: {' '.join(one.reasons)}" for one in left_out[:3])
            + " Name others by candidates=, or ask for less."
        )
    place = {one.name: number for number, one in enumerate(rank(one.judged for one in found))}
    return sorted(found, key=lambda one: (not one.is_control, place[one.name])), left_out


def _named(name: str) -> MethodCandidate:
    """Return a method by its name, perhaps with a preset."""
    resolved = get_manager().resolve("method", name)
    spec = resolved.spec
    bound = not spec.missing() and spec.reduces == "rows" and is_time_bound(spec)
    return MethodCandidate(name=name, spec=spec, params=dict(resolved.params()), time_bound=bound)


def _reason(
    candidate: MethodCandidate,
    judged: Recommended,
    situation: Situation,
    labels: str,
    *,
    strict: Iterable[Rule],
    weighted: bool,
) -> str:
    """Return why a method does not take part, or an empty text.

    The `strict` rules leave it out by points.
    """
    if judged.excluded:
        return " ".join(judged.reasons)
    if candidate.spec.label_mode != labels:
        return _LABELS[candidate.spec.label_mode]
    against = min(verdicts_of(candidate, situation, strict), key=lambda one: one.points, default=None)
    if against is not None and against.points <= _STRONG:
        return against.reason
    if weighted and not has_fit_parameter(candidate.spec.load(), "sample_weight"):
        return "It takes no weights of rows."
    return ""


def _exposes(candidate: MethodCandidate) -> bool:
    """Return whether a control may not be published where training rows must not be revealed."""
    return candidate.exposes_originals and not candidate.spec.missing()
