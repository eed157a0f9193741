"""The figures of the privacy panel as metrics, each under a name of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.metrics.privacy._panel import privacy_report
from distillkit.metrics.reference import Reference, content_key, shares_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distillkit.distilled import DistilledSet
    from distillkit.metrics.privacy._report import PrivacyReport

__all__ = [
    "copies",
    "membership_auc",
    "membership_tpr01",
    "membership_tpr1",
    "near_copies",
    "nndr",
    "privacy_share",
    "privacy_z",
]


@shares_reference
def copies(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Return the share of the distilled rows that equal a training row.

    Rows are compared in the coarser of their two types of floats, in the units of the data and
    after the preprocessing of the set; differences of at most a millionth of the spread of the
    training rows count as rounding.

    Parameters
    ----------
    X : array-like of shape (n, ...), frame of shape (n, d), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Not used.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the choice of distilled rows if there are too many to compare all of them.

    Returns
    -------
    float
        In [0, 1].
    """
    report = _report(X, y, distilled, random_state)
    return report.copies / report.rows


@shares_reference
def near_copies(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Return the share of near copies, half as far from one training row as from any other.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `copies`.

    Returns
    -------
    float
        In [0, 1]; copies themselves do not count.
    """
    report = _report(X, y, distilled, random_state)
    return (report.near_copies or 0) / report.compared


@shares_reference
def nndr(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:
    """Return the median nearest-neighbor distance ratio of the distilled rows.

    The ratio is the distance to the nearest training row over that to the second nearest one.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `copies`.

    Returns
    -------
    float or None
        In [0, 1]: 0 for copies, near 1 for rows that belong to no training row in particular. None
        with a single training row.
    """
    return _report(X, y, distilled, random_state).nndr


def privacy_share(record: Mapping[str, Any]) -> float | None:
    """Return the share of the distilled rows nearer to a training row than to a held-out row.

    Parameters
    ----------
    record : mapping of str to Any
        Holds the fields of `PrivacyReport` under "privacy"; a run without held-out rows has none.

    Returns
    -------
    float or None
        In [0, 1]. Fresh rows have the share of the training rows among all.
    """
    return _figure(record, "share")


def privacy_z(record: Mapping[str, Any]) -> float | None:
    """Return by how many standard deviations `privacy_share` exceeds that of fresh rows.

    Parameters
    ----------
    record : mapping of str to Any
        As for `privacy_share`.

    Returns
    -------
    float or None
    """
    return _figure(record, "share_z")


def membership_auc(record: Mapping[str, Any]) -> float | None:
    """Return the area under the ROC curve of membership inference by distance, .5 for chance.

    Parameters
    ----------
    record : mapping of str to Any
        As for `privacy_share`.

    Returns
    -------
    float or None
        In [0, 1].
    """
    return _figure(record, "membership_auc")


def membership_tpr1(record: Mapping[str, Any]) -> float | None:
    """Return the share of training rows that membership inference finds at 1 % false positives.

    Parameters
    ----------
    record : mapping of str to Any
        As for `privacy_share`.

    Returns
    -------
    float or None
        In [0, 1].
    """
    return _figure(record, "membership_tpr1")


def membership_tpr01(record: Mapping[str, Any]) -> float | None:
    """Return the share of training rows that membership inference finds at 0.1 % false positives.

    Parameters
    ----------
    record : mapping of str to Any
        As for `privacy_share`.

    Returns
    -------
    float or None
        In [0, 1].
    """
    return _figure(record, "membership_tpr01")


def _report(X: Any, y: Any, distilled: DistilledSet, random_state: int) -> PrivacyReport:
    """Return the panel without held-out rows, computed once if X is a reference."""

    def compute() -> PrivacyReport:
        return privacy_report(X, y, distilled, random_state=random_state)

    if not isinstance(X, Reference):
        return compute()
    own = content_key(distilled.X, distilled.in_original_units())
    return X.cached(("privacy", random_state, own), compute)


def _figure(record: Mapping[str, Any], name: str) -> float | None:
    value = (record.get("privacy") or {}).get(name)
    return None if value is None else float(value)
