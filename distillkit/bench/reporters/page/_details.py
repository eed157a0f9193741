"""What the drawer of the page shows of an entry: parameters, runs, data, versions and privacy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.leaderboard._entry import finite
from distillkit.bench.reporters.page._payload import entry_key, entry_keys, short
from distillkit.bench.results._store import ResultsStore

__all__ = ["entry_details"]

_FIELDS = {
    "method": "method_name",
    "version of the method": "method_version",
    "plugin": "plugin",
    "version of the plugin": "plugin_version",
    "dataset": "dataset_name",
    "revision of the dataset": "dataset_revision",
    "evaluator": "evaluator_name",
    "version of the evaluator": "evaluator_version",
    "plugin of the evaluator": "evaluator_plugin",
    "protocol": "protocol",
    "threads": "threads",
    "limit of seconds": "limit_seconds",
    "limit of memory (MB)": "limit_mb",
}
"""What made the values, by the name on the page; runs of one entry share these fields."""

_PARAMETERS = {
    "method": "method_params",
    "dataset": "dataset_params",
    "evaluator": "evaluator_params",
}

_SIZES = {"training rows": "n_train", "test rows": "n_test", "test rows that equal a training row": "shared_rows"}


def entry_details(leaderboard: LeaderboardData, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the drawer shows, as values for JSON.

    Parameters
    ----------
    leaderboard : LeaderboardData
    entries : sequence of mapping
        The rows of the leaderboard's table.

    Returns
    -------
    dict
        ``entries`` has one dict for each entry with finished rows, by its place in the table;
        ``environments`` the versions and the hardware by hash; ``command`` the command that
        reproduces a run, up to its key.
    """
    places = entry_keys(entries)
    metrics = {place: entry["metric"] for place, entry in enumerate(entries)}
    found: dict[int, dict[str, Any]] = {}
    prepared = _Preparations(leaderboard)
    for row in leaderboard.rows:
        place = places.get(entry_key(row))
        if place is None:
            continue
        detail = found.setdefault(place, {**_facts(row), "data": prepared.words(row), "runs": [], "errors": []})
        detail["runs"].append(_run(row, metrics[place], detail["errors"]))
    for place, detail in found.items():
        if reasons := entries[place]["privacy_reasons"]:
            detail["reasons"] = reasons
    return {
        "entries": found,
        "environments": {key: _flat(value) for key, value in leaderboard.environments.items()},
        # Wherever the results lie, the name of their suite is the name of their folder by default.
        "command": ["distillkit", "reproduce", shlex.quote(f"results/{leaderboard.title}")],
    }


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all runs of an entry share."""
    parameters = {
        name: {key: _as_text(value) for key, value in (row.get(field) or {}).items()}
        for name, field in _PARAMETERS.items()
    }
    known = {name: str(row[field]) for name, field in _FIELDS.items() if row.get(field) is not None}
    return {
        "parameters": {name: values for name, values in parameters.items() if values},
        "provenance": known,
        "metrics": ", ".join(map(str, row.get("metric_versions") or ())),
        "environment": row.get("environment"),
        "exposes": row.get("exposes_originals"),
        "starts": row.get("starts_from_real"),
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _run(row: Mapping[str, Any], metric: str, errors: list[str]) -> list[Any]:
    """Return one run as a list; its error stands in `errors`, because runs often share it."""
    error = None
    if row.get("error"):
        words = str(row["error"])
        if words not in errors:
            errors.append(words)
        error = errors.index(words)
    return [
        row["key"],
        row.get("split"),
        row["distil_seed"],
        row["eval_seed"],
        row["status"],
        short(finite((row.get("metrics") or {}).get(metric))),
        short(row.get("seconds_distil")),
        short(row.get("seconds_train")),
        row.get("phase"),
        error,
        row.get("set_digest", "")[:16] if row.get("set_digest") else None,
    ]


class _Preparations:
    """Finds how the data of rows were prepared, once for each prepared dataset."""

    def __init__(self, leaderboard: LeaderboardData) -> None:
        self._store = None if leaderboard.folder is None else ResultsStore(leaderboard.folder)
        self._known: dict[str, str] = {}

    def words(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Return the sizes and the preparation of the data of a row, by name."""
        facts = {name: f"{row[field]:,}" for name, field in _SIZES.items() if isinstance(row.get(field), int)}
        if row.get("task_note"):
            facts["task"] = str(row["task_note"])
        key = str(row.get("data_key") or "")
        if key not in self._known:
            self._known[key] = self._read(key)
        return facts | ({"preparation": self._known[key]} if self._known[key] else {})

    def _read(self, key: str) -> str:
        """Return the preparation in words; empty where the prepared data are gone."""
        if self._store is None or not key:
            return ""
        try:
            facts = json.loads((self._store.data_path(key) / "dataset.json").read_text(encoding="utf-8"))
            return str(facts.get("preparation") or "")
        except (OSError, ValueError, AttributeError):
            return ""


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as a single one from joined names to texts."""
    flat: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, Mapping):
            flat |= _flat(item, f"{prefix}{name}: ")
        else:
            text = ", ".join(map(str, item)) or "none" if isinstance(item, list | tuple) else str(item)
            flat[f"{prefix}{name}"] = text
    return flat
