"""Plots of distilled images or series in a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.plotting._axes import check_axes, figure_of
from distillkit.utils._image_axes import check_image_axes
from distillkit.utils._tiles import by_class, tile, to_bytes, with_channels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_rows"]


def plot_rows(
    distilled: Any,
    ax: Any = None,
    *,
    per_class: int = 10,
    shape: tuple[int, ...] | None = None,
) -> Figure:
    """Draw distilled images or series in a grid with one row per class.

    Parameters
    ----------
    distilled : DistilledSet or fitted distiller
        Images (m, channels, height, width) or series (m, channels, time), drawn in the units of the
        data. Rows are arranged by their hard labels, also if there are soft labels. Without classes
        they are drawn in order.
    ax : Axes or None
        Axes to draw on; None creates a figure.
    per_class : int, default=10
        Largest number of rows drawn per class, which are the first ones.
    shape : tuple of int or None
        Shape of one row, (channels, height, width) or (channels, time), if the set has flattened
        rows.

    Returns
    -------
    Figure
        All images share one scale of gray levels, from 0 to 1 if their values fit into it and
        otherwise from the lowest to the highest value without the outermost half percent. With
        neither 1 nor 3 channels the first one is drawn. All series share one scale, with one line
        per channel.

    Raises
    ------
    NotFittedError
        If the distiller is not fitted.
    DataError
        If there are no rows, they are neither images nor series, `shape` does not fit them, or
        `per_class` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from distillkit import DistilledSet, plot_rows
    >>> small = DistilledSet(np.random.default_rng(0).random((4, 1, 8, 8)), np.array([0, 0, 1, 1]))
    >>> [text.get_text() for text in plot_rows(small).axes[0].get_yticklabels()]
    ['0', '1']
    """
    distilled_set = _set_of(distilled)
    X = _in_shape(distilled_set, shape)
    if isinstance(per_class, bool) or not isinstance(per_class, int | np.integer) or per_class < 1:
        raise DataError(f"per_class={per_class!r} must be an int of at least 1.")
    groups = by_class(distilled_set.y, len(X))
    if list(groups) == ["all"]:
        rows = {str(start): np.arange(start, min(start + per_class, len(X))) for start in range(0, len(X), per_class)}
    else:
        rows = {name: members[:per_class] for name, members in groups.items()}
    n_columns = max(map(len, rows.values()))
    axis = _grid_axes(len(rows), n_columns, X.shape[2:]) if ax is None else check_axes(ax, 1)[0]
    (_draw_images if X.ndim == 4 else _draw_series)(axis, X, list(rows.values()))
    axis.set_yticklabels(list(rows))
    axis.set_ylabel("row" if list(groups) == ["all"] else "class")
    return figure_of(axis)


def _set_of(distilled: Any) -> DistilledSet:
    """Return the distilled set of a fitted distiller, or the set itself."""
    if isinstance(distilled, BaseEstimator):
        check_is_fitted(distilled)
    distilled = getattr(distilled, "distilled_", distilled)
    if not isinstance(distilled, DistilledSet):
        raise DataError(f"a DistilledSet or a fitted distiller is needed, not {type(distilled).__name__}.")
    return distilled


def _in_shape(small: DistilledSet, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return the rows in the units of the data as images or series."""
    X = np.asarray(small.in_original_units())
    if len(X) == 0:
        raise DataError("the set has no rows: there is nothing to draw.")
    if shape is not None:
        if len(shape) not in (2, 3) or int(np.prod(shape)) != int(np.prod(X.shape[1:])):
            raise DataError(
                f"shape={shape} does not fit rows of shape {X.shape[1:]}: "
                "give (channels, height, width) or (channels, time)."
            )
        X = X.reshape(len(X), *shape)
    if X.ndim not in (3, 4) or 0 in X.shape:
        raise DataError(
            f"rows of shape {X.shape[1:]} are neither images nor series: give shape=(channels, height, width) if they "
            "are flattened images. For a table use DistilledSet.to_pandas()."
        )
    check_image_axes(X.shape[1:], "the set")
    return with_channels(X, "image" if X.ndim == 4 else "series")


def _grid_axes(n_rows: int, n_columns: int, size: tuple[int, ...]) -> Axes:
    """Create axes for a grid whose cells have the shape of an image, or of a small plot."""
    from matplotlib import pyplot as plt

    aspect = size[0] / size[1] if len(size) == 2 else 0.6
    unit = min(0.7, 12 / n_columns, 24 / (n_rows * aspect))
    _, ax = plt.subplots(
        figsize=(max(2.0, n_columns * unit + 0.8), max(1.2, n_rows * unit * aspect + 0.4)), layout="constrained"
    )
    return ax


def _draw_images(ax: Axes, X: np.ndarray, rows: list[np.ndarray]) -> None:
    """Draw all images as one tiled picture."""
    canvas = tile(to_bytes(X)[0], rows, down=False)
    ax.imshow(
        canvas[..., 0] if canvas.shape[2] == 1 else canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
    )
    height = X.shape[2]
    ax.set_yticks([i * (height + 1) + (height - 1) / 2 for i in range(len(rows))])
    ax.set_xticks([])


def _draw_series(ax: Axes, X: np.ndarray, rows: list[np.ndarray]) -> None:
    """Draw each series in its cell of a grid of unit squares, all on one scale."""
    shown = X[np.concatenate(rows)].astype(float)
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    time = np.linspace(0.05, 0.95, X.shape[2]) if X.shape[2] > 1 else np.array([0.5])
    for i, members in enumerate(rows):
        for j, row in enumerate(members):
            for channel, values in enumerate(X[row].astype(float)):
                height = (values - low) / max(high - low, 1e-12)
                ax.plot(j + time, i + 0.95 - 0.9 * height, color=f"C{channel % 10}", linewidth=0.9)
    ax.set_xlim(0, max(map(len, rows)))
    ax.set_ylim(len(rows), 0)
    ax.set_yticks([i + 0.5 for i in range(len(rows))])
    ax.set_xticks([])
