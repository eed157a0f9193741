"""A report on a small set: its figures, and its account in words."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from distillkit.exceptions import DataError
from distillkit.reports._column_report import ColumnReport
from distillkit.reports._light import Light
from distillkit.reports._text import summary_of, text_of
from distillkit.reports._utility import Utility

if TYPE_CHECKING:
    from distillkit.metrics.privacy import PrivacyReport
    from distillkit.reports._examples import Examples
    from distillkit.reports._sizes import Sizes

__all__ = ["SetReport"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SetReport:
    """A small set beside the real rows that it stands for; made by `distillkit.report`.

    It prints as plain words, and notebooks show it as a page.

    Parameters
    ----------
    sizes : Sizes
        Rows and bytes of both sides: ``rows_real``, ``rows_small``, ``bytes_real``,
        ``bytes_small``; and ``modality``, ``task`` and ``method``.
    columns : tuple of ColumnReport
        One for each column, with the target as the last one. Series and images have figures of each
        row and channel in place of columns: mean, standard deviation and, for series, the
        autocorrelation at lag 1 and the mean frequency.
    fidelity : DataFrame
        One row for each metric, with its ``value``, its own ``error`` if it used a sample of the
        rows, its floors ``picked`` and ``fresh`` (random real rows, among the rows that they are
        compared with or not) with their standard deviations, ``z``, their ``reading`` in words, and
        what it measures.
    utility : Utility
        Scores of a model trained on the small set, on all rows and on random rows.
    privacy : PrivacyReport
        Figures of the privacy panel.
    lights : dict of str to Light
        "privacy" for the whole panel, and "copies", "near copies", "membership" and, for tables
        with identifiers, "identifiers" for its parts.
    associations : DataFrame
        The pairs of columns of a table whose association differs most, on both sides.
    draws : int
        Number of random sets for the floors of the columns; 0 if the small set has more than half
        of the real rows of a class, so that there are no floors.
    seconds : float
        Seconds that the report took.
    examples : Examples or None
        Some images or series of each class on both sides; None for tables.
    notes : tuple of str
        What of the input has not been used, in sentences.
    """

    sizes: Sizes
    columns: tuple[ColumnReport, ...]
    fidelity: pd.DataFrame = field(repr=False)
    utility: Utility
    privacy: PrivacyReport = field(repr=False)
    lights: dict[str, Light]
    associations: pd.DataFrame = field(repr=False)
    draws: int
    seconds: float
    examples: Examples | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The figures of the columns, one row for each; see `ColumnReport` for what they mean."""
        figures = pd.DataFrame([column.to_dict() for column in self.columns]).set_index("name")
        texts = ("kind", "is_target", "measure")
        # A figure that no column has would otherwise be of type object.
        return figures.astype({name: "float64" for name in figures.columns if name not in texts})

    @property
    def summary(self) -> str:
        """The report in a few sentences."""
        sentences: str = summary_of(self)
        return sentences

    def __str__(self) -> str:
        text: str = text_of(self)
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as a page that needs no other file, and write it if a path is given.

        It shows each column, or the images or series of each class, of both sides beside each
        other, follows the dark mode of the reader's system, and has no scripts.

        Parameters
        ----------
        path : str, Path or None
            File to write; its folder is created if it does not exist.

        Returns
        -------
        str
            The page.

        Raises
        ------
        DataError
            If the file cannot be written.
        """
        from distillkit.reports.page import render_page

        page: str = render_page(self)
        if path is not None:
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(page, encoding="utf-8", errors="backslashreplace")
            except OSError as exc:
                raise DataError(f"cannot write {os.fspath(path)}: {exc.strerror or exc}. Name another file.") from exc
        return page

    def _repr_html_(self) -> str:
        """Return the report as an element of a notebook."""
        from distillkit.reports.page import render_fragment

        fragment: str = render_fragment(self)
        return fragment
