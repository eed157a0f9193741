"""Runs the checks of a metric, one by one or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from distillkit.plugins import get_manager
from distillkit.specs import MetricSpec
from distillkit.testing._runner import CheckResult, raise_first, run_checks
from distillkit.testing.metrics import _graded, _invariances, _predictions
from distillkit.testing.metrics._by_design import BY_DESIGN
from distillkit.testing.metrics._subject import Subject

__all__ = ["by_design", "check_metric", "metric_checks", "metric_results"]

_STAGES = ("data", "prediction")


def metric_checks(
    metric: Any, *, options: Mapping[str, Any] | None = None, **facts: Any
) -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of a metric.

    Parameters
    ----------
    metric : str, MetricSpec or callable
        A registered name, a registration, or the function itself.
    options : mapping or None
        Further arguments of the metric, such as those that make a costly one quick: a check calls
        it about a hundred times.
    **facts
        For a function: the fields of `MetricSpec` that describe it, such as ``stage="data"`` (the
        default), ``greater_is_better=False`` or ``ideal=0.0``. For a name or a registration, they
        replace what is registered.

    Returns
    -------
    list of (str, callable)
        Names and checks. A check takes no argument, returns None, and raises AssertionError with an
        explanation on failure. Those that a built-in metric fails by design are left out where it
        is given by its name.

    Raises
    ------
    TypeError
        If `metric` is none of these.
    ValueError
        If the metric is of stage "run", whose records follow no rule that could be checked.
    """
    subject = _subject(metric, facts, options)
    left_out = by_design(metric)
    return [
        (check.__name__, partial(check, subject)) for check in _checks_of(subject) if check.__name__ not in left_out
    ]


def metric_results(
    metric: Any, skip: Iterable[str] = (), *, options: Mapping[str, Any] | None = None, **facts: Any
) -> list[CheckResult]:
    """Run the checks of a metric and return all results, failures included.

    Parameters
    ----------
    metric, options, **facts
        As for `metric_checks`.
    skip : iterable of str
        Names of checks to leave out.

    Returns
    -------
    list of CheckResult

    Raises
    ------
    UnknownNameError
        If `skip` contains the name of no check.
    """
    return run_checks(metric_checks(metric, options=options, **facts), skip) + [
        CheckResult(name, passed=True, text=f"left out: {reason}") for name, reason in by_design(metric).items()
    ]


def check_metric(
    metric: Any, *, skip: Iterable[str] = (), options: Mapping[str, Any] | None = None, **facts: Any
) -> None:
    """Check the invariances of a metric, and that it follows graded corruption.

    A metric of stage "data" must not depend on the order of rows or on their units and types, must
    treat weights as repeated rows if at all, must refuse NaN, and must have worse values for sets
    with more noise, fewer classes or more copies of one row. A metric of stage "prediction" must
    have worse values for more errors. Values must be finite and within the stated range.

    Parameters
    ----------
    metric : str, MetricSpec or callable
        As for `metric_checks`.
    skip : iterable of str
        Names of checks to leave out, for a metric that differs by design.
    options, **facts
        As for `metric_checks`.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names the check, gives the reason and says how to
        mend it.
    UnknownNameError
        If `skip` contains the name of no check.

    Examples
    --------
    >>> def mean_distance(X, y, distilled, random_state=0):
    ...     return float(abs(X.mean() - distilled.X.mean()))
    >>> check_metric(mean_distance, greater_is_better=False, ideal=0.0)
    Traceback (most recent call last):
    ...
    AssertionError: mean-distance fails ...
    """
    raise_first(_subject(metric, facts).spec.name, metric_checks(metric, options=options, **facts), skip)


def by_design(metric: Any) -> dict[str, str]:
    """Return the checks that a registered built-in metric fails by design, with the reasons."""
    if not isinstance(metric, str) or metric not in BY_DESIGN:
        return {}
    return BY_DESIGN[metric] if get_manager().provider("metric", metric).dist == "distillkit" else {}


def _checks_of(subject: Subject) -> list[Callable[[Subject], None]]:
    """Return the checks that apply to a metric."""
    spec = subject.spec
    if spec.stage not in _STAGES:
        raise ValueError(
            f"metric {spec.name!r} is of stage {spec.stage!r}: there are checks for the stages data and prediction."
        )
    if spec.stage == "prediction":
        other = _predictions.check_scale if subject.task == "classification" else _predictions.check_class_order
        return [check for check in _predictions.CHECKS if check is not other]
    bounded = "images" in spec.needs  # their values have a range of their own
    invariances = [check for check in _invariances.CHECKS if not (bounded and check is _invariances.check_scale)]
    return [*invariances, *(_graded.PRIVACY_CHECKS if spec.privacy else _graded.FIDELITY_CHECKS)]


def _subject(metric: Any, facts: dict[str, Any], options: Mapping[str, Any] | None = None) -> Subject:
    if isinstance(metric, str):
        metric = get_manager().get("metric", metric)
    if isinstance(metric, MetricSpec):
        spec = replace(metric, **facts)
    elif callable(metric) and not isinstance(metric, type):
        name = getattr(metric, "__name__", type(metric).__name__).strip("_<>").lower().replace("_", "-")
        spec = MetricSpec(**{"name": name, "target": metric, "stage": "data", **facts})
    else:
        raise TypeError(f"{metric!r} is no metric: give a registered name, a MetricSpec or a function.")
    return Subject(spec, partial(spec.load(), **options) if options else spec.load())
