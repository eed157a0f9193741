"""Bundles of groups, which an engine sends to a worker as one task, and the task itself."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from distillkit.exceptions import ResultsError

__all__ = ["Bundle", "Rows", "bundles", "run_bundle"]

Rows = list[dict[str, Any]]
Bundle = list[Any]


def bundles(groups: Iterable[Any], size: int) -> Iterator[Bundle]:
    """Yield groups that need the same resources, so many at a time."""
    alike: dict[tuple[tuple[str, float], ...], list[Any]] = {}
    for group in groups:
        alike.setdefault(tuple(sorted(group.resources.items())), []).append(group)
    for same in alike.values():
        waiting = iter(same)
        while bundle := list(islice(waiting, size)):
            yield bundle


def run_bundle(run_group: Callable[[Any], Rows], bundle: Bundle) -> Rows:
    """Run groups one after the other on a worker and return their rows.

    Raises
    ------
    ResultsError
        If the worker does not see the results folder.
    """
    folder = getattr(run_group, "folder", None)
    if folder is not None and not (folder / "plan.json").is_file():
        raise ResultsError(
            f"the worker on {platform.node()} does not see the results folder {folder}: "
            "give one on a disk that all machines share with --output."
        )
    return [row for group in bundle for row in run_group(group)]
