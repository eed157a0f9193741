"""Computes the privacy panel of a distilled set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.metrics.privacy._copies import close_rows, equal_rows, spread_of
from distillkit.metrics.privacy._membership import attack
from distillkit.metrics.privacy._report import PrivacyReport
from distillkit.metrics.privacy._rows import PanelRows, numbers_of, panel_rows
from distillkit.metrics.privacy._search import Nearest, search
from distillkit.metrics.privacy._share import nearest_share
from distillkit.metrics.privacy._verdict import verdict_of

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["privacy_report"]

_NEAR = 0.5  # distance ratio below which a row is a near copy


def privacy_report(
    X: Any,
    y: Any,  # noqa: ARG001 (part of the call of a metric)
    distilled: DistilledSet,
    holdout: Any = None,
    random_state: int = 0,
) -> PrivacyReport:
    """Report how much a distilled set reveals about its training rows.

    Every figure is compared with rows that the method has not seen: a good set lies as near to
    these as to the training rows. Distances are Euclidean, so bring the columns of a table to
    comparable scales first. Labels and weights are not used.

    Parameters
    ----------
    X : array-like of shape (n, ...), frame of shape (n, d), or Reference
        The training rows that the method saw.
    y : array-like of shape (n,) or None
        Not used; it is there so that the panel is called like a metric of stage "data".
    distilled : DistilledSet
    holdout : array-like of shape (m, ...) or None
        Rows of the same source that the method did not see, at least 50, better thousands. Without
        them only copies are found.
    random_state : int, default=0
        Seeds the choice of published rows if there are too many to compare all of them.

    Returns
    -------
    PrivacyReport

    Raises
    ------
    DataError
        If the features of the rows differ, or values are NaN or infinite.

    Notes
    -----
    The panel gives no formal guarantee, see the text of the report. The rule of the verdict is
    described in the protocol. The attack and its rates: Carlini et al., arXiv:2112.03570; nearest
    records: Platzer and Reutterer, arXiv:2104.00635.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from distillkit import RandomSubset
    >>> X, y = load_digits(return_X_y=True)
    >>> small = RandomSubset(budget=10, random_state=0).fit(X[::2], y[::2]).distilled_
    >>> report = privacy_report(X[::2], y[::2], small, holdout=X[1::2])
    >>> report.verdict, report.copies
    ('fail', 100)
    """
    rows = panel_rows(X, distilled, holdout, random_state)
    queries = rows.published[rows.sampled]
    near = search(queries, rows.members)
    copied = _copied(X, distilled, rows, near)
    figures: dict[str, Any] = {
        "rows": len(rows.published),
        "members": len(rows.members),
        "holdout": len(rows.holdout),
        "compared": len(queries),
        "copies": int(copied.sum()),
        "copies_expected": 0.0,
        **_distances("", near),
        "near_copies": int(np.sum((near.ratio < _NEAR) & ~copied[rows.sampled])),
    }
    if len(rows.holdout):
        figures |= _against_holdout(rows, queries, near)
    verdict, reasons = verdict_of(figures)
    return PrivacyReport(verdict=verdict, reasons=reasons, **figures)


def _copied(X: Any, distilled: DistilledSet, rows: PanelRows, near: Nearest) -> np.ndarray:
    """Return which published rows equal a training row, in the data or after the preprocessing."""
    copied = equal_rows(rows.published, rows.members)
    copied[rows.sampled] |= close_rows(near.first, spread_of(rows.members))
    if distilled.preprocessing is not None:
        shown = np.asarray(distilled.preprocessing.transform(np.asarray(numbers_of(X, distilled))))
        copied |= equal_rows(distilled.X.reshape(len(distilled), -1), shown.reshape(len(shown), -1))
    return copied


def _distances(suffix: str, near: Nearest) -> dict[str, float | None]:
    ratio = near.ratio
    return {
        f"nndr{suffix}": None if np.isnan(ratio).any() else float(np.median(ratio)),
        f"dcr{suffix}": float(np.median(near.first)),
        f"dcr_5{suffix}": float(np.percentile(near.first, 5)),
    }


def _against_holdout(rows: PanelRows, queries: np.ndarray, near: Nearest) -> dict[str, Any]:
    """Return the figures that compare training rows with held-out rows."""
    fresh = search(queries, rows.holdout)
    n, m = len(rows.members), len(rows.holdout)
    share = nearest_share(near.first, fresh.first, fresh.position, n, m)
    attacked = attack(near.of_rows, fresh.of_rows)
    return {
        "copies_expected": float(np.mean(equal_rows(rows.holdout, rows.members)) * len(rows.published)),
        "near_copies_holdout": int(np.sum((fresh.ratio < _NEAR) & ~equal_rows(queries, rows.holdout))),
        **_distances("_holdout", fresh),
        "share": share.value,
        "share_expected": share.expected,
        "share_sd": share.sd,
        "share_z": share.z,
        "membership_auc": attacked.auc,
        "membership_auc_error": attacked.auc_error,
        "membership_tpr1": attacked.tpr[0.01],
        "membership_tpr1_expected": attacked.tpr_expected[0.01],
        "membership_tpr01": attacked.tpr[0.001],
        "membership_tpr01_expected": attacked.tpr_expected[0.001],
    }
