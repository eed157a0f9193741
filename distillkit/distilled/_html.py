"""The view of a distilled set in notebooks, as HTML that needs neither files nor scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from markupsafe import Markup

from distillkit.utils._pictures import MAX_CLASSES, MAX_ROWS, draw_rows

__all__ = ["set_html"]

_STYLE = Markup("""<style>
.distillkit-set {max-width: 60em; color: inherit}
.distillkit-set .scroll {overflow-x: auto}
.distillkit-set .head {font-size: 1.1em}
.distillkit-set .quiet {opacity: .75; font-size: .9em}
.distillkit-set table {border-collapse: collapse; margin: .4em 0; border: 0; color: inherit}
.distillkit-set caption {text-align: left; opacity: .75; font-size: .9em; caption-side: top; color: inherit}
.distillkit-set tr, .distillkit-set tbody tr:nth-child(odd), .distillkit-set tbody tr:hover {background: none}
.distillkit-set th, .distillkit-set td {text-align: left; vertical-align: top; padding: .1em .8em .1em 0; border: 0;
 max-width: none; white-space: nowrap}
.distillkit-set .facts td {white-space: normal; overflow-wrap: anywhere}
.distillkit-set .grid {max-width: 100%; height: auto}
.distillkit-set .grid {image-rendering: pixelated}
.distillkit-set .series {display: flex; flex-wrap: wrap; gap: .5em}
.distillkit-set .series div {display: flex; flex-direction: column}
.distillkit-set polyline {fill: none; stroke: currentColor; stroke-width: 1; opacity: .7}
</style>""")
_POINTER = Markup(
    '<div class="quiet"><code>distillkit.report(real, small)</code> shows it beside the real rows: distributions, '
    "fidelity, utility and privacy.</div>"
)
_TABLE_ROWS, _TABLE_COLUMNS = 5, 12
_SHOWN_CLASSES = 12
_SHOWN_TEXT = 200


def set_html(small: Any) -> str:
    """Return the view of a distilled set: its figures, its method, and some of its rows."""
    lines = [(name, text) for name, text in _facts(small) if text]
    row = Markup('<tr><th scope="row">{}</th><td>{}</td></tr>')
    facts = Markup("").join(row.format(name, text) for name, text in lines)
    html = Markup(
        '<div class="distillkit-set">{}<strong class="head">DistilledSet</strong>'
        '<table class="facts">{}</table>{}{}</div>'
    )
    return str(html.format(_STYLE, facts, _rows(small), _POINTER))


def _facts(small: Any) -> list[tuple[str, Any]]:
    """Return what the view says about the whole set, as pairs of name and text."""
    known = small.provenance
    weight = np.asarray(small.sample_weight)
    spread = f"{weight.sum():,.6g} in all, from {weight.min():.4g} to {weight.max():.4g} a row" if len(weight) else ""
    return [
        ("rows", f"{len(small):,}{_share(len(small), known.get('rows_seen'), '{:,}'.format)}"),
        ("size", _bytes(small.nbytes) + _share(small.nbytes, known.get("bytes_seen"), _bytes)),
        ("shape of X", f"{small.X.shape}, {small.X.dtype}"),
        ("targets", _targets(small)),
        ("weights", spread),
        ("method", _method(known)),
        ("parameters", _parameters(known.get("params"))),
    ]


def _share(part: int, whole: Any, text: Any) -> str:
    """Return the share of the rows or bytes seen, if these are known."""
    if not isinstance(whole, int) or isinstance(whole, bool) or whole <= 0:
        return ""
    return f" of {text(whole)} ({part / whole:.2%})"


def _bytes(number: int) -> str:
    """Return a number of bytes in decimal units, as file managers do."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _targets(small: Any) -> str:
    """Return the classes with their numbers of rows, or the range of a continuous target."""
    soft = ", soft labels" if small.soft_labels is not None else ""
    if small.y is None:
        return f"none{soft}"
    if not len(small.y):
        return ""
    if small.classes is None and small.y.dtype.kind == "f":
        return f"numbers from {small.y.min():.6g} to {small.y.max():.6g}{soft}"
    labels, counts = np.unique(small.y, return_counts=True)
    named = [f"{_short(label)} ({count:,})" for label, count in zip(labels[:_SHOWN_CLASSES], counts, strict=False)]
    more = ", ..." if len(labels) > _SHOWN_CLASSES else ""
    return f"{len(labels)} {'class' if len(labels) == 1 else 'classes'}: {', '.join(named)}{more}{soft}"


