"""What a plugin gives to the harness: frozen dataclasses, pure data, so that listing them imports nothing heavy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from distillkit.exceptions import PluginError

__all__ = [
    "DatasetSpec",
    "EvaluatorSpec",
    "ExecutorSpec",
    "MethodSpec",
    "MetricSpec",
    "PublishedResult",
    "ReporterSpec",
    "Spec",
    "Task",
]

Task = Literal["classification", "regression"]
BOTH_TASKS: frozenset[str] = frozenset({"classification", "regression"})
ALL_MODALITIES: frozenset[str] = frozenset({"table", "series", "image"})
METHOD, CONTROL, REFERENCE = "method", "control", "reference"
"""The roles of methods in a leaderboard; see `MethodSpec`."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Base of everything a provider hook returns that has code behind it.

    Parameters
    ----------
    name : str
        Short name, as typed in suites and on the command line: lower case, words joined by ``-``.
    target : object or str
        The object itself or ``"package.module:Name"``, which is imported on first use only.
    summary : str
        One line for the listings.
    requires : tuple of str
        Import names of the packages the target needs, so that a listing can say "needs faiss".
    version : int
        Raised with every change of results; it is part of each cell's key, so only its own cells run again.
    """

    name: str
    target: Any
    summary: str = ""
    requires: tuple[str, ...] = ()
    version: int = 1

    def load(self) -> Any:
        """Import and return the target.

        Raises
        ------
        PluginError
            If the target cannot be imported; the message names it and the cause.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as exc:  # a plugin's module may do anything at import
            raise PluginError(
                f"{self.name!r} cannot be loaded from {self.target!r}: {type(exc).__name__}: {exc}"
            ) from exc

    def missing(self) -> list[str]:
        """Return the required packages that are not installed."""
        return [name for name in self.requires if find_spec(name) is None]


@dataclass(frozen=True, kw_only=True)
class MethodSpec(Spec):
    """A distiller: `target` is a class with the estimator contract (`fit`, `fit_resample`, `transform`).

    With ``reduces="model"`` it is a class of estimators that make a model small, not rows: ``fit(X, y)`` on all training rows, then
    ``predict(X)`` with the small model. In a benchmark there is one cell of it per dataset and seed, with "student" for
    an evaluator; these are compared with each other alone. What it has of ``predict_teacher(X)``, `n_parameters_teacher_`,
    `n_parameters_student_`, `latency_ratio_`, `seconds_teacher_`, `seconds_student_` and `stopped_by_` after fit (as
    `distillkit.TeacherStudentDistiller` does) fills columns of the leaderboard.

    Parameters
    ----------
    reduces : {"rows", "model"}
        What it makes small.
    kind : {"control", "coreset", "condensation", "synthesis", "knowledge"}
        Family, for grouping in listings.
    role : {"method", "control", "reference"}
        Part that it plays in a leaderboard. The other methods of a comparison are tested against its first control, in the order of the
        suite; a suite that gives a control parameters of its own makes an ordinary method of it. A reference, such as the whole training set,
        is shown for orientation and takes no rank.
    tasks, modalities : frozenset of str
        What it can handle; the planner skips other cells and says why.
    budgeted : bool
        False where the size does not follow the budget (whole set, class means): run once, not per budget. So are
        methods that reduce a model, whatever this says.
    reference : str
        Paper or formula, for example ``"arXiv:1708.00489"``.
    presets : mapping of str to mapping
        Named parameters: ``"kmeans:medoids"`` in a suite takes ``presets["medoids"]``.
    params : mapping of str to Any
        Parameters set unless a suite says otherwise. A parameter called ``distiller`` may name a registered method, which is then
        made with the cell's budget and seed.
    label_mode : {"hard", "soft"}
        Whether its sets teach by labels or by probabilities; the two are never in one comparison. Without effect where it
        reduces a model.
    """

    reduces: str = "rows"
    kind: str = "coreset"
    role: str = METHOD
    tasks: frozenset[str] = BOTH_TASKS
    modalities: frozenset[str] = ALL_MODALITIES
    budgeted: bool = True
    reference: str = ""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    label_mode: str = "hard"

    @property
    def follows_budget(self) -> bool:
        """Whether there is a cell of it per budget."""
        return self.budgeted and self.reduces == "rows"


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """Real data: `target(root, **options)` returns a `distillkit.datasets.Dataset`.

    Parameters
    ----------
    task : {"classification", "regression"}
    modality : {"table", "series", "image"}
    revision : str
        Changes whenever the rows or their preparation change; part of each cell's key.
    needs_root : bool
        Whether files must lie in a data folder; False for data that ships with a dependency.
    get : str
        One sentence that says how to get the files.
    """

    task: str
    modality: str
    revision: str = "1"
    needs_root: bool = False
    get: str = ""
    license: str = ""


@dataclass(frozen=True, kw_only=True)
class EvaluatorSpec(Spec):
    """A model with its training recipe: how a distilled set is judged.

    `target(task, random_state, **params)` returns an unfitted estimator with `fit(X, y[, sample_weight])`
    and `predict`. ``flatten`` says that it wants two-dimensional X. ``label_modes`` says what it learns from: "soft" needs a
    `fit` that takes ``soft_labels`` (n, n_classes), or a log-loss with ``sample_weight``, for which each row then
    stands once per class.
    """

    tasks: frozenset[str] = BOTH_TASKS
    modalities: frozenset[str] = ALL_MODALITIES
    flatten: bool = True
    label_modes: frozenset[str] = frozenset({"hard"})
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A number in the leaderboard.

    Parameters
    ----------
    stage : {"prediction", "data", "run"}
        ``prediction``: ``target(y_true, y_pred) -> float`` on the test rows, touched once.
        ``data``: ``target(X, y, distilled, random_state) -> float`` on the training rows and a `DistilledSet`.
        ``run``: ``target(record) -> float | None`` on what the run measured (seconds, bytes, rows).
    greater_is_better : bool or None
        None where neither is better in itself (rows, bytes).
    unit : str
        ``""``, ``"s"``, ``"x"`` or ``"bytes"``, for display.
    """

    stage: str
    tasks: frozenset[str] = BOTH_TASKS
    greater_is_better: bool | None = True
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class ReporterSpec(Spec):
    """A way to write a leaderboard: `target(leaderboard, folder) -> list[Path]` of the files written."""

    extension: str


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(Spec):
    """An engine: `target(groups, run_group, jobs) -> Iterator[list[Row]]`, in any order."""


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """A figure from the literature, shown beside the measured ones.

    Parameters
    ----------
    method, dataset, evaluator, metric : str
        Names; `method` and `dataset` as in this harness where it has them.
    budget : str
        As in a leaderboard row: rows per class.
    value, std : float
        In the unit of the metric (fractions for accuracy); `std` is None where none was given.
    source : str
        Paper, table, address.
    protocol : str
        What differs from this harness's protocol, in words.
    """

    method: str
    dataset: str
    budget: str
    evaluator: str
    metric: str
    value: float
    std: float | None = None
    n: int | None = None
    source: str
    protocol: str = ""


Loader = Callable[..., Any]
