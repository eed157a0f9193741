"""Checks of metrics of stage "prediction"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.testing._problem import expect, expect_equal
from distillkit.testing.metrics._subject import Subject, close

__all__ = ["CHECKS"]

_ROWS = 240
_CLASSES = 4
_ERRORS = (0.0, 0.1, 0.2, 0.4, 0.6, 0.9)  # shares of wrong labels, or noise
_SCALE = 1024.0
_RANK_CORRELATION = 0.8

Truth = np.ndarray
Forecast = np.ndarray


def _forecast(subject: Subject, error: float, seed: int = 0) -> tuple[Truth, Forecast]:
    """Return true targets and predictions with a share of errors."""
    rng = np.random.RandomState(seed)
    if subject.task == "regression":
        y = rng.normal(size=_ROWS)
        return y, y + error * rng.normal(size=_ROWS)
    y = rng.permutation(np.arange(_ROWS) % _CLASSES)
    wrong = rng.permutation(_ROWS)[: round(error * _ROWS)]
    labels = y.copy()
    labels[wrong] = (y[wrong] + rng.randint(1, _CLASSES, len(wrong))) % _CLASSES
    if "probabilities" not in subject.spec.needs:
        return y, labels
    # Confident probabilities, so that errors make them worse in every respect.
    low = 0.02 / (_CLASSES - 1)
    return y, low + (0.98 - low) * np.eye(_CLASSES)[labels]


def check_perfect(subject: Subject) -> None:
    """Perfect predictions have the ideal value, if the registration states one."""
    y, _ = _forecast(subject, 0.0)
    perfect = np.eye(_CLASSES)[y] if "probabilities" in subject.spec.needs else y
    value, ideal = subject.value(y, perfect), subject.spec.ideal
    if ideal is not None and value is not None:
        expect(
            close(value, ideal, absolute=1e-6),
            f"perfect predictions have the value {float(value):.6g}, not the ideal {ideal:g}: remove the bias, or "
            "state another `ideal` (None if there is none)",
        )


def check_inputs(subject: Subject) -> None:
    """The metric changes neither targets nor predictions, and repeats its value."""
    y, predictions = _forecast(subject, 0.3)
    kept, kept_predictions = y.copy(), predictions.copy()
    first, second = subject.value(y, predictions), subject.value(y, predictions)
    expect(first == second, f"two equal calls return {first} and {second}: use no random numbers")
    expect_equal(y, kept, "the metric changes y_true: work on a copy")
    expect_equal(predictions, kept_predictions, "the metric changes the predictions: work on a copy")


def check_row_order(subject: Subject) -> None:
    """The order of the test rows has no effect."""
    y, predictions = _forecast(subject, 0.3)
    order = np.random.RandomState(1).permutation(len(y))
    value, moved = subject.value(y, predictions), subject.value(y[order], predictions[order])
    expect(close(moved, value), f"another order of the rows gives {moved} instead of {value}")


def check_repeated_rows(subject: Subject) -> None:
    """Test rows that occur twice each give the same value."""
    y, predictions = _forecast(subject, 0.3)
    twice = np.repeat(np.arange(len(y)), 2)
    value, doubled = subject.value(y, predictions), subject.value(y[twice], predictions[twice])
    expect(
        close(doubled, value, relative=1e-2),
        f"every row twice gives {doubled} instead of {value}: divide sums by the number of rows",
    )


def check_class_order(subject: Subject) -> None:
    """Classes under other codes give the same value."""
    y, predictions = _forecast(subject, 0.3)
    codes = np.array([2, 0, 3, 1])
    moved = predictions[:, np.argsort(codes)] if predictions.ndim == 2 else codes[predictions]
    value, other = subject.value(y, predictions), subject.value(codes[y], moved)
    expect(close(other, value), f"other codes of the classes give {other} instead of {value}: codes are no numbers")


def check_scale(subject: Subject) -> None:
    """Targets in other units give the same value, or the value in these units."""
    y, predictions = _forecast(subject, 0.3)
    value, scaled = subject.value(y, predictions), subject.value(_SCALE * y, _SCALE * predictions)
    if value is None or scaled is None:
        return
    expect(
        any(close(scaled, value * _SCALE**power, relative=1e-6) for power in (0, 1, 2)),
        f"targets times {_SCALE:g} give {float(scaled):.6g} instead of {float(value):.6g}, which is neither the same "
        "nor the value in other units",
    )


def check_dtypes(subject: Subject) -> None:
    """Other types of numbers give the same value up to rounding."""
    y, predictions = _forecast(subject, 0.3)
    value = subject.value(y, predictions)
    floats = predictions.dtype.kind == "f"
    other = subject.value(
        y.astype(np.float32 if y.dtype.kind == "f" else np.int16),
        predictions.astype(np.float32 if floats else np.int16),
    )
    expect(close(other, value, relative=1e-4, absolute=1e-6), f"shorter types give {other} instead of {value}")


def check_one_class(subject: Subject) -> None:
    """Test rows of one class, of one value, or a single one have a value, None or an error."""
    y, predictions = _forecast(subject, 0.3)
    same = np.full_like(y, y[0])
    for what, arguments in (("one class", (same, predictions)), ("a single test row", (y[:1], predictions[:1]))):
        try:
            subject.value(*arguments)
        except AssertionError as exc:
            raise AssertionError(f"{what}: {exc}") from exc
        except ValueError as exc:
            expect(len(str(exc)) > 10, f"{what}: the error has no message: say what is wrong and what helps")


def check_not_finite(subject: Subject) -> None:
    """Predictions that are NaN or infinite raise a ValueError, such as DataError, or give None."""
    y, predictions = _forecast(subject, 0.3)
    for bad in (np.nan, np.inf):
        broken = predictions.astype(float)
        broken.reshape(len(broken), -1)[3, 0] = bad
        try:
            value = subject.call(y, broken)
        except ValueError:
            continue
        expect(value is None, f"{bad} among the predictions gives {value}: raise a DataError, or return None")


def check_errors(subject: Subject) -> None:
    """More errors of the predictions, in five degrees, make the value worse step by step."""
    from scipy.stats import spearmanr

    values = [
        np.mean([_number(subject.value(*_forecast(subject, error, seed))) for seed in range(3)]) for error in _ERRORS
    ]
    badness = [subject.badness(float(value)) for value in values]
    if badness[0] is None or np.isnan(values).any():
        return
    correlation = float(spearmanr(range(len(badness)), badness).statistic) if np.ptp(values) else 0.0
    shown = ", ".join(f"{value:.4g}" for value in values)
    expect(
        correlation >= _RANK_CORRELATION,
        f"predictions with more and more errors have the values {shown} (rank correlation with the errors "
        f"{correlation:.2f}): state the right `greater_is_better`",
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_perfect,
    check_inputs,
    check_row_order,
    check_repeated_rows,
    check_class_order,
    check_scale,
    check_dtypes,
    check_one_class,
    check_not_finite,
    check_errors,
)