def _method(known: dict[str, Any]) -> str:
    """Return the name of the method, its seconds, and what ended it."""
    method = str(known.get("method", "")).rpartition(":")[2]
    seconds = known.get("seconds")
    took = f", {seconds:.3g} s" if isinstance(seconds, int | float) else ""
    ended = f", ended by {known['stopped_by']}" if known.get("stopped_by") else ""
    return _short(method + took + ended) if method else ""


def _parameters(params: Any) -> str | Markup:
    """Return the parameters of the method, folded."""
    if not isinstance(params, dict) or not params:
        return ""
    listed = ", ".join(f"{name}={_short(value)}" for name, value in params.items() if value is not None)
    first = f"budget={_short(params['budget'])}" if "budget" in params else f"{len(params)}"
    return Markup("<details><summary>{}</summary>{}</details>").format(first, listed)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_TEXT else text[:_SHOWN_TEXT] + "..."


def _rows(small: Any) -> Markup:
    """Return a picture or a table of some rows; nothing where they cannot be shown."""
    try:
        if small.X.ndim > 2:
            return _picture(small)
        return _table(_some(small, np.arange(min(_TABLE_ROWS, len(small)))), len(small))
    except Exception:  # the view of a set must not hide the set
        return Markup("")


def _some(small: Any, rows: np.ndarray) -> Any:
    """Return the set of some rows."""
    names = ("X", "y", "sample_weight", "indices", "soft_labels", "ranking")
    fields = {name: None if (values := getattr(small, name)) is None else values[rows] for name in names}
    return replace(small, **fields, stored=None, table=None if small.table is None else small.table.take(rows))


def _picture(small: Any) -> Markup:
    labels = None if small.y is None or small.y.dtype.kind == "f" else small.y
    if labels is None:
        rows = np.arange(min(len(small), MAX_CLASSES * MAX_ROWS))
    else:
        classes = np.unique(labels)[:MAX_CLASSES]
        rows = np.concatenate([np.flatnonzero(labels == label)[:MAX_ROWS] for label in classes])
    some = _some(small, rows)
    html, _ = draw_rows(some.in_original_units(), some.y, "image" if small.X.ndim == 4 else "series")
    caption = f"{len(some)} of {len(small)} rows" + ("" if labels is None else ", by class")
    return Markup('{}<div class="quiet">{}</div>').format(html, caption)


def _table(some: Any, n_rows: int) -> Markup:
    frame = some.to_pandas()
    n_columns = frame.shape[1]
    if n_columns > _TABLE_COLUMNS:  # the last columns hold target and weight
        half = _TABLE_COLUMNS // 2
        frame = frame.iloc[:, [*range(half), *range(n_columns - half, n_columns)]]
        frame.insert(half, "...", "...")
    html = frame.to_html(index=False, border=0, max_rows=None, float_format="{:.6g}".format)
    width = f", {n_columns} columns" if n_columns > _TABLE_COLUMNS else ""
    caption = Markup("<caption>first {} of {:,} rows{}</caption><thead>").format(len(some), n_rows, width)
    # pandas escapes names and values.
    table = Markup(html.replace("<thead>", caption, 1).replace("<th>", '<th scope="col">'))  # noqa: S704
    return Markup('<div class="scroll">{}</div>').format(table)
