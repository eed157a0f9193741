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
``DISTILLKIT_BLOCK_PLUGINS="name,name"``
    Never import these plugins, given as distributions, entry points or ``dist:entry``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from distillkit.exceptions import PluginError
from distillkit.plugins._manager import PluginManager
from distillkit.plugins._record import PluginRecord
from distillkit.plugins._registry import KINDS

__all__ = ["KINDS", "PluginManager", "PluginRecord", "get_manager", "reset_manager"]


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
