"""The figures of the privacy panel, and their account in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["DISCLAIMER", "PrivacyReport"]

DISCLAIMER = (
    "The panel is no formal guarantee: it finds copies and rows that lie too near to training rows, and a set "
    "that passes can still reveal training rows to attacks that it does not make. Only a method with "
    "differential privacy bounds what a set can reveal."
)
"""What the panel does not promise."""

_COPIES = "copies of training rows: {copies} (by coincidence {copies_expected})"
_NEAR = "near copies: {near_copies} (of held-out rows {near_copies_holdout})"
_SHARE = "nearer to a training row: {share} (fresh rows {share_expected} ± {share_sd}, z {share_z})"
_RATIO = "distance ratio: {nndr} (held-out rows {nndr_holdout})"
_AUC = "membership inference: AUC {membership_auc} ± {membership_auc_error}"
_TPR1 = "true positive rate at 1 %: {membership_tpr1} (fresh rows {membership_tpr1_expected})"
_TPR01 = "true positive rate at 0.1 %: {membership_tpr01} (fresh rows {membership_tpr01_expected})"
_LINES = (_COPIES, _NEAR, _SHARE, _RATIO, _AUC, _TPR1, _TPR01)


@dataclass(frozen=True, kw_only=True)
class PrivacyReport:
    """Figures that show whether a distilled set publishes the rows that it was made from.

    Figures that need held-out rows are None without them.

    Parameters
    ----------
    verdict : {"fail", "warn", "pass", "unknown"}
        "unknown" if there are too few held-out rows to tell.
    reasons : tuple of str
        The findings that the verdict rests on, in words.
    rows : int
        Number of published rows.
    members, holdout : int
        Number of training rows and of held-out rows.
    compared : int
        Number of published rows whose distances were computed; a large set is sampled.
    copies : int
        Published rows that equal a training row, bit for bit or up to rounding.
    copies_expected : float
        Number of held-out rows that equal a training row, per held-out row, times `rows`.
    near_copies, near_copies_holdout : int or None
        Published rows, other than copies, less than half as far from the nearest training row
        (held-out row) as from the second nearest one.
    nndr, nndr_holdout : float or None
        Median over the published rows of the nearest-neighbor distance ratio: the distance to the
        nearest training row (held-out row) over that to the second nearest one; in [0, 1].
    dcr, dcr_holdout : float or None
        Median distance of the published rows to the closest training row (held-out row), in units
        of the rows.
    dcr_5, dcr_5_holdout : float or None
        The fifth percentiles of the same distances.
    share, share_expected, share_sd, share_z : float or None
        Share of the published rows nearer to a training row than to a held-out row, what fresh rows
        would give, the standard deviation of this, and the difference in units of it.
    membership_auc, membership_auc_error : float or None
        Area under the ROC curve of the attack that calls rows near published ones members, and its
        standard error; .5 for chance.
    membership_tpr1, membership_tpr01 : float or None
        True positive rate of this attack at a false positive rate of 1 % and of 0.1 %.
    membership_tpr1_expected, membership_tpr01_expected : float or None
        The same rates for fresh rows.
    """

    verdict: str
    reasons: tuple[str, ...] = field(default=())
    rows: int
    members: int
    holdout: int
    compared: int
    copies: int
    copies_expected: float = 0.0
    near_copies: int | None = None
    near_copies_holdout: int | None = None
    nndr: float | None = None
    nndr_holdout: float | None = None
    dcr: float | None = None
    dcr_holdout: float | None = None
    dcr_5: float | None = None
    dcr_5_holdout: float | None = None
    share: float | None = None
    share_expected: float | None = None
    share_sd: float | None = None
    share_z: float | None = None
    membership_auc: float | None = None
    membership_auc_error: float | None = None
    membership_tpr1: float | None = None
    membership_tpr1_expected: float | None = None
    membership_tpr01: float | None = None
    membership_tpr01_expected: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict, the reasons and the figures as JSON-able values."""
        return asdict(self) | {"reasons": list(self.reasons)}

    def __str__(self) -> str:
        head = f"{self.rows} published rows, {self.members} training rows, {self.holdout} held-out rows"
        shown = {name: _shown(value) for name, value in asdict(self).items() if name not in ("verdict", "reasons")}
        figures = (text.format(**shown) for text in _LINES)
        reasons = (f"- {reason}" for reason in self.reasons)
        return "\n".join([f"Privacy panel: {self.verdict.upper()} ({head})", *reasons, *figures, DISCLAIMER])


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3g}"
