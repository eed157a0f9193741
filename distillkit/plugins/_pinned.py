"""The single-file plugins of this process as its child processes and workers must load them."""

from __future__ import annotations

from distillkit.plugins import get_manager
from distillkit.plugins._files import named_files, path_of, pinned
from distillkit.plugins._record import PluginRecord

__all__ = ["pinned_files"]


def pinned_files() -> list[str]:
    """Return the files in use, each with the checksum of the content that this process has loaded.

    `use_plugin_files` and the environment variable take these entries. A process that loads them
    later refuses a file that has been edited since.
    """
    entries = named_files()
    records = get_manager().records if entries else {}
    return [_entry(entry, records.get(f"file:{path_of(entry)}")) for entry in entries]


def _entry(entry: str, record: PluginRecord | None) -> str:
    return entry if record is None else pinned(path_of(entry), record.version)
