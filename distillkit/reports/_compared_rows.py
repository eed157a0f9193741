"""Real rows and a small set in one space of numbers, in which distances and models compare them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.reports._matching import check_known
from distillkit.reports._report_rows import ReportRows
from distillkit.reports._row_figures import row_figures
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.utils._targets import infer_task

__all__ = ["ComparedRows"]

_MODALITIES = {2: "table", 3: "series", 4: "image"}
_MOST_VALUES = 10_000_000


@dataclass
class ComparedRows:
    """Rows of equal columns, and what is computed of them once.

    Parameters
    ----------
    real, small : ReportRows
    test : ReportRows or None
    random_state : int
    """

    real: ReportRows
    small: ReportRows
    test: ReportRows | None
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.task == "classification":
            check_known(self.real, self.small)
            if self.test is not None:
                check_known(self.real, self.test)

    @cached_property
    def modality(self) -> str:
        """Kind of the rows: "table", "series" or "image"."""
        return _MODALITIES[np.ndim(self.real.X)]

    @cached_property
    def task(self) -> str | None:
        """Kind of the target; None without one."""
        if self.real.y is None:
            return None
        known = "classification" if self.small.classes is not None else self.small.provenance.get("task")
        return known or infer_task(self.real.y)

    @cached_property
    def encoder(self) -> TableEncoder | None:
        """The encoder of a table, which brings all columns to comparable scales."""
        if self.modality != "table":
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoder: TableEncoder = TableEncoder().fit(self.real.X)
            return encoder

    def numbers(self, rows: ReportRows) -> np.ndarray:
        """Return rows as numbers of comparable scales."""
        if self.encoder is None:
            return np.asarray(rows.X)
        try:
            return self.encoder.transform(rows.X)
        except DataError as exc:
            raise DataError(f"{rows.role} cannot be compared with the real rows: {exc}") from exc

    @cached_property
    def reference(self) -> Reference:
        """All real rows, for metrics."""
        return Reference(self.numbers(self.real), self.real.y, task=self.task)

    @cached_property
    def distilled(self) -> DistilledSet:
        """The small set in the space of `reference`."""
        y = self.small.y
        if y is not None and self.reference.classes is not None:
            y = y.astype(self.reference.classes.dtype)
        return DistilledSet(
            self.numbers(self.small),
            y,
            self.small.weight,
            soft_labels=self.small.soft_labels,
            classes=self.reference.classes,
            provenance={} if self.task is None else {"task": self.task},
            table=None if self.encoder is None else DistilledTable(self.encoder),
        )

    @cached_property
    def held_out(self) -> np.ndarray | None:
        """The held-out rows in the space of `reference`."""
        return None if self.test is None else self.numbers(self.test)

    @cached_property
    def sample(self) -> np.ndarray:
        """Positions of the real rows that costly measures use, drawn at random in each class."""
        limit = max(1000, _MOST_VALUES // max(1, int(np.prod(self.reference.X.shape[1:]))))
        if len(self.reference) <= limit:
            return np.arange(len(self.reference))
        order = np.random.default_rng(self.random_state).permutation(len(self.reference))
        if self.reference.codes is None:
            return np.sort(order[:limit])
        # The rank of each row in its class puts the classes into any beginning in proportion.
        codes = self.reference.codes[order]
        sizes = np.bincount(codes)
        rank = np.empty(len(order))
        rank[np.argsort(codes, kind="stable")] = np.concatenate([np.arange(size) for size in sizes])
        return np.sort(order[np.argsort((rank + 0.5) / sizes[codes], kind="stable")[:limit]])

    @property
    def target_name(self) -> str:
        """Name under which the target is shown."""
        name = self.real.target or "target"
        return name if name not in self.table_of(self.real).columns else f"{name} (target)"

    def table_of(self, rows: ReportRows) -> pd.DataFrame:
        """Return rows as a table of columns; series and images by figures of each row."""
        return rows.X if isinstance(rows.X, pd.DataFrame) else row_figures(rows.X)
