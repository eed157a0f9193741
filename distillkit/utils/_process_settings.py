"""A context that shields a computation from settings of torch and scikit-learn in the process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import sklearn

__all__ = ["standard_settings"]

# Functions of torch whose result has the default dtype unless they are given another one.
_ALWAYS_FLOATS = ("empty", "empty_strided", "zeros", "ones", "rand", "randn", "eye", "linspace", "logspace")
# The same for functions whose result has the default dtype if an argument is a float of Python.
_FLOATS_OF_FLOATS = ("tensor", "as_tensor", "scalar_tensor", "full", "arange")


@contextmanager
def standard_settings() -> Iterator[None]:
    """Compute with the standard settings of torch and scikit-learn, whatever the user has set.

    Inside the context, torch computes gradients, is not in inference mode and creates tensors in
    float32 by default, and transformers of scikit-learn return NumPy arrays. Other threads are not
    affected: `torch.set_default_dtype`, which would change the whole process, is not called. torch
    is not imported for this.
    """
    with ExitStack() as stack:
        stack.enter_context(sklearn.config_context(transform_output="default"))
        torch = sys.modules.get("torch")  # without torch in the process, its settings are standard
        if torch is not None:
            stack.enter_context(torch.inference_mode(mode=False))
            stack.enter_context(torch.enable_grad())
            if torch.get_default_dtype() is not torch.float32:
                stack.enter_context(_float32_mode()())
        yield


@cache
def _float32_mode() -> Any:
    """Return the class of a context in which this thread creates tensors in float32 by default."""
    import torch
    from torch.overrides import TorchFunctionMode

    always = {getattr(torch, name) for name in _ALWAYS_FLOATS}
    of_floats = {getattr(torch, name) for name in _FLOATS_OF_FLOATS}

    class Float32ByDefault(TorchFunctionMode):
        """Gives float32 to functions of torch that would use the default dtype."""

        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            options = kwargs or {}
            if options.get("dtype") is None and options.get("out") is None:
                values = (*args, *options.values())
                if func in always or (func in of_floats and any(map(_has_float, values))):
                    options = {**options, "dtype": torch.float32}
            return func(*args, **options)

    return Float32ByDefault


def _has_float(value: Any) -> bool:
    """Tell whether a value is a float of Python, or a list or tuple that contains one."""
    return type(value) is float or (isinstance(value, (list, tuple)) and any(map(_has_float, value)))
