"""The rungs of successive halving: what each of them spends on a candidate, and how many go on."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Rung", "plan_rungs"]

_MOST_ROWS = 50_000
_BASE_ROWS = 3000
_LEAST_ROWS = 200
_GROWTH = 4
_ROWS_PER_SECOND = 1000
_BASE_PER_SECOND = 100
_STEPPING_SHARE = 0.35
"""Share of all seconds in which methods that take steps are tried; the winner gets the rest."""


@dataclass(frozen=True)
class Rung:
    """One rung of successive halving.

    Parameters
    ----------
    number : int
        From 0.
    rows : int
        Rows to which candidates are fitted, at most.
    splits : int
        Validation splits, those of earlier rungs included.
    stepping_splits : int
        Validation splits of methods that take steps until a limit.
    seconds : float or None
        Seconds of each fit of these; None leaves them their own number of steps.
    keep, stepping_keep : int
        Candidates that go on to the next rung, of each kind. The random subset goes on besides.
    """

    number: int
    rows: int
    splits: int
    stepping_splits: int
    seconds: float | None
    keep: int
    stepping_keep: int


def plan_rungs(
    n_rows: int, n_simple: int, n_stepping: int, seconds: float | None, n_splits: int, least_rows: int = 0
) -> list[Rung]:
    """Return the rungs, each of which halves the candidates and gives the others more.

    Methods that run once get more rows, up to 50,000, and more validation splits from rung to rung;
    methods that take steps get more seconds as well. The plan depends on no clock.

    Parameters
    ----------
    n_rows : int
        Training rows that are not for validation.
    n_simple, n_stepping : int
        Number of methods that run once, and of those that take steps until a limit.
    seconds : float or None
        Seconds of the whole fit; None is no limit.
    n_splits : int
        Validation splits of the last rung.
    least_rows : int, default=0
        Rows of the first rung at least, which a budget of many rows needs.

    Returns
    -------
    list of Rung
    """
    n_rungs = max(1, math.ceil(math.log2(max(n_simple, n_stepping, 1))) - 1)
    most = min(n_rows, _MOST_ROWS)
    base = _BASE_ROWS
    if seconds is not None:
        most = min(most, max(_LEAST_ROWS, int(_ROWS_PER_SECOND * seconds)))
        base = max(_LEAST_ROWS, min(base, int(_BASE_PER_SECOND * seconds)))
    most = min(n_rows, max(most, least_rows))
    base = min(most, max(base, least_rows))
    rungs = []
    for number in range(n_rungs):
        later = n_rungs - 1 - number
        stepping_splits = min(n_splits, 1 if later else 2)
        share = None
        if seconds is not None and n_stepping:
            share = _STEPPING_SHARE * seconds / n_rungs / (n_stepping * stepping_splits)
        n_simple, n_stepping = math.ceil(n_simple / 2), math.ceil(n_stepping / 2)
        rungs.append(
            Rung(
                number=number,
                rows=max(base, most // _GROWTH**later),
                splits=max(min(2, n_splits), n_splits // 2**later),
                stepping_splits=stepping_splits,
                seconds=share,
                keep=n_simple,
                stepping_keep=n_stepping,
            )
        )
    return rungs
