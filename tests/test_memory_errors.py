"""Errors that report exhausted memory are recognized by type or by message."""

from __future__ import annotations

import pytest

from distillkit.utils._memory_errors import is_out_of_memory


class OutOfMemoryError(RuntimeError):
    """Stands in for the error of PyTorch, which is recognized without importing it."""


class DerivedError(OutOfMemoryError):
    pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError(),
        DerivedError("no details"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        OSError(12, "Cannot allocate memory"),
        "HIP OUT OF MEMORY",
    ],
)
def test_exhausted_memory_is_recognized(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), OSError(28, "disk"), ""])
def test_other_errors_are_not_taken_for_exhausted_memory(error):
    assert not is_out_of_memory(error)


def test_pytorchs_own_error_is_recognized():
    torch = pytest.importorskip("torch")
    assert is_out_of_memory(torch.OutOfMemoryError())
