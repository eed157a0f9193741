"""Versions of distillkit and of what its results depend on, read from installed metadata without importing anything."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__", "versions"]

try:
    __version__ = version("distillkit")
except PackageNotFoundError:  # a bare checkout on sys.path
    __version__ = "0+unknown"

_WATCHED = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "torch",
    "torchvision",
    "faiss-gpu",
    "faiss-cpu",
    "pot",
    "pluggy",
)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("distillkit", __version__), ("python", platform.python_version())]
    for name in _WATCHED:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def versions() -> dict[str, str]:
    """Return the versions of distillkit, Python and the packages that results depend on."""
    return dict(_versions())
