"""What is known of one plugin: where it came from, whether it works, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PluginRecord", "Status"]

Status = Literal["active", "failed", "blocked", "conflict"]


@dataclass
class PluginRecord:
    """One plugin: an entry point of an installed distribution, or the built-ins.

    Parameters
    ----------
    name : str
        ``"<distribution>:<entry point>"``; ``"builtin"`` for the built-ins.
    dist : str
        Distribution, its name normalized (lower case, ``-`` between words).
    version : str
        Version of the distribution.
    status : {"active", "failed", "blocked", "conflict"}
        ``failed``: at least one stage broke, see `failed`; what the other hooks gave still works.
        ``blocked``: turned off by the user, never imported.
        ``conflict``: works, but a short name that it gives is taken; ``dist/name`` resolves.
    error : str or None
        Why the status is not ``active``, all causes in one text.
    hooks : list of str
        Hooks it implements.
    provides : list of str
        What it gives, as ``"kind:name"``, as far as it has been asked.
    failed : list of str
        Stages that broke: ``"load"`` or the name of a hook.
    """

    name: str
    dist: str
    version: str
    status: Status = "active"
    error: str | None = None
    hooks: list[str] = field(default_factory=list)
    provides: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({self.dist} {self.version})"

    @property
    def is_builtin(self) -> bool:
        """Whether these are distillkit's own hooks."""
        return self.name == "builtin"

    def mark(self, status: Status, error: str) -> None:
        """Note a trouble; a failure outranks a conflict, and no cause is forgotten."""
        self.status = "failed" if "failed" in (status, self.status) else status
        if self.error is None:
            self.error = error
        elif error not in self.error:
            self.error = f"{self.error}; {error}"
