"""Describes one method, dataset, metric, evaluator, reporter, executor, suite or plugin."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from distillkit.cli._entries import PLURALS, suite_entries

__all__ = ["describe"]

_GIVEN = {
    "method": frozenset[str](),
    "dataset": frozenset({"root", "_root"}),
    "evaluator": frozenset({"task", "random_state"}),
    "metric": frozenset({"y_true", "y_pred", "X", "y", "distilled", "random_state", "record"}),
    "reporter": frozenset({"leaderboard", "folder"}),
    "executor": frozenset({"groups", "run_group", "jobs"}),
}
"""Parameters that distillkit gives itself, by kind."""
_LEFT_OUT = ("name", "target", "summary", "requires", "params", "presets", "tasks", "modalities", "label_modes")
"""Fields of specs that are shown in another form."""


def describe(name: str, kind: str | None = None) -> list[dict[str, Any]]:
    """Return a description of everything of a name.

    Parameters
    ----------
    name : str
        A registered name, ``name:preset``, a suite that ships with distillkit, or a plugin.
    kind : str or None
        Only things of this kind, such as "method".

    Raises
    ------
    UnknownNameError
        If there is nothing of this name; the nearest names are suggested.
    PluginError
        If a plugin that failed may have provided the name, or if two provide it.
    """
    from distillkit.exceptions import UnknownNameError

    found, known, errors = [], set(), []
    for each in [kind] if kind is not None else PLURALS:
        names = _names(each)
        known |= {other for other in names if "/" not in other}
        if name.partition(":")[0] in names or name in names:
            found.append(_DESCRIBERS.get(each, _describe_spec)(each, name))
        elif kind is not None and each not in _DESCRIBERS:
            errors.append(each)
    if not found:
        if errors:
            from distillkit.plugins import get_manager

            get_manager().get(errors[0], name.partition(":")[0])  # Its error names plugins that are off.
        raise UnknownNameError(kind or "name", name, known, _suspects())
    return found


def _names(kind: str) -> list[str]:
    from distillkit.plugins import get_manager

    if kind == "suite":
        return [entry["name"] for entry in suite_entries()]
    if kind == "plugin":
        return [name for record in get_manager().records.values() for name in (record.name, record.dist)]
    return list(get_manager().specs(kind))


def _suspects() -> str:
    """Return a sentence on plugins that may have provided a name, if any are off."""
    from distillkit.plugins import get_manager

    off = [record for record in get_manager().records.values() if record.status in ("failed", "blocked")]
    return " ".join(f"{record} may give it, but is off: {record.error}" for record in off)


def _describe_spec(kind: str, name: str) -> dict[str, Any]:
    from distillkit.plugins import get_manager

    manager = get_manager()
    short, _, preset = name.partition(":")
    spec = manager.get(kind, short)
    provider = manager.provider(kind, short)
    description = {"what": kind, "name": name, "summary": spec.summary, "description": ""}
    description |= {
        field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.name not in _LEFT_OUT
    }
    several = ("tasks", "modalities", "label_modes")
    description |= {key: " ".join(sorted(getattr(spec, key))) for key in several if hasattr(spec, key)}
    description |= {"requires": list(spec.requires), "missing": spec.missing()}
    description |= {"plugin": provider.dist, "plugin_version": provider.version}
    presets = {key: dict(value) for key, value in getattr(spec, "presets", {}).items()}
    settings = dict(manager.resolve(kind, name).params()) if presets or preset else dict(getattr(spec, "params", {}))
    return description | {"presets": presets, **_describe_target(kind, spec, settings)}


def _describe_target(kind: str, spec: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what the docstring and the signature of a target say; settings replace defaults."""
    from distillkit.exceptions import PluginError
    from distillkit.utils._numpydoc import introduction, parameters

    try:
        target = spec.load()
        function = getattr(target, "function", target)  # A loader of a dataset wraps one.
        inspect.signature(function)
    except (PluginError, TypeError, ValueError) as exc:  # The latter two: a target without a signature.
        return {"description": "", "parameters": [], "problem": str(exc)}
    found = [dataclasses.asdict(each) for each in parameters(function, _GIVEN[kind])]
    for each in found:
        if each["name"] in settings:
            each["default"] = repr(settings[each["name"]])
    return {"description": introduction(function), "parameters": found}


def _describe_suite(_kind: str, name: str) -> dict[str, Any]:
    from distillkit.bench.planning._load_suite import load_suite

    suite = load_suite(name)
    entries = {
        key: [entry.label for entry in getattr(suite, key) or ()] for key in ("datasets", "methods", "evaluators")
    }
    return {
        "what": "suite",
        "name": name,
        "summary": suite.description,
        **entries,
        "budgets": list(map(str, suite.budgets)),
        "splits": len(suite.splits),
        "seeds": "one a split" if suite.seeds is None else len(suite.seeds),
        "evaluation_seeds": len(suite.evaluation_seeds),
        "metrics": list(suite.metrics or ()),
        "seconds": suite.limits.seconds,
        "memory_mb": suite.limits.memory_mb,
        "threads": suite.threads,
    }


def _describe_plugin(_kind: str, name: str) -> dict[str, Any]:
    from distillkit.plugins import get_manager

    record = next(each for each in get_manager().records.values() if name in (each.name, each.dist))
    return {"what": "plugin", "summary": "", **dataclasses.asdict(record), "error": record.error or ""}


_DESCRIBERS = {"suite": _describe_suite, "plugin": _describe_plugin}
