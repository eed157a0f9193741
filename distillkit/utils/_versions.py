"""Versions of distillkit and of the packages its results depend on, read without imports."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["UNKNOWN_VERSION", "__version__", "versions"]

UNKNOWN_VERSION = "0+unknown"
"""The version of a source checkout that is not installed."""

try:
    __version__ = version("distillkit")
except PackageNotFoundError:
    __version__ = UNKNOWN_VERSION

_PACKAGES = (
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
    """Return pairs of name and version; cached, because reading metadata is slow."""
    pairs = [("distillkit", __version__), ("python", platform.python_version())]
    for name in _PACKAGES:
        try:
            pairs.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(pairs)


def versions() -> dict[str, str]:
    """Return the versions of distillkit, Python and the packages that results depend on."""
    return dict(_versions())
