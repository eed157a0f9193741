"""Sentences on the test rows and intervals of a dataset, for reports to show with its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["dataset_notes", "interval_notes"]


def dataset_notes(rows: Sequence[Mapping[str, Any]], looks: int) -> list[str]:
    """Return notes on the splits and test rows of a dataset.

    Parameters
    ----------
    rows : sequence of mapping
        Its finished rows.
    looks : int
        Number of stored evaluations on its test rows.
    """
    own = [row for row in rows if row.get("status") == "ok"]
    notes = []
    splits = {row["split"] for row in own if row.get("split") is not None}
    if len(splits) > 1:
        notes.append(f"{len(splits)} splits into training and test rows.")
    elif splits:
        notes.append("One split into training and test rows.")
    shared = {(row.get("data_key"), row["shared_rows"], row.get("n_test")) for row in own if row.get("shared_rows")}
    if shared:
        counts = sorted({count for _, count, _ in shared})
        text = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        sizes = sorted({size for _, _, size in shared if size})
        total = f" of {sizes[-1]:,}" if sizes else ""
        notes.append(f"{text}{total} test rows equal a training row.")
    if looks:
        notes.append(f"{looks:,} evaluations on its test rows are stored.")
    return notes


def interval_notes(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the reasons why entries have no interval, and what the others are based on."""
    entries = list(entries)
    reasons = dict.fromkeys(entry["note"] for entry in entries if entry["note"])
    bases = dict.fromkeys(entry["interval_from"] for entry in entries if entry["interval_from"])
    notes = [f"Intervals cover the sampling of {_joined(bases)}."] if bases else []
    return notes + [f"{reason[0].upper()}{reason[1:]}." for reason in reasons]


def _joined(bases: Iterable[str]) -> str:
    """Return the longest of the bases: test rows alone are those of methods without randomness."""
    longest = max(bases, key=len)
    return "splits, with their test rows and seeds" if longest == "splits" else longest
