"""Checks anything that a plugin provides, of any kind: its registration, then its behavior."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from distillkit.plugins import get_manager
from distillkit.specs import DatasetSpec, EvaluatorSpec, ExecutorSpec, MethodSpec, MetricSpec, ReporterSpec, Spec
from distillkit.testing._dataset_checks import dataset_checks
from distillkit.testing._distiller import distiller_checks
from distillkit.testing._evaluator_checks import model_checks
from distillkit.testing._executor_checks import executor_checks
from distillkit.testing._registration import registration_checks
from distillkit.testing._reporter_checks import reporter_checks
from distillkit.testing._runner import BoundCheck, CheckResult, bound, raise_first, run_checks
from distillkit.testing.metrics._run import by_design, metric_checks

__all__ = [
    "check_dataset",
    "check_evaluator",
    "check_executor",
    "check_reporter",
    "left_out",
    "spec_checks",
    "spec_results",
]

Options = Mapping[str, Any]


def spec_checks(spec: Spec, *, options: Options | None = None, root: Path | None = None) -> list[BoundCheck]:
    """Return the checks of anything that is registered: of its registration, then of its behavior.

    Parameters
    ----------
    spec : Spec
    options : mapping or None
        Parameters, such as those that make a costly method quick.
    root : Path or None
        The data folder, for datasets.
    """
    kind = next(kind for kind, (spec_type, _) in _BEHAVIOR.items() if isinstance(spec, spec_type))
    registration = registration_checks(kind, spec)
    if spec.missing():  # `check_target` says so; without the packages, nothing can be called.
        return registration[:2]
    try:
        return [*registration, *_BEHAVIOR[kind][1](spec, dict(options or {}), root)]
    except Exception as exc:  # Calling the target can raise anything.
        return [*registration, ("check_contract", partial(_fail, f"{type(exc).__name__}: {exc}"))]


def _fail(message: str) -> None:
    """The target is of the kind that is registered."""
    raise AssertionError(message)


def spec_results(
    spec: Spec, skip: Iterable[str] = (), *, options: Options | None = None, root: Path | None = None
) -> list[CheckResult]:
    """Run `spec_checks` and return all results, failures included."""
    return run_checks(spec_checks(spec, options=options, root=root), skip)


def left_out(kind: str, name: str) -> list[CheckResult]:
    """Return the checks that a built-in metric fails by design, with the reasons."""
    reasons = by_design(name) if kind == "metric" else {}
    return [CheckResult(check, passed=True, text=f"left out: {reason}") for check, reason in reasons.items()]


def check_dataset(
    dataset: Any, *, root: str | Path | None = None, skip: Iterable[str] = (), options: Options | None = None
) -> None:
    """Check that a dataset has sound rows, labels, units and splits, and the same ones each time.

    Parameters
    ----------
    dataset : str or DatasetSpec
        A registered name, or a registration.
    root : str, Path or None
        The data folder.
    skip : iterable of str
        Names of checks to leave out.
    options : mapping or None
        Options of the loader.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names the check, gives the reason and says how to
        mend it.
    UnknownNameError
        If `skip` contains the name of no check.

    Examples
    --------
    >>> check_dataset("wine")
    """
    _check("dataset", dataset, skip, options, None if root is None else Path(root))


def check_evaluator(evaluator: Any, *, skip: Iterable[str] = (), options: Options | None = None) -> None:
    """Check that an evaluator learns, predicts given labels, and heeds its seed and weights.

    Parameters
    ----------
    evaluator : str or EvaluatorSpec
        A registered name, or a registration.
    skip : iterable of str
        Names of checks to leave out.
    options : mapping or None
        Parameters, such as those that make a costly model quick.

    Raises
    ------
    AssertionError, UnknownNameError
        As for `check_dataset`.

    Examples
    --------
    >>> check_evaluator("knn")
    """
    _check("evaluator", evaluator, skip, options)


def check_reporter(reporter: Any, *, skip: Iterable[str] = ()) -> None:
    """Check that a reporter writes its files below the folder, the same ones each time.

    It writes a leaderboard of made-up figures with odd names, a failed cell and skipped ones, and
    one without any finished cell.

    Parameters
    ----------
    reporter : str or ReporterSpec
        A registered name, or a registration.
    skip : iterable of str
        Names of checks to leave out.

    Raises
    ------
    AssertionError, UnknownNameError
        As for `check_dataset`.

    Examples
    --------
    >>> check_reporter("csv")
    """
    _check("reporter", reporter, skip, None)


def check_executor(executor: Any, *, skip: Iterable[str] = ()) -> None:
    """Check that an executor runs every group once, heeds `jobs`, and stops when it is closed.

    Parameters
    ----------
    executor : str or ExecutorSpec
        A registered name, or a registration.
    skip : iterable of str
        Names of checks to leave out.

    Raises
    ------
    AssertionError, UnknownNameError
        As for `check_dataset`.

    Examples
    --------
    >>> check_executor("local")
    """
    _check("executor", executor, skip, None)


def _check(kind: str, thing: Any, skip: Iterable[str], options: Options | None, root: Path | None = None) -> None:
    spec = get_manager().get(kind, thing) if isinstance(thing, str) else thing
    if not isinstance(spec, _BEHAVIOR[kind][0]):
        raise TypeError(f"{thing!r} is no {kind}: give a registered name or a {_BEHAVIOR[kind][0].__name__}.")
    raise_first(f"{kind} {spec.name!r}", spec_checks(spec, options=options, root=root), skip)


def _method(spec: MethodSpec, options: dict[str, Any], _root: Path | None) -> list[BoundCheck]:
    target, params = spec.load(), {**spec.params, **options}
    if spec.reduces == "model":
        return model_checks(replace(spec, presets={}), partial(_student, target, params))
    estimator = target(**params)
    # Without y a method does what it does for a continuous target, so that both tasks are needed.
    tasks = [task for task in ("classification", "regression") if task in spec.tasks]
    modalities = [modality for modality in ("table", "series", "image") if modality in spec.modalities]
    checks = distiller_checks(estimator, tasks=None if len(tasks) == 2 else tasks, modalities=modalities)
    return [(name, bound(check, estimator)) for name, check in checks]


def _student(target: Any, given: dict[str, Any], task: str, random_state: int, **params: Any) -> Any:
    """Return an unfitted method that reduces a model."""
    known = target().get_params(deep=False)
    common = {"task": task, "random_state": random_state}
    return target(**{**{name: value for name, value in common.items() if name in known}, **given, **params})


def _dataset(spec: DatasetSpec, options: dict[str, Any], root: Path | None) -> list[BoundCheck]:
    from distillkit.datasets import data_root

    return dataset_checks(spec, data_root() if root is None else root, options)


def _evaluator(spec: EvaluatorSpec, options: dict[str, Any], _root: Path | None) -> list[BoundCheck]:
    return model_checks(spec, partial(spec.load(), **options))


def _metric(spec: MetricSpec, options: dict[str, Any], _root: Path | None) -> list[BoundCheck]:
    if spec.stage == "run":  # Records follow no rule that could be checked.
        return []
    registered = get_manager().short_specs("metric").get(spec.name) is spec
    return metric_checks(spec.name if registered else spec, options=options)


def _reporter(spec: ReporterSpec, _options: dict[str, Any], _root: Path | None) -> list[BoundCheck]:
    return reporter_checks(spec)


def _executor(spec: ExecutorSpec, _options: dict[str, Any], _root: Path | None) -> list[BoundCheck]:
    return executor_checks(spec.load())


_BEHAVIOR: dict[str, tuple[type[Spec], Callable[[Any, dict[str, Any], Path | None], list[BoundCheck]]]] = {
    "method": (MethodSpec, _method),
    "dataset": (DatasetSpec, _dataset),
    "evaluator": (EvaluatorSpec, _evaluator),
    "metric": (MetricSpec, _metric),
    "reporter": (ReporterSpec, _reporter),
    "executor": (ExecutorSpec, _executor),
}
