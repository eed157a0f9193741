"""What identifies classes and functions: their names, and their code where the user wrote it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["class_parts", "function_parts", "is_installed"]

_BOOKKEEPING = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__annotate_func__", "_abc_impl"}
    | {"__firstlineno__", "__static_attributes__", "__annotations_cache__", "__abstractmethods__", "__slotnames__"}
)
_CONSTANTS = (bool, int, float, complex, str, bytes, tuple, type(None))
_NESTED = (FunctionType, type, list, dict, set, frozenset, *_CONSTANTS)
_REFERRED = (ModuleType, FunctionType, type, *_CONSTANTS)


@cache
def is_installed(module: str) -> bool:
    """Return whether a module belongs to Python or to an installed package.

    Their code does not change while their version stays; all other modules are the user's.

    Parameters
    ----------
    module : str
        Its dotted name.
    """
    root = module.partition(".")[0]
    if root == "distillkit" or (root in sys.stdlib_module_names and root != "__main__"):
        return True
    files = [getattr(sys.modules.get(name), "__file__", None) for name in (module, root)]
    file = next((each for each in files if each is not None), None)
    if root in ("__main__", "__mp_main__") or file is None:
        return False
    folders = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return not folders.isdisjoint(Path(file).resolve().parents)


def class_parts(cls: type) -> Iterator[Any]:
    """Yield what identifies a class: its name and, of the user's own, its attributes and bases."""
    yield f"class:{cls.__module__}.{cls.__qualname__}".encode()
    if is_installed(cls.__module__):
        return
    for name, value in sorted(vars(cls).items()):
        if name not in _BOOKKEEPING and not name.startswith("_sklearn_"):
            yield name.encode()
            yield from _attribute_parts(value)
    yield from (base for base in cls.__bases__ if base is not object)


def _attribute_parts(value: Any) -> Iterator[Any]:
    if isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif isinstance(value, property):
        yield from (value.fget, value.fset, value.fdel)
    elif isinstance(value, _NESTED):
        yield value
    else:  # A descriptor of a library, which has the name of its type.
        yield type(value)


def function_parts(function: FunctionType) -> Iterator[Any]:
    """Yield what identifies a function: its name and, of the user's own, all that its code uses."""
    yield f"function:{function.__module__}.{function.__qualname__}".encode()
    if is_installed(function.__module__ or ""):
        return
    code = function.__code__
    yield from _code_parts(code)
    yield from (function.__defaults__, function.__kwdefaults__)
    for cell in function.__closure__ or ():
        yield from _global_parts(cell.cell_contents)
    for name in sorted(_names(code)):
        if name in function.__globals__:
            yield name.encode()
            yield from _global_parts(function.__globals__[name])


def _code_parts(code: CodeType) -> Iterator[Any]:
    yield from (code.co_code, repr((code.co_names, code.co_varnames, code.co_argcount)).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_parts(constant)
        else:
            yield constant


def _names(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _global_parts(value: Any) -> Iterator[Any]:
    """Yield what identifies a value that code refers to; of large objects only their type."""
    if isinstance(value, _REFERRED):
        yield value
    else:
        yield type(value)
