"""The actions of a child process: prepare data, distil, evaluate, or fit a student model."""

from __future__ import annotations

import importlib
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.evaluation._checks import checked_predictions, checked_rows
from distillkit.bench.evaluation._data_metrics import measure_data
from distillkit.bench.evaluation._evaluate import measure, train_and_predict
from distillkit.bench.evaluation._probabilities import measure_probabilities, need_probabilities
from distillkit.bench.evaluation._students import measure_model
from distillkit.bench.execution._checkpoints import fit_from_checkpoints
from distillkit.bench.execution._data_facts import data_facts
from distillkit.bench.execution._floor_folder import floor_folder
from distillkit.bench.execution._prepared_data import load_prepared, store_prepared
from distillkit.bench.execution._privacy_job import privacy
from distillkit.bench.execution._sizes import distilled_bytes, training_bytes
from distillkit.bench.own._registration import register_own
from distillkit.bench.results._outcomes import encode
from distillkit.bench.results._store import read_record, write_json
from distillkit.datasets import Dataset
from distillkit.distilled import DistilledSet
from distillkit.distilled._reading import read_card
from distillkit.exceptions import ArtefactError
from distillkit.metrics import Reference
from distillkit.plotting._history_data import stored_history
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method
from distillkit.utils._weights import require_weight_support, weight_argument

__all__ = ["distil", "evaluate", "fit_model", "load_prepared", "prepare", "privacy", "register_own"]

_MAX_TEXT = 200
"""Length to which texts of methods are cut in records."""


def prepare(
    *, name: str, params: dict[str, Any], root: str | None, folder: str, targets: str | None = None
) -> dict[str, Any]:
    """Load a dataset and store its arrays, so that later jobs need not parse the files again.

    The targets of the test rows and other facts are stored apart, in the file `targets`, unless it
    is None.
    """
    dataset = get_manager().get("dataset", name).load()(None if root is None else Path(root), **params)
    store_prepared(dataset, Path(folder))
    facts = data_facts(dataset)
    if targets is not None:
        write_json(Path(targets), facts)
    return {fact: facts[fact] for fact in ("n_train", "n_test", "shared_rows")}


def distil(
    *,
    data: str,
    method: str,
    params: dict[str, Any],
    task: str,
    budget: Any,
    seed: int,
    artefact: str,
    metrics: list[str],
) -> dict[str, Any]:
    """Distil the training rows, store the artefact with its record, and compute its data metrics.

    An artefact that exists already is not made again. Those of the `metrics` of stage "data", given
    as ``"name@version"``, that its record lacks are computed and added, with their floors.
    """
    path = Path(artefact)
    dataset = load_prepared(Path(data), "train")
    record = read_record(path)
    # 1. Distil, unless an earlier run has done so.
    if record is None:
        distiller = build_distiller(method, params, task, budget, seed)
        _import_packages(method)
        require_weight_support("method", distiller, dataset.weight_train)
        weights = weight_argument(dataset.weight_train)
        started = time.perf_counter()
        fit_from_checkpoints(distiller, lambda: distiller.fit(dataset.X_train, dataset.y_train, **weights), path)
        seconds = time.perf_counter() - started
        distilled = checked_rows(distiller.distilled_, dataset)
        facts = {
            "bytes": distilled_bytes(distilled, Path(data)),
            "bytes_seen": training_bytes(Path(data)),
            # Those before an interruption count: a method whose fit was resumed has added them up.
            "seconds_distil": max(seconds, _number(distilled.provenance.get("seconds"))),
            **_histories(distiller),
        }
        record = _store(distilled, dataset, path, facts)
    # 2. Compute the metrics that the record lacks.
    missing = [metric for metric in metrics if metric not in record["data_metrics"]]
    if missing:
        _measure_data(record, missing, load_distilled(path, record, dataset), dataset, path, Path(data))
        write_json(path.with_suffix(".json"), record)
    return record


def _measure_data(
    record: dict[str, Any], metrics: list[str], distilled: DistilledSet, dataset: Dataset, path: Path, data: Path
) -> None:
    """Add metrics of stage "data", given as ``"name@version"``, and their floors to a record.

    Their random state is 0 for every distillation seed, so that sets of all seeds and methods are
    compared with the same random rows and in the same features.
    """
    names = {metric: metric.partition("@")[0] for metric in metrics}
    measured: dict[str, dict[str, Any]] = {}
    if dataset.weight_train is None:  # metrics of the data compare with rows that count once each
        reference = Reference(dataset.X_train, dataset.y_train, task=dataset.task)
        cache = floor_folder(path.parent / "floors" / data.name)
        measured = measure_data(names.values(), reference, distilled, cache=cache)
    floors = record.setdefault("floors", {})
    for metric, name in names.items():
        result = measured.get(name, {"value": None})
        record["data_metrics"][metric] = result.pop("value")
        floors[metric] = result


def _import_packages(method: str) -> None:
    """Import the packages that a method needs, so that its measured time does not include this."""
    for package in get_manager().get("method", method).requires:
        importlib.import_module(package)


