"""Decides whether a published result and a measured one agree within the spreads of both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from scipy import special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distillkit.specs import PublishedResult

__all__ = [
    "OTHER_PROTOCOL",
    "Verdict",
    "is_judge",
    "published_half_width",
    "stored_share",
    "verdict",
    "why_other_protocol",
]

OTHER_PROTOCOL = "other protocol"
_LEVEL = 0.95
_NARROW = 0.02
"""Share of the published value that a tolerance may have in any case."""


class Verdict(NamedTuple):
    """How a measured mean compares with a published one.

    Parameters
    ----------
    name : str
        ``reproduced``, ``above``, ``below``, ``undecided``, ``no interval`` or ``no published
        spread``.
    difference : float
        The measured minus the published mean.
    tolerance : float or None
        Half the width of the combined 95 % interval of the difference, if it is known.
    """

    name: str
    difference: float
    tolerance: float | None


def verdict(result: PublishedResult, mean: float, low: float | None, high: float | None) -> Verdict:
    """Compare a published result with a measured mean and the 95 % interval of this mean.

    The difference of two independent means has the variance of the one plus that of the other, so
    that half the width of its interval is ``hypot(a, b)``. Here a is the part of the measured
    interval on the side of the published value, and b is ``t(n - 1) * std / sqrt(n)``. An unknown n
    counts as one: ``b = 1.96 * std``, as for a single published run. The measured mean reproduces
    the published one if the difference is at most ``hypot(a, b)``. This is as well a bound on how
    far the two can be apart without being noticed, so that it must be small: where it exceeds both
    ``2 * b`` and 2 % of the published value, the verdict is ``undecided``.

    Parameters
    ----------
    result : PublishedResult
    mean, low, high : float
        The measured mean and the ends of its interval; these are None if there is no interval.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from distillkit.specs import PublishedResult
    >>> result = PublishedResult(
    ...     method="random", dataset="mnist", budget="1", evaluator="ConvNet-3", metric="accuracy",
    ...     value=0.65, std=0.03, source="a paper",
    ... )
    >>> verdict(result, 0.61, 0.57, 0.65).name
    'reproduced'
    >>> verdict(result, 0.61, 0.30, 0.92).name
    'undecided'
    """
    difference = mean - result.value
    if low is None or high is None:
        return Verdict("no interval", difference, None)
    if result.std is None:
        return Verdict("no published spread", difference, None)
    measured = mean - low if difference > 0 else high - mean
    published = published_half_width(result.std, result.n)
    tolerance = math.hypot(measured, published)
    if abs(difference) <= tolerance:
        narrow = tolerance <= max(2 * published, _NARROW * abs(result.value))
        return Verdict("reproduced" if narrow else "undecided", difference, tolerance)
    return Verdict("above" if difference > 0 else "below", difference, tolerance)


def published_half_width(std: float, n: int | None) -> float:
    """Return half the width of the 95 % interval of a published mean.

    Parameters
    ----------
    std : float
        The published standard deviation.
    n : int or None
        Number of independent repetitions; None and 1 both take the normal quantile of one.
    """
    tail = (1 + _LEVEL) / 2
    if n is None or n < 2:
        return float(special.ndtri(tail)) * std
    return float(special.stdtrit(n - 1, tail)) * std / math.sqrt(n)


def why_other_protocol(result: PublishedResult, cell: Mapping[str, Any], stand_in: str = "") -> str:
    """Return in words why no verdict on a result is possible, or the empty string.

    Parameters
    ----------
    result : PublishedResult
    cell : mapping of str to Any
        Identity of the measured entry.
    stand_in : str
        Note on a dataset that only resembles the published one.
    """
    return next(filter(None, _reasons(result, cell, stand_in)), "")


def _reasons(result: PublishedResult, cell: Mapping[str, Any], stand_in: str) -> list[str]:
    return [
        f"other data: {stand_in}" if stand_in else "",
        _evaluator_reason(result, cell),
        _label_reason(result, cell),
        _size_reason(result, cell),
        result.protocol,
    ]


def _evaluator_reason(result: PublishedResult, cell: Mapping[str, Any]) -> str:
    if result.judge is None:
        same = result.evaluator in (cell["evaluator"], cell.get("evaluator_name"))
        return "" if same else f"judged by {result.evaluator}"
    if not result.judge:
        return f"no evaluator here trains as {result.evaluator} in the source"
    return "" if is_judge(result.judge, cell) else f"judged by the recipe of {result.judge}"


def is_judge(judge: str, cell: Mapping[str, Any]) -> bool:
    """Return whether the evaluator of a cell has the settings of a preset and no others.

    Parameters
    ----------
    judge : str
        Registry name of an evaluator, with a preset or without.
    cell : mapping of str to Any
    """
    name, _, preset = judge.partition(":")
    params = cell.get("evaluator_params") or {}
    if cell.get("evaluator_name", cell["evaluator"]) not in (name, judge):
        return False
    return [*params.values()] == ([preset] if preset else []) or (not params and cell["evaluator"] == judge)


def _label_reason(result: PublishedResult, cell: Mapping[str, Any]) -> str:
    if result.label_mode is None or result.label_mode == cell.get("label_mode"):
        return ""
    if not result.label_mode:
        return "the source does not state the kind of labels"
    return f"{result.label_mode} labels"


def stored_share(cell: Mapping[str, Any]) -> float:
    """Return the bytes of a stored distilled row divided by those of a training row.

    Images that are kept at a fraction of their height and width (`downscale`) need fewer bytes.
    """
    downscale = (cell.get("method_params") or {}).get("downscale") or 1
    return 1 / float(downscale) ** 2 if isinstance(downscale, int | float) else 1.0


def _size_reason(result: PublishedResult, cell: Mapping[str, Any]) -> str:
    if result.size_factor is None:
        return "rows are generated from stored parameters, and the budget counts bytes"
    if math.isclose(result.size_factor, stored_share(cell), rel_tol=0.01):
        return ""
    return f"each stored row has {result.size_factor:g} times the bytes of a training row"
