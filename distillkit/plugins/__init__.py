"""Plugins: where methods, datasets, evaluators, metrics, reporters and engines come from, the built-ins included.

>>> from distillkit.plugins import get_manager
>>> get_manager().get("method", "random").load().__name__
'RandomSubset'

Environment variables, read when the manager is made:

``DISTILLKIT_STRICT_PLUGINS=1``
    raise `PluginError` at the first trouble instead of warning (for the CI of a plugin's author);
``DISTILLKIT_DISABLE_PLUGINS=1``
    load the built-ins only;
``DISTILLKIT_BLOCK_PLUGINS="name,name"``
    never import these: distributions, entry points, or ``dist:entry``.
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
    """The one manager of this process."""

    manager: PluginManager | None = None
    loading: bool = False
    lock: Any = field(default_factory=threading.RLock)


_shared = _Shared()


def get_manager() -> PluginManager:
    """Return the manager of this process, made and loaded on the first call.

    Raises
    ------
    PluginError
        If a plugin asks for it while it is being imported, or is broken and ``DISTILLKIT_STRICT_PLUGINS`` is set.
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
    """Forget the manager, so that the next `get_manager` looks for plugins anew."""
    with _shared.lock:
        _shared.manager = None
