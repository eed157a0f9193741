"""Fills the template of the page with the figures of a report."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from distillkit.metrics.privacy._report import DISCLAIMER
from distillkit.reports._text import by_drift, bytes_text
from distillkit.reports.page._charts import curve_chart
from distillkit.reports.page._columns import column_view, percent, reading_of
from distillkit.reports.page._rows import image_cards, series_cards

__all__ = ["render_fragment", "render_page"]

HERE = Path(__file__).parent
_CARDS = 60
_LINES = 300
_KINDS = {"table": "columns", "series": "figures of the rows", "image": "figures of the rows"}


def render_page(about: Any) -> str:
    """Return a report as a page that loads nothing from elsewhere.

    Parameters
    ----------
    about : SetReport
    """
    return _environment().get_template("page.html.j2").render(_values(about), level=1)


def render_fragment(about: Any) -> str:
    """Return a report as an element for a notebook, with its style; see `render_page`."""
    return _environment().get_template("fragment.html.j2").render(_values(about), level=2)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "bytes": bytes_text, "figure": _figure}
    environment.globals["style"] = Markup((HERE / "report.css").read_text(encoding="utf-8"))  # noqa: S704 (our own file)
    return environment


def _values(about: Any) -> dict[str, Any]:
    ordered = by_drift(about.columns)
    sizes = about.sizes
    return {
        "about": about,
        "title": f"{sizes.rows_small:,} rows for {sizes.rows_real:,}"
        + (f", made by {sizes.method}" if sizes.method else ""),
        "paragraphs": [about.summary, *about.notes],
        "disclaimer": DISCLAIMER,
        "what": _KINDS[sizes.modality],
        "overview": [(column, reading_of(column)) for column in ordered[:_LINES]],
        "n_further": len(ordered) - min(len(ordered), _LINES),
        "cards": [column_view(column) for column in ordered[:_CARDS]],
        "n_columns": len(ordered),
        "scores": _records(about.utility.scores),
        "fidelity": _records(about.fidelity),
        "associations": about.associations.to_dict("records"),
        **_examples(about),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table with their names, and None where there is no value."""
    return [
        {"name": name, **{str(key): None if pd.isna(value) else value for key, value in row.items()}}
        for name, row in frame.iterrows()
    ]


def _examples(about: Any) -> dict[str, Any]:
    examples = about.examples
    if examples is None:
        return {"classes": [], "scale": "", "curves": [], "n_classes": 0}
    cards, scale = (image_cards if about.sizes.modality == "image" else series_cards)(examples)
    curves = [(curve, *curve_chart(curve, _label(curve))) for curve in examples.curves]
    return {"classes": cards, "scale": scale, "curves": curves, "n_classes": examples.n_classes}


def _label(curve: Any) -> str:
    band = " The band holds sets of random real rows." if curve.low is not None else ""
    return (
        f"{curve.name.capitalize()} by {curve.axis}, for the real and the distilled rows. It starts at "
        f"{curve.real[0]:.2f} for the real rows and {curve.small[0]:.2f} for the distilled ones.{band}"
    )


def _figure(value: float | None, digits: int = 3) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.{digits}f}"
