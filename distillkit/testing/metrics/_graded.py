"""Checks of metrics of stage "data" by graded corruption: worse sets must have worse values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distillkit.testing._problem import expect
from distillkit.testing.metrics._corruptions import (
    DEGREES,
    Corruption,
    lost_classes,
    nearly_published_rows,
    noise,
    published_rows,
    repeated_rows,
)
from distillkit.testing.metrics._subject import Subject

__all__ = ["FIDELITY_CHECKS", "PRIVACY_CHECKS"]

_DRAWS = 3
_RANK_CORRELATION = 0.8
_NOISE = 3.0  # changes below this many standard errors are sampling noise
_FEWEST = 4  # degrees that must have values for a judgement
_ROWS = 10  # distilled rows of each class


def check_noise(subject: Subject) -> None:
    """Noise of five strengths in the distilled rows makes the value worse step by step."""
    _follows(subject, noise, "noise in the distilled rows")


def check_lost_classes(subject: Subject) -> None:
    """Each class that the distilled set loses makes the value worse."""
    _follows(subject, lost_classes, "leaving out classes")


def check_repeated_rows(subject: Subject) -> None:
    """Replacing more and more rows by copies of one makes the value worse."""
    _follows(subject, repeated_rows, "copies of one row in place of others")


def check_published_rows(subject: Subject) -> None:
    """The more training rows are published, exactly or nearly, the worse the value is."""
    _follows(subject, published_rows, "publishing training rows")
    _follows(subject, nearly_published_rows, "publishing slightly changed training rows")


def check_response(subject: Subject) -> None:
    """At least one kind of corruption has an effect beyond sampling noise."""
    privacy = (published_rows, nearly_published_rows)
    kinds = privacy if subject.spec.privacy else (noise, lost_classes, repeated_rows)
    measured = [values for kind in kinds if (values := _values(subject, kind)) is not None]
    expect(
        not measured or any(_moves(values) for values in measured),
        "no corruption changes the value beyond sampling noise: the metric cannot tell a good set from a bad one",
    )


def _values(subject: Subject, corruption: Corruption) -> np.ndarray | None:
    """Return the values of all draws (rows) at the degrees that have values, or None if few have.

    They are kept, because the check of the response needs all of them again.
    """
    kept = subject.state.setdefault("graded", {})
    if corruption not in kept:
        kept[corruption] = _measured(subject, corruption)
    values: np.ndarray | None = kept[corruption]
    return values


def _measured(subject: Subject, corruption: Corruption) -> np.ndarray | None:
    values = np.full((_DRAWS, DEGREES), np.nan)
    for draw in range(_DRAWS):
        problem = subject.problem(seed=draw)
        X, y = problem.fresh(_ROWS, seed=draw)
        for degree in range(DEGREES):
            rows = corruption(problem, X, y, degree, np.random.RandomState(draw))
            try:
                value = subject.value(problem.X, problem.y, problem.set_of(*rows), draw)
            except ValueError:  # a set that is too bad for the metric, such as one of a single class
                continue
            values[draw, degree] = np.nan if value is None else value
    known = ~np.isnan(values).any(axis=0)
    return values[:, known] if known.sum() >= _FEWEST else None


def _moves(values: np.ndarray) -> bool:
    """Return whether the values change beyond sampling noise."""
    error = values[:, 0].std(ddof=1) / np.sqrt(_DRAWS)
    return bool(np.ptp(values.mean(axis=0)) > _NOISE * error + 1e-9 * np.abs(values).max())


def _reverses(badness: np.ndarray) -> bool:
    """Return whether more damage improves the values of the draws (rows) beyond sampling noise.

    The draws differ by their problems, which is no noise of the comparison of two degrees, so their
    means are removed first.
    """
    centered = badness - badness.mean(axis=1, keepdims=True)
    errors = centered.std(axis=0, ddof=1) / np.sqrt(_DRAWS)
    errors = np.maximum(errors, np.median(errors))
    means = badness.mean(axis=0)
    drops = means[:, None] - means[None, :]  # from the degree of the row to that of the column
    allowed = _NOISE * np.hypot(errors[:, None], errors[None, :])
    return bool(np.triu(drops > allowed, k=1).any())


def _follows(subject: Subject, corruption: Corruption, what: str) -> None:
    """Check that worse sets have worse values, unless a corruption has no effect at all."""
    from scipy.stats import spearmanr

    values = _values(subject, corruption)
    if values is None or not _moves(values) or subject.badness(values[0, 0]) is None:
        return
    badness = np.array([[subject.badness(value) for value in row] for row in values])
    means = badness.mean(axis=0)
    correlation = float(spearmanr(range(len(means)), means).statistic) if np.ptp(means) else 0.0
    shown = ", ".join(f"{value:.4g}" for value in values.mean(axis=0))
    expect(
        correlation >= _RANK_CORRELATION or (correlation > 0 and not _reverses(badness)),
        f"{what} in five degrees gives {shown} (rank correlation with the damage {correlation:.2f}): state the right "
        "`greater_is_better`, or mend what rewards damage",
    )


FIDELITY_CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_noise,
    check_lost_classes,
    check_repeated_rows,
    check_response,
)
PRIVACY_CHECKS: tuple[Callable[[Subject], None], ...] = (check_published_rows, check_response)
"""Noise and lost classes protect the training rows, so that metrics of privacy need not follow."""
