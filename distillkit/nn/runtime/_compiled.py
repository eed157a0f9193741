"""Loops over numbers as machine code, where numba is there to make it."""

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
    """Whether numba can be imported; a warning says so, once, where it cannot.

    There is none for the newest Python for some months, and one that is too old for the installed NumPy refuses to be imported.
    """
    try:
        import numba  # noqa: F401
    except ImportError as error:
        warnings.warn(
            f"convolutional networks will train two to four times as long, since numba cannot be imported ({error}): "
            "install one for this Python and NumPy, with `pip install --upgrade numba`.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers when it is called first.

    Without the interpreter's lock, so that threads run side by side. The code is kept on disk for the next process, if there is a place
    for it. Products and sums may be taken in one step, as libraries of linear algebra do; nothing else about the order of operations
    is given up.
    """
    from numba import njit

    settings: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return njit(cache=True, **settings)(loop)  # type: ignore[no-any-return]
    except RuntimeError:  # nowhere to write: neither beside the package nor in the user's own folder
        return njit(**settings)(loop)  # type: ignore[no-any-return]


def arrays(*tensors: torch.Tensor) -> tuple[Array, ...]:
    """Return what compiled loops read: the same numbers, in one piece of memory each, which loops are compiled for."""
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)
