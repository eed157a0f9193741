"""Hashes of estimators and other objects, which stay the same from one process to the next."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Mapping
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from distillkit.bench.own._code import class_parts, function_parts
from distillkit.utils._containers import to_numpy

__all__ = ["object_digest"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range)


def object_digest(value: Any, length: int = 12) -> str:
    """Return a hash of an object: of its class, its parameters, and the code that the user wrote.

    Estimators of scikit-learn are told apart by their parameters, whether they are fitted or not,
    and other objects by their attributes. The code of classes and functions counts where it is not
    that of an installed package, so that the hash changes with a method that the user edits, but
    not with its comments.

    Parameters
    ----------
    value : object
        It may hold arrays, tensors, functions and further objects, itself included.
    length : int, default=12
        Number of hexadecimal digits.

    Raises
    ------
    Exception
        Whatever `pickle` raises for an object whose content cannot be read in any other way.
    """
    return _Walk().digest(value).hex()[:length]


class _Walk:
    """Hashes nested objects; an object within itself counts as a mark."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def digest(self, value: Any) -> bytes:
        """Return the hash of one value."""
        if isinstance(value, _PLAIN):
            return _sha(f"{type(value).__name__}:{value!r}".encode())
        if id(value) in self._open:
            return _sha(b"again")
        self._open.add(id(value))
        try:
            return self._of_parts(value)
        finally:
            self._open.discard(id(value))

    def _of_parts(self, value: Any) -> bytes:
        value = to_numpy(value)
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            head = f"array:{value.dtype.str}:{value.shape}:".encode()
            return _sha(head + np.ascontiguousarray(value).tobytes())
        if isinstance(value, set | frozenset):
            return _sha(b"set:" + b"".join(sorted(map(self.digest, value))))
        if isinstance(value, Mapping):
            pairs = sorted((self.digest(key), self.digest(item)) for key, item in value.items())
            return _sha(f"{type(value).__name__}:".encode() + b"".join(key + item for key, item in pairs))
        return _sha(b"".join(map(self._part, _parts(value))))

    def _part(self, part: Any) -> bytes:
        return part if isinstance(part, bytes) else self.digest(part)


def _parts(value: Any) -> Iterator[Any]:
    """Yield what identifies an object, as bytes or as objects that are hashed in turn."""
    if isinstance(value, np.ndarray | list | tuple):
        yield f"{type(value).__name__}:{len(value)}:".encode()
        yield from value
    elif isinstance(value, type):
        yield from class_parts(value)
    elif isinstance(value, FunctionType):
        yield from function_parts(value)
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, ModuleType):
        yield f"module:{value.__name__}".encode()
    elif isinstance(value, BuiltinFunctionType | np.ufunc):
        yield f"builtin:{getattr(value, '__module__', '')}.{value.__name__}".encode()
    else:
        yield from _object_parts(value)


def _object_parts(value: Any) -> Iterator[Any]:
    yield type(value)
    if hasattr(value, "get_params"):
        yield value.get_params(deep=False)
    elif getattr(type(value), "__reduce_ex__", None) is getattr(object, "__reduce_ex__", None) and hasattr(
        value, "__dict__"
    ):
        yield {name: item for name, item in vars(value).items() if not name.startswith("__")}
    else:
        yield _sha(pickle.dumps(value, protocol=4))


def _sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
