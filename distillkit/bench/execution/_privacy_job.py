"""The job that computes the privacy panel of a distilled set, after the set is made and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distillkit.bench.execution._prepared_data import load_prepared
from distillkit.bench.results._store import read_record
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError

__all__ = ["PANEL", "is_panel", "privacy", "unknown_panel"]

PANEL = 1
"""Version of the panel; stored panels of other versions are computed again."""


def privacy(*, data: str, artefact: str) -> dict[str, Any]:
    """Compute the privacy panel of a stored distilled set.

    The rows that the method has not seen are the test rows. Their values are read here for the
    second time, without their targets, and only to be compared with the finished set: nothing is
    chosen by the panel, which is a part of the report alone.

    Returns
    -------
    dict
        See `distillkit.metrics.PrivacyReport`, with the version of the panel.
    """
    path = Path(artefact)
    record = read_record(path)
    if record is None:
        return unknown_panel("the distilled set is gone or damaged.")
    if record["whole"]:
        return _of_whole_set(int(record["rows"]))
    from distillkit.metrics.privacy import privacy_report

    dataset = load_prepared(Path(data), "train", "test")
    try:
        report = privacy_report(dataset.X_train, None, DistilledSet.load(path), holdout=dataset.X_test)
    except DataError as exc:
        return unknown_panel(str(exc))
    return {**report.to_dict(), "version": PANEL}


def unknown_panel(reason: str) -> dict[str, Any]:
    """Return the panel of a set that cannot be judged."""
    return {"verdict": "unknown", "reasons": [reason], "version": PANEL}


def is_panel(value: Any) -> bool:
    """Return whether a stored value is a panel of this version."""
    return isinstance(value, dict) and isinstance(value.get("verdict"), str) and value.get("version") == PANEL


def _of_whole_set(rows: int) -> dict[str, Any]:
    """Return the panel of the whole training set, whose rows need no comparison."""
    reasons = ["the set is the training set itself."]
    return {"verdict": "fail", "reasons": reasons, "rows": rows, "members": rows, "copies": rows, "version": PANEL}
