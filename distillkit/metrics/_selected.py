"""The feature extractor that metrics of features use if none is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics.features import Extractor
from distillkit.metrics.reference import Reference

__all__ = ["default_features", "probabilities_of"]


def default_features(reference: Reference, features: Any) -> Any:
    """Return `features`; if None, "classifier" for labels of several classes, otherwise "pca"."""
    if features is not None:
        return features
    has_classes = reference.classes is not None and len(reference.classes) > 1
    return "classifier" if has_classes and find_spec("torch") is not None else "pca"


def probabilities_of(
    reference: Reference, features: Any, random_state: int
) -> tuple[Extractor, Callable[[np.ndarray], np.ndarray]]:
    """Return an extractor with its function from rows to class probabilities.

    Raises
    ------
    DataError
        If it has no class probabilities.
    """
    extractor = reference.extractor(features, random_state)

    def probabilities(X: np.ndarray) -> np.ndarray:
        found = extractor.probabilities(X)
        if found is None:
            raise DataError(
                f"features={extractor.name!r} has no class probabilities: choose 'classifier' or 'inception'."
            )
        return found

    return extractor, probabilities
