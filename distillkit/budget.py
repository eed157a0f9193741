"""Budgets: the number of rows of a distilled set, resolved in one class for all uses."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from distillkit.exceptions import BudgetError, DistillkitWarning

__all__ = ["Budget", "as_text"]

_FORMS = "an int (rows per class), a float in (0, 1) (share of the rows) or a dict (rows per class label)"

_SURPRISING_FACTOR = 2  # times the rows asked for; a larger result is a warning


@dataclass(frozen=True)
class Budget:
    """Number of rows of a distilled set, in one of three forms.

    Parameters
    ----------
    value : int, float or dict
        ``int`` k >= 1: k rows per class, or k rows in all if the target is continuous or absent.
        ``float`` f in (0, 1): this share of the rows, divided over the classes in proportion to
        their sizes by largest remainders, with at least one row per class. ``dict``: number of rows
        for each class label; it must contain every class.

    Raises
    ------
    BudgetError
        If `value` has none of these forms.

    Examples
    --------
    >>> Budget(2).per_class({"a": 5, "b": 3})
    {'a': 2, 'b': 2}
    >>> Budget(0.5).per_class({"a": 6, "b": 2})
    {'a': 3, 'b': 1}
    >>> Budget(0.25).total(200)
    50
    >>> Budget.parse("5%")
    Budget(value=0.05)
    """

    value: int | float | Mapping[Any, int]

    def __post_init__(self) -> None:
        value = self.value
        if isinstance(value, Mapping):
            self._check_mapping(value)
        elif isinstance(value, bool) or not isinstance(value, Real):
            raise BudgetError(f"budget={value!r} is not understood: give {_FORMS}.")
        elif isinstance(value, Integral):
            if value < 1:
                raise BudgetError(f"budget={value!r} must be at least 1: give {_FORMS}.")
        elif not 0 < value < 1:
            raise BudgetError(f"budget={value!r} is not a share in (0, 1): give {_FORMS}.")

    @staticmethod
    def _check_mapping(value: Mapping[Any, int]) -> None:
        if not value:
            raise BudgetError("budget={} names no class: give the number of rows for every class label.")
        for label, rows in value.items():
            if isinstance(rows, bool) or not isinstance(rows, Integral) or rows < 1:
                raise BudgetError(f"budget[{label!r}]={rows!r} must be an int of at least 1.")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Parse a budget as typed on the command line.

        Parameters
        ----------
        text : str
            ``"10"``, ``"0.05"``, ``"5%"`` or ``"cat=3,dog=5"``.

        Returns
        -------
        Budget

        Raises
        ------
        BudgetError
            If the text has none of these forms.
        """
        text = text.strip()
        try:
            if "=" in text:
                pairs = (part.rpartition("=") for part in text.split(","))
                return cls({label.strip(): int(rows) for label, _, rows in pairs})
            if text.endswith("%"):
                return cls(float(text[:-1]) / 100)
            return cls(int(text) if text.lstrip("+-").isdigit() else float(text))
        except BudgetError:
            raise
        except ValueError:
            raise BudgetError(f"budget {text!r} is not understood: write 10, 0.05, 5% or cat=3,dog=5.") from None

    def __str__(self) -> str:
        if isinstance(self.value, Mapping):
            return ",".join(f"{label}={rows}" for label, rows in self.value.items())
        return str(self.value)

    def total(self, n_rows: int) -> int:
        """Return the total number of rows, for a continuous target or none.

        Parameters
        ----------
        n_rows : int
            Number of training rows.

        Returns
        -------
        int
            Between 1 and `n_rows`.

        Raises
        ------
        BudgetError
            If the budget exceeds the number of training rows, or is a dict.
        """
        if isinstance(self.value, Mapping):
            raise BudgetError(
                f"budget={dict(self.value)!r} gives rows per class, but the target is continuous or absent: "
                "give an int or a share, or set task='classification'."
            )
        if not isinstance(self.value, Integral):
            return max(1, round(self.value * n_rows))
        if self.value > n_rows:
            raise BudgetError(f"budget={self.value} asks for more than the n_samples = {n_rows} rows of X: lower it.")
        return int(self.value)

    def per_class(self, counts: Mapping[Any, int]) -> dict[Any, int]:
        """Return the number of rows for each class.

        Parameters
        ----------
        counts : mapping of label to int
            Number of training rows of each class, all positive.

        Returns
        -------
        dict
            Number of rows of each class, in the order of `counts`, each between 1 and its count.

        Warns
        -----
        DistillkitWarning
            If a share cannot nearly be met, because there are more than twice as many classes as
            rows asked for.

        Raises
        ------
        BudgetError
            If a class has fewer rows than the budget asks for, or a dict budget omits a class or
            contains an unknown one.
        """
        if isinstance(self.value, Mapping):
            quotas = _match_labels(self.value, counts)
        elif isinstance(self.value, Integral):
            quotas = dict.fromkeys(counts, int(self.value))
        else:
            n_rows = sum(counts.values())
            n_asked = max(1, round(self.value * n_rows))
            # A row more for a rare class is no surprise; more than twice the rows asked for is.
            if len(counts) > _SURPRISING_FACTOR * n_asked:
                warnings.warn(
                    f"budget={self} asks for {n_asked} of {n_rows} rows, but each of the {len(counts)} classes keeps "
                    f"at least one: kept {len(counts)} of {n_rows} rows. Merge rare classes, or set "
                    "task='regression' if y holds numbers.",
                    DistillkitWarning,
                    stacklevel=2,
                )
            quotas = _proportional(max(len(counts), n_asked), counts)
        for label, rows in quotas.items():
            if rows > counts[label]:
                available = "1 sample" if counts[label] == 1 else f"n_samples = {counts[label]}"
                raise BudgetError(
                    f"budget={self} asks for {rows} rows of class {label!r}, which has {available}: "
                    "lower the budget, give a share such as 0.1, or a dict of rows per class."
                )
        return quotas


