"""Resolves the names of a suite and lists its cells: what would run, what is skipped and why."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from distillkit.bench.planning._cells import ANY_LABELS, FIXED_SIZE, STUDENT, Cell
from distillkit.bench.planning._keys import PROTOCOL, digest
from distillkit.bench.planning._suite import Entry, Suite
from distillkit.budget import Budget
from distillkit.exceptions import SuiteError, UnknownNameError
from distillkit.plugins import PluginManager, PluginRecord
from distillkit.plugins._resolved import resolve_name
from distillkit.specs import CONTROL, METHOD, DatasetSpec, EvaluatorSpec, MethodSpec, Spec

__all__ = ["Planner"]

_STUDENT_SPEC = EvaluatorSpec(
    name=STUDENT, target="", label_modes=frozenset({ANY_LABELS})
)  # takes whatever the method does
_PLACES = frozenset({"path", "test_path", "download"})


@dataclass(frozen=True)
class _Data:
    """A dataset of the suite with what the registry and its files tell of it."""

    entry: Entry
    revision: str
    task: str
    modality: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    """A method or evaluator of the suite, its parameters resolved, with its spec and who gives it."""

    entry: Entry
    spec: Any
    provider: PluginRecord
    missing: tuple[str, ...]
    role: str = METHOD

    @property
    def identity(self) -> list[Any]:
        """What decides its results."""
        return [self.provider.dist, self.spec.name, self.spec.version, self.entry.params]


class Planner:
    """Lists the cells of one suite."""

    def __init__(self, suite: Suite, root: Path | None, manager: PluginManager) -> None:
        self.suite, self.root, self.manager = suite, root, manager

    def cells(self) -> Iterator[Cell]:
        self.check_metrics()
        self.check_settings()
        methods = [self.choose("method", entry, "methods") for entry in self.method_entries()]
        evaluators = [self.choose("evaluator", entry, "evaluators") for entry in self.suite.evaluators]
        for entry in self.suite.datasets:
            data = self.data(entry)
            for method, budget in product(methods, self.suite.budgets):
                if not method.spec.follows_budget and budget is not self.suite.budgets[0]:
                    continue
                judges = evaluators if method.spec.reduces == "rows" else [self.student(method)]
                for seed, evaluator, eval_seed in product(self.suite.seeds, judges, self.suite.evaluation_seeds):
                    yield self.cell(data, method, budget, seed, evaluator, eval_seed)

    def get(self, kind: str, name: str, key: str) -> Any:
        try:
            return self.manager.get(kind, name)
        except UnknownNameError as exc:
            exc.args = (f"{exc} ({self.suite.line_of(name)}, in {key})",)
            raise

    def canonical(self, kind: str, name: str) -> str:
        """Return the name by which a child process finds the same spec: the short one where it leads there."""
        spec: Spec = self.manager.get(kind, name)
        return spec.name if self.manager.specs(kind).get(spec.name) is spec else name

    def data(self, entry: Entry) -> _Data:
        from distillkit.datasets import revision_of

        spec: DatasetSpec = self.get("dataset", entry.name, "datasets")
        entry = Entry(self.canonical("dataset", entry.name), entry.label, entry.params)
        revision = revision_of(spec, self.root, entry.params)
        task, modality = str(entry.params.get("task", spec.task)), str(entry.params.get("modality", spec.modality))
        if "auto" in (task, modality):  # only the rows tell
            dataset = spec.load()(self.root, **entry.params)
            task, modality = dataset.task, dataset.modality
        return _Data(entry, revision, task, modality, self.metrics_for(task))

    def method_entries(self) -> list[Entry]:
        if self.suite.methods is not None:
            return list(self.suite.methods)
        names = [name for name in self.manager.specs("method") if "/" not in name]
        for name in self.suite.exclude:
            self.get("method", name, "exclude")
        return [Entry(name, name) for name in names if name not in self.suite.exclude]

    def choose(self, kind: str, entry: Entry, key: str) -> _Chosen:
        """Resolve ``name:preset`` and check the parameters' names."""
        resolved = resolve_name(
            lambda name: self.get(kind, name, key), entry.name, f"({self.suite.line_of(entry.name)})"
        )
        spec, settings = resolved.spec, self.suite.settings.get(resolved.name, {})
        missing = tuple(spec.missing())
        set_here = {*settings, *resolved.preset, *entry.params}
        if set_here and not missing:
            self.check_params(spec, set_here)
        chosen = Entry(self.canonical(kind, resolved.name), entry.label, resolved.params(settings, entry.params))
        role = getattr(spec, "role", METHOD)
        if role == CONTROL and (resolved.preset or entry.params):
            role = METHOD  # a variant of a control competes like any other method
        return _Chosen(chosen, spec, self.manager.provider(kind, resolved.name), missing, role)

    @staticmethod
    def student(method: _Chosen) -> _Chosen:
        """Return what stands for the evaluator of a method that reduces a model: the student it makes."""
        return _Chosen(Entry(STUDENT, STUDENT), _STUDENT_SPEC, method.provider, ())

    def check_params(self, spec: MethodSpec | EvaluatorSpec, params: Iterable[str]) -> None:
        parameters = inspect.signature(spec.load()).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        taken = set(parameters) - {"self", "budget", "random_state", "task"}
        for name in sorted(params):
            if name not in taken:
                near = get_close_matches(name, taken, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(taken)) or 'none'}."
                raise SuiteError(
                    f"{self.suite.line_of(name)}: {name} is not a parameter of {spec.name!r} that a suite can set: {hint}"
                )

    def check_metrics(self) -> None:
        for name in self.suite.metrics or ():
            self.get("metric", name, "metrics")
        for task, name in self.suite.primary.items():
            if task not in self.get("metric", name, "primary").tasks:
                raise SuiteError(
                    f"{self.suite.line_of('primary')}: primary: {name!r} does not measure {task}: choose another metric."
                )

    def check_settings(self) -> None:
        known = {kind: self.manager.specs(kind) for kind in ("method", "evaluator")}
        for name in self.suite.settings:
            if not any(name in specs for specs in known.values()):
                at = f"({self.suite.line_of(name)}, in settings)"
                raise UnknownNameError("method or evaluator", name, [*known["method"], *known["evaluator"]], at)

    def metrics_for(self, task: str) -> tuple[str, ...]:
        """Names with versions of the metrics a cell of this task is measured by; "all" are those that can be computed."""
        if self.suite.metrics is None:
            names = [
                name for name, spec in self.manager.specs("metric").items() if "/" not in name and not spec.missing()
            ]
        else:
            names = list(self.suite.metrics)
        specs = {name: self.manager.get("metric", name) for name in (*names, self.suite.primary[task])}
        return tuple(f"{name}@{spec.version}" for name, spec in specs.items() if task in spec.tasks)

    def without_rows(self, metrics: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out the metrics of distilled rows, which a method that reduces a model has none of."""
        return tuple(name for name in metrics if self.manager.get("metric", name.partition("@")[0]).stage != "data")

    def cell(self, data: _Data, method: _Chosen, budget: Budget, seed: int, evaluator: _Chosen, eval_seed: int) -> Cell:
        size = str(budget) if method.spec.follows_budget else FIXED_SIZE
        mode = _label_mode(method)
        metrics = data.metrics if mode != ANY_LABELS else self.without_rows(data.metrics)
        # where files lie does not decide results: the revision holds a fingerprint of their contents
        options = {name: value for name, value in data.entry.params.items() if name not in _PLACES}
        rows = {"protocol": PROTOCOL, "dataset": data.entry.name, "params": options, "revision": data.revision}
        distil = rows | {"method": method.identity, "budget": size, "seed": seed}
        if mode == ANY_LABELS:  # each has a teacher and a student of its own
            distil["eval_seed"] = eval_seed
        judged = distil | {
            "evaluator": evaluator.identity,
            "eval_seed": eval_seed,
            "label_mode": mode,
            "metrics": metrics,
        }
        return Cell(
            suite=self.suite.name,
            dataset=data.entry.label,
            dataset_name=data.entry.name,
            dataset_params=data.entry.params,
            dataset_revision=data.revision,
            task=data.task,
            modality=data.modality,
            method=method.entry.label,
            method_name=method.entry.name,
            method_version=method.spec.version,
            method_params=method.entry.params,
            kind=method.spec.kind,
            role=method.role,
            plugin=method.provider.dist,
            plugin_version=method.provider.version,
            budget=size,
            budget_value=_plain(budget) if method.spec.follows_budget else None,
            distil_seed=seed,
            evaluator=evaluator.entry.label,
            evaluator_name=evaluator.entry.name,
            evaluator_version=evaluator.spec.version,
            evaluator_params=evaluator.entry.params,
            eval_seed=eval_seed,
            label_mode=mode,
            metrics=metrics,
            key=digest(judged),
            distil_key=digest(distil),
            data_key=digest(rows),
            skip=_reason_to_skip(data, method, evaluator),
        )


def _plain(budget: Budget) -> Any:
    return dict(budget.value) if isinstance(budget.value, Mapping) else budget.value


def _label_mode(method: _Chosen) -> str:
    return str(method.spec.label_mode) if method.spec.reduces == "rows" else ANY_LABELS


def _reason_to_skip(data: _Data, method: _Chosen, evaluator: _Chosen) -> str | None:
    for what, chosen in (("method", method), ("evaluator", evaluator)):
        name = f"{what} {chosen.entry.name}"
        if chosen.missing:
            return f"{name} needs {', '.join(chosen.missing)}, which is not installed"
        if data.task not in chosen.spec.tasks:
            return f"{name} does not do {data.task} ({data.entry.label})"
        if data.modality not in chosen.spec.modalities:
            return f"{name} does not take data of modality {data.modality} ({data.entry.label})"
    mode = _label_mode(method)
    if mode not in evaluator.spec.label_modes:
        return f"evaluator {evaluator.entry.name} does not learn from {mode} labels ({method.entry.label})"
    return None
