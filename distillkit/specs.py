"""Specifications that plugins return: frozen dataclasses that import nothing when listed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from distillkit.exceptions import MissingPackageError, PluginError

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
METRIC_NEEDS: frozenset[str] = frozenset({"probabilities", "images", "series", "table", "classes", "held-out"})
"""What a metric may need; see `MetricSpec`."""
SITUATIONS: frozenset[str] = frozenset(
    {
        "first-try",
        "coverage",
        "large-share",
        "many-rows",
        "chunks",
        "linear",
        "regression",
        "series",
        "images",
        "tables",
    }
)
"""Situations for which a method may be known to suit; see `MethodSpec`."""
Trait = bool | Mapping[str, tuple[Any, ...]]
"""A property of a method, or the values of its parameters with which the method has it."""
METHOD, CONTROL, REFERENCE = "method", "control", "reference"
"""The roles of methods in a leaderboard; see `MethodSpec`."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Base class of all specifications that refer to code.

    Parameters
    ----------
    name : str
        Short name, used in suites and on the command line: lower case, words joined by ``-``.
    target : object or str
        The object itself, or ``"package.module:Name"``, which is imported on first use.
    summary : str
        One line for listings.
    requires : tuple of str
        Import names of the packages that the target needs, so that a listing can show missing ones.
    version : int
        Must be increased with every change of results. It is part of the key of each cell, so that
        only the cells of this object run again.
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
        MissingPackageError
            If a package that the target needs is not installed.
        PluginError
            If the target cannot be imported; the message names it and the cause.
        """
        if missing := self.missing():
            raise MissingPackageError(repr(self.name), missing)
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # importing a plugin can raise anything, such as a panic of Rust
            raise PluginError(
                f"{self.name!r} cannot be loaded from {self.target!r}: {type(exc).__name__}: {exc}"
            ) from exc

    def missing(self) -> list[str]:
        """Return the required packages that are not installed."""
        return [name for name in self.requires if find_spec(name) is None]


@dataclass(frozen=True, kw_only=True)
class MethodSpec(Spec):
    """Specification of a distiller; `target` is a class with `fit`, `fit_resample` and `transform`.

    With ``reduces="model"`` the target is a class of estimators that compress a model instead of
    the rows: ``fit(X, y)`` on all training rows, then ``predict(X)`` with the small model. In a
    benchmark such a method has one cell per dataset and seed, with "student" as the evaluator, and
    is compared only with methods of its kind. The optional ``predict_teacher(X)`` and the optional
    fitted attributes `n_parameters_teacher_`, `n_parameters_student_`, `n_bytes_teacher_`,
    `n_bytes_student_`, `latency_ratio_`, `latency_ratio_single_`, `seconds_teacher_`,
    `seconds_student_` and `stopped_by_` (as of `distillkit.TeacherStudentDistiller`) fill columns
    of the leaderboard.

    Parameters
    ----------
    reduces : {"rows", "model"}
        What the method reduces.
    kind : {"control", "coreset", "condensation", "synthesis", "knowledge", "automatic"}
        Family, for grouping in listings. An automatic method chooses among the others, and is
        therefore never a candidate of another one.
    role : {"method", "control", "reference"}
        Role in a leaderboard. The other methods of a comparison are tested against its first
        control in the order of the suite. A control with parameters set by the suite is an ordinary
        method. A reference, such as the whole training set, is shown for orientation and has no
        rank.
    tasks, modalities : frozenset of str
        Supported tasks and modalities; the planner skips other cells and gives the reason.
    budgeted : bool
        False if the size of the result does not depend on the budget (whole set, class means); such
        a method runs once instead of once per budget. Methods that reduce a model are never
        budgeted.
    reference : str
        Paper or formula, for example ``"arXiv:1708.00489"``.
    presets : mapping of str to mapping
        Named sets of parameters: ``"kmeans:medoids"`` in a suite takes ``presets["medoids"]``.
    params : mapping of str to Any
        Default parameters, which a suite can override. A parameter named ``distiller`` may be the
        name of a registered method, which is then created with the budget and the seed of the cell.
    label_mode : {"hard", "soft"}
        Whether the distilled sets have hard labels or probabilities. The two are never compared
        with each other. Has no effect for methods that reduce a model.
    exposes_originals : bool or mapping of str to tuple
        Whether the method publishes training rows as they are. A mapping says that this depends on
        parameters: ``{"representative": ("member",)}`` means that it does so if `representative` is
        "member". A parameter that names a registered method counts as well if that method publishes
        training rows, so that ``{"distiller": ()}`` suits a method that passes rows on.
    starts_from_real : bool or mapping of str to tuple
        Whether the method optimizes rows that start as training rows, and so may publish them
        nearly unchanged.
    deterministic : bool or mapping of str to tuple
        Whether fits to the same rows with different seeds give the same set, which is distilled
        once then. A mapping says that they do unless a parameter is given one of these values:
        ``{"start": ("random",)}``, where an empty tuple stands for any value.
    tuned_on : str or tuple of str
        What the default parameters were chosen by: "nothing" (or by the literature), "training
        rows", or the names of datasets whose test rows were looked at. A leaderboard marks results
        on such a dataset and leaves them out of its ranks.
    presets_tuned_on : mapping of str to str or tuple of str
        The same for presets, in addition to `tuned_on`.
    suits : frozenset of str
        Situations in which the field or measurements favor the method, out of `SITUATIONS`, by
        which `distillkit.recommend` ranks it. "first-try": any data. "coverage": rare and remote
        rows must be represented. "large-share": a share of the rows is kept. "many-rows": it reads
        the rows only a few times. "chunks": rows do not fit in memory. "linear": the model is
        linear. "regression", "series", "images", "tables": data of that kind.
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
    exposes_originals: Trait = False
    starts_from_real: Trait = False
    deterministic: bool | Mapping[str, tuple[Any, ...]] = False
    tuned_on: str | tuple[str, ...] = "nothing"
    presets_tuned_on: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    suits: frozenset[str] = frozenset()

    @property
    def follows_budget(self) -> bool:
        """Whether there is one cell per budget."""
        return self.budgeted and self.reduces == "rows"

    def is_deterministic(self, params: Mapping[str, Any]) -> bool:
        """Return whether seeds have no effect with these parameters.

        Parameters
        ----------
        params : mapping of str to Any
            Parameters that differ from the defaults of the target.
        """
        if isinstance(self.deterministic, bool):
            return self.deterministic
        seeded = [values for name, values in self.deterministic.items() if name in params and not values]
        seeded += [values for name, values in self.deterministic.items() if params.get(name) in values]
        return not seeded


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """Specification of a dataset; `target` returns a `distillkit.datasets.Dataset`.

    It is called as ``target(root, **options)``.

    Parameters
    ----------
    task : {"classification", "regression"}
    modality : {"table", "series", "image"}
    revision : str
        Must change whenever the rows or their preparation change; part of the key of each cell.
    needs_root : bool
        Whether files must exist in a data folder; False for data that come with a dependency.
    get : str
        One sentence that says how to get the files.
    license : str
        License of the data.
    """

    task: str
    modality: str
    revision: str = "1"
    needs_root: bool = False
    get: str = ""
    license: str = ""


