"""Seeds for estimators whose `random_state` is None."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["seed_model"]


def seed_model(model: Any, rng: np.random.RandomState) -> Any:
    """Set a seed for every `random_state` of an estimator that is None, nested ones included."""
    params = model.get_params(deep=True)
    names = [name for name in sorted(params) if name == "random_state" or name.endswith("__random_state")]
    seeds = {name: int(rng.randint(np.iinfo(np.int32).max)) for name in names if params[name] is None}
    return model.set_params(**seeds) if seeds else model
