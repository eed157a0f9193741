"""Resolves the names of a suite and lists its cells, with the reasons why some are skipped."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.planning._cells import ANY_LABELS, FIXED_SIZE, STUDENT, Cell
from distillkit.bench.planning._controls import missing_controls
from distillkit.bench.planning._primary import DEFAULT_METRICS
from distillkit.bench.planning._repetitions import Repetition, repetitions
from distillkit.bench.planning._resolved_dataset import ResolvedDataset, resolve_dataset
from distillkit.bench.planning._suite import Entry, Suite, check_size
from distillkit.budget import Budget
from distillkit.exceptions import SuiteError, UnknownNameError
from distillkit.plugins import PluginManager, PluginRecord
from distillkit.plugins._record import OWN
from distillkit.plugins._resolved import resolve_name
from distillkit.specs import CONTROL, METHOD, DatasetSpec, EvaluatorSpec, MethodSpec, Spec

__all__ = ["Planner"]

_STUDENT_SPEC = EvaluatorSpec(name=STUDENT, target="", label_modes=frozenset({ANY_LABELS}))
"""Stands in for an evaluator in the cells of methods that reduce a model."""


@dataclass(frozen=True)
class _ResolvedEntry:
    """A method or evaluator of the suite with its resolved parameters, spec and plugin."""

    entry: Entry
    spec: Any
    provider: PluginRecord
    missing: tuple[str, ...]
    role: str = METHOD

    @property
    def shown(self) -> str:
        """The name for messages; that of an own object would not tell much."""
        return self.entry.label if self.provider.dist == OWN else self.entry.name

    @property
    def deterministic(self) -> bool:
        """Whether seeds have no effect."""
        if isinstance(self.spec, MethodSpec):
            return self.spec.is_deterministic(self.entry.params)
        return bool(self.spec.deterministic)


class Planner:
    """Lists the cells of one suite.

    Parameters
    ----------
    suite : Suite
    root : Path or None
        Folder in which datasets are searched for.
    manager : PluginManager
        Resolves the names.
    """

    def __init__(self, suite: Suite, root: Path | None, manager: PluginManager) -> None:
        self.suite, self.root, self.manager = suite, root, manager

    def cells(self) -> Iterator[Cell]:
        """Yield the cells in the order in which they run."""
        # 1. Check the names and resolve methods and evaluators once, for all datasets.
        self.check_metrics()
        self.check_settings()
        methods = [self.resolve("method", entry, "methods") for entry in self.method_entries()]
        controls = self.controls(methods)
        evaluators = [self.resolve("evaluator", entry, "evaluators") for entry in self.suite.evaluators]
        check_size(self.suite, len(methods) + len(controls))
        # 2. Combine everything; methods of fixed size run once and not at every budget.
        for entry in self.suite.datasets:
            dataset = self.dataset(entry)
            for method, budget in product([*methods, *controls], self.suite.budgets):
                if not method.spec.follows_budget and budget is not self.suite.budgets[0]:
                    continue
                used = evaluators if method.spec.reduces == "rows" else [self.student(method)]
                # Controls of other kinds train a teacher first, which is not cheap.
                is_control = (method.role, method.spec.kind, method.spec.reduces) == (CONTROL, "control", "rows")
                repeated = repetitions(self.suite, method.entry.name, dataset.splits, is_control=is_control)
                for repetition, evaluator, eval_seed in product(repeated, used, self.suite.evaluation_seeds):
                    cell = self.cell(dataset.at(repetition.split), method, budget, repetition, evaluator, eval_seed)
                    added = method in controls
                    # A control that the suite has not named is left out where it does not apply.
                    if not (added and cell.skip) and not (
                        repetition.again and method.deterministic and evaluator.deterministic
                    ):
                        yield cell

    def controls(self, methods: list[_ResolvedEntry]) -> list[_ResolvedEntry]:
        """Return the controls that the suite has not named, if it has methods that reduce rows."""
        if not self.suite.controls or all(method.spec.reduces == "model" for method in methods):
            return []
        missing = missing_controls(self.method_entries(), self.suite.exclude)
        return [self.resolve("method", entry, "methods") for entry in missing]

    def get(self, kind: str, name: str, key: str) -> Any:
        """Return a spec; the error for an unknown name is extended by the line of the suite."""
        try:
            return self.manager.get(kind, name)
        except UnknownNameError as exc:
            exc.args = (f"{exc} ({self.suite.line_of(name)}, in {key})",)
            raise

    def canonical(self, kind: str, name: str) -> str:
        """Return the shortest name by which a child process finds the same spec."""
        spec: Spec = self.manager.get(kind, name)
        return spec.name if self.manager.specs(kind).get(spec.name) is spec else name

    def dataset(self, entry: Entry) -> ResolvedDataset:
        """Resolve a dataset; see `resolve_dataset`."""
        spec: DatasetSpec = self.get("dataset", entry.name, "datasets")
        entry = Entry(self.canonical("dataset", entry.name), entry.label, entry.params)
        return resolve_dataset(self.suite, self.root, entry, spec, self.metrics_for)

    def method_entries(self) -> list[Entry]:
        """Return the methods of the suite; "all" stands for all registered ones, less `exclude`."""
        if self.suite.methods is not None:
            return list(self.suite.methods)
        names = self.manager.short_specs("method")
        for name in self.suite.exclude:
            self.get("method", name, "exclude")
        return [Entry(name, name) for name in names if name not in self.suite.exclude]

    def resolve(self, kind: str, entry: Entry, key: str) -> _ResolvedEntry:
        """Resolve ``name:preset`` of a method or evaluator and check its parameter names."""
        resolved = resolve_name(
            lambda name: self.get(kind, name, key), entry.name, f"({self.suite.line_of(entry.name)})"
        )
        spec, settings = resolved.spec, self.suite.settings.get(resolved.name, {})
        missing = tuple(spec.missing())
        param_names = {*settings, *resolved.preset, *entry.params}
        if param_names and not missing:
            self.check_params(spec, param_names)
        tuned_on = _tuned_on(spec, entry, self.suite.settings_tuned_on.get(resolved.name, ()))
        params = resolved.params(settings, entry.params)
        complete = Entry(self.canonical(kind, resolved.name), entry.label, params, tuned_on)
        role = getattr(spec, "role", METHOD)
        if role == CONTROL and (resolved.preset or entry.params):
            role = METHOD  # A variant of a control is ranked like any other method.
        return _ResolvedEntry(complete, spec, self.manager.provider(kind, resolved.name), missing, role)

    @staticmethod
    def student(method: _ResolvedEntry) -> _ResolvedEntry:
        """Return the stand-in for an evaluator of a method that reduces a model: its student."""
        return _ResolvedEntry(Entry(STUDENT, STUDENT), _STUDENT_SPEC, method.provider, ())

    def check_params(self, spec: MethodSpec | EvaluatorSpec, params: Iterable[str]) -> None:
        """Raise an error if the spec does not have a parameter, or if the bench sets it itself."""
        parameters = inspect.signature(spec.load()).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        accepted = set(parameters) - {"self", "budget", "random_state", "task"}
        for name in sorted(params):
            if name not in accepted:
                suggestions = get_close_matches(name, accepted, n=1)
                known = ", ".join(sorted(accepted)) or "none"
                hint = f"did you mean {suggestions[0]!r}?" if suggestions else f"known are {known}."
                raise SuiteError(
                    f"{self.suite.line_of(name)}: {name} is not a parameter of {spec.name!r} "
                    f"that a suite can set: {hint}"
                )

    def check_metrics(self) -> None:
        """Raise an error if a metric is not registered, or a primary one does not suit its task."""
        for name in self.suite.metrics or ():
            if name != "all":
                self.get("metric", name, "metrics")
        for task, name in self.suite.primary.items():
            if task not in self.get("metric", name, "primary").tasks:
                raise SuiteError(
                    f"{self.suite.line_of('primary')}: primary: {name!r} does not measure {task}: "
                    "choose another metric."
                )

    def check_settings(self) -> None:
        """Raise an error if the settings name neither a method nor an evaluator."""
        known = {kind: self.manager.specs(kind) for kind in ("method", "evaluator")}
        for name in self.suite.settings:
            if not any(name in specs for specs in known.values()):
                note = f"({self.suite.line_of(name)}, in settings)"
                raise UnknownNameError("method or evaluator", name, [*known["method"], *known["evaluator"]], note)

    def metrics_for(self, task: str) -> tuple[str, ...]:
        """Return the metrics of a task as ``"name@version"``.

        Without names, the standard metrics whose packages are installed are selected; "all" adds
        the costly ones.
        """
        everything = self.suite.metrics == ("all",)
        if self.suite.metrics is None or everything:
            specs = self.manager.short_specs("metric")
            installed = {name: spec for name, spec in specs.items() if not spec.missing()}
            names = [name for name, spec in installed.items() if everything or spec.standard]
        else:
            names = list(self.suite.metrics)
        primary = [self.suite.primary[task]] if task in self.suite.primary else DEFAULT_METRICS[task]
        chosen = {name: self.manager.get("metric", name) for name in (*names, *primary)}
        return tuple(f"{name}@{spec.version}" for name, spec in chosen.items() if task in spec.tasks)

    def without_data_metrics(self, metrics: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out the metrics of distilled rows, for methods that reduce a model."""
        return tuple(name for name in metrics if self.manager.get("metric", name.partition("@")[0]).stage != "data")

    def cell(
        self,
        dataset: ResolvedDataset,
        method: _ResolvedEntry,
        budget: Budget,
        repetition: Repetition,
        evaluator: _ResolvedEntry,
        eval_seed: int,
    ) -> Cell:
        """Return one cell with its keys."""
        size = str(budget) if method.spec.follows_budget else FIXED_SIZE
        mode = _label_mode(method)
        metrics = dataset.metrics if mode != ANY_LABELS else self.without_data_metrics(dataset.metrics)
        cell = Cell(
            suite=self.suite.name,
            dataset=dataset.entry.label,
            dataset_name=dataset.entry.name,
            dataset_params=dataset.entry.params,
            dataset_revision=dataset.revision,
            task=dataset.task,
            modality=dataset.modality,
            method=method.entry.label,
            method_name=method.entry.name,
            method_version=method.spec.version,
            method_params=method.entry.params,
            kind=method.spec.kind,
            role=method.role,
            plugin=method.provider.dist,
            plugin_version=method.provider.version,
            budget=size,
            budget_value=_json_value(budget) if method.spec.follows_budget else None,
            distil_seed=repetition.seed,
            evaluator=evaluator.entry.label,
            evaluator_name=evaluator.entry.name,
            evaluator_version=evaluator.spec.version,
            evaluator_params=evaluator.entry.params,
            eval_seed=eval_seed,
            label_mode=mode,
            metrics=metrics,
            skip=None if dataset.failure else _reason_to_skip(dataset, method, evaluator),
            failure=dataset.failure,
            task_note=dataset.task_note,
            split=dataset.split,
            deterministic=method.deterministic,
            tuned_on=method.entry.tuned_on,
            primary=self.suite.primary.get(dataset.task),
            threads=self.suite.threads,
            evaluator_plugin=evaluator.provider.dist,
        )
        keys = cell_keys(vars(cell))
        return replace(cell, data_key=keys.data_key, distil_key=keys.distil_key, key=keys.key)


