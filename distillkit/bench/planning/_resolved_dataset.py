"""Resolves the datasets of a suite: their revisions, tasks, metrics, and splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from distillkit.bench.planning._keys import digest
from distillkit.bench.planning._suite import Entry, Suite
from distillkit.exceptions import DatasetNotFoundError, DatasetOptionError, MissingPackageError
from distillkit.specs import DatasetSpec
from distillkit.utils._error_line import error_line

__all__ = ["ResolvedDataset", "resolve_dataset"]


@dataclass(frozen=True)
class ResolvedDataset:
    """A dataset of the suite with its revision, task, modality and metrics.

    `splits` holds the numbers of its splits, or is None if it has test rows of its own, and `split`
    is the one of a cell.
    """

    entry: Entry
    revision: str
    task: str
    modality: str
    metrics: tuple[str, ...]
    task_note: str = ""
    failure: str | None = None
    splits: tuple[int, ...] | None = None
    split: int | None = None

    def at(self, split: int | None) -> ResolvedDataset:
        """Return the dataset with the rows of one split."""
        return replace(self, split=split)


def resolve_dataset(
    suite: Suite, root: Path | None, entry: Entry, spec: DatasetSpec, metrics_for: Callable[[str], tuple[str, ...]]
) -> ResolvedDataset:
    """Resolve a dataset, loading it only if its task or modality depends on the file.

    A dataset that cannot be read fails its own cells, unless its files are missing or an option of
    the suite does not fit it.

    Parameters
    ----------
    suite : Suite
    root : Path or None
        The data folder.
    entry : Entry
    spec : DatasetSpec
    metrics_for : callable
        Returns the metrics of a task as ``"name@version"``.
    """
    load = spec.load()
    if hasattr(load, "check"):
        load.check(entry.params)
    try:
        return _readable(suite, root, entry, spec, metrics_for)
    except (DatasetNotFoundError, DatasetOptionError, MissingPackageError):
        raise
    except Exception as exc:  # Loaders of plugins raise anything.
        return _unreadable(entry, spec, metrics_for, exc)


def _readable(
    suite: Suite, root: Path | None, entry: Entry, spec: DatasetSpec, metrics_for: Callable[[str], tuple[str, ...]]
) -> ResolvedDataset:
    """Resolve a dataset whose files can be read."""
    from distillkit.datasets import revision_of
    from distillkit.datasets._loader import holds_out_rows

    revision = revision_of(spec, root, entry.params)
    task, modality = _stated(spec, entry)
    task_note = ""
    if "auto" in (task, modality):
        dataset = spec.load()(root, **entry.params)
        task, modality, task_note = dataset.task, dataset.modality, dataset.task_note
    splits = None
    if holds_out_rows(spec.load(), root, entry.params):
        splits = (entry.params["split"],) if "split" in entry.params else suite.splits
    return ResolvedDataset(entry, revision, task, modality, metrics_for(task), task_note, splits=splits)


def _unreadable(
    entry: Entry, spec: DatasetSpec, metrics_for: Callable[[str], tuple[str, ...]], error: Exception
) -> ResolvedDataset:
    """Return a dataset that cannot be read.

    Its revision differs from that of every dataset that can, so that its cells run once it can be
    read.
    """
    task, modality = _stated(spec, entry)
    task = task if task in ("classification", "regression") else "classification"
    revision = f"unreadable-{digest(entry.params)}"
    return ResolvedDataset(entry, revision, task, modality, metrics_for(task), failure=error_line(error))


def _stated(spec: DatasetSpec, entry: Entry) -> tuple[str, str]:
    """Return the task and the modality that the suite or the specification states."""
    return str(entry.params.get("task", spec.task)), str(entry.params.get("modality", spec.modality))
