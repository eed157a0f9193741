"""Marks metrics that accept a `Reference` in place of the training rows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["marked", "shares_reference", "takes_reference"]

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
