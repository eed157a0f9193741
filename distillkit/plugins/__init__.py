"""Plugins provide the methods, datasets, evaluators, metrics, reporters and executors.

The built-in ones come from a plugin as well.

>>> from distillkit.plugins import get_manager
>>> get_manager().get("method", "random").load().__name__
'RandomSubset'

These environment variables are read when the manager is created:

``DISTILLKIT_STRICT_PLUGINS=1``
    Raise `PluginError` at the first problem instead of warning. This suits the continuous
    integration of a plugin.
``DISTILLKIT_DISABLE_PLUGINS=1``
    Load the built-in plugin only.
``DISTILLKIT_PLUGINS="one.py:two.py"``
    Load these files with hooks as well, joined as the folders of PATH; see `use_plugin_files`.
``DISTILLKIT_BLOCK_PLUGINS="name,name"``
    Never import these plugins, given as distributions, entry points or ``dist:entry``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillkit.exceptions import PluginError
from distillkit.plugins._files import FILES_VARIABLE, candidate_of_file, named_files, path_of
from distillkit.plugins._manager import PluginManager
from distillkit.plugins._record import PluginRecord
from distillkit.plugins._registry import KINDS

__all__ = ["KINDS", "PluginManager", "PluginRecord", "get_manager", "reset_manager", "use_plugin_files"]


@dataclass
class _Shared:
    """Holds the plugin manager that the whole process shares."""

    manager: PluginManager | None = None
    loading: bool = False
    lock: Any = field(default_factory=threading.RLock)


_shared = _Shared()


def get_manager() -> PluginManager:
    """Return the plugin manager of this process, which is created and loaded on the first call.

    Raises
    ------
    PluginError
        If a plugin calls this function while it is being imported, or if a plugin is broken and
        ``DISTILLKIT_STRICT_PLUGINS`` is set.
    """
    with _shared.lock:
        if _shared.loading:
            raise PluginError("plugins are still being loaded: call get_manager() inside a function, not at import.")
        if _shared.manager is None:
            _shared.loading = True
            try:
                _shared.manager = PluginManager().load()
            finally:
                _shared.loading = False
        return _shared.manager


def reset_manager() -> None:
    """Discard the manager, so that the next `get_manager` searches for plugins again."""
    with _shared.lock:
        _shared.manager = None


def use_plugin_files(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Load single-file plugins in this process and in those that it starts from now on.

    A file has hooks as the module of an installed plugin has them, and its targets are its own
    classes and functions. What it provides has a version that is computed from the content of the
    file, so that an edited file reruns its own benchmark cells.

    Parameters
    ----------
    paths : iterable of str or Path
        Python files. One that is in use already is loaded again if it has been edited.

    Raises
    ------
    PluginError
        If a file cannot be read or is no Python file; then none is loaded.
    """
    new = list(dict.fromkeys(str(Path(path).absolute()) for path in paths))
    for path in new:
        candidate_of_file(path)
    with _shared.lock:
        # An entry replaces an earlier one of the same file, which may ask for another content.
        entries = {path_of(entry): entry for entry in [*named_files(), *new]}
        os.environ[FILES_VARIABLE] = os.pathsep.join(entries.values())
        if _shared.manager is not None:
            for path in new:
                _shared.manager.load_file(path)
