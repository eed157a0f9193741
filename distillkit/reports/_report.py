"""The function that reports on a small set beside the real rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.reports._associations import association_changes
from distillkit.reports._columns import column_reports, floor_draws
from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._examples import examples_of
from distillkit.reports._fidelity import measure_fidelity
from distillkit.reports._image_rows import as_images
from distillkit.reports._judging import measure_utility
from distillkit.reports._lights import lights_of, measure_privacy
from distillkit.reports._matching import match
from distillkit.reports._report_rows import ReportRows, read_real, read_small, read_test
from distillkit.reports._set_report import SetReport
from distillkit.reports._sizes import sizes_of

__all__ = ["report"]


def report(
    real: Any,
    small: Any,
    y: Any = None,
    *,
    target: str | None = None,
    test: Any = None,
    modality: str | None = None,
    estimator: Any = None,
    metrics: Iterable[str] | None = None,
    draws: int = 20,
    random_state: int = 0,
) -> SetReport:
    """Report on a small set beside the real rows that it stands for.

    The report shows both sides column by column (distribution, levels, gaps, and the drift beside
    its floor, which is the drift of random real rows), how near the rows are to the real ones, what
    a model learns from them, what they reveal, and their size.

    Parameters
    ----------
    real : frame, array, pair (X, y), or path
        The real rows that the small set was made from: a table, series (n, channels, time) or
        images (n, channels, height, width). A path, or the name of a dataset, is read by
        `distillkit.datasets.load_rows`. Their weights are not used, and the report says so.
    small : DistilledSet, fitted distiller, frame, array, pair (X, y), or path
        The small set, also one that was made elsewhere. A path leads to a file of
        `DistilledSet.save`, or to a table.
    y : array-like of shape (n,) or None
        Targets of the real rows. If neither they nor `target` are given, the one column of `real`
        that the small set does not have is the target.
    target : str or None
        Name of the target column of `real`.
    test : frame, array, pair (X, y), or path, optional
        Rows of the same source that the method has not seen, best thousands, with their targets.
        Without them, the model is tested on real rows, and of privacy only copies are found.
    modality : {"image", "series"} or None
        What rows of two axes are: None takes them as series, and "image" as gray images, so that
        `real` may have the shape (n, height, width). If only one side has an axis of channels, the
        other gets one.
    estimator : estimator or None
        Model that is trained on the small set and on all rows, which gets each row as numbers; None
        takes extremely randomized trees.
    metrics : iterable of str, optional
        Registry names of the metrics of fidelity, of stage "data"; None takes a few that are fast.
    draws : int, default=20
        Number of sets of random real rows for the floors of the columns.
    random_state : int, default=0

    Returns
    -------
    SetReport
        Prints as plain words; `SetReport.to_html` writes a page, which notebooks show, and
        `SetReport.frame` holds the figures of the columns.

    Raises
    ------
    DataError
        If rows are empty or not finite, or if columns, shapes or labels do not match.
    ArtefactError
        If the file of the small set cannot be read.
    DatasetError
        If the file of the real rows cannot be read.

    Notes
    -----
    Costly measures use random samples of large data, and say of how many rows. Privacy is judged
    by `distillkit.metrics.privacy_report` in the units of a `TableEncoder` for tables, in which all
    columns are on comparable scales.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from distillkit import RandomSubset, report
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> small = RandomSubset(budget=5, random_state=0).fit(X[::2], y[::2]).distilled_
    >>> about = report(X[::2], small, y[::2], test=(X[1::2], y[1::2]))
    >>> about.lights["copies"].color, about.lights["copies"].reason
    ('red', '15 of the 15 published rows are copies of training rows.')
    """
    started = time.perf_counter()
    if draws < 2:
        raise DataError(f"draws={draws}: give at least 2, which the spread of a floor needs.")
    real_rows, small_rows = read_real(real, y, target), read_small(small, target)
    test_rows = read_test(test, target)
    as_images([rows for rows in (real_rows, small_rows, test_rows) if rows is not None], modality)
    match(real_rows, small_rows, test_rows)
    compared = ComparedRows(real_rows, small_rows, test_rows, random_state)
    random_rows = floor_draws(compared, draws)
    panel = measure_privacy(compared)
    columns = column_reports(compared, random_rows)
    return SetReport(
        sizes=sizes_of(compared),
        columns=tuple(columns),
        fidelity=measure_fidelity(compared, metrics),
        utility=measure_utility(compared, random_rows, estimator),
        privacy=panel,
        lights=lights_of(panel, compared),
        associations=association_changes(compared),
        draws=len(random_rows),
        seconds=time.perf_counter() - started,
        examples=examples_of(compared, random_rows),
        notes=_notes(real_rows),
    )


def _notes(real: ReportRows) -> tuple[str, ...]:
    if real.weight is None or len(np.unique(real.weight)) == 1:
        return ()
    note = (
        "The real rows have weights, which the report does not use: each real row counts once, so the shares and "
        "floors are those of the unweighted rows."
    )
    return (note,)
