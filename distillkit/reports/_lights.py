"""The privacy panel as lights with their reasons in words."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from distillkit.metrics.privacy import PrivacyReport, privacy_report
from distillkit.metrics.privacy._verdict import FEW, findings_of
from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._light import Light

__all__ = ["COLORS", "lights_of", "measure_privacy"]

COLORS = ("green", "amber", "red")
_OF_VERDICT = {"pass": "green", "warn": "amber", "unknown": "amber", "fail": "red"}
_SHOWN = 3


def measure_privacy(compared: ComparedRows) -> PrivacyReport:
    """Return the privacy panel of a small set."""
    return privacy_report(
        compared.reference, None, compared.distilled, holdout=compared.held_out, random_state=compared.random_state
    )


def lights_of(panel: PrivacyReport, compared: ComparedRows) -> dict[str, Light]:
    """Return the lights: "privacy" for all, and one for each part of the panel.

    A table with identifiers has one more light, "identifiers".
    """
    findings = findings_of(asdict(panel))
    parts = [_light(name, found, panel) for name, found in findings.items()]
    if (light := _identifiers(compared)) is not None:
        parts.append(light)
    color = COLORS[max(COLORS.index(light.color) for light in parts)]
    reasons = [light.reason for light in parts if light.color == color]
    if color == "green":
        reasons = ["the panel finds no more than it does for rows that the method has not seen."]
    elif panel.holdout < FEW and color == "amber":
        reasons = [*[light.reason for light in parts if light.color == "amber" and light.name == "copies"], _few(panel)]
    whole = Light("privacy", color, " ".join(map(_sentence, reasons)))
    return {light.name: light for light in (whole, *parts)}


def _light(name: str, found: list[tuple[str, str]], panel: PrivacyReport) -> Light:
    if found:
        color = max((_OF_VERDICT[verdict] for verdict, _ in found), key=COLORS.index)
        return Light(name, color, " ".join(_sentence(reason) for _, reason in found))
    if name == "copies":
        return Light(name, "green", f"None of the {panel.rows:,} published rows is a copy of a real row.")
    if panel.holdout < FEW:
        return Light(name, "amber", _few(panel))
    if name == "near copies":
        near = f"{panel.near_copies:,} published rows lie beside one real row, {panel.near_copies_holdout:,} beside "
        return Light(name, "green", f"{near}one held-out row.")
    return Light(
        name,
        "green",
        f"{panel.share:.2f} of the published rows are nearer to a real row than to a held-out row; fresh rows give "
        f"{panel.share_expected:.2f} ± {panel.share_sd:.2f}.",
    )


def _few(panel: PrivacyReport) -> str:
    if not panel.holdout:
        return f"This cannot be told without held-out rows: give at least {FEW} rows that the method has not seen."
    return f"{panel.holdout} held-out rows are too few to tell training rows from fresh ones: give at least {FEW}."


def _identifiers(compared: ComparedRows) -> Light | None:
    """Return whether values of identifiers are published; None for rows without identifiers."""
    if compared.encoder is None or not compared.encoder.identifiers_:
        return None
    published = []
    for name in compared.encoder.identifiers_:
        values = compared.small.X[name].dropna()
        n_known = int(np.sum(values.isin(compared.real.X[name].dropna())))
        if n_known:
            published.append(f"{n_known:,} values of {name!r}")
    if published:
        listed = ", ".join(published[:_SHOWN]) + (", ..." if len(published) > _SHOWN else "")
        return Light("identifiers", "red", f"Identifiers of real rows are published: {listed}. Leave the column out.")
    return Light("identifiers", "green", "No value of an identifier of the real rows is published.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
