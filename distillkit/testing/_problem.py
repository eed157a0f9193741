"""Small problems that every distiller is checked on, and the words in which a check fails."""

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
    """Rows with targets.

    Parameters
    ----------
    X : ndarray of shape (27, ...)
        Gaussian classes far from the origin, so that a change of units shows.
    y : ndarray of shape (27,) or None
        int64 labels 0, 1, 2 with 12, 9 and 6 rows, shuffled; float64 numbers; or None.
    """

    X: np.ndarray
    y: Any

    @property
    def counts(self) -> dict[int, int]:
        """Rows of each class."""
        return dict(enumerate(_CLASS_SIZES))


@dataclass(frozen=True)
class Scope:
    """What the distiller says it can do; checks outside of it are left out.

    Parameters
    ----------
    tasks : tuple of "classification", "regression" or None
    modalities : tuple of "table", "series" or "image"
    """

    tasks: tuple[str | None, ...]
    modalities: tuple[str, ...]

    def problem(self, task: str | None = "any", modality: str = "any", seed: int = 0) -> CheckData:
        """Return the problem of a task and modality; "any" is the first that the distiller can do."""
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
        """Whether the task is one of the distiller's."""
        return task in self.tasks


def fresh(estimator: Any, **params: Any) -> Any:
    """Return an unfitted clone with a small budget, a fixed seed and `params`, as far as it has such parameters."""
    copy = clone(estimator)
    known = copy.get_params(deep=False)
    wanted = {"budget": 0.2, "random_state": 0, **params}
    return copy.set_params(**{name: value for name, value in wanted.items() if name in known})


def expect(condition: object, message: str) -> None:
    """Fail with `message` unless `condition` holds; unlike assert, also under ``python -O``."""
    if not condition:
        raise AssertionError(message)


def expect_equal(actual: Any, expected: Any, message: str) -> None:
    """Fail with `message` unless two arrays have one shape, one dtype and the same values bit for bit."""
    if expected is None or actual is None:
        expect(actual is expected, f"{message}: {actual!r} is not {expected!r}")
        return
    actual, expected = np.asarray(actual), np.asarray(expected)
    same = actual.shape == expected.shape and actual.dtype == expected.dtype and np.array_equal(actual, expected)
    expect(same, f"{message}: {_brief(actual)} differs from {_brief(expected)}")


def _brief(values: np.ndarray) -> str:
    return f"{values.dtype} array of shape {values.shape}"


def raises(call: Any, *words: str, what: str) -> None:
    """Fail unless `call()` raises a ValueError or TypeError whose message holds one of `words`."""
    try:
        call()
    except (ValueError, TypeError) as exc:
        text = str(exc).lower()
        expect(
            any(word.lower() in text for word in words),
            f"{what}: the error should say {' or '.join(map(repr, words))}, but says {str(exc)!r}",
        )
        return
    except Exception as exc:
        raise AssertionError(
            f"{what}: raise a ValueError (such as DataError), not {type(exc).__name__}: {exc}"
        ) from exc
    raise AssertionError(f"{what}: no error was raised")