def _tuned_on(spec: Any, entry: Entry, of_settings: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the parameters of an entry were chosen by, without "nothing"."""
    preset = entry.name.partition(":")[2]
    stated = [getattr(spec, "tuned_on", ()), getattr(spec, "presets_tuned_on", {}).get(preset, ())]
    names = [name for value in stated for name in ([value] if isinstance(value, str) else value)]
    return tuple(name for name in dict.fromkeys([*names, *of_settings, *entry.tuned_on]) if name != "nothing")


def _json_value(budget: Budget) -> Any:
    """Return the value of a budget as a type that JSON has."""
    return dict(budget.value) if isinstance(budget.value, Mapping) else budget.value


def _label_mode(method: _ResolvedEntry) -> str:
    return str(method.spec.label_mode) if method.spec.reduces == "rows" else ANY_LABELS


def _reason_to_skip(dataset: ResolvedDataset, method: _ResolvedEntry, evaluator: _ResolvedEntry) -> str | None:
    """Return why a combination cannot run, or None if it can."""
    for kind, resolved in (("method", method), ("evaluator", evaluator)):
        name = f"{kind} {resolved.shown}"
        if resolved.missing:
            return f"{name} needs {', '.join(resolved.missing)}, which is not installed"
        if dataset.task not in resolved.spec.tasks:
            return f"{name} does not do {dataset.task} ({dataset.entry.label})"
        if dataset.modality not in resolved.spec.modalities:
            return f"{name} does not take data of modality {dataset.modality} ({dataset.entry.label})"
    mode = _label_mode(method)
    if mode not in evaluator.spec.label_modes:
        return f"evaluator {evaluator.shown} does not learn from {mode} labels ({method.entry.label})"
    return None
