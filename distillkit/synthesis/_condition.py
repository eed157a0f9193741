"""What a generator is conditioned on: classes, numbers or nothing, as places on a line of learned embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from distillkit.budget import Budget
from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["Condition", "place_weights"]

_KNOTS = 11


def place_weights(places: torch.Tensor, width: int) -> torch.Tensor:
    """Turn places (b,) on a line of embeddings into their weights (b, width): ``max(0, 1 - |place - k|)``.

    A whole place is one-hot; a place between two is a mixture of both.
    """
    knots = torch.arange(width, device=places.device, dtype=places.dtype)
    return torch.relu(1 - (places.unsqueeze(1) - knots).abs())


@dataclass(frozen=True, eq=False)
class Condition:
    """Turns labels into places on a line of embeddings, and knows how often each label was seen.

    A class is at the place of its number. A number is between two of the knots, which lie at quantiles of the training targets,
    so that everything learned about a target changes piecewise linearly with it; numbers beyond the training targets
    are at the nearest end. Without labels there is one place for all.

    Parameters
    ----------
    classes : ndarray of shape (k,) or None
        Sorted labels.
    counts : ndarray of shape (k,)
        Training rows of each class, or of all.
    targets : ndarray of shape (n,) or None
        Sorted training targets, float64.
    """

    classes: np.ndarray | None
    counts: np.ndarray
    targets: np.ndarray | None

    @classmethod
    def of(cls, rows: TrainingRows) -> Condition:
        """Take the labels of the training rows."""
        counts = np.array([len(group.rows) for group in rows.groups])
        if rows.y is None:
            return cls(None, counts, None)
        if rows.task == "regression":
            return cls(None, counts, np.sort(rows.y.astype(np.float64)))
        return cls(np.unique(rows.y), counts, None)

    @cached_property
    def knots(self) -> np.ndarray:
        """Different quantiles of the training targets, ascending."""
        assert self.targets is not None
        knots: np.ndarray = np.unique(np.quantile(self.targets, np.linspace(0, 1, _KNOTS)))
        return knots

    @property
    def width(self) -> int:
        """Embeddings there are."""
        if self.targets is not None:
            return len(self.knots)
        return 1 if self.classes is None else len(self.classes)

    def places(self, y: np.ndarray | None, n_rows: int) -> np.ndarray:
        """Return the places of labels (n_rows,), float32, in [0, width - 1].

        Raises
        ------
        DataError
            If y names a class that was not trained on, or holds what is no finite number where numbers are needed.
        """
        if y is None:
            return np.zeros(n_rows, dtype=np.float32)
        if self.targets is not None:
            places: np.ndarray = np.interp(_finite(y), self.knots, np.arange(self.width)).astype(np.float32)
            return places
        assert self.classes is not None
        numbers = {label: number for number, label in enumerate(self.classes.tolist())}
        try:
            return np.array([numbers[label] for label in y.tolist()], dtype=np.float32)
        except KeyError as exc:
            raise DataError(
                f"y holds label {exc.args[0]!r}, which was not trained on: give labels among {self._names()}."
            ) from None

    def draw(self, n_rows: int) -> np.ndarray | None:
        """Return n labels as in the training rows: exact class shares by largest remainders, or quantiles at ``(i + 1/2) / n``."""
        if self.targets is not None:
            return self._quantiles(n_rows)
        if self.classes is None:
            return None
        return np.repeat(self.classes, _shares(n_rows, self.counts))

    def _quantiles(self, n_rows: int) -> np.ndarray:
        assert self.targets is not None
        places = (np.arange(n_rows) + 0.5) / n_rows
        quantiles: np.ndarray = np.quantile(self.targets, places)
        return quantiles

    def resolve(self, n: int | None, y: Any) -> tuple[int, np.ndarray | None]:
        """Return the number of rows and their labels for what a user asked for.

        Parameters
        ----------
        n : int or None
            Rows; None where `y` says it.
        y : None, label, array of shape (n,) or mapping of label to int

        Raises
        ------
        DataError
            If there are no rows, both do not fit each other, or y is given where rows have no labels.
        """
        if y is not None and self.classes is None and self.targets is None:
            raise DataError("y was given, but the generator was trained without labels: leave y out.")
        if isinstance(y, Mapping):
            y = self._spread(y)
        if y is None:
            n = _positive(n)
            return n, self.draw(n)
        labels = np.asarray(y)
        if labels.ndim == 0:
            labels = np.repeat(labels, _positive(n))
        if labels.ndim != 1 or (n is not None and len(labels) != n):
            raise DataError(
                f"n={n} rows were asked for with labels of shape {labels.shape}: give as many labels as rows."
            )
        return _positive(len(labels)), labels

    def _spread(self, wanted: Mapping[Any, int]) -> np.ndarray:
        """Repeat the labels of a mapping, read as `Budget` reads it, though classes may be left out."""
        if self.classes is None:
            raise DataError(
                "y gives rows per class, but the generator was trained on numbers: give an array of numbers."
            )
        Budget(dict(wanted))
        return np.concatenate([np.repeat(np.asarray([label]), count) for label, count in wanted.items()])

    def _names(self) -> str:
        assert self.classes is not None
        names = self.classes.tolist()
        return ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")


def _finite(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind not in "iufb" or not np.isfinite(y).all():
        raise DataError("y must hold finite numbers, since the generator was trained on numbers.")
    return y.astype(np.float64)


def _positive(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise DataError(f"n={n!r} is no number of rows: give an int of at least 1.")
    return int(n)


def _shares(total: int, counts: np.ndarray) -> np.ndarray:
    """Divide `total` in proportion to `counts` by largest remainders, in whole numbers; the larger class first among equals."""
    exact = total * counts.astype(object)  # Python's integers do not overflow
    shares = np.array([int(value // counts.sum()) for value in exact])
    left = [int(value % counts.sum()) for value in exact]
    order = sorted(range(len(counts)), key=lambda i: (-left[i], -counts[i], i))
    shares[order[: total - shares.sum()]] += 1
    return shares