def _match_labels(budget: Mapping[Any, int], counts: Mapping[Any, int]) -> dict[Any, int]:
    """Match the keys of a dict budget to the labels by value, or else by text (as in TOML)."""
    by_text = {as_text(label): label for label in counts}
    quotas: dict[Hashable, int] = {}
    for key, rows in budget.items():
        label = key if key in counts else by_text.get(as_text(key))
        if label is None:
            raise BudgetError(f"budget names class {key!r}, but y has the classes {sorted(by_text)}.")
        if label in quotas:
            raise BudgetError(f"budget={dict(budget)!r} names class {label!r} twice: name it once.")
        quotas[label] = int(rows)
    missing = [str(label) for label in counts if label not in quotas]
    if missing:
        raise BudgetError(
            f"budget={dict(budget)!r} leaves out class {', '.join(missing)}: "
            "give a number of rows for every class of y."
        )
    return {label: quotas[label] for label in counts}


def as_text(label: Any) -> str:
    """Return a label as text, as a TOML key writes it: class 1.0 of a float y is "1"."""
    return str(int(label) if isinstance(label, float) and label.is_integer() else label)


def _proportional(total: int, counts: Mapping[Any, int]) -> dict[Any, int]:
    """Divide `total` in proportion to `counts` by largest remainders, within 1 and each count.

    All comparisons use integers (rows times `n_rows`), so that ties are the same on every machine;
    among equals the larger class, then the first one, comes first. Adding to, or removing from, the
    class with the largest deviation minimizes the squared deviations under these bounds exactly (a
    separable convex allocation).
    """
    n_rows = sum(counts.values())
    quotas = {label: min(count, max(1, total * count // n_rows)) for label, count in counts.items()}

    def deviation(label: Any) -> tuple[int, int]:
        return total * counts[label] - quotas[label] * n_rows, counts[label]

    difference = total - sum(quotas.values())
    for _ in range(difference):
        quotas[max((label for label in quotas if quotas[label] < counts[label]), key=deviation)] += 1
    for _ in range(-difference):  # one row per class can exceed the total
        quotas[min((label for label in quotas if quotas[label] > 1), key=deviation)] -= 1
    return quotas
