"""Choice of the device on which a network runs, and of the precision of its arithmetic."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from distillkit.exceptions import DataError

__all__ = ["mixed_precision", "resolve_device"]


def resolve_device(device: str) -> torch.device:
    """Convert the name of a device to a torch device.

    Parameters
    ----------
    device : str
        "auto" is a GPU if torch finds one, and the CPU otherwise. All other names are those of
        torch, such as "cpu", "cuda" or "cuda:1".

    Returns
    -------
    torch.device

    Raises
    ------
    DataError
        If the name is not known, or if it is that of a GPU and torch finds none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as exc:
        raise DataError(f"device={device!r} is not a device: give 'auto', 'cpu' or 'cuda'.") from exc
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise DataError(f"device={device!r}: torch sees no GPU here; give device='auto' or 'cpu'.")
    return resolved


def mixed_precision(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return the autocast context for a device and a precision.

    Parameters
    ----------
    device : torch.device
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 if the processor or the GPU has instructions for it, and float32
        otherwise. With such instructions, bfloat16 is faster than float32 for tensors in the
        contiguous memory layout, but slower in the channels_last layout.

    Returns
    -------
    context manager
        Operations of torch inside the context run in this precision.
    """
    if precision == "float32" or (precision == "auto" and not _has_bfloat16(device)):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    # These queries are not part of torch's stable interface, so they may be missing.
    queries = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(query() for query in queries if query is not None)
