"""Checks of metrics of stage "data": what must not change a value, and limiting cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from distillkit.distilled import DistilledSet
from distillkit.testing._problem import expect, expect_equal
from distillkit.testing.metrics._problem import N_CLASSES, MetricProblem
from distillkit.testing.metrics._subject import Subject, close

__all__ = ["CHECKS"]

_SCALE = 1024.0  # a power of two, by which scaling is exact
_POWERS = (0, 1, 2)  # powers of the unit in which values of metrics may be measured


def check_repeat(subject: Subject) -> None:
    """The same call gives the same value, and changes neither rows nor distilled set."""
    problem = subject.problem()
    small = problem.set_of(*problem.fresh(8))
    X, y, kept = problem.X.copy(), problem.y.copy(), replace(small, X=small.X.copy(), y=np.array(small.y))
    first, second = (subject.value(problem.X, problem.y, small, 0) for _ in range(2))
    expect(first == second, f"two equal calls return {first} and {second}: draw all random numbers from random_state")
    for name, now, before in (("X", problem.X, X), ("y", problem.y, y), ("distilled.X", small.X, kept.X)):
        expect_equal(now, before, f"the metric changes {name}: work on a copy")
    expect_equal(small.y, kept.y, "the metric changes distilled.y: work on a copy")


def check_identity(subject: Subject) -> None:
    """A set that equals the training rows has the ideal value, if the registration states one."""
    problem = subject.problem()
    value = subject.value(problem.X, problem.y, problem.set_of(problem.X, problem.y, np.ones(len(problem.X))), 0)
    ideal = subject.spec.ideal
    if ideal is None or value is None:
        return
    expect(
        close(value, ideal, absolute=1e-6),
        f"the training rows themselves have the value {float(value):.6g}, not the ideal {ideal:g}: remove the bias, "
        "or state another `ideal` (None if there is none)",
    )


def check_row_order(subject: Subject) -> None:
    """The order of the training rows and of the distilled rows has no effect."""
    problem, rng = subject.problem(), np.random.RandomState(0)
    small = problem.set_of(*problem.fresh(8))
    expected = subject.value(problem.X, problem.y, small, 0)
    order, small_order = rng.permutation(len(problem.X)), rng.permutation(len(small))
    moved = DistilledSet(
        small.X[small_order],
        np.asarray(small.y)[small_order],
        np.asarray(small.sample_weight)[small_order],
        classes=small.classes,
        provenance=small.provenance,
    )
    for what, arguments in (
        ("training", (problem.X[order], problem.y[order], small)),
        ("distilled", (problem.X, problem.y, moved)),
    ):
        value = subject.value(*arguments, 0)
        expect(
            close(value, expected),
            f"another order of the {what} rows gives {value} instead of {expected}: let no result depend on positions, "
            "and draw rows by their values, or state the error that drawing causes",
        )


def check_sizes(subject: Subject) -> None:
    """Sets of one row a class, of a single row and of many rows have values, None or an error."""
    problem = subject.problem()
    for rows in (1, 5, 30):
        _defined(subject, problem, *problem.fresh(rows), what=f"{rows} distilled rows a class")
    X, y = problem.fresh(1)
    _defined(subject, problem, X[:1], y[:1], what="a single distilled row")
    few = np.arange(3 * N_CLASSES)
    smaller = replace(problem, X=problem.X[few], y=problem.y[few])
    _defined(subject, smaller, *problem.fresh(20), what="more distilled rows than training rows")


def check_scale(subject: Subject) -> None:
    """Rows in other units give the same value, or the value in these units."""
    problem = subject.problem()
    X, y = problem.fresh(8)
    value = subject.value(problem.X, problem.y, problem.set_of(X, y), 0)
    scaled = subject.value(_SCALE * problem.X, problem.y, problem.set_of(_SCALE * X, y), 0)
    if value is None or scaled is None:
        expect(value is scaled, "rows in other units have no value: standardize by the training rows")
        return
    expect(
        any(close(scaled, value * _SCALE**power, relative=1e-3) for power in _POWERS),
        f"rows times {_SCALE:g} give {float(scaled):.6g} instead of {float(value):.6g}, which is neither the same nor "
        "the value in other units: standardize the rows by the training rows, or take bandwidths from them",
    )


def check_dtypes(subject: Subject) -> None:
    """Rows in float32 give the value of float64 up to rounding, also far from the origin."""
    problem = subject.problem()
    X, y = problem.fresh(8)
    for offset in (0.0,) if problem.bounded else (0.0, 64.0):
        # Values that float32 holds exactly, so that both types describe the same rows.
        rows, fresh = (np.round((values + offset) * 4096) / 4096 for values in (problem.X, X))
        expected = subject.value(rows, problem.y, problem.set_of(fresh, y), 0)
        single = subject.value(rows.astype(np.float32), problem.y, problem.set_of(fresh.astype(np.float32), y), 0)
        expect(
            close(single, expected, relative=1e-3, absolute=1e-5),
            f"float32 gives {single}, float64 {expected}: sum squares and products in float64, after centering",
        )


def check_weights(subject: Subject) -> None:
    """Weights of whole numbers equal repeated rows, if weights have an effect at all."""
    problem = subject.problem()
    X, y = problem.fresh(8)
    weight = 1 + np.arange(len(X)) % 3
    repeated = np.repeat(np.arange(len(X)), weight)
    weighted, plain, copied = (
        subject.value(problem.X, problem.y, problem.set_of(*rows), 0)
        for rows in ((X, y, weight * 1.0), (X, y, np.ones(len(X))), (X[repeated], y[repeated], np.ones(len(repeated))))
    )
    if close(weighted, plain):
        return
    expect(
        close(weighted, copied),
        f"rows with weights have the value {weighted}, the same rows repeated {copied}: weigh each row by its "
        "sample_weight in sums, and in nothing else",
    )


def check_one_class(subject: Subject) -> None:
    """A training set of one class, or of one target, has a value, None or an error in words."""
    problem = subject.problem()
    one = problem.groups(problem.y) == 0
    X, y = problem.fresh(8)
    fresh = problem.groups(y) == 0
    target = 0 if problem.task == "classification" else 1.5
    alone = replace(problem, X=problem.X[one], y=np.full(int(one.sum()), target))
    _defined(subject, alone, X[fresh], np.full(int(fresh.sum()), target), what="one class")


def check_missing_class(subject: Subject) -> None:
    """A distilled set without one of the classes has a value, None or an error in words."""
    problem = subject.problem()
    X, y = problem.fresh(8)
    kept = problem.groups(y) > 0
    _defined(subject, problem, X[kept], y[kept], what="a class that the distilled set lacks")


def check_duplicates(subject: Subject) -> None:
    """Equal rows, and a column that is constant, have a value, None or an error in words."""
    problem = subject.problem()
    X, y = problem.fresh(1)
    _defined(subject, problem, np.repeat(X, 6, axis=0), np.repeat(y, 6), what="equal distilled rows")
    rows = np.repeat(problem.X[:30], 6, axis=0)
    twins = replace(problem, X=rows, y=np.repeat(problem.y[:30], 6))
    _defined(subject, twins, *problem.fresh(4), what="equal training rows")
    flat, fresh = problem.X.copy(), X.copy()
    flat.reshape(len(flat), -1)[:, 0] = fresh.reshape(len(fresh), -1)[:, 0] = 0.5
    _defined(subject, replace(problem, X=flat), fresh, y, what="a constant column")


def check_not_finite(subject: Subject) -> None:
    """NaN and infinity in rows raise a ValueError, such as DataError, or give None."""
    problem = subject.problem()
    X, y = problem.fresh(8)
    for bad in (np.nan, np.inf):
        broken, training = X.copy(), problem.X.copy()
        broken.reshape(len(broken), -1)[3, 1] = training.reshape(len(training), -1)[5, 2] = bad
        _refused(subject, (problem.X, problem.y, problem.set_of(broken, y), 0), f"{bad} in the distilled rows")
        _refused(subject, (training, problem.y, problem.set_of(X, y), 0), f"{bad} in the training rows")


def _defined(subject: Subject, problem: MetricProblem, X: np.ndarray, y: Any, what: str) -> None:
    """Check that a set has a value, None or a ValueError with a message."""
    try:
        subject.value(problem.X, problem.y, problem.set_of(X, y), 0)
    except AssertionError as exc:
        raise AssertionError(f"{what}: {exc}") from exc
    except ValueError as exc:
        expect(len(str(exc)) > 10, f"{what}: the error has no message: say what is wrong and what helps")
    except Exception as exc:
        raise AssertionError(
            f"{what}: it raises {type(exc).__name__} ({exc}): return None, or raise a DataError that says what helps"
        ) from exc


def _refused(subject: Subject, arguments: tuple[Any, ...], what: str) -> None:
    """Check that a call raises a ValueError or returns None."""
    try:
        value = subject.call(*arguments)
    except ValueError:
        return
    except Exception as exc:
        raise AssertionError(f"{what}: it raises {type(exc).__name__}: {exc}; raise a DataError") from exc
    expect(value is None, f"{what} gives {value}: raise a DataError, or return None, never a number")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_repeat,
    check_identity,
    check_row_order,
    check_sizes,
    check_scale,
    check_dtypes,
    check_weights,
    check_one_class,
    check_missing_class,
    check_duplicates,
    check_not_finite,
)
