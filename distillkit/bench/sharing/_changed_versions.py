"""Says which versions, settings and hardware differ between a stored row and this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillkit.bench.planning._cells import STUDENT, Cell
from distillkit.bench.planning._keys import PROTOCOL
from distillkit.plugins import get_manager

__all__ = ["changed_environment", "changed_registrations"]

_HARDWARE = ("platform", "processor", "cores", "memory_gb", "gpus")


def changed_environment(stored: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return in words what differs between two environments: packages, plugins and hardware."""
    changes = []
    for section in ("versions", "plugins"):
        one, other = _pairs(stored.get(section)), _pairs(here.get(section))
        changes += [
            f"{name} {one.get(name, 'absent')} then, {other.get(name, 'absent')} now"
            for name in dict.fromkeys([*one, *other])
            if one.get(name) != other.get(name)
        ]
    changes += [
        f"{name} {stored[name]!r} then, {here.get(name)!r} now"
        for name in _HARDWARE
        if name in stored and stored[name] != here.get(name)
    ]
    return changes


def _pairs(section: Any) -> dict[str, str]:
    """Return versions by name, from a mapping or from a list of requirements."""
    if isinstance(section, Mapping):
        return {str(name): str(version) for name, version in section.items()}
    pairs = [str(entry).partition("==") for entry in section or ()]
    return {name: version for name, _, version in pairs}


def changed_registrations(cell: Cell, root: Path | None) -> list[str]:
    """Return in words which versions of what a cell is made from differ from the installed ones.

    Raises
    ------
    UnknownNameError
        If its method, dataset or evaluator is not registered.
    """
    from distillkit.datasets import revision_of

    manager = get_manager()
    changes = []
    if cell.protocol != PROTOCOL:
        changes.append(f"protocol {cell.protocol} then, {PROTOCOL} now")
    used = [("method", cell.method_name, cell.method_version)]
    if cell.evaluator_name != STUDENT:
        used.append(("evaluator", cell.evaluator_name, cell.evaluator_version))
    used += [("metric", name, int(version)) for name, _, version in (metric.partition("@") for metric in cell.metrics)]
    for kind, name, version in used:
        installed = manager.get(kind, name).version
        if installed != version:
            changes.append(f"{kind} {name} version {version} then, {installed} now")
    if manager.provider("method", cell.method_name).dist != cell.plugin:
        provider = manager.provider("method", cell.method_name).dist
        changes.append(f"method {cell.method_name} of the plugin {cell.plugin} then, of {provider} now")
    try:
        revision = revision_of(manager.get("dataset", cell.dataset_name), root, cell.dataset_params)
    except Exception as exc:  # Loaders of plugins raise anything; the run itself reports it as a failure.
        return [*changes, f"dataset {cell.dataset} cannot be read now ({exc})"]
    if revision != cell.dataset_revision:
        changes.append(f"dataset {cell.dataset} revision {cell.dataset_revision} then, {revision} now")
    return changes
