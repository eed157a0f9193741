"""Chooses among measured candidates, and says why and how sure the choice is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distillkit.auto._contender import Contender
from distillkit.auto._scoreboard import MeanOverSplits, Scoreboard

__all__ = ["Choice", "choose"]

_SIMPLER = {
    0: "takes random rows",
    1: "trains no networks",
    2: "trains networks",
}


@dataclass(frozen=True)
class Choice:
    """A method with the reason for it.

    Parameters
    ----------
    contender : Contender
    reason : str
        In sentences.
    tied : tuple of str
        The other methods whose difference to the best is within its standard error.
    """

    contender: Contender
    reason: str
    tied: tuple[str, ...] = ()


def choose(board: Scoreboard, alive: Sequence[Contender], measure: str) -> Choice | None:
    """Return the choice among candidates that were measured to the end, or None if there is none.

    The best is the candidate with the largest mean gain over the random subset. All whose distance
    to the best is within the standard error of this distance are tied with it (the rule of one
    standard error, Breiman and others 1984). Of these, the best of those that train no networks is
    taken. The random subset is taken only if nothing scores higher: it is not simpler to use than
    other rows, and where little could be measured, most methods are tied with it.

    Parameters
    ----------
    board : Scoreboard
    alive : sequence of Contender
        In the order of the rules, which decides between equal scores.
    measure : str
        Name of the score in sentences.
    """
    control = next((one for one in alive if one.is_control and one.name in board), None)
    usable = [one for one in alive if one.eligible and one.name in board]
    if not usable:
        return None
    if control is None:
        gains = {one.name: board.score(one.name) for one in usable}
    else:
        zero = MeanOverSplits(0.0, 0.0, board.splits(control.name))
        found = {one.name: board.difference(one.name, control.name) for one in usable}
        gains = {name: gain for name, gain in found.items() if gain is not None} | (
            {control.name: zero} if control.eligible else {}
        )
    usable = [one for one in usable if one.name in gains]
    if not usable:
        return None
    best = max(usable, key=lambda one: (gains[one.name].mean, -one.simplicity))
    tied = [one for one in usable if one is best or _is_tied(board, best, one)]
    others_than_random = [one for one in tied if not one.is_control or one is best]
    simplest = min(one.simplicity for one in others_than_random)
    chosen = max(
        (one for one in others_than_random if one.simplicity == simplest), key=lambda one: gains[one.name].mean
    )
    others = tuple(one.name for one in tied if one is not chosen)
    return Choice(chosen, _reason(board, chosen, best, control, gains, measure, others), others)


def _is_tied(board: Scoreboard, best: Contender, other: Contender) -> bool:
    behind = board.difference(best.name, other.name)
    return behind is not None and not behind.beyond_noise


def _reason(
    board: Scoreboard,
    chosen: Contender,
    best: Contender,
    control: Contender | None,
    gains: dict[str, MeanOverSplits],
    measure: str,
    others: tuple[str, ...],
) -> str:
    """Return the sentences that say why a method was chosen."""
    score = board.score(chosen.name)
    sentences = []
    if chosen is best and not others:
        sentences.append(f"{chosen.name} has the highest {measure}, {said(score)}, beyond its error.")
    elif chosen is best:
        sentences.append(
            f"{chosen.name} has the highest {measure}, {said(score)}; {listed(others)} cannot be told apart from it."
        )
    else:
        behind = board.difference(best.name, chosen.name) or MeanOverSplits(0.0, 0.0, 0)
        sentences.append(
            f"{best.name} has the highest {measure}, {said(board.score(best.name))}, but is only "
            f"{behind.mean:.3f} ± {behind.error:.3f} above {chosen.name}. {chosen.name} is taken, because it "
            f"{_SIMPLER[chosen.simplicity]}."
            if chosen.simplicity < best.simplicity
            else f"{best.name} and {chosen.name} cannot be told apart."
        )
    if control is not None and chosen is not control:
        gain = gains[chosen.name]
        above = "above" if gain.mean >= 0 else "below"
        sentences.append(
            f"It is {abs(gain.mean):.3f} ± {gain.error:.3f} {above} {control.name} on {_splits(gain.n_splits)}."
        )
    elif control is not None:
        sentences.append(f"No other method is above {control.name} beyond the error.")
    return " ".join(sentences)


def said(value: MeanOverSplits) -> str:
    """Return a mean with its standard error as text."""
    return f"{value.mean:.3f} ± {value.error:.3f}"


def listed(names: Sequence[str]) -> str:
    """Return names as an enumeration."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _splits(number: int) -> str:
    return "one validation split" if number == 1 else f"{number} validation splits"
