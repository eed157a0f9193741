"""The public names of classes and functions, which files and pickles use so that moving a module never breaks them."""

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
        ``"package:Name"`` with the shortest package, among those that contain the module of `thing`, from which it can be imported:
        ``"distillkit:KMeansCoreset"`` rather than the private module that defines it. The rule holds for the packages of plugins, too.
        What no package exports keeps the name of its module.
    """
    if not hasattr(thing, "__qualname__"):  # a callable object is named by its class
        thing = type(thing)
    module, name = thing.__module__, thing.__qualname__
    parts = module.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        if getattr(sys.modules.get(package), name, None) is thing:
            return f"{package}:{name}"
    return f"{module}:{name}"


def upgraded_name(text: str) -> str:
    """Return the public name for a name that an earlier version of distillkit wrote, which named private modules.

    Parameters
    ----------
    text : str
        ``"distillkit.coresets.geometric._kmeans:KMeansCoreset"``, for example.

    Returns
    -------
    str
        ``"distillkit:KMeansCoreset"``; any other text is returned as it is.
    """
    if not _REFERENCE.fullmatch(text):
        return text
    module, _, name = text.partition(":")
    parts = module.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        try:
            found = getattr(importlib.import_module(package), name, None)
        except ImportError:
            break
        if found is not None:
            return f"{package}:{name}"
    return text


class PicklesByPublicName:
    """Mixin: instances of a public class are pickled by the public name of the class, not by the module that defines it."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        reduced: Any = super().__reduce_ex__(protocol)
        cls = type(self)
        name = public_name(cls)
        is_plain = reduced[0] is copyreg.__newobj__ and reduced[1] == (cls,)  # type: ignore[attr-defined]
        if not is_plain or name.partition(":")[0] == cls.__module__:
            return reduced
        return (new_instance, (name,), *reduced[2:])


def new_instance(name: str) -> Any:
    """Return a new object of a class given by its public name, for pickle to fill.

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
            f"this pickle holds an object of {name}, which cannot be imported ({exc}): install the version it was made with."
        ) from exc
    return cls.__new__(cls)


# pickles name this function by its public place, too
new_instance.__module__ = f"{_PACKAGE}.utils"
