"""Evaluates a distilled set: trains models on it, predicts test rows and computes metrics."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.evaluation._data_metrics import measure_data
from distillkit.bench.evaluation._probabilities import (
    ClassProbabilities,
    class_probabilities,
    measure_probabilities,
    need_probabilities,
)
from distillkit.bench.evaluation._training_cost import TrainingCost, optimizer_steps, repeated
from distillkit.bench.own._factories import seeded_copy
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.plugins import get_manager
from distillkit.specs import EvaluatorSpec
from distillkit.utils._cpu_time import timed_cpu
from distillkit.utils._magnitude import within_range
from distillkit.utils._progress import progress_task, shown_progress
from distillkit.utils._soft_labels import expand_soft_labels
from distillkit.utils._targets import one_column

if TYPE_CHECKING:
    import pandas as pd

    from distillkit.specs import MetricSpec

_MODALITIES = {2: "table", 3: "series", 4: "image"}  # by the number of axes of the rows

__all__ = ["EvaluationRun", "evaluate", "measure", "train_and_predict"]


@dataclass(frozen=True)
class EvaluationRun:
    """Predictions for the test rows, the seconds that these and the training took, and its cost."""

    predictions: np.ndarray
    seconds_train: float
    seconds_predict: float
    cost: TrainingCost = field(default_factory=TrainingCost)
    probabilities: ClassProbabilities | None = None


def train_and_predict(
    distilled: DistilledSet,
    X_test: np.ndarray,
    spec: EvaluatorSpec,
    task: str,
    random_state: int,
    params: dict[str, Any] | None = None,
    *,
    repeat: bool = False,
    probabilities: bool = False,
) -> EvaluationRun:
    """Train an evaluator on a distilled set and predict the test rows.

    If the set has soft labels, the evaluator is trained on these instead of y.

    Parameters
    ----------
    distilled : DistilledSet
    X_test : ndarray of shape (n, ...)
        Test rows in the original units.
    spec : EvaluatorSpec
    task : {"classification", "regression"}
    random_state : int
        Seed of the evaluator.
    params : dict or None
        Parameters of the evaluator.
    repeat : bool, default=False
        Whether to repeat a short training, after the prediction, to measure its CPU time.
    probabilities : bool, default=False
        Whether to predict class probabilities as well, which is not timed; an evaluator without
        `predict_proba` has none.

    Returns
    -------
    EvaluationRun
    """
    make = spec.load()
    model = make(task, random_state, **(params or {}))
    # The distilled rows may be in a preprocessed space; bring the test rows there as well.
    if distilled.preprocessing is not None:
        X_test = distilled.preprocessing.transform(X_test)
    X = _flatten(distilled.X) if spec.flatten else distilled.X
    X, y, fit_params = _training_inputs(distilled, X, model, task)
    _, seconds_train, cpu_seconds = timed_cpu(lambda: model.fit(X, y, **fit_params))
    started = time.perf_counter()
    X_test = _flatten(X_test) if spec.flatten else X_test
    predictions = np.asarray(model.predict(X_test))
    seconds_predict = time.perf_counter() - started
    predicted = class_probabilities(model, X_test, distilled.classes) if probabilities else None
    cost = TrainingCost(cpu_seconds, 1, optimizer_steps(model, len(X)))
    if repeat:
        cost = repeated(cost, lambda: make(task, random_state, **(params or {})).fit(X, y, **fit_params))
    return EvaluationRun(predictions, seconds_train, seconds_predict, cost, predicted)


def label_mode(distilled: DistilledSet) -> str:
    """Return "soft" for a set with soft labels (probabilities or predictions), otherwise "hard"."""
    return "hard" if distilled.soft_labels is None else "soft"


def _training_inputs(
    distilled: DistilledSet, X: np.ndarray, model: Any, task: str
) -> tuple[np.ndarray, Any, dict[str, Any]]:
    """Return the rows, targets and further arguments of `fit` that suit the set and the model."""
    accepted = inspect.signature(model.fit).parameters
    weight = {"sample_weight": distilled.sample_weight} if "sample_weight" in accepted else {}
    soft = distilled.soft_labels
    if soft is None:
        return X, distilled.y, weight
    if task == "regression":
        return X, soft[:, 0], weight
    if "soft_labels" in accepted:
        return X, distilled.y, {**weight, "soft_labels": soft}
    # Other classifiers learn probabilities from one weighted copy of each row per class.
    if not weight or distilled.classes is None:
        raise DataError(f"{type(model).__name__} does not learn from soft labels: its fit takes no sample_weight.")
    X, y, expanded = expand_soft_labels(X, soft, distilled.classes, distilled.sample_weight)
    return X, y, {"sample_weight": expanded}


def _flatten(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def measure(stage: str, names: Iterable[str], *args: Any) -> dict[str, float | None]:
    """Compute those of the named metrics that belong to one stage.

    Parameters
    ----------
    stage : {"prediction", "data", "run"}
    names : iterable of str
        Registry names; metrics of other stages, and those of probabilities, are left out.
    *args
        Arguments of the metrics of this stage, see `MetricSpec`.

    Returns
    -------
    dict of str to float or None
    """
    manager = get_manager()
    specs: dict[str, MetricSpec] = {name: manager.get("metric", name) for name in names}
    return {
        name: _compute(spec, args)
        for name, spec in specs.items()
        if spec.stage == stage and "probabilities" not in spec.needs
    }


def _compute(spec: MetricSpec, args: tuple[Any, ...]) -> float | None:
    try:
        value = spec.load()(*args)
        return None if value is None else float(value)
    except Exception as exc:
        exc.add_note(f"while computing the metric {spec.name}")  # Otherwise the method would seem to have failed.
        raise


def evaluate(
    distilled: Any,
    X_test: Any,
    y_test: Any,
    *,
    X: Any = None,
    y: Any = None,
    evaluators: Iterable[Any] | str = "all",
    metrics: Iterable[str] | str = "standard",
    task: str | None = None,
    random_state: int = 0,
    floors: int = 0,
    verbose: bool = False,
) -> pd.DataFrame:
    """Evaluate a distilled set on test rows.

    Each evaluator is trained on the distilled set and predicts the test rows.

    Parameters
    ----------
    distilled : DistilledSet or fitted distiller
    X_test : array-like of shape (n, ...)
        Test rows in the units of the rows that were distilled; the preprocessing of the set, if
        any, is applied to them.
    y_test : array-like of shape (n,)
        Targets of the test rows.
    X, y : array-like or None
        The training rows and targets. If `X` is given, the metrics of stage "data" (such as MMD,
        Wasserstein distance and coverage) are computed as well, and those of privacy, which compare
        the set with training and test rows.
    evaluators : iterable of str or estimators, or "all"
        Registry names, see ``distillkit list evaluators``, or unfitted scikit-learn estimators,
        which are cloned and seeded where their `random_state` is None; the index names them by
        their class. "all" selects the registered ones that support the task, the labels and the
        kind of rows (table, series or images), and whose packages are installed.
    metrics : iterable of str, "standard" or "all"
        Registry names, see ``distillkit list metrics``. "standard" selects those that support the
        task and whose packages are installed, without the costly ones, which "all" includes.
    task : {"classification", "regression"} or None
        None takes the task from the provenance of the set.
    random_state : int
        Seed of the evaluators, of the metrics and of the floors.
    floors : int, default=0
        Number of sets of random training rows by which the floors of the metrics of stage "data"
        are computed, at most as many as each metric asks for (usually 10). Then each such metric
        has the columns ``NAME.picked`` and ``NAME.fresh`` (means over the sets) and ``NAME.z``
        besides its own, see `distillkit.metrics.floors`.
    verbose : bool
        Whether to show the progress, as the distillers do; see `BaseDistiller`.

    Returns
    -------
    DataFrame
        One row per evaluator, which is the index, and one column per metric.

    Raises
    ------
    DataError
        If the set has no targets, the task is not known, or a named evaluator or metric does not
        support the task.
    UnknownNameError
        If an evaluator or a metric is not registered.
    """
    import pandas as pd

    small: DistilledSet = getattr(distilled, "distilled_", distilled)
    if not isinstance(small, DistilledSet) or small.y is None:
        raise DataError("evaluate needs a DistilledSet, or a fitted distiller, with targets y: distil with y first.")
    task = task or small.provenance.get("task")
    if task not in ("classification", "regression"):
        raise DataError(f"task={task!r} is not known for this set: give task='classification' or task='regression'.")
    X_test, y_test = within_range(small.encode(X_test), small.feature_names), np.asarray(y_test)
    names = _select_names("metric", metrics, task)
    record = _record(small)
    common: dict[str, float | None] = {}
    if X is not None:
        rows = small.encode(X)
        reference = Reference(rows, None if y is None else one_column(np.asarray(y)), task=task)
        common = _data_columns(measure_data(names, reference, small, random_state=random_state, draws=floors))
        record["privacy"] = _panel(names, rows, small, X_test, random_state)
    measured = {}
    selected = _select_evaluators(evaluators, task, label_mode(small), small.X)
    probabilities = need_probabilities(names)
    with shown_progress(enabled=verbose), progress_task("evaluate", "evaluator") as shown:
        for number, (name, spec) in enumerate(selected, start=1):
            outcome = train_and_predict(small, X_test, spec, task, random_state, probabilities=probabilities)
            measured[name] = (
                measure("prediction", names, y_test, outcome.predictions)
                | measure_probabilities(names, y_test, outcome.probabilities)
                | _without_missing(measure("run", names, {**record, "seconds_train": outcome.seconds_train}))
                | common
            )
            shown.update(number, len(selected))
    return pd.DataFrame.from_dict(measured, orient="index").rename_axis("evaluator")


def _data_columns(measured: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Return the columns of metrics of stage "data", named by their features, with their floors."""
    columns: dict[str, float | None] = {}
    for name, result in measured.items():
        column = f"{name}[{result['features']}]" if result["features"] else name
        columns[column] = result["value"]
        if result["draws"]:
            means = {part: None if result[part] is None else result[part][0] for part in ("picked", "fresh")}
            columns |= {f"{column}.{part}": value for part, value in {**means, "z": result["z"]}.items()}
    return columns


