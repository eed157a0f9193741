"""The weights of the rows from which a distilled set was made."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.distilled._fields import DistilledFields
from distillkit.exceptions import DataError
from distillkit.utils._weights import checked_weight

__all__ = ["weight_of_the_fit"]


def weight_of_the_fit(distilled: DistilledFields, X: np.ndarray, sample_weight: Any) -> np.ndarray:
    """Return the weights of the rows from which a set was made; ones if they had none.

    Raises
    ------
    DataError
        If the weights are invalid, are not those of the fit, or are missing.
    """
    seen = distilled.provenance.get("weight_seen")
    weight = checked_weight(sample_weight, X)
    if weight is None and seen is not None:
        raise DataError("the set was made from rows with weights: give sample_weight, the weights of the fit.")
    weight = np.ones(len(X)) if weight is None else weight
    total = distilled.provenance.get("rows_seen") if seen is None else seen
    if sample_weight is not None and total is not None and not np.isclose(weight.sum(), total, rtol=1e-6):
        raise DataError(
            f"sample_weight sums to {weight.sum():g}, but the weights of the fit to {total:g}: "
            "give the weights of the fit."
        )
    return weight