@dataclass(frozen=True, kw_only=True)
class EvaluatorSpec(Spec):
    """Specification of a model with its training recipe, by which distilled sets are evaluated.

    ``target(task, random_state, **params)`` returns an unfitted estimator with ``fit(X, y)``,
    optionally with ``sample_weight``, and `predict`.

    Parameters
    ----------
    tasks, modalities : frozenset of str
        Supported tasks and modalities.
    flatten : bool
        Whether the estimator needs two-dimensional X.
    deterministic : bool
        Whether seeds have no effect, so that it is trained once on a set of a deterministic method.
    label_modes : frozenset of {"hard", "soft"}
        Kinds of labels from which the estimator can learn. "soft" requires a `fit` that accepts
        ``soft_labels`` (n, n_classes), or a log-loss with ``sample_weight``, for which each row is
        then repeated once per class.
    presets : mapping of str to mapping
        Named sets of parameters.
    """

    tasks: frozenset[str] = BOTH_TASKS
    modalities: frozenset[str] = ALL_MODALITIES
    flatten: bool = True
    deterministic: bool = False
    label_modes: frozenset[str] = frozenset({"hard"})
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """Specification of a metric, which is a column of the leaderboard.

    Parameters
    ----------
    stage : {"prediction", "data", "run"}
        ``prediction``: ``target(y_true, y_pred) -> float`` on the test rows, which are used once.
        ``data``: ``target(X, y, distilled, random_state) -> float`` on the training rows and a
        `DistilledSet`. ``run``: ``target(record) -> float | None`` on the measurements of the run
        (seconds, bytes, rows).
    tasks : frozenset of str
        Supported tasks.
    greater_is_better : bool or None
        None if neither direction is better (rows, bytes).
    unit : str
        ``""``, ``"s"``, ``"x"`` or ``"bytes"``, for display.
    needs : frozenset of str
        What the metric needs, out of `METRIC_NEEDS`; where it is missing, the metric has no value.
        "probabilities": the target of stage "prediction" is called as ``target(y_true,
        probabilities)``, with the positions of the labels in the sorted classes and the
        probabilities (n, n_classes). "images", "series" and "table": rows of that kind. "classes":
        class labels. "held-out": rows that were not distilled.
    value_range : tuple of (float or None, float or None)
        Smallest and largest possible value; None where there is no bound.
    standard : bool
        Whether a suite that names no metrics computes it. Costly metrics are computed only if they
        are named, or with ``metrics = "all"``.
    floor_draws : int
        Number of sets of random training rows by which the bench computes the floors of a metric of
        stage "data"; 0 for no floors.
    ideal : float or None
        Value of a set that equals the training rows, if it has one.
    shares_reference : bool
        Whether a target of stage "data" accepts a `distillkit.metrics.Reference` in place of X.
    privacy : bool
        Whether the metric judges what a set reveals about the training rows. Copies of training
        rows make such a metric worse, and noise does not.
    timed : bool
        Whether the value is a measured time, or computed from one, so that it differs between runs
        of one cell. ``distillkit reproduce`` compares all other metrics exactly.
    """

    stage: str
    tasks: frozenset[str] = BOTH_TASKS
    greater_is_better: bool | None = True
    unit: str = ""
    needs: frozenset[str] = frozenset()
    value_range: tuple[float | None, float | None] = (None, None)
    standard: bool = True
    floor_draws: int = 10
    ideal: float | None = None
    shares_reference: bool = False
    privacy: bool = False
    timed: bool = False


