"""The rule by which the figures of the privacy panel become a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["FEW", "findings_of", "verdict_of"]

_RATIO = 0.5  # median distance ratio of near copies
_RATIO_HOLDOUT = 0.8  # that of held-out rows above which the ratio tells copies from other rows
_Z_FAIL, _Z_WARN = 4.0, 3.0  # excess of the nearest-record share
_TPR_FACTOR = 5.0  # membership at 0.1 %, in units of that of fresh rows
_COINCIDENCE = 0.001  # probability below which copies are no coincidence
FEW = 50  # held-out rows below which shares and rates say nothing


def verdict_of(figures: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Judge a set by its figures.

    It fails if it holds copies of training rows that coincidence does not explain; if its median
    distance ratio to training rows is below .5 while that to held-out rows is above .8; or if the
    nearest-record share is more than 4 standard deviations above that of fresh rows and membership
    inference finds at least five times as many members at a false positive rate of 0.1 % as for
    fresh rows. It is warned of where a part of this holds.

    Parameters
    ----------
    figures : mapping of str to Any
        The fields of `PrivacyReport`; those against held-out rows only if there are any.

    Returns
    -------
    verdict : {"fail", "warn", "pass", "unknown"}
    reasons : tuple of str
    """
    findings = [finding for of_part in findings_of(figures).values() for finding in of_part]
    fails = [reason for verdict, reason in findings if verdict == "fail"]
    warns = [reason for verdict, reason in findings if verdict == "warn"]
    if fails:
        return "fail", (*fails, *warns)
    if figures["holdout"] < FEW:
        few = f"{figures['holdout']} held-out rows are too few to tell training rows from fresh ones: give {FEW}."
        return "unknown", (*warns, few)
    return ("warn", tuple(warns)) if warns else ("pass", ())


def findings_of(figures: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return what each part of the panel finds, as pairs of a verdict and its reason.

    Parameters
    ----------
    figures : mapping of str to Any
        As of `verdict_of`.

    Returns
    -------
    dict
        With the keys "copies", "near copies" and "membership"; a part that finds nothing is empty.
    """
    return {"copies": _copies(figures), "near copies": _ratios(figures), "membership": _shares(figures)}


def _copies(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    copies, rows, expected = figures["copies"], figures["rows"], figures["copies_expected"]
    if not copies:
        return []
    chance = _tail(copies, rows, expected / rows)
    text = f"{copies} of the {rows} published rows are copies of training rows"
    if chance < _COINCIDENCE:
        return [("fail", f"{text}.")]
    return [("warn", f"{text}; held-out rows coincide with training rows as often.")]


def _tail(count: int, rows: int, rate: float) -> float:
    """Return the probability of at least `count` coincidences."""
    from scipy.stats import binom

    return float(binom.sf(count - 1, rows, min(rate, 1.0)))


def _ratios(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    ratio, holdout = figures["nndr"], figures.get("nndr_holdout")
    if ratio is not None and holdout is not None and ratio < _RATIO and holdout > _RATIO_HOLDOUT:
        beside = f"the median distance ratio is {ratio:.3f}, that of held-out rows {holdout:.3f}"
        return [("fail", f"most published rows lie beside one training row: {beside}.")]
    near, control = figures["near_copies"], figures.get("near_copies_holdout")
    if near is not None and control is not None and near >= max(3, _TPR_FACTOR * control):
        return [("warn", f"{near} published rows are near copies of training rows, {control} of held-out rows.")]
    return []


def _shares(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    if figures["holdout"] < FEW:
        return []
    z, tpr, expected = (figures[name] for name in ("share_z", "membership_tpr01", "membership_tpr01_expected"))
    share = f"{figures['share']:.2f} of the published rows are nearer to a training row than to a held-out row"
    fresh = f"fresh rows give {figures['share_expected']:.2f}, {z:.1f} standard deviations less"
    if z > _Z_FAIL and tpr >= _TPR_FACTOR * expected:
        found = f"membership inference finds {tpr / expected:.0f} times as many members as by chance"
        return [("fail", f"{share} ({fresh}), and {found}.")]
    return [("warn", f"{share} ({fresh}).")] if z > _Z_WARN else []
