"""The size of the small set beside that of the real rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from distillkit.reports._compared_rows import ComparedRows
from distillkit.reports._report_rows import ReportRows

__all__ = ["Sizes", "sizes_of"]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Rows and bytes of both sides.

    Parameters
    ----------
    rows_real, rows_small : int
    bytes_real, bytes_small : int
        Of rows and targets as a model takes them, as of `DistilledSet.nbytes`.
    modality : {"table", "series", "image"}
    task : {"classification", "regression"} or None
    method : str
        What made the small set; empty if that is not known.
    """

    rows_real: int
    rows_small: int
    bytes_real: int
    bytes_small: int
    modality: str
    task: str | None
    method: str = ""


def sizes_of(compared: ComparedRows) -> Sizes:
    """Return the sizes of both sides."""
    real, small = compared.real, compared.small
    known: dict[str, Any] = small.provenance
    bytes_real = known.get("bytes_seen") if known.get("rows_seen") == len(real) else None
    is_known = small.nbytes is not None and isinstance(bytes_real, int)
    return Sizes(
        rows_real=len(real),
        rows_small=len(small),
        bytes_real=int(bytes_real) if is_known and bytes_real is not None else _bytes(real, compared.numbers(real)),
        bytes_small=int(small.nbytes) if is_known and small.nbytes is not None else _bytes(small, compared.distilled.X),
        modality=compared.modality,
        task=compared.task,
        method=str(known.get("method", "")).rpartition(":")[2],
    )


def _bytes(rows: ReportRows, encoded: np.ndarray) -> int:
    """Return the bytes of rows as they are given if these are numbers, else of their encoding."""
    is_numeric = not isinstance(rows.X, pd.DataFrame) or all(dtype.kind in "biuf" for dtype in rows.X.dtypes)
    own = int(np.asarray(rows.X).nbytes) if is_numeric else encoded.nbytes
    weighted = rows.weight is not None and len(np.unique(rows.weight)) > 1
    return own + sum(each.nbytes for each in (rows.y, rows.weight if weighted else None) if each is not None)
