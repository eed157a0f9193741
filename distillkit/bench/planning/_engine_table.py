"""Reads what a suite says about the engine and about the resources of its methods."""

from __future__ import annotations

import math
from typing import Any, Protocol

from distillkit.exceptions import SuiteError
from distillkit.utils._messages import shown

__all__ = ["parsed_engine", "parsed_resources"]

_RESOURCES = ("cpu", "gpu", "memory_mb")


class SuiteTables(Protocol):
    """The part of a parser that is needed here."""

    data: dict[str, Any]

    def fail(self, key: str, message: str, at: str | None = None) -> SuiteError:
        """Return the error about a key."""


def parsed_engine(suite: SuiteTables) -> dict[str, Any]:
    """Return the name of the engine and its options, which the engine itself checks.

    Raises
    ------
    SuiteError
        If the key ``engine`` is neither a name nor a table with a name.
    """
    value = suite.data.get("engine", {})
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, dict) or (value and not isinstance(value.get("name"), str)):
        raise suite.fail(
            "engine",
            f'must be a name, or a table such as {{name = "dask", address = "tcp://..."}}, not {shown(value)}.',
        )
    return dict(value)


def parsed_resources(suite: SuiteTables, item: dict[str, Any]) -> dict[str, float]:
    """Return the resources of the entry of a method.

    Raises
    ------
    SuiteError
        If they are no table of non-negative numbers by ``cpu``, ``gpu`` and ``memory_mb``.
    """
    value = item.get("resources", {})
    if not isinstance(value, dict):
        raise suite.fail(
            "methods", f"has resources = {shown(value)}, which is no table: write {{gpu = 1}}.", at="resources"
        )
    for name, amount in value.items():
        if name not in _RESOURCES:
            raise suite.fail("methods", f"has no resource {name!r}: known are {', '.join(_RESOURCES)}.", at=name)
        if type(amount) not in (int, float) or not 0 <= amount < math.inf:
            raise suite.fail("methods", f"has {name} = {shown(amount)}: it must be a number from 0.", at=name)
    if value.get("memory_mb") == 0:
        raise suite.fail("methods", "has memory_mb = 0, and no process runs in that: give more.", at="memory_mb")
    return {name: float(amount) for name, amount in value.items()}
