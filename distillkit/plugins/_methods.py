"""Creates unfitted methods from their registered names."""

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
        Registered name, optionally with a preset: ``"kmeans:medoids"``.
    params : mapping or None
        Parameters that take precedence over those of the registration and of the preset. If the
        parameter ``distiller`` is text, it names the method inside a meta-distiller, which is
        created with the same `common` parameters.
    common : mapping or None
        Parameters, such as the budget and the seed, that are set only if the method has them and
        the value is not None.

    Raises
    ------
    UnknownNameError
        If there is no such method or preset.
    """
    resolved = get_manager().resolve("method", name)
    method_params, common = resolved.params(overrides=params), common or {}
    if isinstance(method_params.get("distiller"), str):
        method_params["distiller"] = make_method(method_params["distiller"], common=common)
    cls = resolved.spec.load()
    if hasattr(cls, "make"):  # An object of the user's own, which knows where such parameters belong in it.
        return cls.make(common, **method_params)
    # Not every method has every common parameter, so an instance is asked which ones it accepts.
    accepted = cls(**method_params).get_params(deep=False) if common else {}
    usable = {key: value for key, value in common.items() if key in accepted and value is not None}
    return cls(**{**usable, **method_params})
