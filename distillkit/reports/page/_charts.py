"""Charts of the report as SVG elements, which take their colors from the style of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

__all__ = ["curve_chart", "histogram", "series_plot"]

WIDTH, HEIGHT = 600, 180
_SVG = Markup(
    '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'  # stretched by the page
)


def histogram(bins: tuple[Any, ...], label: str) -> tuple[Markup, float]:
    """Draw the shares of both sides in each bin as pairs of bars.

    Parameters
    ----------
    bins : tuple
        As of `ColumnReport.bins`.
    label : str
        What the chart shows, for readers who do not see it.

    Returns
    -------
    svg : Markup
    highest : float
        The largest share, which is that of the full height.
    """
    _, real, small = bins
    highest = max(*real, *small, 1e-12)
    step = WIDTH / len(real)
    paths = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(
            side, _bars(shares, highest, step, start=step * (0.06 + 0.44 * number))
        )
        for number, (side, shares) in enumerate((("real", real), ("small", small)))
    )
    base = Markup('<path class="axis" d="M0 {0}H{1}"/>').format(HEIGHT, WIDTH)
    return _SVG.format(WIDTH, HEIGHT, label, paths + base), highest


def _bars(shares: Sequence[float], highest: float, step: float, start: float) -> str:
    width = step * 0.44
    heights = [share / highest * (HEIGHT - 4) for share in shares]
    return "".join(
        f"M{start + place * step:.1f} {HEIGHT}v-{height:.1f}h{width:.1f}v{height:.1f}z"
        for place, height in enumerate(heights)
        if height > 0
    )


def series_plot(rows: np.ndarray, mean: np.ndarray, low: float, high: float, side: str, label: str) -> Markup:
    """Draw some series as thin lines, and their mean as a thick one.

    Parameters
    ----------
    rows : ndarray of shape (k, time)
    mean : ndarray of shape (time,)
    low, high : float
        Ends of the vertical axis.
    side : {"real", "small"}
    label : str
        What the plot shows, for readers who do not see it.
    """
    lines = [(line, side) for line in rows] + [(mean, f"{side} mean")] * bool(np.isfinite(mean).all())
    drawn = Markup("").join(
        Markup('<polyline class="{}" points="{}"/>').format(name, _points(line, low, high)) for line, name in lines
    )
    return _SVG.format(WIDTH, HEIGHT, label, drawn)


def curve_chart(curve: Any, label: str) -> tuple[Markup, float, float]:
    """Draw a curve of both sides over the band of random rows.

    Returns
    -------
    svg : Markup
    low, high : float
        Ends of the vertical axis.
    """
    shown = [line for line in (curve.real, curve.small, curve.low, curve.high) if line is not None]
    low, high = min(0.0, *(float(line.min()) for line in shown)), max(float(line.max()) for line in shown)
    band = Markup("")
    if curve.low is not None:
        outline = f"{_points(curve.low, low, high)} {' '.join(reversed(_points(curve.high, low, high).split()))}"
        band = Markup('<polygon class="band" points="{}"/>').format(outline)
    lines = Markup("").join(
        Markup('<polyline class="{} mean" points="{}"/>').format(side, _points(getattr(curve, side), low, high))
        for side in ("real", "small")
    )
    zero = _height(np.zeros(1), low, high)[0]
    base = Markup('<path class="axis" d="M0 {:.0f}H{}"/>').format(zero, WIDTH)
    return _SVG.format(WIDTH, HEIGHT, label, band + base + lines), low, high


def _points(line: np.ndarray, low: float, high: float) -> str:
    x = np.linspace(2, WIDTH - 2, len(line)) if len(line) > 1 else np.array([WIDTH / 2])
    return " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, _height(line, low, high), strict=True))


def _height(line: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = (np.nan_to_num(line, nan=low) - low) / max(high - low, 1e-12)
    return np.asarray(HEIGHT - 3 - scaled * (HEIGHT - 6))