def _panel(names: Iterable[str], X: Any, small: DistilledSet, X_test: Any, random_state: int) -> dict[str, Any] | None:
    """Return the privacy panel against the test rows if a metric reads it."""
    specs = [get_manager().get("metric", name) for name in names]
    if not any(spec.privacy and spec.stage == "run" for spec in specs):
        return None
    from distillkit.metrics.privacy import privacy_report

    return privacy_report(X, None, small, holdout=X_test, random_state=random_state).to_dict()


def _select_evaluators(
    selection: Iterable[Any] | str, task: str, mode: str, rows: np.ndarray
) -> list[tuple[str, EvaluatorSpec]]:
    """Return the selected evaluators with the names that the result gives them."""
    manager = get_manager()
    if isinstance(selection, str) and selection == "all":
        modality = _MODALITIES.get(rows.ndim, "table")
        specs = [(name, manager.get("evaluator", name)) for name in _select_names("evaluator", "all", task)]
        return [(name, spec) for name, spec in specs if mode in spec.label_modes and modality in spec.modalities]
    if isinstance(selection, str) or hasattr(selection, "fit"):
        selection = [selection]
    selection = list(selection)
    for name in filter(lambda each: isinstance(each, str), selection):
        if mode == "soft" and mode not in manager.get("evaluator", name).label_modes:
            raise DataError(
                f"evaluator {name!r} does not learn from soft labels, which this set has: leave it out, or choose "
                "others, such as logistic, boosting or mlp."
            )
    selected: dict[str, EvaluatorSpec] = {}
    for evaluator in selection:
        if isinstance(evaluator, str):
            (name,) = _select_names("evaluator", [evaluator], task)
            selected[name] = manager.get("evaluator", name)
        else:
            name = _unused_name(type(evaluator).__name__, selected)
            selected[name] = _spec_of(evaluator)
    return list(selected.items())


