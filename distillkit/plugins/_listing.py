"""What listings say of all that is registered under one kind, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from distillkit.specs import Spec

__all__ = ["named_specs", "spec_entries", "spec_entry"]

_SINGLE = ("kind", "role", "reduces", "task", "modality", "stage")
_SEVERAL = ("tasks", "modalities")


def spec_entries(kind: str) -> list[dict[str, Any]]:
    """Return an entry for each spec of one kind, under its short name if it has one."""
    return [spec_entry(kind, name, spec) for name, spec in named_specs(kind).items()]


def named_specs(kind: str) -> dict[str, Any]:
    """Return each spec of one kind once, under its short name if it has one."""
    specs = get_manager().specs(kind)
    return {
        name: spec for name, spec in specs.items() if "/" not in name or specs.get(name.partition("/")[2]) is not spec
    }


def spec_entry(kind: str, name: str, spec: Spec) -> dict[str, Any]:
    """Return what a listing says of one spec."""
    entry: dict[str, Any] = {"name": name}
    entry |= {key: getattr(spec, key) for key in _SINGLE if hasattr(spec, key)}
    entry |= {key: " ".join(sorted(getattr(spec, key))) for key in _SEVERAL if hasattr(spec, key)}
    missing = spec.missing()
    entry["summary"] = spec.summary + (f" (needs {', '.join(missing)})" if missing else "")
    presets = getattr(spec, "presets", None)
    if presets:
        entry["summary"] += f" [presets: {', '.join(presets)}]"
    entry["plugin"] = get_manager().provider(kind, name).dist
    return entry
