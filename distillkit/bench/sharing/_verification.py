"""Verifies stored results: all rows and files by their checksums, and a sample of rows by a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.planning._united_plan import measured_otherwise
from distillkit.bench.sharing._integrity import file_problems, row_problems
from distillkit.bench.sharing._own_objects import not_checkable
from distillkit.bench.sharing._reproduction import Reproduction, reproduce
from distillkit.bench.sharing._row_source import RowSource
from distillkit.exceptions import DistillkitError

__all__ = ["Check", "Verification", "reasons_of", "verify"]


@dataclass(frozen=True)
class Check:
    """One row of the sample: what became of it, and why.

    Parameters
    ----------
    row : dict
    outcome : {"identical", "different", "error"}
    reasons : list of str
        The values that differ, the versions that changed and notes, or the error.
    """

    row: Mapping[str, Any]
    outcome: str
    reasons: list[str] = field(default_factory=list)


@dataclass
class Verification:
    """The outcome of a verification.

    Parameters
    ----------
    n_rows : int
        Number of rows whose keys and metrics were checked.
    problems : list of str
        What is wrong with rows and files, in sentences.
    checks : list of Check
        The rows that were run again.
    not_checkable : dict of str to int
        Why rows cannot run again anywhere, and of how many rows that is true. These are no failure:
        their keys and metrics were checked as those of all rows.
    """

    n_rows: int
    problems: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    not_checkable: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong and every row of the sample is identical."""
        return not self.problems and all(check.outcome == "identical" for check in self.checks)


def verify(
    source: RowSource,
    *,
    sample: int | None = 5,
    seed: int = 0,
    base: RowSource | None = None,
    data_root: Path | None = None,
    on_check: Callable[[Check], None] | None = None,
) -> Verification:
    """Check all rows and files, and run a random sample of the rows again.

    Parameters
    ----------
    source : RowSource
    sample : int or None, default=5
        Number of rows to run again, drawn without replacement from those that can; None runs all.
    seed : int, default=0
        Seed of the sample.
    base : RowSource or None
        Rows that were verified before: the sample is drawn from the others, and none of these may
        have changed or be missing.
    data_root : Path or None
        Folder in which datasets are searched for.
    on_check : callable or None
        Called with each check as soon as it is made.

    Returns
    -------
    Verification
    """
    # 1. Check what needs no run.
    problems = [f"{key}: {text}" for key, texts in row_problems(source).items() for text in texts]
    problems += file_problems(source)
    new = dict(source.rows)
    if base is not None:
        for key, row in base.rows.items():
            if key not in source.rows:
                problems.append(f"{key}: the row was removed.")
            elif source.rows[key] != row:
                problems.append(f"{key}: the row was changed.")
            else:
                del new[key]
        reasons = measured_otherwise(base.rows.values(), new.values())
        problems += [f"the new rows do not compare with those that are there: {reason}." for reason in reasons]
    # 2. Run a sample again. Rows that no run has made say nothing that could be measured.
    made = {key: not_checkable(row) for key, row in new.items() if row.get("status") != "skipped"}
    keys = sorted(key for key, reason in made.items() if reason is None)
    if sample is not None and sample < len(keys):
        keys = sorted(np.random.default_rng(seed).choice(keys, sample, replace=False).tolist())
    unchecked = Counter(reason for reason in made.values() if reason is not None)
    result = Verification(len(source.rows), problems, not_checkable=dict(unchecked))
    for key in keys:
        check = _checked(source, key, data_root)
        result.checks.append(check)
        if on_check is not None:
            on_check(check)
    return result


def _checked(source: RowSource, key: str, data_root: Path | None) -> Check:
    row = source.rows[key]
    try:
        outcome = reproduce(row, source, data_root)
    except DistillkitError as exc:
        return Check(row, "error", [str(exc)])
    return Check(row, "identical" if outcome.identical else "different", reasons_of(outcome))


def reasons_of(outcome: Reproduction) -> list[str]:
    """Return the differences and their possible causes; of an identical row only the notes."""
    if outcome.identical:
        return outcome.notes
    changes = [f"changed since: {change}" for change in outcome.changes] or ["no version or hardware has changed"]
    return [*map(str, outcome.differences), *changes, *outcome.notes]
