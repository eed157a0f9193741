"""Checks stored rows and files by their keys, their checksums and each other, without a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distillkit.bench.execution._prepared_data import is_intact
from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.planning._keys import digest
from distillkit.bench.results._outcomes import decode
from distillkit.bench.results._store import read_record
from distillkit.bench.sharing._row_source import RowSource
from distillkit.exceptions import ArtefactError, ResultsError
from distillkit.plugins import get_manager

__all__ = ["file_problems", "row_problems"]

_KEYS = ("key", "distil_key", "data_key")


def row_problems(source: RowSource) -> dict[str, list[str]]:
    """Return what is wrong with rows, in sentences by key; rows without problems are left out.

    The keys of a row are computed again from its fields. The metrics of its predictions are
    computed again from the stored predictions and targets, where both are stored. The checksum of
    its distilled set is compared with that in the file of the set.
    """
    targets = _Targets(source)
    problems: dict[str, list[str]] = {}
    for key, row in source.rows.items():
        found = [text for check in (_wrong_keys, targets.wrong_metrics) if (text := check(row)) is not None]
        if (text := _wrong_set(row, source)) is not None:
            found.append(text)
        if found:
            problems[key] = found
    return problems


def _wrong_keys(row: Mapping[str, Any]) -> str | None:
    if "metric_versions" not in row or "dataset_params" not in row:
        return None  # A row of an earlier version without its plan.
    expected = cell_keys(row)
    wrong = [name for name in _KEYS if name in row and row[name] != getattr(expected, name)]
    if not wrong:
        return None
    return f"its {' and '.join(wrong)} are not those of its fields, which were changed after it was written."


class _Targets:
    """The targets of test rows, decoded once for each prepared dataset."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._decoded: dict[str, Any] = {}

    def of(self, data_key: str) -> Any:
        if data_key not in self._decoded:
            stored = self._source.store.targets(data_key)
            self._decoded[data_key] = None if stored is None else decode(stored)
        return self._decoded[data_key]

    def wrong_metrics(self, row: Mapping[str, Any]) -> str | None:
        """Return which metrics are not those of the stored predictions, or None."""
        targets = self.of(str(row.get("data_key"))) if row.get("outcome") else None
        if targets is None:
            return None
        try:
            predictions = decode(row["outcome"])
        except ResultsError as exc:
            return str(exc)
        if len(predictions) != len(targets):
            return f"it has {len(predictions)} predictions for {len(targets)} test rows."
        if row["outcome"].get("type") == "float32":  # Predicted numbers are stored with fewer digits.
            return None
        wrong = [name for name, value in row["metrics"].items() if _differs(name, value, targets, predictions, row)]
        return f"its {', '.join(wrong)} are not those of its predictions." if wrong else None


def _differs(name: str, value: Any, targets: Any, predictions: Any, row: Mapping[str, Any]) -> bool:
    """Return whether a metric of predictions, in the version of the row, has another value."""
    spec = get_manager().specs("metric").get(name)
    version = f"{name}@{getattr(spec, 'version', 0)}"
    comparable = version in (row.get("metric_versions") or ())
    if spec is None or not comparable or getattr(spec, "stage", "") != "prediction" or spec.missing():
        return False
    if "probabilities" in getattr(spec, "needs", ()):
        return False
    return bool(abs(float(spec.load()(targets, predictions)) - float(value)) > 1e-12)


def _wrong_set(row: Mapping[str, Any], source: RowSource) -> str | None:
    """Return what is wrong with the distilled set of a row, if its file is there."""
    if not row.get("artefact") or not row.get("set_digest") or (path := source.artefact(row)) is None:
        return None
    from distillkit.distilled._reading import read_card

    try:
        stored = read_card(path)["sha256"]
    except ArtefactError as exc:
        return f"its distilled set cannot be read ({exc})."
    return None if stored == row["set_digest"] else "the file of its distilled set holds another set."


def file_problems(source: RowSource) -> list[str]:
    """Return what is wrong with the files beside the rows, in sentences.

    Environments are named by their hash. Distilled sets and prepared data have checksums.
    """
    folder = source.store.folder
    problems = list(source.problems)
    for key, environment in source.store.environments().items():
        if digest(environment) != key:
            problems.append(f"environments/{key}.json was changed after it was written: its hash is another.")
    problems += _damaged(folder / "artefacts", "*.safetensors", lambda path: read_record(path) is None)
    problems += _damaged(folder / "data", "*", lambda path: path.is_dir() and not is_intact(path))
    used = {row.get("environment") for row in source.rows.values()} - {None}
    missing = sorted(str(key) for key in used - source.store.environments().keys())
    problems += [f"environments/{key}.json is missing, which rows name." for key in missing]
    return problems


def _damaged(folder: Path, pattern: str, is_damaged: Callable[[Path], bool]) -> list[str]:
    paths = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    return [
        f"{folder.name}/{path.name} is damaged: its checksum does not match, or its record is missing."
        for path in paths
        if is_damaged(path)
    ]
