"""A registered name with an optional preset, ``"kmeans:medoids"``, resolved to a spec and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ResolvedName", "resolve_name"]


@dataclass(frozen=True)
class ResolvedName:
    """A method or an evaluator, as a name with an optional preset asks for it.

    Parameters
    ----------
    name : str
        The name without the preset.
    spec : MethodSpec or EvaluatorSpec
    preset : mapping of str to Any
        The parameters of the preset; empty where no preset was named.
    """

    name: str
    spec: Any
    preset: Mapping[str, Any] = field(default_factory=dict)

    def params(self, settings: Mapping[str, Any] | None = None, own: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters, where the more particular source wins.

        Parameters
        ----------
        settings : mapping or None
            Parameters for all uses of the name, such as those of a suite. They give way to the preset.
        own : mapping or None
            Parameters of this use, which win over all others.
        """
        registered = getattr(self.spec, "params", {})
        return {**registered, **(settings or {}), **self.preset, **(own or {})}


def resolve_name(get: Callable[[str], Any], text: str, note: str = "") -> ResolvedName:
    """Resolve a name with an optional preset.

    Parameters
    ----------
    get : callable
        Returns the spec of a name without preset.
    text : str
        ``"name"`` or ``"name:preset"``.
    note : str, default=""
        One more sentence for the error, such as where the name stands in a file.

    Raises
    ------
    UnknownNameError
        If there is no such name or no such preset; the nearest names are suggested.
    """
    name, _, preset = text.partition(":")
    spec = get(name)
    if preset and preset not in spec.presets:
        raise UnknownNameError(f"preset of {name}", preset, spec.presets, note)
    return ResolvedName(name, spec, spec.presets[preset] if preset else {})
