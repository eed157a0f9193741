"""Loads plugins and calls their hooks one by one, so that a broken plugin harms nothing but itself."""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pluggy

from distillkit.exceptions import PluginError, PluginWarning
from distillkit.hookspecs import PROJECT, Hooks
from distillkit.plugins._discovery import Candidate, check_host, find_candidates, normalize
from distillkit.plugins._record import PluginRecord
from distillkit.plugins._validation import check_hooks, check_results

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PluginLoader"]

_T = TypeVar("_T")

BUILTIN = f"{PROJECT}.builtin"
"""Module with the hooks of distillkit itself."""


def _flag(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() in {"1", "true", "yes", "on"}


class PluginLoader:
    """Finds, checks and registers plugins; `PluginManager` adds the names.

    Parameters
    ----------
    strict, disabled, blocked, host_version
        See `PluginManager`.
    """

    def __init__(
        self, *, strict: bool | None, disabled: bool | None, blocked: Iterable[str] | None, host_version: str
    ) -> None:
        self.strict = _flag("DISTILLKIT_STRICT_PLUGINS") if strict is None else strict
        self.disabled = _flag("DISTILLKIT_DISABLE_PLUGINS") if disabled is None else disabled
        names = os.environ.get("DISTILLKIT_BLOCK_PLUGINS", "").split(",") if blocked is None else blocked
        self.blocked = frozenset(name.strip() for name in names if name.strip())
        self.host_version = host_version
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(Hooks)
        self._records: dict[str, PluginRecord] = {}
        self._collecting: set[str] = set()
        self._lock = threading.RLock()

    def load(self) -> Self:
        """Register the built-ins, then every entry point that is neither blocked nor broken.

        Raises
        ------
        PluginError
            If a plugin is broken and the manager is strict.
        """
        # by name, since what distillkit itself gives lies above the loader and comes to it as any plugin does
        self.register(importlib.import_module(BUILTIN), PluginRecord("builtin", PROJECT, self.host_version))
        for candidate in [] if self.disabled else find_candidates():
            record = PluginRecord(candidate.name, candidate.dist, candidate.version)
            if self._is_blocked(candidate):
                record.mark("blocked", "turned off by DISTILLKIT_BLOCK_PLUGINS.")
                self._records[record.name] = record
            else:
                self._load_candidate(candidate, record)
        return self

    def _is_blocked(self, candidate: Candidate) -> bool:
        dist, _, entry = candidate.name.partition(":")
        return not self.blocked.isdisjoint({candidate.name, entry}) or dist in map(normalize, self.blocked)

    def _load_candidate(self, candidate: Candidate, record: PluginRecord) -> None:
        self._records[record.name] = record
        try:
            check_host(candidate.requires, self.host_version)
            plugin = candidate.load()
        except (Exception, SystemExit) as exc:  # a module may do anything at import; KeyboardInterrupt is the user's
            self._fail(record, "load", exc)
        else:
            self.register(plugin, record)

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
            if self._pluggy.has_plugin(record.name):
                raise PluginError(f"{record} is registered already: give the record another name.")
            self._records[record.name] = record
            try:
                self._pluggy.register(plugin, record.name)
                record.hooks = check_hooks(self._pluggy, plugin)
            except (Exception, SystemExit) as exc:
                if self._pluggy.has_plugin(record.name):  # pluggy 1.6 leaves it half registered, other hooks live
                    self._pluggy.unregister(name=record.name)
                self._fail(record, "load", exc)

    def _fail(self, record: PluginRecord, stage: str, exc: BaseException) -> None:
        """Turn an error into a record and a warning, or raise where the manager is strict."""
        cause = str(exc) if isinstance(exc, PluginError) else f"{type(exc).__name__}: {exc}"
        if stage not in record.failed:
            record.failed.append(stage)
        record.mark("failed", f"{stage}: {cause}")
        message = f"{record} {'is off' if stage == 'load' else f'gives nothing for {stage}'}: {cause}"
        if self.strict:
            raise PluginError(message) from exc
        warnings.warn(message, PluginWarning, stacklevel=3)

    def _clash(self, records: Iterable[PluginRecord], message: str) -> None:
        """Note that plugins do not get a name they gave."""
        for record in records:
            record.mark("conflict", message)
        if self.strict:
            raise PluginError(message)
        warnings.warn(message, PluginWarning, stacklevel=3)

    def _implementations(self, hook: str) -> list[Any]:
        """Return the implementations of a hook, the built-in one first, then by name: pluggy's order is the reverse."""
        impls = getattr(self._pluggy.hook, hook).get_hookimpls()
        return sorted(impls, key=lambda impl: (impl.plugin_name != "builtin", impl.plugin_name))

    def _collect(self, hook: str, wanted: type[_T]) -> list[tuple[PluginRecord, _T]]:
        """Call each implementation on its own: in one call of pluggy's, one that raises loses everybody's results."""
        if hook in self._collecting:
            raise PluginError(f"{hook} asks for what it is about to give: an implementation must not do so.")
        self._collecting.add(hook)
        found: list[tuple[PluginRecord, _T]] = []
        try:
            for impl in self._implementations(hook):
                record = self._records[impl.plugin_name]
                try:
                    results = check_results(impl.function(), wanted)
                except (Exception, SystemExit) as exc:
                    self._fail(record, hook, exc)
                else:
                    found += [(record, result) for result in results]
        finally:
            self._collecting.discard(hook)
        return found
