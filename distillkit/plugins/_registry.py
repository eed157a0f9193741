"""The specs of one kind under every name that leads to them, and the names that lead nowhere."""

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
"""What can be asked for by name: the hook that gives it and the type of its specs."""


@dataclass
class Table:
    """All specs of one kind.

    Parameters
    ----------
    kind : str
    specs : dict of str to Spec
        By short name, then by ``dist/name``.
    owners : dict of str to PluginRecord
        Who gives it, by the same names.
    clashes : dict of str to list of PluginRecord
        Names that resolve to nothing, because several give them.
    """

    kind: str
    specs: dict[str, Spec] = field(default_factory=dict)
    owners: dict[str, PluginRecord] = field(default_factory=dict)
    clashes: dict[str, list[PluginRecord]] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """Return the key that a name leads to, or None.

        Raises
        ------
        PluginError
            If several plugins give it.
        """
        dist, slash, short = name.partition("/")
        key = f"{normalize(dist)}/{short}" if slash else name
        if key in self.clashes:
            raise PluginError(_clash_message(self.kind, key, self.clashes[key]))
        return key if key in self.specs else None


def build_table(
    kind: str, found: list[tuple[PluginRecord, Spec]]
) -> tuple[Table, list[tuple[list[PluginRecord], str]]]:
    """Give each spec its names.

    A built-in keeps its short name; a short name that two others give resolves to neither; ``dist/name`` always
    resolves.

    Parameters
    ----------
    kind : str
    found : list of (PluginRecord, Spec)
        The built-ins first.

    Returns
    -------
    table : Table
    clashes : list of (records, message)
        Which plugins do not get the short name they gave, and why.
    """
    claims: dict[str, list[tuple[PluginRecord, Spec]]] = {}
    for record, spec in found:
        claims.setdefault(spec.name, []).append((record, spec))
    for record, spec in found:
        claims.setdefault(f"{record.dist}/{spec.name}", []).append((record, spec))
    table, clashes = Table(kind), []
    for name, claimed in claims.items():
        records = [record for record, _ in claimed]
        if len(claimed) == 1 or records[0].is_builtin:
            table.owners[name], table.specs[name] = claimed[0]
        else:
            table.clashes[name] = records
        if len(claimed) > 1 and "/" not in name:
            clashes.append((records[1:] if records[0].is_builtin else records, _clash_message(kind, name, records)))
    return table, clashes


def _clash_message(kind: str, name: str, records: list[PluginRecord]) -> str:
    short = name.rpartition("/")[2]
    if records[0].is_builtin:
        others = ", ".join(f"{record} gives it as {record.dist + '/' + short!r}" for record in records[1:])
        return f"{kind} {name!r} is built in and stays so: {others}."
    givers = ", ".join(f"{record.dist} {record.version}" for record in records)
    if len({record.dist for record in records}) < len(records):
        entries = ", ".join(repr(record.name) for record in records)
        return f"{kind} {name!r} is given more than once ({givers}): block one of {entries}."
    ways = " or ".join(repr(f"{record.dist}/{short}") for record in records)
    return f"{kind} {name!r} is given by {len(records)} plugins ({givers}): write {ways}."


def unknown_name(
    table: Table, name: str, suspects: list[PluginRecord], note: str = ""
) -> PluginError | UnknownNameError:
    """Make the error for a name that is not there; plugins that are off and may have given it are named.

    Parameters
    ----------
    table : Table
    name : str
    suspects : list of PluginRecord
        Plugins that gave nothing of this kind because they are broken or blocked.
    note : str
        One more sentence.
    """
    dist, slash, _ = name.partition("/")
    if slash:
        suspects = [record for record in suspects if record.dist == normalize(dist)]
    known = [each for each in table.specs if slash or "/" not in each]
    causes = [f"{record} may give it, but is off: {record.error}" for record in suspects]
    text = " ".join([*causes, *([note] if note else [])])
    error = UnknownNameError(table.kind, name, known, text)
    # where no name comes near, the plugin that is off is the likely cause, not a slip of the pen
    if suspects and (slash or not error.near):
        return PluginError(f"{table.kind} {name!r} is not there: {text}")
    return error
