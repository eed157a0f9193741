"""The fields of a distilled set, for the modules that `DistilledSet` itself is built on."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from distillkit.utils._preprocessing import Preprocessing

__all__ = ["DistilledFields"]


class DistilledFields(Protocol):
    """What has the fields of a `DistilledSet`, which documents them."""

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

    def __len__(self) -> int: ...
