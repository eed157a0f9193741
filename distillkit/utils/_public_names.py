"""Public names of classes and functions, which keep files and pickles valid when modules move."""

from __future__ import annotations

import copyreg
import importlib
import re
import sys
from typing import Any

from distillkit.exceptions import ArtefactError

__all__ = ["PicklesByPublicName", "new_instance", "public_name", "upgraded_name"]

_PACKAGE = "distillkit"
_REFERENCE = re.compile(rf"{_PACKAGE}(?:\.\w+)+:\w+")


def public_name(thing: Any) -> str:
    """Return the name by which a class or function is imported publicly.

    Parameters
    ----------
    thing : class or function

    Returns
    -------
    str
        ``"package:Name"`` with the shortest package, among the parents of its module, from which it
        can be imported: ``"distillkit:KMeansCoreset"`` instead of the private module that defines
        it. The rule also applies to the packages of plugins. A name that no package exports is
        returned with its module.
    """
    if not hasattr(thing, "__qualname__"):  # an instance is named by its class
        thing = type(thing)
    module, name = thing.__module__, thing.__qualname__
    parts = module.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        if getattr(sys.modules.get(package), name, None) is thing:
            return f"{package}:{name}"
    return f"{module}:{name}"


def upgraded_name(text: str) -> str:
    """Return the public name for a name written by an earlier version of distillkit.

    Earlier versions wrote the names of private modules.

    Parameters
    ----------
    text : str
        For example ``"distillkit.coresets.geometric._kmeans:KMeansCoreset"``.

    Returns
    -------
    str
        For example ``"distillkit:KMeansCoreset"``; any other text is returned unchanged.
    """
    if not _REFERENCE.fullmatch(text):
        return text
    module, _, name = text.partition(":")
    parts = module.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        # The text may come from a file, which must not choose a private module that is imported.
        if parts[length - 1].startswith("_"):
            break
        try:
            attribute = getattr(importlib.import_module(package), name, None)
        except ImportError:
            break
        if attribute is not None:
            return f"{package}:{name}"
    return text


class PicklesByPublicName:
    """Mixin that pickles instances by the public name of their class instead of its module."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        reduced: Any = super().__reduce_ex__(protocol)
        cls = type(self)
        name = public_name(cls)
        is_plain = reduced[0] is copyreg.__newobj__ and reduced[1] == (cls,)  # type: ignore[attr-defined]
        if not is_plain or name.partition(":")[0] == cls.__module__:
            return reduced
        return (new_instance, (name,), *reduced[2:])


def new_instance(name: str) -> Any:
    """Return an uninitialized object of a class given by its public name, for unpickling.

    Parameters
    ----------
    name : str
        As returned by `public_name`.

    Raises
    ------
    ArtefactError
        If there is no such class.
    """
    module, _, attribute = name.partition(":")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as exc:
        raise ArtefactError(
            f"this pickle holds an object of {name}, which cannot be imported ({exc}): "
            "install the version of distillkit with which it was made."
        ) from exc
    return cls.__new__(cls)


# Pickles refer to this function by its public name as well.
new_instance.__module__ = f"{_PACKAGE}.utils"
