"""What a child process does: prepare data, distil, judge, or make a model small. Everything is found by registry name."""

from __future__ import annotations

import importlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.bench.evaluation._evaluate import measure, train_and_predict
from distillkit.bench.evaluation._students import measure_model
from distillkit.bench.results._store import part_of, read_record, write_json
from distillkit.datasets import Dataset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError
from distillkit.plotting._history_data import stored_history
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method

__all__ = ["distil", "evaluate", "fit_model", "prepare"]

_FACTS = ("name", "task", "modality", "classes", "feature_names", "preparation")


def prepare(*, name: str, params: dict[str, Any], root: str | None, folder: str) -> dict[str, Any]:
    """Load a dataset once and store its arrays, so that no later job parses files again."""
    target = Path(folder)
    dataset = get_manager().get("dataset", name).load()(None if root is None else Path(root), **params)
    part = part_of(target)
    part.mkdir(parents=True)
    for array in ("X_train", "y_train", "X_test", "y_test"):
        np.save(part / f"{array}.npy", getattr(dataset, array), allow_pickle=False)
    facts = {fact: getattr(dataset, fact) for fact in _FACTS}
    (part / "dataset.json").write_text(json.dumps(facts), encoding="utf-8")
    try:
        part.replace(target)
    except OSError:  # a folder that is there is whole: another engine's job was first
        shutil.rmtree(part)
        if not target.is_dir():
            raise
    return {"n_train": len(dataset.X_train), "n_test": len(dataset.X_test)}


def load_prepared(folder: Path, *parts: str) -> Dataset:
    """Read the "train" or the "test" rows that `prepare` stored, or both; of the other part one row of this one stands in.

    What is not asked for is not even opened: a method cannot see test rows.
    """
    facts = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    facts["classes"], facts["feature_names"] = tuple(facts["classes"]), tuple(facts["feature_names"])
    arrays: dict[str, Any] = {}
    for part in ("train", "test"):
        for axis in "Xy":
            read = np.load(folder / f"{axis}_{part if part in parts else parts[0]}.npy", allow_pickle=False)
            arrays[f"{axis}_{part}"] = read if part in parts else read[:1]
    return Dataset(**facts, **arrays).as_float()


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
    """Distil the training rows, store the artefact with its record, and measure it on the training rows.

    An artefact that is already there is not made again; `metrics` of stage "data", as ``"name@version"``, that its
    record lacks are added.
    """
    path = Path(artefact)
    dataset = load_prepared(Path(data), "train")
    record = read_record(path)
    if record is None:
        distiller = build_distiller(method, params, task, budget, seed)
        _import_packages(method)
        started = time.perf_counter()
        distiller.fit(dataset.X_train, dataset.y_train)
        seconds = time.perf_counter() - started
        record = _keep(distiller.distilled_, dataset, path, seconds, _histories(distiller))
    missing = [metric for metric in metrics if metric not in record["data_metrics"]]
    if missing:
        distilled = load_distilled(path, record, dataset)
        names = [metric.partition("@")[0] for metric in missing]
        measured = measure("data", names, dataset.X_train, dataset.y_train, distilled, seed)
        record["data_metrics"] |= {metric: measured[name] for metric, name in zip(missing, names, strict=True)}
        write_json(path.with_suffix(".json"), record)
    return record


def _import_packages(method: str) -> None:
    """Import what a method needs, which is no part of the time that it takes."""
    for package in get_manager().get("method", method).requires:
        importlib.import_module(package)


def build_distiller(method: str, params: dict[str, Any], task: str, budget: Any, seed: int) -> Any:
    """Make the distiller; only what it takes of budget, task and seed is given.

    A parameter ``distiller`` that is text names the method inside a meta-distiller, optionally with a preset; the budget goes to it.
    """
    return make_method(method, params, {"budget": budget, "task": task, "random_state": seed})


def _histories(distiller: Any) -> dict[str, Any]:
    """Return what the loss curves of the report are drawn from; a meta-distiller's teacher has a history of its own."""
    paths = {"history": "history_", "teacher_history": "teacher_.history_"}
    return {name: history for name, path in paths.items() if (history := stored_history(distiller, path))}


def _keep(
    distilled: DistilledSet, dataset: Dataset, path: Path, seconds: float, more: dict[str, Any]
) -> dict[str, Any]:
    whole = _is_whole(distilled, dataset)
    if not whole:  # the whole set is not copied: its rows are already there
        distilled.save(path)
    record: dict[str, Any] = {
        "whole": whole,
        "rows": len(distilled),
        "bytes": distilled.nbytes,
        "rows_seen": len(dataset.X_train),
        "bytes_seen": int(dataset.X_train.nbytes + dataset.y_train.nbytes),
        "seconds_distil": seconds,
        "stopped_by": distilled.provenance.get("stopped_by"),
        "data_metrics": {},
        **more,
    }
    write_json(path.with_suffix(".json"), record)
    return record


def _is_whole(distilled: DistilledSet, dataset: Dataset) -> bool:
    """Whether a set is the training rows as they stand, with nothing added that an artefact would have to keep."""
    as_they_stand = distilled.indices is not None and np.array_equal(distilled.indices, np.arange(len(dataset.X_train)))
    plain = distilled.soft_labels is None and distilled.preprocessing is None
    return as_they_stand and plain and bool(np.all(distilled.sample_weight == 1))


def load_distilled(path: Path, record: dict[str, Any], dataset: Dataset) -> DistilledSet:
    """Read the distilled set, or stand in the training rows for the whole set."""
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
    """Train the evaluator on the distilled set and measure it on the test rows, touched here and only here."""
    path = Path(artefact)
    record = read_record(path)
    if record is None:
        raise ArtefactError(
            f"the distilled set {path.name} is gone or damaged: run again with --retry failed to make it anew."
        )
    dataset = load_prepared(Path(data), *(("test", "train") if record["whole"] else ("test",)))
    distilled = load_distilled(path, record, dataset)
    spec = get_manager().get("evaluator", evaluator)
    outcome = train_and_predict(distilled, dataset.X_test, spec, dataset.task, _random_state(seed), params)
    measured = measure("prediction", metrics, dataset.y_test, outcome.predictions)
    measured |= measure("run", metrics, {**record, "seconds_train": outcome.seconds_train})
    return {
        "metrics": {name: value for name, value in measured.items() if value is not None},
        "seconds_train": outcome.seconds_train,
        "seconds_predict": outcome.seconds_predict,
    }


def _random_state(seed: list[int]) -> int:
    return int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)


def fit_model(
    *, data: str, method: str, params: dict[str, Any], task: str, seed: list[int], metrics: list[str]
) -> dict[str, Any]:
    """Fit a method that reduces a model, predict the test rows, opened after the fit, and measure what it predicts.

    The random state follows from both seeds and from nothing else, so that methods with equal teachers train the very
    same one.
    """
    dataset = load_prepared(Path(data), "train")
    model = build_distiller(method, params, task, None, _random_state(seed))
    _import_packages(method)
    started = time.perf_counter()
    model.fit(dataset.X_train, dataset.y_train)
    seconds = time.perf_counter() - started
    try:
        return measure_model(model, dataset, load_prepared(Path(data), "test"), seconds, metrics)
    except Exception as exc:
        exc.add_note("after the fit, on the test rows")
        raise
