"""Judge a distilled set: train models on it, predict rows it has never seen, measure."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.plugins import get_manager
from distillkit.utils._soft_labels import expand_soft_labels

if TYPE_CHECKING:
    import pandas as pd

    from distillkit.specs import EvaluatorSpec, MetricSpec

__all__ = ["EvaluationRun", "evaluate", "measure", "train_and_predict"]


@dataclass(frozen=True)
class EvaluationRun:
    """Predictions for the test rows, and the seconds that training and predicting took."""

    predictions: np.ndarray
    seconds_train: float
    seconds_predict: float


def train_and_predict(
    distilled: DistilledSet,
    X_test: np.ndarray,
    spec: EvaluatorSpec,
    task: str,
    random_state: int,
    params: dict[str, Any] | None = None,
) -> EvaluationRun:
    """Train an evaluator on a distilled set and predict `X_test`.

    Where the set has soft labels, the evaluator learns from these and not from y.

    Parameters
    ----------
    distilled : DistilledSet
    X_test : ndarray of shape (n, ...)
    spec : EvaluatorSpec
    task : {"classification", "regression"}
    random_state : int
    params : dict or None
        Parameters of the evaluator.
    """
    model = spec.load()(task, random_state, **(params or {}))
    if distilled.preprocessing is not None:  # the set lives in the space its method made: carry the test rows there
        X_test = distilled.preprocessing.transform(X_test)
    X = _flat(distilled.X) if spec.flatten else distilled.X
    X, y, extra = _training_inputs(distilled, X, model, task)
    started = time.perf_counter()
    model.fit(X, y, **extra)
    trained = time.perf_counter()
    predictions = np.asarray(model.predict(_flat(X_test) if spec.flatten else X_test))
    return EvaluationRun(predictions, trained - started, time.perf_counter() - trained)


def label_mode(distilled: DistilledSet) -> str:
    """Return "soft" for a set that teaches by probabilities or a teacher's numbers, "hard" for one that teaches by y."""
    return "hard" if distilled.soft_labels is None else "soft"


def _training_inputs(
    distilled: DistilledSet, X: np.ndarray, model: Any, task: str
) -> tuple[np.ndarray, Any, dict[str, Any]]:
    """Return rows, targets and further arguments of `fit`, by what the set has and the model takes."""
    taken = inspect.signature(model.fit).parameters
    weight = {"sample_weight": distilled.sample_weight} if "sample_weight" in taken else {}
    soft = distilled.soft_labels
    if soft is None:
        return X, distilled.y, weight
    if task == "regression":
        return X, soft[:, 0], weight
    if "soft_labels" in taken:
        return X, distilled.y, {**weight, "soft_labels": soft}
    if not weight or distilled.classes is None:
        raise DataError(f"{type(model).__name__} does not learn from soft labels: its fit takes no sample_weight.")
    X, y, expanded = expand_soft_labels(X, soft, distilled.classes, distilled.sample_weight)
    return X, y, {"sample_weight": expanded}


def _flat(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def measure(stage: str, names: Iterable[str], *args: Any) -> dict[str, float | None]:
    """Compute the metrics of one stage among `names`; `args` are what that stage's metrics take.

    Metrics of another stage are left out; see `MetricSpec` for the arguments.
    """
    manager = get_manager()
    specs: dict[str, MetricSpec] = {name: manager.get("metric", name) for name in names}
    return {name: _compute(spec, args) for name, spec in specs.items() if spec.stage == stage}


def _compute(spec: MetricSpec, args: tuple[Any, ...]) -> float | None:
    try:
        value = spec.load()(*args)
        return None if value is None else float(value)
    except Exception as exc:
        exc.add_note(f"while computing the metric {spec.name}")  # or its failure would look like the method's
        raise


def evaluate(
    distilled: Any,
    X_test: Any,
    y_test: Any,
    *,
    X: Any = None,
    y: Any = None,
    evaluators: Iterable[str] | str = "all",
    metrics: Iterable[str] | str = "all",
    task: str | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Judge a distilled set on test rows: one line per evaluator, one column per metric.

    Parameters
    ----------
    distilled : DistilledSet or fitted distiller
    X_test : array-like of shape (n, ...)
        Rows in the units of the distilled ones; the set's own preprocessing, if any, is applied to both.
    y_test : array-like of shape (n,)
    X, y : array-like or None
        The training rows; with them the metrics of stage "data" (MMD, Wasserstein, coverage) are computed too.
    evaluators, metrics : iterable of str or "all"
        Registry names (``distillkit list evaluators``). "all" takes those that do the task.
    task : {"classification", "regression"} or None
        None takes what the set's provenance says.
    random_state : int

    Returns
    -------
    DataFrame
        Indexed by evaluator.

    Raises
    ------
    DataError
        If the set has no targets, the task is not known, or an evaluator or a metric named does not do it.
    UnknownNameError
        If an evaluator or a metric is not known.
    """
    import pandas as pd

    small: DistilledSet = getattr(distilled, "distilled_", distilled)
    if not isinstance(small, DistilledSet) or small.y is None:
        raise DataError("evaluate needs a DistilledSet, or a fitted distiller, with targets y: distil with y first.")
    task = task or small.provenance.get("task")
    if task not in ("classification", "regression"):
        raise DataError(f"task={task!r} is not known for this set: give task='classification' or task='regression'.")
    X_test, y_test = np.asarray(X_test), np.asarray(y_test)
    names = _names("metric", metrics, task)
    record = _record(small)
    common: dict[str, float | None] = {}
    if X is not None:
        common = measure("data", names, np.asarray(X), None if y is None else np.asarray(y), small, random_state)
    lines = {}
    mode = label_mode(small)
    for name in _names("evaluator", evaluators, task):
        if evaluators == "all" and mode not in get_manager().get("evaluator", name).label_modes:
            continue
        outcome = train_and_predict(small, X_test, get_manager().get("evaluator", name), task, random_state)
        lines[name] = (
            measure("prediction", names, y_test, outcome.predictions)
            | _known(measure("run", names, {**record, "seconds_train": outcome.seconds_train}))
            | common
        )
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("evaluator")


def _names(kind: str, wanted: Iterable[str] | str, task: str) -> list[str]:
    manager = get_manager()
    if wanted != "all":
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        for name in names:
            if task not in manager.get(kind, name).tasks:
                raise DataError(f"{kind} {name!r} does not do {task}: choose another one.")
        return names
    specs: dict[str, Any] = manager.specs(kind)
    return [name for name, spec in specs.items() if "/" not in name and task in spec.tasks and not spec.missing()]


def _known(measured: dict[str, float | None]) -> dict[str, float | None]:
    """Leave out what has no value, such as the figures of students for a set of rows."""
    return {name: value for name, value in measured.items() if value is not None}


def _record(small: DistilledSet) -> dict[str, float]:
    seen = small.provenance
    return {
        "rows": len(small),
        "bytes": small.nbytes,
        "rows_seen": seen.get("rows_seen", float("nan")),
        "bytes_seen": seen.get("bytes_seen", float("nan")),
        "seconds_distil": seen.get("seconds", float("nan")),
    }
