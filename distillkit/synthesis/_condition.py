"""The condition of a generator: class labels or numbers, as positions among learned embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.budget import Budget
from distillkit.exceptions import DataError
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["Condition"]

_KNOTS = 11
_LARGE = 2**40  # sum of whole numbers in the proportions of weights


@dataclass(frozen=True, eq=False)
class Condition:
    """The map from labels to positions among embeddings, with the distribution of the labels.

    The position of a class is its number. A continuous target lies between two knots, which are
    quantiles of the training targets, so that all that is learned about a target changes piecewise
    linearly with it; numbers beyond the training targets are at the nearest end. Without labels,
    all rows have the same position.

    Parameters
    ----------
    classes : ndarray of shape (k,) or None
        Sorted labels; None without labels and for continuous targets.
    counts : ndarray of shape (k,)
        Number of training rows of each class, or of all rows; in proportion to their weights if
        they have some.
    targets : ndarray of shape (n,) or None
        Sorted training targets, float64; None without labels and for classes. If the rows have
        weights, as many quantiles of the weighted targets.
    """

    classes: np.ndarray | None
    counts: np.ndarray
    targets: np.ndarray | None

    @classmethod
    def of(cls, rows: TrainingRows) -> Condition:
        """Take the labels of the training rows."""
        counts = np.array([len(group.rows) for group in rows.groups])
        if rows.weight is not None:
            counts = _whole(np.array([rows.mass_in(group).sum() for group in rows.groups]))
        if rows.y is None:
            return cls(None, counts, None)
        if rows.task == "regression":
            targets = rows.y.astype(np.float64)
            if rows.weight is not None:
                targets = targets[weighted_draw(rows.weight, len(targets), None, np.argsort(targets, kind="stable"))]
            return cls(None, counts, np.sort(targets))
        return cls(np.unique(rows.y), counts, None)

    @cached_property
    def knots(self) -> np.ndarray:
        """Distinct quantiles of the training targets, ascending."""
        assert self.targets is not None
        knots: np.ndarray = np.unique(np.quantile(self.targets, np.linspace(0, 1, _KNOTS)))
        return knots

    @property
    def width(self) -> int:
        """Number of embeddings."""
        if self.targets is not None:
            return len(self.knots)
        return 1 if self.classes is None else len(self.classes)

    def positions(self, y: np.ndarray | None, n_rows: int) -> np.ndarray:
        """Return the positions of labels among the embeddings.

        Parameters
        ----------
        y : ndarray of shape (n_rows,) or None
            Labels or numbers; None without labels.
        n_rows : int

        Returns
        -------
        ndarray of shape (n_rows,), float32
            In [0, width - 1].

        Raises
        ------
        DataError
            If y holds a class that was not trained on, or a value that is not a finite number where
            numbers are needed.
        """
        if y is None:
            return np.zeros(n_rows, dtype=np.float32)
        if self.targets is not None:
            positions: np.ndarray = np.interp(_finite(y), self.knots, np.arange(self.width)).astype(np.float32)
            return positions
        assert self.classes is not None
        numbers = {label: number for number, label in enumerate(self.classes.tolist())}
        try:
            return np.array([numbers[label] for label in y.tolist()], dtype=np.float32)
        except KeyError as exc:
            raise DataError(
                f"y holds label {exc.args[0]!r}, which was not trained on: give labels among {self._label_names()}."
            ) from None

    def codes(self, y: np.ndarray | None, n_rows: int) -> np.ndarray | None:
        """Return class numbers, or the targets themselves, float64; None without labels.

        Raises
        ------
        DataError
            As `positions` does.
        """
        if y is None or (self.classes is None and self.targets is None):
            return None
        return _finite(y) if self.targets is not None else self.positions(y, n_rows).astype(np.float64)

    def draw(self, n_rows: int) -> np.ndarray | None:
        """Return labels with the distribution of the training rows; None without labels.

        Classes have exact shares by the method of largest remainders, in the order of the labels.
        Numbers are the quantiles of the training targets at ``(i + 1/2) / n_rows``, ascending.
        """
        if self.targets is not None:
            return self._quantiles(n_rows)
        if self.classes is None:
            return None
        return np.repeat(self.classes, _shares(n_rows, self.counts))

    def _quantiles(self, n_rows: int) -> np.ndarray:
        assert self.targets is not None
        levels = (np.arange(n_rows) + 0.5) / n_rows
        quantiles: np.ndarray = np.quantile(self.targets, levels)
        return quantiles

    def resolve(self, n: int | None, y: Any) -> tuple[int, np.ndarray | None]:
        """Return the number of rows to generate and their labels, from the arguments of `sample`.

        Parameters
        ----------
        n : int or None
            Number of rows; None if `y` gives it.
        y : None, label, array of shape (n,) or mapping of label to int

        Returns
        -------
        n : int
        labels : ndarray of shape (n,) or None

        Raises
        ------
        DataError
            If no rows are asked for, if `n` and `y` contradict each other, if y is given to a
            generator without labels, or if it holds numbers beyond the training targets.
        """
        if y is not None and self.classes is None and self.targets is None:
            raise DataError("y was given, but the generator was trained without labels: leave y out.")
        if isinstance(y, Mapping):
            y = self._repeat_labels(y)
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
        self._check_range(labels)
        return _positive(len(labels)), labels

    def _check_range(self, labels: np.ndarray) -> None:
        """Raise an error for numbers beyond the training targets."""
        if self.targets is None:
            return
        numbers, low, high = _finite(labels), float(self.targets[0]), float(self.targets[-1])
        beyond = numbers[(numbers < low) | (numbers > high)]
        if len(beyond):
            raise DataError(
                f"y holds {beyond[0]:g}, but the training targets lie between {low:g} and {high:g}: give numbers "
                "within this range."
            )

    def _repeat_labels(self, rows_per_class: Mapping[Any, int]) -> np.ndarray:
        """Repeat each label of a mapping; it is validated as a `Budget`, but may omit classes."""
        if self.classes is None:
            raise DataError(
                "y gives rows per class, but the generator was trained on numbers: give an array of numbers."
            )
        Budget(dict(rows_per_class))
        return np.concatenate([np.repeat(np.asarray([label]), count) for label, count in rows_per_class.items()])

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the condition, and all else as plain values for JSON."""
        arrays = {"counts": self.counts}
        if self.targets is not None:
            arrays["targets"] = self.targets
        if self.classes is None:
            return arrays, {}
        if self.classes.dtype.kind in "iufb":
            return {**arrays, "classes": self.classes}, {}
        words = [str(label) for label in self.classes.tolist()]
        return arrays, {"classes": words, "dtype": self.classes.dtype.str if self.classes.dtype.kind == "U" else "O"}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Condition:
        """Return the condition that `to_state` described."""
        classes = arrays.get("classes")
        if "classes" in state:
            classes = np.array(state["classes"], dtype=object).astype(np.dtype(state["dtype"]))
        return cls(classes, arrays["counts"], arrays.get("targets"))

    def _label_names(self) -> str:
        assert self.classes is not None
        names = self.classes.tolist()
        return ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")


def _finite(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind not in "iufb" or not np.isfinite(y).all():
        raise DataError("y must hold finite numbers, since the generator was trained on numbers.")
    return y.astype(np.float64)


def _positive(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise DataError(f"n={n!r} is not a number of rows: give an int of at least 1.")
    return int(n)


def _whole(masses: np.ndarray) -> np.ndarray:
    """Return positive whole numbers in the proportions of weights; whole weights as they are."""
    if (masses == np.rint(masses)).all() and masses.sum() < _LARGE:
        return np.asarray(masses, dtype=np.int64)
    return np.asarray(np.maximum(1, np.rint(masses / masses.sum() * _LARGE)), dtype=np.int64)


def _shares(total: int, counts: np.ndarray) -> np.ndarray:
    """Divide `total` into whole numbers in proportion to `counts`, by largest remainders.

    Among equal remainders, the larger class comes first, then the earlier one.
    """
    exact = total * counts.astype(object)  # Python's integers do not overflow
    shares = np.array([int(value // counts.sum()) for value in exact])
    remainders = [int(value % counts.sum()) for value in exact]
    order = sorted(range(len(counts)), key=lambda i: (-remainders[i], -counts[i], i))
    shares[order[: total - shares.sum()]] += 1
    return shares