def build_distiller(method: str, params: dict[str, Any], task: str, budget: Any, seed: int) -> Any:
    """Create a method, with budget, task and seed set only if it has these parameters.

    If the parameter ``distiller`` is text, it names the method inside a meta-distiller, optionally
    with a preset, and that method gets the budget.
    """
    return make_method(method, params, {"budget": budget, "task": task, "random_state": seed})


def _number(value: Any) -> float:
    """Return a finite number, or zero for anything else that a provenance may hold."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else 0.0


def _histories(distiller: Any) -> dict[str, Any]:
    """Return the training histories for the loss curves, including that of a teacher if any."""
    paths = {"history": "history_", "teacher_history": "teacher_.history_"}
    return {name: history for name, path in paths.items() if (history := stored_history(distiller, path))}


def _store(distilled: DistilledSet, dataset: Dataset, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Store a distilled set and its record with further facts, and return the record."""
    whole = _is_whole(distilled, dataset)
    if not whole:  # The rows of the whole training set are stored already.
        distilled.save(path)
    stopped_by = distilled.provenance.get("stopped_by")
    record: dict[str, Any] = {
        "whole": whole,
        "rows": len(distilled),
        "rows_seen": len(dataset.X_train),
        "stopped_by": None if stopped_by is None else str(stopped_by)[:_MAX_TEXT],
        "data_metrics": {},
        # Rows have the checksum of the arrays, so that a set is known again where its file is not.
        "set_digest": None if whole else read_card(path)["sha256"],
        **facts,
    }
    write_json(path.with_suffix(".json"), record)
    return record


def _is_whole(distilled: DistilledSet, dataset: Dataset) -> bool:
    """Return whether a set is exactly the training set, so that it need not be stored again."""
    same_rows = distilled.indices is not None and np.array_equal(distilled.indices, np.arange(len(dataset.X_train)))
    unmodified = distilled.soft_labels is None and distilled.preprocessing is None
    return same_rows and unmodified and bool(np.all(distilled.sample_weight == 1))


def load_distilled(path: Path, record: dict[str, Any], dataset: Dataset) -> DistilledSet:
    """Read a distilled set; if it is the whole training set, create it from the training rows."""
    if not record["whole"]:
        return DistilledSet.load(path)
    return DistilledSet(dataset.X_train, dataset.y_train, indices=np.arange(len(dataset.X_train)))


def evaluate(
    *,
    data: str,
    artefact: str,
    evaluator: str,
    params: dict[str, Any],
    seed: list[int],
    metrics: list[str],
) -> dict[str, Any]:
    """Train an evaluator on a distilled set and measure it on the test rows.

    For methods that reduce rows, this is the only use of the targets of the test rows.
    """
    path = Path(artefact)
    record = read_record(path)
    if record is None:
        raise ArtefactError(
            f"the distilled set {path.name} is gone or damaged: run again with --retry failed to make it anew."
        )
    dataset = load_prepared(Path(data), *(("test", "train") if record["whole"] else ("test",)))
    distilled = load_distilled(path, record, dataset)
    spec = get_manager().get("evaluator", evaluator)
    options = {"repeat": True, "probabilities": need_probabilities(metrics)}
    outcome = train_and_predict(distilled, dataset.X_test, spec, dataset.task, _random_state(seed), params, **options)
    predictions = checked_predictions(outcome.predictions, len(dataset.X_test))
    measured = measure("prediction", metrics, dataset.y_test, predictions)
    measured |= measure_probabilities(metrics, dataset.y_test, outcome.probabilities)
    measured |= measure("run", metrics, {**record, "seconds_train": outcome.seconds_train})
    return {
        "metrics": {name: value for name, value in measured.items() if value is not None},
        "outcome": encode(predictions, len(dataset.classes) or None),
        "seconds_train": outcome.seconds_train,
        "seconds_predict": outcome.seconds_predict,
        **outcome.cost.fields(),
    }


def _random_state(seed: list[int]) -> int:
    return int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)


def fit_model(
    *, data: str, method: str, params: dict[str, Any], task: str, seed: list[int], metrics: list[str]
) -> dict[str, Any]:
    """Fit a method that reduces a model, and measure its predictions for the test rows.

    The test rows are opened only after the fit. The random state depends on the two seeds alone, so
    that methods with the same teacher settings train exactly the same teacher.
    """
    dataset = load_prepared(Path(data), "train")
    model = build_distiller(method, params, task, None, _random_state(seed))
    _import_packages(method)
    require_weight_support("method", model, dataset.weight_train)
    started = time.perf_counter()
    model.fit(dataset.X_train, dataset.y_train, **weight_argument(dataset.weight_train))
    seconds = time.perf_counter() - started
    try:
        test, nbytes = load_prepared(Path(data), "test"), training_bytes(Path(data))
        return measure_model(model, dataset, test, seconds, metrics, nbytes=nbytes)
    except Exception as exc:
        exc.add_note("after the fit, on the test rows")
        raise
