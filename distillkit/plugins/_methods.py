"""Makes unfitted methods from their registered names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["make_method"]


def make_method(name: str, params: Mapping[str, Any] | None = None, common: Mapping[str, Any] | None = None) -> Any:
    """Return an unfitted method by its registered name.

    Parameters
    ----------
    name : str
        Optionally with a preset: ``"kmeans:medoids"``.
    params : mapping or None
        Parameters that win over those of the registration and of the preset. A parameter ``distiller`` that is text names the
        method inside a meta-distiller, which is made with the same `common` parameters.
    common : mapping or None
        Parameters that are set where the method has them and the value is not None, such as the budget and the seed.

    Raises
    ------
    UnknownNameError
        If there is no such method or preset.
    """
    resolved = get_manager().resolve("method", name)
    chosen, common = resolved.params(own=params), common or {}
    if isinstance(chosen.get("distiller"), str):
        chosen["distiller"] = make_method(chosen["distiller"], common=common)
    cls = resolved.spec.load()
    accepted = cls(**chosen).get_params(deep=False) if common else {}
    usable = {key: value for key, value in common.items() if key in accepted and value is not None}
    return cls(**{**usable, **chosen})