def _unused_name(name: str, used: Iterable[str]) -> str:
    """Return a name, numbered from the second of its kind on."""
    candidates = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(candidate for candidate in candidates if candidate not in used)


def _spec_of(estimator: Any) -> EvaluatorSpec:
    """Return a registration for an estimator of the user's own."""
    if not hasattr(estimator, "fit") or not hasattr(estimator, "predict"):
        raise DataError(
            f"evaluators: {estimator!r} is neither a registered name nor an estimator with fit and predict."
        )

    def make(_task: str, random_state: int) -> Any:
        return seeded_copy(estimator, random_state)

    return EvaluatorSpec(name="own", target=make)


def _select_names(kind: str, selection: Iterable[str] | str, task: str) -> list[str]:
    """Return the selected names; "all" selects those that support the task and can be loaded."""
    manager = get_manager()
    if isinstance(selection, str) and selection in ("all", "standard"):
        supported = {name: spec for name, spec in manager.short_specs(kind).items() if task in spec.tasks}
        return [
            name
            for name, spec in supported.items()
            if not spec.missing() and (selection == "all" or getattr(spec, "standard", True))
        ]
    names = [selection] if isinstance(selection, str) else list(selection)
    for name in names:
        if task not in manager.get(kind, name).tasks:
            raise DataError(f"{kind} {name!r} does not do {task}: choose another one.")
    return names


def _without_missing(measured: dict[str, float | None]) -> dict[str, float | None]:
    """Leave out metrics without a value, such as those of student models for a set of rows."""
    return {name: value for name, value in measured.items() if value is not None}


def _record(small: DistilledSet) -> dict[str, Any]:
    """Return the sizes and times that the metrics of stage "run" are computed from."""
    provenance = small.provenance
    return {
        "rows": len(small),
        "bytes": small.nbytes,
        "rows_seen": provenance.get("rows_seen", float("nan")),
        "bytes_seen": provenance.get("bytes_seen", float("nan")),
        "seconds_distil": provenance.get("seconds", float("nan")),
    }
