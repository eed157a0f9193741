"""Everything that plugins give, by kind and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.exceptions import UnknownNameError
from distillkit.plugins._loader import PluginLoader
from distillkit.plugins._registry import KINDS, Table, build_table, unknown_name
from distillkit.plugins._resolved import ResolvedName, resolve_name
from distillkit.specs import PublishedResult
from distillkit.utils._versions import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distillkit.plugins._record import PluginRecord
    from distillkit.specs import Spec

__all__ = ["PluginManager"]


class PluginManager(PluginLoader):
    """All plugins, the built-ins first, each hook called when its kind is first asked for.

    A broken plugin never stops what does not need it: it becomes a record and one `PluginWarning`. Asking by name
    for what it should have given raises, and the message names it.

    Parameters
    ----------
    strict : bool or None, default=None
        Raise at once instead of warning; None reads ``DISTILLKIT_STRICT_PLUGINS``.
    disabled : bool or None, default=None
        Load the built-ins only; None reads ``DISTILLKIT_DISABLE_PLUGINS``.
    blocked : iterable of str or None, default=None
        Distributions, entry points or ``"dist:entry"`` never imported; None reads ``DISTILLKIT_BLOCK_PLUGINS``
        (separated by commas).
    host_version : str
        The version that the requirements of plugins are compared with.

    Examples
    --------
    >>> from distillkit.plugins import PluginManager
    >>> manager = PluginManager(disabled=True).load()
    >>> manager.get("method", "kmeans").target
    'distillkit.coresets:KMeansCoreset'
    >>> manager.provider("method", "kmeans").dist
    'distillkit'
    """

    def __init__(
        self,
        *,
        strict: bool | None = None,
        disabled: bool | None = None,
        blocked: Iterable[str] | None = None,
        host_version: str = __version__,
    ) -> None:
        super().__init__(strict=strict, disabled=disabled, blocked=blocked, host_version=host_version)
        self._tables: dict[str, Table] = {}
        self._published: list[PublishedResult] | None = None

    def register(self, plugin: object, record: PluginRecord) -> None:
        """Add one plugin, a module or any object with hooks, under its record.

        Parameters
        ----------
        plugin : object
        record : PluginRecord
            Its name must be new.

        Raises
        ------
        PluginError
            If its name is taken, or its hooks are not valid and the manager is strict.
        """
        with self._lock:
            self._tables.clear()
            self._published = None
            super().register(plugin, record)

    def specs(self, kind: str) -> dict[str, Spec]:
        """Return everything of one kind.

        Parameters
        ----------
        kind : {"method", "dataset", "evaluator", "metric", "reporter", "executor"}

        Returns
        -------
        dict of str to Spec
            Short names first, the built-ins in front, then the same specs as ``dist/name``. A short name that two
            packages give is left out.
        """
        return dict(self._table(kind).specs)

    def get(self, kind: str, name: str) -> Any:
        """Return the spec of one kind and name.

        Parameters
        ----------
        kind : str
            As for `specs`.
        name : str
            Short name, or ``dist/name``.

        Raises
        ------
        UnknownNameError
            If nobody gives it; the nearest names are suggested.
        PluginError
            If two packages give it, or a plugin that is off should have given it.
        """
        return self._table(kind).specs[self._key(kind, name)]

    def resolve(self, kind: str, text: str, note: str = "") -> ResolvedName:
        """Return the spec and the preset of a method or an evaluator that is named as ``"name"`` or ``"name:preset"``.

        Parameters
        ----------
        kind : {"method", "evaluator"}
        text : str
        note : str, default=""
            One more sentence for the error about a preset, such as where the name stands in a file.

        Raises
        ------
        UnknownNameError
            If there is no such name or preset; the nearest names are suggested.
        PluginError
            As for `get`.
        """
        return resolve_name(lambda name: self.get(kind, name), text, note)

    def provider(self, kind: str, name: str) -> PluginRecord:
        """Return the record of the plugin that gives a spec; arguments and errors as for `get`."""
        return self._table(kind).owners[self._key(kind, name)]

    @property
    def records(self) -> dict[str, PluginRecord]:
        """Every plugin by its name, after all hooks but `distillkit_commands` have been called."""
        for kind in KINDS:
            self._table(kind)
        self.published()
        return dict(self._records)

    def requirements(self) -> list[str]:
        """Return ``"dist==version"`` of every third-party distribution that gives something, sorted."""
        others = (record for record in self.records.values() if not record.is_builtin)
        return sorted({f"{each.dist}=={each.version}" for each in others if each.status == "active" or each.provides})

    def published(self) -> list[PublishedResult]:
        """Return the figures from the literature that all plugins give."""
        with self._lock:
            if self._published is None:
                found = self._collect("distillkit_published", PublishedResult)
                for record, result in found:
                    _note(record, f"published:{result.method}")
                self._published = [result for _, result in found]
            return list(self._published)

    def add_commands(self, cli: Any) -> None:
        """Let every plugin add its commands to a `click.Group`.

        What a failing plugin had added is taken away again, and a command that is already there stays.

        Parameters
        ----------
        cli : click.Group
        """
        with self._lock:
            for impl in self._implementations("distillkit_commands"):
                self._add_commands(impl, self._records[impl.plugin_name], cli)

    def _add_commands(self, impl: Any, record: PluginRecord, cli: Any) -> None:
        before = dict(cli.commands)
        try:
            impl.function(*(cli for _ in impl.argnames))
        except (Exception, SystemExit) as exc:
            cli.commands.clear()
            cli.commands.update(before)
            self._fail(record, "distillkit_commands", exc)
            return
        for name in cli.commands.keys() - before.keys():
            _note(record, f"command:{name}")
        taken = sorted(name for name, command in before.items() if cli.commands.get(name) is not command)
        cli.commands.update({name: before[name] for name in taken})
        if taken:
            names = ", ".join(map(repr, taken))
            self._clash(
                [record],
                f"{record} changes the commands {names}, which stay as they were: it must name its own otherwise.",
            )

    def _key(self, kind: str, name: str) -> str:
        table = self._table(kind)
        key = table.find(name)
        if key is None:
            stages = {"load", KINDS[kind][0]}
            suspects = [
                each for each in self._records.values() if each.status == "blocked" or stages.intersection(each.failed)
            ]
            raise unknown_name(
                table, name, suspects, "Plugins are off (DISTILLKIT_DISABLE_PLUGINS)." if self.disabled else ""
            )
        return key

    def _table(self, kind: str) -> Table:
        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS)
        with self._lock:
            if kind not in self._tables:
                hook, wanted = KINDS[kind]
                found = self._collect(hook, wanted)
                for record, spec in found:
                    _note(record, f"{kind}:{spec.name}")
                table, clashes = build_table(kind, found)
                for records, message in clashes:
                    self._clash(records, message)
                self._tables[kind] = table
            return self._tables[kind]


def _note(record: PluginRecord, what: str) -> None:
    if what not in record.provides:
        record.provides.append(what)
