"""The table of the specs of one kind, which resolves short names and ``dist/name``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from distillkit.exceptions import PluginError, UnknownNameError
from distillkit.plugins._discovery import normalize
from distillkit.plugins._record import PluginRecord
from distillkit.specs import DatasetSpec, EvaluatorSpec, ExecutorSpec, MethodSpec, MetricSpec, ReporterSpec, Spec

__all__ = ["KINDS", "Table", "build_table", "unknown_name"]

KINDS: Mapping[str, tuple[str, type[Spec]]] = MappingProxyType(
    {
        "method": ("distillkit_methods", MethodSpec),
        "dataset": ("distillkit_datasets", DatasetSpec),
        "evaluator": ("distillkit_evaluators", EvaluatorSpec),
        "metric": ("distillkit_metrics", MetricSpec),
        "reporter": ("distillkit_reporters", ReporterSpec),
        "executor": ("distillkit_executors", ExecutorSpec),
    }
)
"""Kinds that can be looked up by name, each with the hook that provides it and its spec type."""


@dataclass
class Table:
    """All specs of one kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    specs : dict of str to Spec
        The specs by short name, then by ``dist/name``.
    owners : dict of str to PluginRecord
        The plugin that provides each spec, by the same names.
    conflicts : dict of str to list of PluginRecord
        Names that do not resolve because several plugins provide them.
    """

    kind: str
    specs: dict[str, Spec] = field(default_factory=dict)
    owners: dict[str, PluginRecord] = field(default_factory=dict)
    conflicts: dict[str, list[PluginRecord]] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """Return the key in `specs` that a name resolves to, or None.

        Raises
        ------
        PluginError
            If several plugins provide the name.
        """
        dist, slash, short = name.partition("/")
        key = f"{normalize(dist)}/{short}" if slash else name
        if key in self.conflicts:
            raise PluginError(_conflict_message(self.kind, key, self.conflicts[key]))
        return key if key in self.specs else None


def build_table(
    kind: str, provided: list[tuple[PluginRecord, Spec]]
) -> tuple[Table, list[tuple[list[PluginRecord], str]]]:
    """Build the table of the specs of one kind.

    A built-in spec keeps its short name. A short name that two other plugins provide resolves to
    neither of them. ``dist/name`` always resolves.

    Parameters
    ----------
    kind : str
    provided : list of (PluginRecord, Spec)
        The specs with their plugins, the built-in ones first.

    Returns
    -------
    table : Table
    conflicts : list of (records, message)
        The plugins that do not get a short name they provide, with the reason.
    """
    # 1. Collect who claims each name: the short names first, so that they come first in the table.
    claims: dict[str, list[tuple[PluginRecord, Spec]]] = {}
    for record, spec in provided:
        claims.setdefault(spec.name, []).append((record, spec))
    for record, spec in provided:
        claims.setdefault(f"{record.dist}/{spec.name}", []).append((record, spec))
    # 2. Give each name to its only claimant or to the built-in one; any other name is a conflict.
    table, conflicts = Table(kind), []
    for name, claimants in claims.items():
        records = [record for record, _ in claimants]
        if len(claimants) == 1 or records[0].is_builtin:
            table.owners[name], table.specs[name] = claimants[0]
        else:
            table.conflicts[name] = records
        if len(claimants) > 1 and "/" not in name:
            losers = records[1:] if records[0].is_builtin else records
            conflicts.append((losers, _conflict_message(kind, name, records)))
    return table, conflicts


def _conflict_message(kind: str, name: str, records: list[PluginRecord]) -> str:
    short = name.rpartition("/")[2]
    if records[0].is_builtin:
        others = ", ".join(f"{record} gives it as {record.dist + '/' + short!r}" for record in records[1:])
        return f"{kind} {name!r} is built in and stays so: {others}."
    providers = ", ".join(f"{record.dist} {record.version}" for record in records)
    if len({record.dist for record in records}) < len(records):
        entries = ", ".join(repr(record.name) for record in records)
        return f"{kind} {name!r} is given more than once ({providers}): block one of {entries}."
    full_names = " or ".join(repr(f"{record.dist}/{short}") for record in records)
    return f"{kind} {name!r} is given by {len(records)} plugins ({providers}): write {full_names}."


def unknown_name(
    table: Table, name: str, inactive: list[PluginRecord], note: str = ""
) -> PluginError | UnknownNameError:
    """Return the error for an unknown name, which lists inactive plugins that may provide it.

    Parameters
    ----------
    table : Table
    name : str
    inactive : list of PluginRecord
        Plugins that provide nothing of this kind because they failed or are blocked.
    note : str
        Text that is added to the message.
    """
    dist, slash, _ = name.partition("/")
    if slash:
        inactive = [record for record in inactive if record.dist == normalize(dist)]
    known = [key for key in table.specs if slash or "/" not in key]
    causes = [f"{record} may give it, but is off: {record.error}" for record in inactive]
    text = " ".join([*causes, *([note] if note else [])])
    error = UnknownNameError(table.kind, name, known, text)
    # If no known name is similar, an inactive plugin is a likelier cause than a typing error.
    if inactive and (slash or not error.near):
        return PluginError(f"{table.kind} {name!r} is not there: {text}")
    return error
