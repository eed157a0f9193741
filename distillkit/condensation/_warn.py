"""The warning that a fit ended early because a number was not finite."""

from __future__ import annotations

import warnings

from distillkit.exceptions import DistillkitWarning

__all__ = ["warn_not_finite"]


def warn_not_finite(cause: object, step: int, method: str, kept: int, remedy: str) -> None:
    """Warn that the rows of an earlier step are kept.

    Parameters
    ----------
    cause : exception or str
    step : int
        Update in which it happened.
    method : str
    kept : int
        Update whose rows are returned.
    remedy : str
    """
    warnings.warn(
        f"{str(cause).rstrip('.')}, at iteration {step} of {method}: the rows of iteration {kept} are kept; {remedy}.",
        DistillkitWarning,
        stacklevel=6,
    )
