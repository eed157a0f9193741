"""What a trained generator offers to the estimators around it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from distillkit.synthesis._condition import Condition

__all__ = ["ClassJudge", "EventGenerator", "Generator"]


class Generator(Protocol):
    """A trained generator of rows for given labels, in the encoded units of the training rows."""

    @property
    def condition(self) -> Condition:
        """The labels that were trained on."""

    def rows(self, n_rows: int, y: np.ndarray | None, seed: int) -> np.ndarray:
        """Return rows (n_rows, ...), float64, for labels (n_rows,)."""

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows as points (n, d) between which distances can be compared."""

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the generator, and all else as plain values for JSON."""


@runtime_checkable
class EventGenerator(Protocol):
    """A generator that can draw rows from its density under conditions."""

    def events(self, conditions: Any, decoder: Any) -> dict[int, np.ndarray]:
        """Return the sets of cells in which rows that meet conditions are."""

    def rows_in(
        self, events: dict[int, np.ndarray], n_rows: int, y: np.ndarray | None, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return rows in these cells with the labels (n_rows,) asked for, or with drawn ones."""


class ClassJudge(Protocol):
    """A model of real rows that tells how surely a made row belongs to a class."""

    def confidence(self, X: np.ndarray, label: object) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's probability of a class, and whether that is the most probable class."""

    def features(self, X: np.ndarray) -> np.ndarray:
        """Return the features (n, d) by which the model tells classes apart."""
