"""Loads plugins and calls each hook separately, so that a broken plugin does not affect others."""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pluggy

from distillkit.exceptions import PluginError, PluginWarning
from distillkit.hookspecs import PROJECT, Hooks
from distillkit.plugins._containment import ProcessExitError, contain
from distillkit.plugins._discovery import Candidate, check_host, find_candidates, normalize
from distillkit.plugins._files import candidate_of_file, named_files
from distillkit.plugins._record import PluginRecord
from distillkit.plugins._validation import check_hooks, check_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PluginLoader"]

_T = TypeVar("_T")

BUILTIN = f"{PROJECT}.builtin"
"""The module that holds the hooks of distillkit itself."""


_MAX_SHOWN = 80
"""Number of characters that a message shows of what a plugin printed."""


def _results(function: Callable[[], Any], result_type: type[_T]) -> list[_T]:
    return check_results(function(), result_type)  # Generators of the plugin run in here.


def _flag(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() in {"1", "true", "yes", "on"}


class PluginLoader:
    """Finds, checks and registers plugins; `PluginManager` adds the look-up by name.

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
        # The built-in plugin is imported by name because it depends on packages above this one.
        self.register(importlib.import_module(BUILTIN), PluginRecord("builtin", PROJECT, self.host_version))
        for candidate in [] if self.disabled else find_candidates():
            record = PluginRecord(candidate.name, candidate.dist, candidate.version)
            if self._is_blocked(candidate):
                record.mark("blocked", "turned off by DISTILLKIT_BLOCK_PLUGINS.")
                self._records[record.name] = record
            else:
                self._load_candidate(candidate, record)
        for path in [] if self.disabled else named_files():
            self.load_file(path)
        return self

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
        candidate = candidate_of_file(path)
        earlier = self._records.get(candidate.name)
        if earlier is not None and earlier.version == candidate.version and "load" not in earlier.failed:
            return
        if self._pluggy.has_plugin(candidate.name):
            self._pluggy.unregister(name=candidate.name)
        record = PluginRecord(candidate.name, candidate.dist, candidate.version, is_file=True)
        self._load_candidate(candidate, record)

    def _is_blocked(self, candidate: Candidate) -> bool:
        dist, _, entry = candidate.name.partition(":")
        return not self.blocked.isdisjoint({candidate.name, entry}) or dist in map(normalize, self.blocked)

    def _load_candidate(self, candidate: Candidate, record: PluginRecord) -> None:
        self._records[record.name] = record
        try:
            check_host(candidate.requires, self.host_version)
            plugin = self._call(record, "load", candidate.load)
        except KeyboardInterrupt:  # It comes from the user.
            raise
        except BaseException as exc:  # A panic of Rust and a left-over `pytest.skip` are no `Exception`.
            self._report_failure(record, "load", exc)
        else:
            self.register(plugin, record)

    def _call(self, record: PluginRecord, stage: str, function: Callable[[], _T]) -> _T:
        """Call code of a plugin without letting it end the process or write into its output."""
        if record.is_builtin:
            return function()
        with contain(str(record), record.dist) as output:
            value = function()
        if text := " ".join(output.getvalue().split()):
            self._report_output(record, stage, text)
        return value

    def _report_output(self, record: PluginRecord, stage: str, text: str) -> None:
        """Warn that a plugin printed, or raise if the manager is strict."""
        shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
        when = "at import" if stage == "load" else f"in {stage}"
        message = f"{record} printed {shown!r} {when}, which was kept out of the output: it should print nothing there."
        if self.strict:
            raise PluginError(message)
        warnings.warn(message, PluginWarning, stacklevel=4)

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
            if self._pluggy.has_plugin(record.name):
                raise PluginError(f"{record} is registered already: give the record another name.")
            self._records[record.name] = record
            try:
                record.hooks = self._call(record, "load", lambda: self._register_hooks(plugin, record.name))
            except KeyboardInterrupt:
                raise
            except BaseException as exc:
                # pluggy leaves a plugin that failed half registered, with its other hooks active.
                if self._pluggy.has_plugin(record.name):
                    self._pluggy.unregister(name=record.name)
                self._report_failure(record, "load", exc)

    def _register_hooks(self, plugin: object, name: str) -> list[str]:
        self._pluggy.register(plugin, name)
        return check_hooks(self._pluggy, plugin)

    def _report_failure(self, record: PluginRecord, stage: str, exc: BaseException) -> None:
        """Note an error in the record and warn, or raise if the manager is strict."""
        cause = str(exc) if isinstance(exc, PluginError | ProcessExitError) else f"{type(exc).__name__}: {exc}"
        if stage not in record.failed:
            record.failed.append(stage)
        record.mark("failed", f"{stage}: {cause}")
        consequence = "is off" if stage == "load" else f"gives nothing for {stage}"
        message = f"{record} {consequence}: {cause}"
        if self.strict:
            raise PluginError(message) from exc
        warnings.warn(message, PluginWarning, stacklevel=3)

    def _report_conflict(self, records: Iterable[PluginRecord], message: str) -> None:
        """Note in the records that a name the plugins provide is taken, and warn or raise."""
        for record in records:
            record.mark("conflict", message)
        if self.strict:
            raise PluginError(message)
        warnings.warn(message, PluginWarning, stacklevel=3)

    def _implementations(self, hook: str) -> list[Any]:
        """Return the implementations of a hook, the built-in one first, the others by name."""
        impls = getattr(self._pluggy.hook, hook).get_hookimpls()
        return sorted(impls, key=lambda impl: (impl.plugin_name != "builtin", impl.plugin_name))

    def _collect(self, hook: str, result_type: type[_T]) -> list[tuple[PluginRecord, _T]]:
        """Call each implementation of a hook and return the results with their plugins.

        Each implementation is called separately, because in a single call through pluggy one that
        raises would lose the results of all others.
        """
        if hook in self._collecting:
            raise PluginError(
                f"{hook} asks the manager for the specs that it provides itself: "
                "an implementation of a hook must not look up its own kind."
            )
        self._collecting.add(hook)
        collected: list[tuple[PluginRecord, _T]] = []
        try:
            for impl in self._implementations(hook):
                record = self._records[impl.plugin_name]
                try:
                    results = self._call(record, hook, partial(_results, impl.function, result_type))
                except KeyboardInterrupt:
                    raise
                except BaseException as exc:
                    self._report_failure(record, hook, exc)
                else:
                    collected += [(record, result) for result in results]
        finally:
            self._collecting.discard(hook)
        return collected
