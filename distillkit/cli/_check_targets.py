"""Finds what ``distillkit check`` is asked to check: a name, a plugin, a file or a folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from distillkit.specs import Spec

__all__ = ["CheckTarget", "targets_of"]


@dataclass(frozen=True)
class CheckTarget:
    """Something to check.

    Parameters
    ----------
    kind : str
        Kind of thing, such as "metric".
    name : str
        Its name, perhaps with a preset.
    spec : Spec
    preset : dict
        Parameters of the preset.
    """

    kind: str
    name: str
    spec: Spec
    preset: dict[str, Any]


def targets_of(words: tuple[str, ...]) -> list[CheckTarget]:
    """Return the things that the arguments of the command name.

    Parameters
    ----------
    words : tuple of str
        ``(kind, name)``, or only a name, which may be that of anything registered, of a plugin, of
        a Python file with hooks, or of a folder with the project file of a plugin.

    Raises
    ------
    UnknownNameError
        If nothing has the name.
    PluginError
        If the file or the package cannot be loaded, or provides nothing.
    """
    from distillkit.exceptions import UnknownNameError
    from distillkit.plugins import KINDS, get_manager

    if len(words) == 2:
        if words[0] not in KINDS:
            raise UnknownNameError("kind", words[0], KINDS)
        return [_target(words[0], words[1])]
    name = words[0]
    if name.endswith(".py") or Path(name).is_dir():
        return _of_path(Path(name))
    manager = get_manager()
    known: dict[str, None] = {}
    for kind in KINDS:
        known |= dict.fromkeys(manager.specs(kind))
    found = [_target(kind, name) for kind in KINDS if name.partition(":")[0] in manager.specs(kind)]
    found = found or _of_records(
        {record.name for record in manager.records.values() if name in (record.name, record.dist)}
    )
    if not found:
        raise UnknownNameError("name", name, [each for each in known if "/" not in each])
    return found


def _target(kind: str, name: str) -> CheckTarget:
    from distillkit.plugins import get_manager

    if kind in ("method", "evaluator"):
        resolved = get_manager().resolve(kind, name)
        return CheckTarget(kind, name, resolved.spec, dict(resolved.preset))
    return CheckTarget(kind, name, get_manager().get(kind, name), {})


def _of_path(path: Path) -> list[CheckTarget]:
    """Return what a local plugin provides, after loading it."""
    from distillkit.exceptions import PluginError
    from distillkit.plugins import get_manager, use_plugin_files

    if path.is_dir():
        names = _register_package(path)
    else:
        use_plugin_files([path])
        names = {f"file:{path.absolute()}"}
    records = [get_manager().records[name] for name in names]
    failed = [record for record in records if record.status == "failed"]
    if failed:
        raise PluginError(f"{failed[0]} cannot be checked: {failed[0].error}")
    found = _of_records(names)
    if not found:
        raise PluginError(f"{path} provides nothing that could be checked: return specifications from its hooks.")
    return found


def _register_package(folder: Path) -> set[str]:
    """Register the plugins of a package, unless they are installed, and return their names."""
    import importlib
    import tomllib

    from distillkit.exceptions import PluginError
    from distillkit.plugins import PluginRecord, get_manager

    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        entries = project["entry-points"]["distillkit"]
        dist = project["name"].lower().replace("_", "-")
    except (OSError, ValueError, KeyError) as exc:
        raise PluginError(
            f"{folder} is no package of a plugin: it needs a pyproject.toml with a name and a table "
            f"[project.entry-points.distillkit] ({type(exc).__name__}: {exc})."
        ) from exc
    sys.path[:0] = [str(place.absolute()) for place in (folder / "src", folder) if place.is_dir()]
    names = set()
    for entry, module in entries.items():
        record = PluginRecord(f"{dist}:{entry}", dist, str(project.get("version", "0")))
        names.add(record.name)
        if record.name not in get_manager().records:
            try:
                plugin = importlib.import_module(module)
            except Exception as exc:
                raise PluginError(f"{record} cannot be imported: {type(exc).__name__}: {exc}") from exc
            get_manager().register(plugin, record)
    return names


def _of_records(names: set[str]) -> list[CheckTarget]:
    """Return all that some plugins provide."""
    from distillkit.plugins import KINDS, get_manager

    manager = get_manager()
    provided = [text.partition(":") for name in sorted(names) for text in manager.records[name].provides]
    dists = {manager.records[name].dist for name in names}
    return [_target(kind, f"{dist}/{each}") for kind, _, each in provided if kind in KINDS for dist in dists]


def usage_error(words: tuple[str, ...]) -> click.UsageError | None:
    """Return the error about a wrong number of arguments, or None."""
    if len(words) in (1, 2):
        return None
    return click.UsageError("give the NAME or PATH of what to check, with its kind in front if several have the name.")