@dataclass(frozen=True, kw_only=True)
class ReporterSpec(Spec):
    """Specification of a leaderboard format.

    ``target(leaderboard, folder) -> list[Path]`` writes the leaderboard and returns the files
    written.

    Parameters
    ----------
    extension : str
        File name extension of the format.
    """

    extension: str


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(Spec):
    """Specification of an engine that runs cells.

    ``target(groups, run_group, jobs, **options) -> Iterator[list[Row]]`` calls ``run_group(group)``
    for each group, at most `jobs` of them at the same time, and yields the rows that it returns, in
    any order. `run_group` can be pickled; it writes the rows itself, and raises only for problems
    of the machine, which end the run. An engine need not yield anything for a group that it has
    lost: what is not yielded is submitted again. Options are keyword-only parameters with defaults,
    which suites and the command line can set. The attribute ``resources`` of a group holds what its
    method needs.
    """


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """A result from the literature, which is shown beside the measured ones.

    A verdict compares it with a measured one only where dataset, method, rows, stored size, kind of
    labels and evaluator are the same; see `distillkit.bench.leaderboard`. What the source does not
    state is left empty, which rules out a verdict.

    Parameters
    ----------
    method, dataset, evaluator, metric : str
        Names; `method` and `dataset` as in distillkit if it has them, `evaluator` as in the source.
    budget : str
        Rows per class that models are trained on, as in a row of the leaderboard.
    value, std : float
        In the unit of the metric (fractions for accuracy); `std` is None if it was not published.
    n : int or None
        Number of independent repetitions (distilled sets) that `std` refers to.
    source : str
        Paper, table, address.
    protocol : str
        Differences from every protocol of distillkit, in words. If there are any, there is no
        verdict.
    label : str
        Name of the method in the source, such as ``"DC"``; the empty string is that of `method`.
    preset : str or None
        Preset of the method to which the result belongs: ``""`` is the method with its default
        settings, and None any settings.
    label_mode : {"hard", "soft", ""}
        Kind of labels that the evaluator was trained on.
    size_factor : float or None
        Bytes of a distilled row as it is stored, divided by those of a training row: 0.25 for
        images that are stored at half the height and width. None for rows that are generated from
        stored parameters, whose budget counts bytes.
    bytes : int or None
        Bytes of all distilled rows as they are stored, if the source states them.
    augmentation : str
        Augmentation of the evaluator's training: ``"none"``, ``"crop-scale-rotate"``,
        ``"siamese"``, ...
    network : str
        Network of the evaluator.
    epochs : int or None
        Epochs of the evaluator's training.
    judge : str or None
        Evaluator of distillkit, with its preset, that follows the same recipe, for example
        ``"convnet:standard"``; the empty string if there is none. None compares `evaluator` with
        the names of evaluators.
    verified : bool
        Whether the value was compared with the source.
    note : str
        Remarks that do not rule out a verdict.
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
    label: str = ""
    preset: str | None = None
    label_mode: str | None = None
    size_factor: float | None = 1.0
    bytes: int | None = None
    augmentation: str = ""
    network: str = ""
    epochs: int | None = None
    judge: str | None = None
    verified: bool = False
    note: str = ""


Loader = Callable[..., Any]
