"""Small problems for checks of distillers, and assertions with messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

__all__ = ["CheckData", "Scope", "expect", "expect_equal", "fresh", "raises"]

_ROW_SHAPES = {"table": (5,), "series": (2, 16), "image": (1, 8, 8)}
_CLASS_SIZES = (12, 9, 6)
LABELS = ("ant", "bee", "cat")


@dataclass(frozen=True, eq=False)
class CheckData:
    """Rows and targets for checks.

    Parameters
    ----------
    X : ndarray of shape (27, ...)
        Gaussian classes far from the origin, so that a change of units is visible.
    y : ndarray of shape (27,) or None
        int64 labels 0, 1, 2 with 12, 9 and 6 rows, shuffled; float64 numbers; or None.
    """

    X: np.ndarray
    y: Any

    @property
    def counts(self) -> dict[int, int]:
        """Number of rows of each class."""
        return dict(enumerate(_CLASS_SIZES))


@dataclass(frozen=True)
class Scope:
    """Tasks and modalities that a distiller supports; checks of others are skipped.

    Parameters
    ----------
    tasks : tuple of "classification", "regression" or None
    modalities : tuple of "table", "series" or "image"
    """

    tasks: tuple[str | None, ...]
    modalities: tuple[str, ...]

    def problem(self, task: str | None = "any", modality: str = "any", seed: int = 0) -> CheckData:
        """Return a problem of a task and modality; "any" is the first supported one."""
        task = self.tasks[0] if task == "any" else task
        modality = self.modalities[0] if modality == "any" else modality
        rng = np.random.RandomState(seed)
        codes = rng.permutation(np.repeat(np.arange(3), _CLASS_SIZES))
        X = rng.normal(size=(len(codes), *_ROW_SHAPES[modality])) + 100
        X += 3 * codes.reshape(-1, *[1] * (X.ndim - 1))
        if task == "regression":
            return CheckData(X, X.reshape(len(X), -1)[:, :3].sum(axis=1) / 7)
        return CheckData(X, codes if task == "classification" else None)

    def can(self, task: str | None) -> bool:
        """Whether the distiller supports the task."""
        return task in self.tasks


def fresh(estimator: Any, **params: Any) -> Any:
    """Return an unfitted clone with a small budget, a fixed seed and the given parameters.

    Parameters that the estimator does not have are ignored.
    """
    copy = clone(estimator)
    existing = copy.get_params(deep=False)
    values = {"budget": 0.2, "random_state": 0, **params}
    return copy.set_params(**{name: value for name, value in values.items() if name in existing})


def expect(condition: object, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` holds, also under ``python -O``."""
    if not condition:
        raise AssertionError(message)


def expect_equal(actual: Any, expected: Any, message: str) -> None:
    """Raise AssertionError unless two arrays are equal bit for bit.

    They must have the same shape, the same dtype and the same values.
    """
    if expected is None or actual is None:
        expect(actual is expected, f"{message}: {actual!r} is not {expected!r}")
        return
    actual, expected = np.asarray(actual), np.asarray(expected)
    same = actual.shape == expected.shape and actual.dtype == expected.dtype and np.array_equal(actual, expected)
    expect(same, f"{message}: {_described(actual)} differs from {_described(expected)}")


def _described(values: np.ndarray) -> str:
    """Return the dtype and shape of an array in words."""
    return f"{values.dtype} array of shape {values.shape}"


def raises(call: Any, *words: str, what: str) -> None:
    """Check that `call()` raises a ValueError or TypeError that mentions one of `words`."""
    try:
        call()
    except (ValueError, TypeError) as exc:
        text = str(exc).lower()
        expect(
            any(word.lower() in text for word in words),
            f"{what}: the error should contain {' or '.join(map(repr, words))}, but is {str(exc)!r}",
        )
        return
    except Exception as exc:
        raise AssertionError(
            f"{what}: raise a ValueError (such as DataError), not {type(exc).__name__}: {exc}"
        ) from exc
    raise AssertionError(f"{what}: no error was raised")
