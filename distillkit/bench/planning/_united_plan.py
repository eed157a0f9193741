"""Unites the plan of a run with the plan of its results folder, so that no run shrinks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distillkit.bench.planning._cell_keys import data_options
from distillkit.bench.planning._keys import PROTOCOL, canonical

__all__ = ["UnitedPlan", "difference_from", "measured_otherwise", "unite"]

Fields = Mapping[str, Any]

_SLOT = ("dataset", "evaluator", "label_mode", "budget", "method", "split", "distil_seed", "eval_seed")
"""The fields that say which place a cell has on a leaderboard."""

_DEFINITIONS: dict[str, tuple[str, ...]] = {
    "dataset": ("dataset_name", "dataset_params", "dataset_revision"),
    "method": ("method_name", "method_version", "method_params", "plugin"),
    "evaluator": ("evaluator_name", "evaluator_version", "evaluator_params", "evaluator_plugin"),
}
"""For each kind of label, the fields that say what the label stands for."""

_DEFAULTS = {"evaluator_plugin": "distillkit", "protocol": PROTOCOL, "threads": 1}
"""Values of fields that plans of earlier versions lack."""


@dataclass(frozen=True)
class UnitedPlan:
    """The cells of two plans that can stand on one leaderboard.

    Parameters
    ----------
    cells : list of dict
        All cells of the new plan and those of the old one that it keeps, in the order of the
        leaderboard.
    left : list of dict
        Cells of the old plan that the new one does not have, and that are kept.
    replaced : dict of str to list of dict
        Cells of the old plan that are not kept, because what their labels stand for has changed, by
        the reason in words.
    """

    cells: list[dict[str, Any]]
    left: list[dict[str, Any]]
    replaced: dict[str, list[dict[str, Any]]]

    @property
    def lost(self) -> dict[str, list[dict[str, Any]]]:
        """The replaced cells whose place on the leaderboard no cell of the new plan takes."""
        places = {_slot(cell) for cell in self.cells}
        lost = {
            reason: [cell for cell in cells if _slot(cell) not in places] for reason, cells in self.replaced.items()
        }
        return {reason: cells for reason, cells in lost.items() if cells}


def unite(new: Sequence[dict[str, Any]], old: Sequence[dict[str, Any]], *, whole: bool = True) -> UnitedPlan:
    """Unite the cells of a plan with those of an earlier one.

    A cell of the old plan stays unless it is in the new one as well, or was measured in another way
    than the cells of the new plan that it would be compared with.

    Parameters
    ----------
    new, old : sequence of dict
        Cells as `distillkit.bench.planning._cells.Cell.identity` returns them.
    whole : bool, default=True
        Whether the new plan is that of a whole suite, so that its order holds. The cells of a
        filtered plan otherwise keep the places that they have in the old one.

    Returns
    -------
    UnitedPlan
    """
    keys, places = {cell["key"] for cell in new}, {_slot(cell) for cell in new}
    known = _Definitions(new)
    kept, replaced = [], dict[str, list[dict[str, Any]]]()
    for cell in old:
        if cell["key"] in keys:
            continue
        reason = known.difference(cell)
        if reason is None and _slot(cell) in places:
            reason = "measured with other metrics or settings"
        if reason is None:
            kept.append(cell)
        else:
            replaced.setdefault(reason, []).append(cell)
    if whole:
        return UnitedPlan([*new, *kept], kept, replaced)
    by_key = {cell["key"]: cell for cell in new}
    stays = {cell["key"] for cell in kept}
    cells = [by_key.pop(cell["key"], cell) for cell in old if cell["key"] in by_key or cell["key"] in stays]
    return UnitedPlan([*cells, *by_key.values()], kept, replaced)


def difference_from(cells: Iterable[Fields]) -> Callable[[Fields], str | None]:
    """Return a function that says why a cell cannot be compared with some cells, or None."""
    return _Definitions(cells).difference


def measured_otherwise(cells: Iterable[Fields], others: Iterable[Fields]) -> list[str]:
    """Return in words why cells of two plans cannot be compared; empty if they can."""
    reasons = map(difference_from(cells), others)
    return list(dict.fromkeys(reason for reason in reasons if reason is not None))


class _Definitions:
    """What the labels of some cells stand for."""

    def __init__(self, cells: Iterable[Fields]) -> None:
        self._of_label: dict[tuple[str, str], Fields] = {}
        self._of_metric: dict[str, str] = {}
        self._by_dataset: dict[str, Fields] = {}
        for cell in cells:
            self._by_dataset.setdefault(cell["dataset"], cell)
            for kind in _DEFINITIONS:
                self._of_label.setdefault((kind, cell[kind]), cell)
            for metric in _metrics(cell):
                self._of_metric.setdefault(metric.partition("@")[0], metric)

    def difference(self, cell: Fields) -> str | None:
        """Return what a cell has that differs from the cells with its labels, or None."""
        if (beside := self._by_dataset.get(cell["dataset"])) is not None:
            for name, words in (("protocol", "protocol"), ("threads", "number of threads")):
                one, other = (_value(each, name) for each in (cell, beside))
                if one != other:
                    return f"{words} {one} in place of {other}"
        for kind, fields in _DEFINITIONS.items():
            beside = self._of_label.get((kind, cell[kind]))
            if beside is not None and (reason := _change(kind, fields, cell, beside)) is not None:
                return reason
        for metric in _metrics(cell):
            name, _, version = metric.partition("@")
            known = self._of_metric.get(name, metric)
            if known != metric:
                return f"metric {name} version {version} in place of {known.partition('@')[2]}"
        return None


def _metrics(cell: Fields) -> Iterable[str]:
    return cell.get("metric_versions") or (cell["metrics"] if isinstance(cell.get("metrics"), list | tuple) else ())


def _slot(cell: Fields) -> tuple[Any, ...]:
    return tuple(cell.get(name) for name in _SLOT)


def _value(cell: Fields, name: str) -> Any:
    value = cell.get(name)
    if name == "dataset_params" and value is not None:
        return data_options(value)
    return _DEFAULTS.get(name) if value is None else value


def _change(kind: str, fields: Sequence[str], cell: Fields, beside: Fields) -> str | None:
    """Return in words how the definition of a label differs between two cells, or None."""
    for name in fields:
        one, other = _value(cell, name), _value(beside, name)
        if one is not None and one != other and canonical(one) != canonical(other):
            if name.endswith(("_version", "_revision")):
                return f"{kind} {cell[kind]} {name.rpartition('_')[2]} {one} in place of {other}"
            return f"{kind} {cell[kind]} with other {'parameters' if name.endswith('_params') else name}"
    return None
