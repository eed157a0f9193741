"""A report on a small set in plain words, for terminals and as the first sentences of the page."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from distillkit.reports._column_report import ColumnReport

__all__ = ["by_drift", "bytes_text", "number_text", "summary_of", "text_of", "value_text"]

_NAMED = 3
_LISTED = 40
_NAME_WIDTH = 28
_KILO = 1000
_WIDTH = 90
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def summary_of(about: Any) -> str:
    """Return what the report says in a few sentences."""
    sizes = about.sizes
    share = sizes.rows_small / sizes.rows_real
    first = (
        f"{sizes.rows_small:,} rows ({bytes_text(sizes.bytes_small)}) stand for {sizes.rows_real:,} real rows "
        f"({bytes_text(sizes.bytes_real)}), {share:.2%} of them."
    )
    return " ".join([first, _of_utility(about), _of_drift(about), _of_privacy(about)])


def _of_utility(about: Any) -> str:
    found = about.utility
    if found.scores.empty:
        return str(found.note)
    metric, row = str(found.scores.index[0]), found.scores.iloc[0]
    what = "the" if about.utility.n_train < about.sizes.rows_real else "all"
    sentence = (
        f"A quick model trained on them has an {metric} of "
        f"{_score(row['small'], row['small_error'])}, against {_score(row['whole'], row['whole_error'])} for {what} "
        "real rows"
    )
    if pd.notna(row["random"]):
        sentence += f" and {_score(row['random'], row['random_sd'])} for as many random ones"
    return sentence + "."


def _of_drift(about: Any) -> str:
    measured = [column for column in about.columns if column.z is not None]
    if not measured:
        return "The drift of the columns has no floor, because the set has more than half of the rows of a class."
    drifted = [column for column in by_drift(about.columns) if column.drifts]
    what = "columns" if about.sizes.modality == "table" else "figures of the rows"
    if not drifted:
        return f"None of its {len(measured)} {what} drifts more than those of random rows do."
    names = ", ".join(repr(column.name) for column in drifted[:_NAMED])
    more = " and others" if len(drifted) > _NAMED else ""
    verb = "drift" if len(drifted) > 1 else "drifts"
    return f"{len(drifted)} of its {len(measured)} {what} {verb} more than those of random rows do: {names}{more}."


def _of_privacy(about: Any) -> str:
    light = about.lights["privacy"]
    reason = light.reason.partition(". ")[0].removesuffix(".")
    return f"Privacy is {light.color}: {reason[:1].lower() + reason[1:]}."


def by_drift(columns: tuple[ColumnReport, ...]) -> list[ColumnReport]:
    """Return the columns, those that lie farthest above their floor first."""
    return sorted(
        columns, key=lambda column: (-(column.z or 0.0) if column.z is not None else 1e9, -(column.drift or 0))
    )


def text_of(about: Any) -> str:
    """Return the whole report in plain words."""
    lines = [line for text in (summary_of(about), *about.notes) for line in [*textwrap.wrap(text, _WIDTH), ""]]
    lines.append("Privacy:")
    lines += [f"  {light}" for name, light in about.lights.items() if name != "privacy"]
    lines += ["", str(about.utility), "", "Columns, by how far they drift from the real ones:"]
    columns = by_drift(about.columns)
    width = min(_NAME_WIDTH, max(len(column.name) for column in columns))
    lines += [f"  {_column_line(column, width)}" for column in columns[:_LISTED]]
    if len(columns) > _LISTED:
        lines.append(f"  and {len(columns) - _LISTED} further columns, see the attribute frame")
    lines += ["", "Fidelity (value; floor of fresh real rows; distance from it in standard deviations):"]
    for name, row in about.fidelity.iterrows():
        floor = "no floor" if pd.isna(row["fresh"]) else f"floor {row['fresh']:.4g} ± {row['fresh_sd']:.2g}"
        z = "" if pd.isna(row["z"]) else f"; z {row['z']:+.1f}"
        reading = f"; {row['reading']}" if row["reading"] else ""
        value = f"no value: {row['note']}" if pd.isna(row["value"]) else f"{row['value']:.4g}; {floor}{z}{reading}"
        lines.append(f"  {name}: {value}")
    return "\n".join(part for line in lines for part in _wrapped(line))


def _wrapped(text: str) -> list[str]:
    """Return lines that a terminal of the usual width holds, indented as the first one."""
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(
            line, _WIDTH, subsequent_indent=" " * (len(line) - len(line.lstrip()) + 4), break_on_hyphens=False
        )
        or [""]
    ]


def _column_line(column: ColumnReport, width: int) -> str:
    name = column.name if len(column.name) <= width else column.name[: width - 3] + "..."
    parts = [f"{column.kind}{', target' if column.is_target else ''}"]
    if column.drift is not None:
        floor = "" if column.floor is None else f" (floor {column.floor:.3f} ± {column.floor_sd:.3f})"
        parts.append(f"{column.measure} {column.drift:.3f}{floor}")
    if column.levels_lost:
        parts.append(f"{column.levels_lost} of {column.levels_real} levels lost")
    if column.gaps_real or column.gaps_small:
        parts.append(f"gaps {column.gaps_real:.1%} -> {column.gaps_small:.1%}")
    mark = "!" if column.drifts else " "
    return f"{mark} {name:<{width}}  {'; '.join(parts)}"


def _score(value: float, error: float | None) -> str:
    return f"{value:.3f}" + ("" if error is None else f" ± {error:.3f}")


def bytes_text(number: int) -> str:
    """Return a number of bytes in decimal units, as file managers do."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < _KILO:
            return f"{size:.3g} {unit}"
        size /= _KILO
    return f"{size:.3g} GB"


def value_text(value: Any, kind: str) -> str:
    """Return a number, date or duration of a column as text."""
    if value is None:
        return "-"
    try:
        if kind == "date":
            return (_EPOCH + timedelta(seconds=float(value))).strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
        if kind == "duration":
            return str(timedelta(seconds=round(float(value))))
    except (OverflowError, ValueError):  # dates before the year 1 or after 9999
        return f"{value:.4g} s"
    return number_text(value)


def number_text(value: float) -> str:
    """Return a number in four digits, and whole and large numbers without a fraction."""
    is_whole = float(value).is_integer() or abs(value) >= _KILO
    return f"{value:,.0f}" if is_whole and abs(value) < 10**9 else f"{value:.4g}"
