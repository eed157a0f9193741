"""Compilation of Python loops over arrays to machine code, if numba is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

__all__ = ["Array", "Number", "arrays", "can_compile", "compiled"]

Array: TypeAlias = NDArray[np.floating[Any]]
Number: TypeAlias = np.floating[Any]
Loop = TypeVar("Loop", bound=Callable[..., Any])


@cache
def can_compile() -> bool:
    """Tell whether numba can be imported, and warn once if it cannot.

    For some months after a release of Python there is no numba for it, and a numba that is too old
    for the installed NumPy fails to import.
    """
    try:
        import numba  # noqa: F401
    except ImportError as error:
        warnings.warn(
            f"convolutional networks will train several times more slowly, because numba cannot be imported ({error}): "
            "install a version for this Python and NumPy with `pip install --upgrade numba`.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers with numba on its first call.

    The compiled function releases the global interpreter lock, so that threads run in parallel. The
    machine code is cached on disk for the next process, if a folder for it can be written to. A
    product followed by a sum may be fused into one operation with a single rounding, as libraries
    of linear algebra do; otherwise the order of floating-point operations is preserved.
    """
    from numba import njit

    settings: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return njit(cache=True, **settings)(loop)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for the cache can be written to
        return njit(**settings)(loop)  # type: ignore[no-any-return]


def arrays(*tensors: torch.Tensor) -> tuple[Array, ...]:
    """Convert tensors to contiguous NumPy arrays, the layout that the loops are compiled for."""
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)
