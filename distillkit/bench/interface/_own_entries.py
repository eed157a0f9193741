"""Puts the objects and rows of a suite that was made in Python into its results folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from distillkit.base import BaseDistiller
from distillkit.bench.own._arrays import own_rows
from distillkit.bench.own._registration import store_own
from distillkit.bench.own._rows import StoredRows, store_rows
from distillkit.bench.own._traits import reduces_model
from distillkit.exceptions import DataError

__all__ = ["OwnEntries"]

_MOST_CHARACTERS = 60
_ROWS = ("X", "y", "X_test", "y_test", "sample_weight")


class OwnEntries:
    """Turns the entries of a suite that hold objects into entries that a file could hold.

    Parameters
    ----------
    folder : Path
        The results folder.

    Attributes
    ----------
    rows : dict of str to StoredRows
        The rows that were stored, by the label of the dataset.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, StoredRows] = {}

    def suite(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keys of a suite without objects.

        Parameters
        ----------
        data : mapping
            As in a suite file. ``methods`` and ``evaluators`` may also hold distillers and
            estimators, or be mappings from labels to entries, and tables in ``datasets`` may hold
            the rows themselves.

        Raises
        ------
        DataError
            If an object or rows cannot be used.
        """
        converted = dict(data)
        for key, kind in (("methods", "method"), ("evaluators", "evaluator")):
            if key in data and not (isinstance(data[key], str) and data[key] == "all"):
                converted[key] = self.entries(key, kind, data[key])
        if "datasets" in data:
            converted["datasets"] = [self.dataset(item) for item in _items("datasets", data["datasets"])]
        return converted

    def entries(self, key: str, kind: str, given: Any) -> list[Any]:
        """Return the entries of methods or evaluators, as names and tables."""
        return _numbered([self.entry(key, kind, item) for item in _items(key, given)])

    def entry(self, key: str, kind: str, item: Any) -> Any:
        """Return one entry, with an own object in place of ``name`` stored and named."""
        table = dict(item) if isinstance(item, Mapping) else {"name": item}
        value = table.get("name")
        if isinstance(value, str) or value is None:
            return item
        _check(key, kind, value)
        what = f"{key}: {_text(value)}"
        label = str(table.get("label", _text(value)))
        return {**table, "name": store_own(self.folder, kind, value, what), "label": label}

    def dataset(self, item: Any) -> Any:
        """Return the entry of a dataset, with rows in it stored in a file."""
        if not isinstance(item, Mapping) or "X" not in item:
            return item
        table = dict(item)
        rows = own_rows(*(table.pop(name, None) for name in _ROWS))
        label, task = str(table.pop("label", None) or "data"), table.pop("task", None)
        if table:
            raise DataError(f"datasets: {', '.join(map(repr, table))} does not go with rows: give X, y and label.")
        self.rows[label] = store_rows(self.folder, rows, task)
        return {**self.rows[label].table, "label": label}


def _items(key: str, given: Any) -> list[Any]:
    """Return a list of entries; the keys of a mapping are their labels."""
    if isinstance(given, Mapping) and not {"name", "X", "path"} & set(given):
        return [
            {**(item if isinstance(item, Mapping) else {"name": item}), "label": str(label)}
            for label, item in given.items()
        ]
    if isinstance(given, Mapping | str) or not isinstance(given, Iterable):
        return [given]
    if hasattr(given, "fit"):  # A pipeline can be iterated over, too.
        return [given]
    items = list(given)
    if not items:
        raise DataError(f"{key} is empty: name at least one.")
    return items


def _check(key: str, kind: str, value: Any) -> None:
    """Raise an error for an object that cannot serve as a method or an evaluator."""
    if isinstance(value, type):
        raise DataError(f"{key}: {value.__name__} is a class: give an object of it, {value.__name__}(...).")
    text = _text(value)
    if kind == "evaluator":
        lacking = [name for name in ("fit", "predict") if not callable(getattr(value, name, None))]
        if lacking:
            raise DataError(
                f"{key}: {text} has no {' and no '.join(lacking)}: give a registered name (`distillkit list "
                "evaluators`), or an estimator of scikit-learn with fit and predict."
            )
    elif not isinstance(value, BaseDistiller) and not reduces_model(value):
        remedy = "give it as evaluators=[...]" if hasattr(value, "predict") else "derive its class from BaseDistiller"
        raise DataError(
            f"{key}: {text} is neither a registered name (`distillkit list methods`) nor a distiller: {remedy}."
        )


def _text(value: Any) -> str:
    """Return an object in one short line."""
    text = re.sub(r"\s+", " ", repr(value)).replace("( ", "(")
    if text.startswith("<") and " object at 0x" in text:
        text = f"{type(value).__name__}()"
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."


def _numbered(entries: list[Any]) -> list[Any]:
    """Number the labels of own objects that others have as well."""
    seen: dict[str, int] = {}
    for place, entry in enumerate(entries):
        label = entry.get("label", "") if isinstance(entry, Mapping) else str(entry)
        number = seen[label] = seen.get(label, 0) + 1
        if number > 1 and isinstance(entry, Mapping) and str(entry.get("name", "")).startswith("own/"):
            entries[place] = {**entry, "label": f"{label} ({number})"}
    return entries
