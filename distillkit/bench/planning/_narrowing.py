"""Narrows a suite to some of its datasets, methods, evaluators, budgets, seeds or splits."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distillkit.bench.planning._suite import Entry, Suite
from distillkit.budget import Budget
from distillkit.exceptions import UnknownNameError
from distillkit.plugins import get_manager

__all__ = ["narrowed"]


def narrowed(
    suite: Suite,
    *,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    evaluators: Sequence[str] = (),
    budgets: Iterable[Any] = (),
    seeds: int | None = None,
    splits: int | None = None,
    download: bool = False,
) -> Suite:
    """Return a suite with a part of its cells, or with others.

    Parameters
    ----------
    suite : Suite
    datasets : sequence of str
        Labels of its datasets; none for all of them.
    methods, evaluators : sequence of str
        Labels of the suite, or any registered names; none for those of the suite. With methods, no
        controls are added.
    budgets : iterable
        Budgets in place of those of the suite, as text or values.
    seeds, splits : int or None
        Numbers of seeds and splits in place of those of the suite.
    download : bool
        Whether datasets that are not on disk are downloaded, where they offer it.

    Raises
    ------
    UnknownNameError
        If the suite has no such dataset.
    BudgetError
        If a budget is malformed.
    """
    changes: dict[str, Any] = {}
    for key, names in (("datasets", datasets), ("methods", methods), ("evaluators", evaluators)):
        if names:
            changes[key] = _choose(key, names, getattr(suite, key))
    if download:
        changes["datasets"] = tuple(map(_with_download, changes.get("datasets", suite.datasets)))
    chosen = [Budget.parse(each) if isinstance(each, str) else Budget(each) for each in budgets]
    if chosen:
        changes["budgets"] = tuple({str(budget): budget for budget in chosen}.values())
    for key, number in (("seeds", seeds), ("splits", splits)):
        if number:
            changes[key] = tuple(range(number))
    is_narrowed = bool(changes.keys() - {"datasets"}) or bool(datasets)
    if methods:
        changes["controls"] = False
    return dataclasses.replace(suite, **changes, narrowed=is_narrowed)


def _with_download(entry: Entry) -> Entry:
    """Return the entry of a dataset with the download turned on, if the dataset offers one."""
    loader = get_manager().get("dataset", entry.name).load()
    downloadable = "download" in inspect.signature(getattr(loader, "load", loader)).parameters
    return dataclasses.replace(entry, params={**entry.params, "download": True}) if downloadable else entry


def _choose(key: str, names: Sequence[str], entries: Iterable[Entry] | None) -> tuple[Entry, ...]:
    """Select entries of the suite by label, and other methods and evaluators by registry name."""
    of_suite: Mapping[str, Entry] = {entry.label: entry for entry in entries or ()}
    if key == "datasets":
        for name in names:
            if name not in of_suite:
                raise UnknownNameError("dataset of this suite", name, of_suite)
    return tuple(of_suite.get(name, Entry(name, name)) for name in names)
