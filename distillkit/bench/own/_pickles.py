"""Objects in files, by cloudpickle, which also takes classes that were defined in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import cloudpickle

from distillkit.bench.own._code import is_installed
from distillkit.bench.results._store import part_of
from distillkit.exceptions import DataError, ResultsError

__all__ = ["read_object", "write_object"]


def write_object(path: Path, value: Any, what: str) -> None:
    """Write an object to a file, which gets its name once it is complete.

    Parameters
    ----------
    path : Path
        An earlier file of this name is replaced.
    value : object
        Classes and functions of the main module, and of modules that child processes would not
        find, are written with their code.
    what : str
        The object, for the message.

    Raises
    ------
    DataError
        If it cannot be pickled.
    ResultsError
        If the file cannot be written.
    """
    try:
        with _by_value(value):
            content = cloudpickle.dumps(value)
    except Exception as exc:  # Objects raise errors of any type from their own methods.
        reason = " ".join(str(exc).split())
        raise DataError(
            f"{what} cannot be sent to the processes that run it ({type(exc).__name__}: {reason}): remove what cannot "
            "be pickled from it, such as open files, locks and connections, or open these in `fit`."
        ) from exc
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as exc:
        raise ResultsError(f"cannot write {path}: {exc.strerror or exc}. Free space, or give another folder.") from exc
    finally:
        part.unlink(missing_ok=True)


def read_object(path: Path) -> Any:
    """Read an object that this run has written, which executes what the file says.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return cloudpickle.loads(path.read_bytes())
    except Exception as exc:
        raise DataError(f"the object in {path.name} cannot be read: {type(exc).__name__}: {exc}.") from exc


@contextmanager
def _by_value(value: Any) -> Iterator[None]:
    """Let cloudpickle write the code of modules that a child process could not import."""
    modules = [sys.modules[name] for name in _hidden_modules(value) if name in sys.modules]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def _hidden_modules(value: Any) -> set[str]:
    """Return the modules of an object and its parameters that are not found on the path."""
    found = {cls.__module__ for cls in type(value).__mro__}
    if isinstance(value, type):
        found = {cls.__module__ for cls in value.__mro__}
    if hasattr(value, "get_params") and not isinstance(value, type):
        found |= {type(item).__module__ for item in value.get_params(deep=True).values()}
    return {name for name in found if name != "__main__" and not is_installed(name) and not _is_found(name)}


def _is_found(module: str) -> bool:
    path: Any = None
    parts = module.split(".")
    for place in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: place + 1]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True
