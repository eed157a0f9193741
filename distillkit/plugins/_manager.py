"""The plugin manager, which looks up everything that plugins provide by kind and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.exceptions import PluginError, UnknownNameError
from distillkit.plugins._files import versioned
from distillkit.plugins._loader import PluginLoader
from distillkit.plugins._record import OWN
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
    """Registry of all plugins, which calls each hook when its kind is first asked for.

    The built-in plugin comes first. A broken plugin does not affect the others: its error is kept
    in its record and reported by one `PluginWarning`. Looking up a name that the broken plugin may
    have provided raises an error that names the plugin.

    Parameters
    ----------
    strict : bool or None, default=None
        Raise errors at once instead of warning; None reads ``DISTILLKIT_STRICT_PLUGINS``.
    disabled : bool or None, default=None
        Load the built-in plugin only; None reads ``DISTILLKIT_DISABLE_PLUGINS``.
    blocked : iterable of str or None, default=None
        Distributions, entry points or ``"dist:entry"`` that are never imported; None reads
        ``DISTILLKIT_BLOCK_PLUGINS``, separated by commas.
    host_version : str
        Version of distillkit that the requirements of plugins are checked against.

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
        self._added: dict[tuple[str, str], tuple[Spec, PluginRecord]] = {}
        self._published: list[PublishedResult] | None = None

    def register(self, plugin: object, record: PluginRecord) -> None:
        """Add one plugin under its record.

        Parameters
        ----------
        plugin : object
            A module, or any object, with hooks.
        record : PluginRecord
            Its name must not be registered yet.

        Raises
        ------
        PluginError
            If the name is registered already, or if the hooks are not valid and the manager is
            strict.
        """
        with self._lock:
            self._tables.clear()
            self._published = None
            super().register(plugin, record)

    def add(self, kind: str, spec: Spec, record: PluginRecord) -> str:
        """Add one spec that no plugin provides, for this process alone.

        It is found by its full name, which is returned, and listed nowhere, so that the objects of
        one comparison do not appear in another one.

        Parameters
        ----------
        kind : str
            As for `specs`.
        spec : Spec
            It replaces one that was added under the same name.
        record : PluginRecord
            What the spec is attributed to; its `dist` is the first part of the full name.

        Returns
        -------
        str
            ``dist/name``.
        """
        name = f"{record.dist}/{spec.name}"
        self._added[kind, name] = spec, record
        return name

    def load_file(self, path: str) -> None:
        """Register a single-file plugin, again if its content has changed.

        Parameters
        ----------
        path : str
            Absolute path of a Python file with hooks, alone or with the checksum of the content
            that it must have.

        Raises
        ------
        PluginError
            If the file cannot be read, or if it is broken and the manager is strict.
        """
        with self._lock:
            self._tables.clear()
            self._published = None
            super().load_file(path)

    def specs(self, kind: str) -> dict[str, Spec]:
        """Return all specs of one kind.

        Parameters
        ----------
        kind : {"method", "dataset", "evaluator", "metric", "reporter", "executor"}

        Returns
        -------
        dict of str to Spec
            The specs under their short names, the built-in ones first, then the same specs as
            ``dist/name``. A short name that two packages provide is left out.
        """
        return dict(self._table(kind).specs)

    def short_specs(self, kind: str) -> dict[str, Any]:
        """Return the specs of one kind by their short names alone, the built-in ones first.

        Parameters
        ----------
        kind : str
            As for `specs`.

        Returns
        -------
        dict of str to Spec
            A spec whose short name belongs to another package, or to none, is left out.
        """
        return {name: spec for name, spec in self._table(kind).specs.items() if "/" not in name}

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
            If no plugin provides the name; the nearest names are suggested.
        PluginError
            If two packages provide the name, or if a plugin that failed or is blocked may have
            provided it.
        """
        if (added := self._added.get((kind, name))) is not None:
            return added[0]
        return self._table(kind).specs[self._key(kind, name)]

    def resolve(self, kind: str, text: str, note: str = "") -> ResolvedName:
        """Return the spec and the preset of a method or an evaluator.

        Parameters
        ----------
        kind : {"method", "evaluator"}
        text : str
            ``"name"`` or ``"name:preset"``.
        note : str, default=""
            Text that is added to the error about an unknown preset, such as the line of a file.

        Raises
        ------
        UnknownNameError
            If there is no such name or preset; the nearest names are suggested.
        PluginError
            As for `get`.
        """
        return resolve_name(lambda name: self.get(kind, name), text, note)

    def provider(self, kind: str, name: str) -> PluginRecord:
        """Return the record of the plugin that provides a spec, for arguments as in `get`."""
        if (added := self._added.get((kind, name))) is not None:
            return added[1]
        return self._table(kind).owners[self._key(kind, name)]

    @property
    def records(self) -> dict[str, PluginRecord]:
        """All plugins by name, once all hooks except `distillkit_commands` have been called."""
        for kind in KINDS:
            self._table(kind)
        self.published()
        return dict(self._records)

    def requirements(self) -> list[str]:
        """Return ``"dist==version"`` of each third-party distribution in use, sorted.

        Plugins that are single files are no distributions, and left out.
        """
        third_party = (record for record in self.records.values() if not (record.is_builtin or record.is_file))
        in_use = (record for record in third_party if record.status == "active" or record.provides)
        return sorted({f"{record.dist}=={record.version}" for record in in_use})

    def published(self) -> list[PublishedResult]:
        """Return the results from the literature that all plugins provide."""
        with self._lock:
            if self._published is None:
                results = self._collect("distillkit_published", PublishedResult)
                for record, result in results:
                    _record_provided(record, f"published:{result.method}")
                self._published = [result for _, result in results]
            return list(self._published)

    def add_commands(self, cli: Any) -> None:
        """Let every plugin add its commands to a `click.Group`.

        The commands of a plugin that fails are removed again, and a plugin cannot replace or
        remove a command that exists already.

        Parameters
        ----------
        cli : click.Group
        """
        with self._lock:
            for impl in self._implementations("distillkit_commands"):
                self._add_commands(impl, self._records[impl.plugin_name], cli)

    def _add_commands(self, impl: Any, record: PluginRecord, cli: Any) -> None:
        commands_before = dict(cli.commands)
        try:
            self._call(record, "distillkit_commands", lambda: impl.function(*(cli for _ in impl.argnames)))
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            cli.commands.clear()
            cli.commands.update(commands_before)
            self._report_failure(record, "distillkit_commands", exc)
            return
        for name in cli.commands.keys() - commands_before.keys():
            _record_provided(record, f"command:{name}")
        # Restore the commands that the plugin replaced or removed.
        changed = sorted(name for name, command in commands_before.items() if cli.commands.get(name) is not command)
        cli.commands.update({name: commands_before[name] for name in changed})
        if changed:
            names = ", ".join(map(repr, changed))
            self._report_conflict(
                [record],
                f"{record} changes the commands {names}, which stay as they were: "
                "the plugin must give its commands other names.",
            )

    def _key(self, kind: str, name: str) -> str:
        table = self._table(kind)
        if name.startswith(f"{OWN}/"):
            raise PluginError(
                f"{kind} {name!r} is an object of whoever ran the comparison, which results do not carry: run it "
                "again from its script."
            )
        key = table.find(name)
        if key is None:
            stages = {"load", KINDS[kind][0]}
            inactive = [
                record
                for record in self._records.values()
                if record.status == "blocked" or stages.intersection(record.failed)
            ]
            raise unknown_name(
                table, name, inactive, "Plugins are off (DISTILLKIT_DISABLE_PLUGINS)." if self.disabled else ""
            )
        return key

    def _table(self, kind: str) -> Table:
        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS)
        with self._lock:
            if kind not in self._tables:
                hook, spec_type = KINDS[kind]
                provided = [
                    (record, versioned(spec, record.version) if record.is_file else spec)
                    for record, spec in self._collect(hook, spec_type)
                ]
                for record, spec in provided:
                    _record_provided(record, f"{kind}:{spec.name}")
                table, conflicts = build_table(kind, provided)
                for records, message in conflicts:
                    self._report_conflict(records, message)
                self._tables[kind] = table
            return self._tables[kind]


def _record_provided(record: PluginRecord, name: str) -> None:
    """Add a name, such as "method:kmeans", to what a plugin is known to provide."""
    if name not in record.provides:
        record.provides.append(name)
