"""Whether a method with given parameters publishes training rows, or starts from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.exceptions import DistillkitError
from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distillkit.specs import MethodSpec, Trait

__all__ = ["exposes_originals", "starts_from_real"]


def exposes_originals(spec: MethodSpec, params: Mapping[str, Any]) -> bool:
    """Return whether a method publishes training rows as they are.

    Parameters
    ----------
    spec : MethodSpec
    params : mapping of str to Any
        Parameters that differ from the defaults of the method; those of the registration and of the
        preset are among them.
    """
    return any(_holds(spec.exposes_originals, params)) or any(
        exposes_originals(*inner) for inner in _inner(spec.exposes_originals, params)
    )


def starts_from_real(spec: MethodSpec, params: Mapping[str, Any]) -> bool:
    """Return whether a method optimizes rows that start as training rows.

    It is False for a method that publishes training rows as they are.

    Parameters
    ----------
    spec, params
        As for `exposes_originals`.
    """
    if exposes_originals(spec, params):
        return False
    return any(_holds(spec.starts_from_real, params)) or any(
        starts_from_real(*inner) or exposes_originals(*inner) for inner in _inner(spec.starts_from_real, params)
    )


def _holds(trait: Trait, params: Mapping[str, Any]) -> list[bool]:
    if isinstance(trait, bool):
        return [trait]
    return [params.get(name) in values for name, values in trait.items()]


def _inner(trait: Trait, params: Mapping[str, Any]) -> list[tuple[MethodSpec, dict[str, Any]]]:
    """Return the registered methods that the parameters of a trait name, with their parameters."""
    if isinstance(trait, bool):
        return []
    found = []
    for name in trait:
        text = params.get(name)
        if not isinstance(text, str):
            continue
        try:
            resolved = get_manager().resolve("method", text)
        except DistillkitError:  # A word of the method's own, such as "noise".
            continue
        found.append((resolved.spec, resolved.params()))
    return found
