"""Registers the methods that choose among the others."""

from __future__ import annotations

from distillkit.specs import MethodSpec

__all__ = ["AUTOMATIC"]

_UNLESS_PRIVATE: dict[str, tuple[bool | None, ...]] = {"privacy": (None, False)}
"""Any method may be chosen, also one that publishes training rows, unless privacy is asked for."""

AUTOMATIC = (
    MethodSpec(
        name="auto",
        target="distillkit.auto:AutoDistiller",
        kind="automatic",
        exposes_originals=_UNLESS_PRIVATE,
        reference="successive halving: Jamieson and Talwalkar, AISTATS 2016, arXiv:1502.07943",
        presets={"private": {"privacy": True}},
        summary="The method that proves best on validation rows, of all that suit the data and the time",
    ),
)
"""The methods that choose among the others by trying them."""
