"""Recognizes errors that report exhausted memory, of a GPU or of the machine."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]

_PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")
"""Parts of the messages of the CUDA allocator, torch's CPU allocator and the operating system."""


def is_out_of_memory(error: BaseException | str) -> bool:
    """Return whether an error, or the text of one, reports that memory is exhausted.

    PyTorch's CPU allocator raises a plain RuntimeError, and the operating system an OSError, so the
    messages are searched as well as the types. The types of PyTorch are recognized by their names,
    because this module must not import it.

    Parameters
    ----------
    error : BaseException or str
        An exception, or the message of one.
    """
    if isinstance(error, BaseException) and (
        isinstance(error, MemoryError) or any(cls.__name__ == "OutOfMemoryError" for cls in type(error).__mro__)
    ):
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in _PHRASES)
