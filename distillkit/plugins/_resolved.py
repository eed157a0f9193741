"""Resolves names with an optional preset, such as ``"kmeans:medoids"``, to specs and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ResolvedName", "resolve_name"]


@dataclass(frozen=True)
class ResolvedName:
    """The spec and the preset that a name stands for.

    Parameters
    ----------
    name : str
        The name without the preset.
    spec : MethodSpec or EvaluatorSpec
        The registration.
    preset : mapping of str to Any
        The parameters of the preset; empty if no preset was named.
    """

    name: str
    spec: Any
    preset: Mapping[str, Any] = field(default_factory=dict)

    def params(
        self, settings: Mapping[str, Any] | None = None, overrides: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the parameters, merged so that the more specific source takes precedence.

        The order, from weakest to strongest, is: registration, `settings`, preset, `overrides`.

        Parameters
        ----------
        settings : mapping or None
            Parameters for all uses of the name, such as those of a suite.
        overrides : mapping or None
            Parameters of this use alone.
        """
        registered = getattr(self.spec, "params", {})
        return {**registered, **(settings or {}), **self.preset, **(overrides or {})}


def resolve_name(get: Callable[[str], Any], text: str, note: str = "") -> ResolvedName:
    """Resolve a name with an optional preset.

    Parameters
    ----------
    get : callable
        Returns the spec of a name without preset.
    text : str
        ``"name"`` or ``"name:preset"``.
    note : str, default=""
        Text that is added to the error, such as the line of a file.

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
