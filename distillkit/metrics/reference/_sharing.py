"""Marks metrics that accept a `Reference`, and names what they keep in it for one distilled set."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

__all__ = ["content_key", "marked", "shares_reference", "takes_reference"]

_MARK = "shares_reference"

F = TypeVar("F", bound=Callable[..., Any])


def shares_reference(metric: F) -> F:
    """Mark a metric of stage "data" that accepts a `Reference` in place of the training rows.

    Parameters
    ----------
    metric : callable
        Function of (X, y, distilled, random_state).

    Returns
    -------
    callable
        The same function. `floors` then passes it a `Reference`, so that what several calls need is
        computed once.
    """
    setattr(metric, _MARK, True)
    return metric


def takes_reference(metric: Callable[..., Any]) -> bool:
    """Return whether a metric is marked by `shares_reference`, also within `functools.partial`."""
    while isinstance(metric, functools.partial):
        metric = metric.func
    return bool(getattr(metric, _MARK, False))


def marked(metric: Callable[..., Any]) -> Callable[..., Any]:
    """Return a metric that takes a reference, marked as such if it is not yet."""
    if takes_reference(metric):
        return metric

    @functools.wraps(metric)
    def wrapper(*args: Any, **options: Any) -> Any:
        return metric(*args, **options)

    return shares_reference(wrapper)


def content_key(*arrays: np.ndarray | None) -> bytes:
    """Return a key by the types, the shapes and the values of the arrays of a distilled set.

    With it, `Reference.cached` keeps a result for this set, so that several metrics share it.
    """
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        if array is None:
            digest.update(b"None")
        else:
            digest.update(f"{array.dtype} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
