"""The fields of a distilled set as a protocol, for modules on which `DistilledSet` depends."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from distillkit.tables import DistilledTable
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["DistilledFields"]


class DistilledFields(Protocol):
    """Protocol of objects with the fields of a `DistilledSet`, which documents them."""

    X: np.ndarray
    y: np.ndarray | None
    sample_weight: np.ndarray | None
    indices: np.ndarray | None
    soft_labels: np.ndarray | None
    stored: np.ndarray | None
    ranking: np.ndarray | None
    classes: np.ndarray | None
    feature_names: tuple[str, ...] | None
    preprocessing: Preprocessing | None
    provenance: dict[str, Any]
    table: DistilledTable | None

    def __len__(self) -> int: ...

    def encode(self, X: Any) -> np.ndarray: ...
