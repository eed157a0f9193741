"""Types of arguments that the shell completes: names of what is registered, suites and files."""

from __future__ import annotations

import warnings
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = ["Name"]


class Name(click.ParamType):  # type: ignore[type-arg] # no generic before click 8.4
    """Text that names something, with completion; the command itself checks the name.

    Parameters
    ----------
    *kinds : str
        Kinds of things as for `distillkit.plugins.PluginManager.specs`, or "suite" or "plugin".
    several : bool, default=False
        Whether the text holds several names, separated by commas.
    files : bool, default=False
        Whether files and folders are completed as well.
    """

    name = "text"

    def __init__(self, *kinds: str, several: bool = False, files: bool = False) -> None:
        self.kinds, self.several, self.files = kinds, several, files

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        """Return the value as it is."""
        return value

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin with the incomplete text."""
        before, comma, last = incomplete.rpartition(",") if self.several else ("", "", incomplete)
        given = set(before.split(","))
        # With a file among them, the shell offers files where no name matches.
        items = [CompletionItem(incomplete, type="file")] if self.files else []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A warning would be printed into the line that is typed.
            names = [(name, text) for kind in self.kinds for name, text in _names(kind, presets=":" in last)]
        return items + [
            CompletionItem(before + comma + name, help=text)
            for name, text in dict(names).items()
            if name.startswith(last) and name not in given
        ]


def _names(kind: str, *, presets: bool) -> list[tuple[str, str]]:
    """Return the names of one kind with their summaries, those of presets on request."""
    from distillkit.cli._entries import plugin_entries, suite_entries
    from distillkit.plugins import get_manager

    if kind in ("suite", "plugin"):
        entries = suite_entries() if kind == "suite" else plugin_entries()
        return [(entry["name"], entry.get("summary", "")) for entry in entries]
    names = []
    for name, spec in get_manager().short_specs(kind).items():
        names.append((name, spec.summary))
        names += [(f"{name}:{preset}", spec.summary) for preset in getattr(spec, "presets", ()) if presets]
    return names
