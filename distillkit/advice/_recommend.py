"""Recommends methods for some data."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from numbers import Real
from typing import Any

from distillkit.advice._data import Data
from distillkit.advice._judge import check_estimator
from distillkit.advice._measure import measure
from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._probe import Probe, is_time_bound
from distillkit.advice._ranking import judge, rank
from distillkit.advice._recommendation import Recommendation
from distillkit.advice._recommended import Recommended
from distillkit.advice._situation import Situation
from distillkit.budget import Budget
from distillkit.exceptions import DataError
from distillkit.plugins import get_manager

__all__ = ["candidates", "is_accelerated", "recommend"]

_DEFAULT_LIMIT = 60.0
"""Seconds of the methods that take steps until a limit, where no seconds are given."""
_PROBE_SECONDS = 6.0
_LEAST_SHARE = 0.1


def recommend(
    X: Any,
    y: Any,
    budget: Any = 0.1,
    *,
    seconds: float | None = None,
    device: str = "auto",
    privacy: bool = False,
    estimator: Any = None,
    probe_seconds: float = _PROBE_SECONDS,
    random_state: int = 0,
) -> Recommendation:
    """Recommend methods for some data, with reasons and estimates of what they take.

    The data are measured, among other things how much a random subset of the size of the budget
    loses against all rows, and the rules of the field are applied: see the page "Which method
    when". Methods that the rules do not exclude are fitted to small samples, from which their
    seconds and memory on all rows are extrapolated.

    Parameters
    ----------
    X : array or frame of shape (n, ...)
        Training rows: a table, series or images.
    y : array-like of shape (n,)
        Labels or numbers.
    budget : int, float, dict or Budget, default=0.1
        Size of the distilled set, as of all methods.
    seconds : float or None, default=None
        Seconds that a distillation may take. Methods that train until a limit are given 60 if it
        is None.
    device : str, default="auto"
        "auto", "cpu", or "cuda".
    privacy : bool, default=False
        Whether the set must not reveal training rows. It excludes methods that publish them or
        start from them; it is no proof that the other methods reveal nothing.
    estimator : estimator or None, default=None
        Unfitted model to be trained on the distilled set, by which the data are judged; None takes
        extremely randomized trees.
    probe_seconds : float, default=6
        Processor seconds that the fits to samples may take, about; 0 leaves the estimates out.
    random_state : int, default=0
        Seed of the samples.

    Returns
    -------
    Recommendation

    Raises
    ------
    BudgetError
        If the budget does not suit the rows.
    DataError
        If another parameter, X or y cannot be used.
    """
    _check_numbers(seconds, probe_seconds)
    if estimator is not None:
        check_estimator(estimator)
    accelerated = is_accelerated(device)
    data = Data(X, y, budget if isinstance(budget, Budget) else Budget(budget), random_state)
    situation = measure(data, estimator=estimator, seconds=seconds, accelerated=accelerated, privacy=privacy)
    judged = [_judged(candidate, situation) for candidate in candidates()]
    if probe_seconds:
        judged = _estimated(judged, Probe(data, device), situation, probe_seconds)
    return Recommendation(
        situation=situation,
        budget=data.budget,
        methods=tuple(rank(one for _, one in judged if not one.excluded)),
        excluded=tuple(one for _, one in judged if one.excluded),
    )


def candidates(*, networks: bool = True) -> list[MethodCandidate]:
    """Return all registered methods, each under its short name.

    Parameters
    ----------
    networks : bool, default=True
        Whether to find out which of the methods that need torch take steps until a limit. This
        imports torch, which takes seconds; False takes none of them for such a method.
    """
    manager = get_manager()
    specs: Mapping[str, Any] = manager.specs("method")
    return [
        MethodCandidate(
            name=name,
            spec=spec,
            params=dict(spec.params),
            time_bound=(networks or "torch" not in spec.requires)
            and not spec.missing()
            and spec.reduces == "rows"
            and is_time_bound(spec),
        )
        for name, spec in specs.items()
        if "/" not in name or specs.get(name.partition("/")[2]) is not spec
    ]


def _judged(candidate: MethodCandidate, situation: Situation) -> tuple[MethodCandidate, Recommended]:
    """Return a method as judged without its cost."""
    limit = (situation.seconds or _DEFAULT_LIMIT) if candidate.time_bound else None
    return candidate, judge(candidate, situation, params={"max_seconds": limit} if limit else {})


def _estimated(
    judged: list[tuple[MethodCandidate, Recommended]], probe: Probe, situation: Situation, seconds: float
) -> list[tuple[MethodCandidate, Recommended]]:
    """Fit the methods that no rule excludes to samples, and judge them with their cost.

    Each of them gets an equal share of the seconds that the ones before it have left.
    """
    waiting = sum(not one.excluded for _, one in judged)
    done = []
    for candidate, one in judged:
        if one.excluded:
            done.append((candidate, one))
            continue
        started = time.process_time()
        done.append(_with_estimate(candidate, one, probe, situation, max(seconds / waiting, _LEAST_SHARE)))
        seconds -= time.process_time() - started
        waiting -= 1
    return done


def _with_estimate(
    candidate: MethodCandidate, judged: Recommended, probe: Probe, situation: Situation, share: float
) -> tuple[MethodCandidate, Recommended]:
    try:
        estimate = probe.estimate(candidate.name, judged.params.get("max_seconds"), share)
    except Exception as exc:
        reason = f"It failed on a sample of the rows: {' '.join(str(exc).split())}"
        return candidate, replace(judged, excluded=True, reasons=(reason,))
    candidate = replace(candidate, estimate=estimate)
    return candidate, judge(candidate, situation, params=judged.params)


def _check_numbers(seconds: Any, probe_seconds: Any) -> None:
    for name, value in (("seconds", seconds), ("probe_seconds", probe_seconds)):
        if value is None and name == "seconds":
            continue
        least = "greater than" if name == "seconds" else "at least"
        usable = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not usable or value < 0 or (name == "seconds" and value == 0):
            raise DataError(f"{name}={value!r} must be a number {least} 0.")


def is_accelerated(device: Any) -> bool:
    """Return whether a device is a GPU; without torch, none is used."""
    if find_spec("torch") is None:
        if device in ("auto", "cpu"):
            return False
        raise DataError(f"device={device!r} needs torch, which is not installed: give 'auto' or 'cpu'.")
    from distillkit.nn.runtime._device import resolve_device

    return bool(resolve_device(device).type != "cpu")
