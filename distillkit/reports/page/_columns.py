"""What the page shows of one column: a sentence, a chart or levels, and figures of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from distillkit.reports._column_report import ColumnReport
from distillkit.reports._text import value_text
from distillkit.reports.page._charts import histogram

__all__ = ["ColumnView", "column_view", "percent", "reading_of", "short"]

_NEAR = -3.0
_EQUAL = 1e-9
_LISTED = 8
_LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """One column as text and charts.

    Parameters
    ----------
    column : ColumnReport
    sentence : str
        Its drift in words.
    chart : Markup
        Histogram; empty for labels.
    ends : tuple of str
        Lower end, middle and upper end of the histogram, and its largest share.
    bins : list of (str, str, str)
        Range of each bin with the shares of both sides.
    levels : list of (str, float, float)
        Levels with their shares, the rest and the gaps last.
    figures : list of (str, str, str)
        Figures of both sides.
    notes : list of str
        Levels that are lost or new.
    """

    column: ColumnReport
    sentence: str
    chart: Markup
    ends: tuple[str, ...]
    bins: list[tuple[str, str, str]]
    levels: list[tuple[str, float, float]]
    figures: list[tuple[str, str, str]]
    notes: list[str]

    @property
    def highest(self) -> float:
        """The largest share of a level, which has the longest bar."""
        shares = [share for _, real, small in self.levels for share in (real, small)]
        return max(shares, default=1.0) or 1.0


def percent(share: float) -> str:
    """Return a share in percent, with three digits at most."""
    return f"{share:.1%}" if 0.0005 <= share < 0.9995 or share in (0.0, 1.0) else f"{share:.2%}"


def reading_of(column: ColumnReport) -> str:
    """Return in words how the drift lies to its floor."""
    if column.drift is None:
        return "not compared"
    if column.floor is None:
        return "no floor"
    if column.z is None:  # random rows do not differ from each other, such as in their class counts
        return "as random rows" if column.drift <= column.floor + _EQUAL else "not as random rows"
    if column.drifts:
        return "drifts more than random rows"
    return "nearer than random rows" if column.z < _NEAR else "as random rows"


def column_view(column: ColumnReport) -> ColumnView:
    """Return what the page shows of a column."""
    chart, ends, bins = _histogram(column) if column.bins else (Markup(""), (), [])
    return ColumnView(
        column=column,
        sentence=_sentence(column),
        chart=chart,
        ends=ends,
        bins=bins,
        levels=_levels(column) if not column.bins and column.kind not in ("identifier", "empty") else [],
        figures=_figures(column),
        notes=_notes(column),
    )


def _sentence(column: ColumnReport) -> str:
    if column.kind == "empty":
        return "The column has no value."
    if column.drift is None:
        return "Text that differs in nearly every real row: its levels are not compared."
    drift = f"{column.measure} {column.drift:.3f}"
    if column.floor is None:
        return f"Drift: {drift}, without a floor."
    z = "" if column.z is None else f" (z {column.z:+.1f})"
    return f"Drift: {drift}; random rows have {column.floor:.3f} ± {column.floor_sd:.3f}{z}."


def _histogram(column: ColumnReport) -> tuple[Markup, tuple[str, ...], list[tuple[str, str, str]]]:
    edges, real, small = column.bins
    low, middle, high = (value_text(edge, column.kind) for edge in (edges[0], (edges[0] + edges[-1]) / 2, edges[-1]))
    peaks = [_range(edges, max(range(len(side)), key=side.__getitem__), column.kind) for side in (real, small)]
    label = (
        f"Histogram of {column.name} from {low} to {high}. Most real rows lie in {peaks[0]}, most distilled rows "
        f"in {peaks[1]}."
    )
    chart, highest = histogram(column.bins, label)
    ranges = [_range(edges, place, column.kind) for place in range(len(real))]
    bins = [
        (name, percent(of_real), percent(of_small)) for name, of_real, of_small in zip(ranges, real, small, strict=True)
    ]
    return chart, (low, middle, high, percent(highest)), bins


def _range(edges: tuple[float, ...], place: int, kind: str) -> str:
    low, high = edges[place], edges[place + 1]
    if kind == "number" and high - low == 1 and (low + 0.5).is_integer():  # a bin of one whole number
        return value_text(low + 0.5, kind)
    return f"{value_text(low, kind)} to {value_text(high, kind)}"


def _levels(column: ColumnReport) -> list[tuple[str, float, float]]:
    rows = [(short(level), real, small) for level, real, small in column.levels]
    n_others = (column.levels_real or 0) + (column.levels_new or 0) - len(rows)
    if n_others > 0:
        real = 1 - column.gaps_real - sum(share for _, share, _ in rows)
        small = 1 - column.gaps_small - sum(share for _, _, share in rows)
        rows.append((f"{n_others:,} other levels", max(0.0, real), max(0.0, small)))
    if column.gaps_real or column.gaps_small:
        rows.append(("missing", column.gaps_real, column.gaps_small))
    return rows


def short(value: Any) -> str:
    """Return a value as text of a length that a table holds."""
    text = str(value).strip() or repr(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _figures(column: ColumnReport) -> list[tuple[str, str, str]]:
    rows = []
    if column.kind in ("number", "date", "duration"):
        sides = [(getattr(column, f"mean_{side}"), getattr(column, f"quantiles_{side}")) for side in ("real", "small")]
        rows.append(("mean", *(value_text(mean, column.kind) for mean, _ in sides)))
        if column.kind == "number":
            spreads = (column.sd_real, column.sd_small)
            rows.append(("standard deviation", *(value_text(spread, column.kind) for spread in spreads)))
        for name, place in (
            ("smallest", 0),
            ("lower quartile", 1),
            ("median", 2),
            ("upper quartile", 3),
            ("largest", 4),
        ):
            texts = [value_text(quantiles[place] if quantiles else None, column.kind) for _, quantiles in sides]
            rows.append((name, *texts))
        rows.append(("missing", percent(column.gaps_real), percent(column.gaps_small)))
    elif column.levels_real is not None:
        rows.append(("levels", f"{column.levels_real:,}", f"{column.levels_small or 0:,}"))
        if column.kind in ("identifier", "empty"):
            rows.append(("missing", percent(column.gaps_real), percent(column.gaps_small)))
    return [(name, first, second) for name, first, second in rows]


def _notes(column: ColumnReport) -> list[str]:
    if column.kind == "identifier":
        return []
    notes = []
    if column.levels_lost:
        notes.append(
            f"{column.levels_lost:,} of {column.levels_real:,} levels, of {percent(column.share_lost or 0)} of the "
            f"real rows, are lost ({_listed(column.lost, column.levels_lost)}). Random rows would lose "
            f"{column.levels_lost_expected:.1f}."
        )
    if column.levels_new:
        listed = _listed(column.new, column.levels_new)
        notes.append(f"{column.levels_new:,} levels are only in the small set ({listed}).")
    return notes


def _listed(levels: tuple[Any, ...], total: int) -> str:
    shown = ", ".join(short(level) for level in levels[:_LISTED])
    return shown + (", ..." if total > _LISTED else "")
