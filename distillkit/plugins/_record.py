"""The record of a plugin: its distribution, its status and the names it provides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["OWN", "PluginRecord", "Status"]

OWN = "own"
"""In place of a distribution, what objects of the user's own are attributed to."""

Status = Literal["active", "failed", "blocked", "conflict"]


@dataclass
class PluginRecord:
    """State of one plugin, which is an entry point of an installed distribution or built in.

    Parameters
    ----------
    name : str
        ``"<distribution>:<entry point>"``; ``"builtin"`` for the built-in plugin.
    dist : str
        Normalized name of the distribution (lower case, ``-`` between words).
    version : str
        Version of the distribution.
    status : {"active", "failed", "blocked", "conflict"}
        ``failed``: at least one stage raised an error, see `failed`; the results of the other hooks
        remain usable.
        ``blocked``: turned off by the user and never imported.
        ``conflict``: works, but a short name that it provides is taken; ``dist/name`` resolves.
    error : str or None
        All reasons why the status is not ``active``, in one text.
    hooks : list of str
        Hooks that the plugin implements.
    provides : list of str
        Names that the plugin provides, as ``"kind:name"``, for the hooks called so far.
    failed : list of str
        Stages that raised an error: ``"load"`` or the name of a hook.
    is_file : bool
        Whether the plugin is a single file, given by its path. Its distribution is called
        ``"file+<name>"`` then, and its version is a checksum of its content.
    """

    name: str
    dist: str
    version: str
    status: Status = "active"
    error: str | None = None
    hooks: list[str] = field(default_factory=list)
    provides: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    is_file: bool = False

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({self.dist} {self.version})"

    @property
    def is_builtin(self) -> bool:
        """Whether this is the built-in plugin of distillkit."""
        return self.name == "builtin"

    def mark(self, status: Status, error: str) -> None:
        """Set the status, where a failure outranks a conflict, and add an error to the others."""
        self.status = "failed" if "failed" in (status, self.status) else status
        if self.error is None:
            self.error = error
        elif error not in self.error:
            self.error = f"{self.error}; {error}"
