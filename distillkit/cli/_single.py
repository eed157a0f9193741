"""A single distillation outside a suite, for ``distillkit distill``."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from distillkit.budget import Budget
from distillkit.distilled import DistilledSet
from distillkit.distilled._formats import SUFFIXES, check_suffix
from distillkit.exceptions import ArtefactError, DataError, DistillkitError, MissingPackageError, UnknownNameError
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.tables._frames import is_frame, needs_encoding, take_rows
from distillkit.utils._containers import as_numeric
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._row_scaling import fit_scaling
from distillkit.utils._weights import weight_argument

__all__ = ["check_output", "check_weights", "distil_rows", "make_distiller"]

_TABLES = (".csv", ".parquet")


def check_output(path: Path, source: str) -> None:
    """Check that an output file can be written, before any work is done.

    Raises
    ------
    ArtefactError
        If the suffix is not known, the folder cannot be written, or the file is the source itself.
    """
    if path.is_dir():
        raise ArtefactError(f"cannot write {path}: it is a folder; name a file in it, such as {path / 'small.csv'}.")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise ArtefactError(f"cannot write {path}: it is the file to distil, which would be lost; choose another name.")
    if not path.suffix:
        raise ArtefactError(f"cannot write {path}: the suffix must be one of {', '.join(SUFFIXES)}.")
    check_suffix(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as exc:
        raise ArtefactError(f"cannot write {path}: {exc.strerror or exc}. Choose another folder.") from exc


def make_distiller(name: str, budget: Budget, params: dict[str, Any], common: dict[str, Any]) -> Any:
    """Create a distiller from its registry name.

    Parameters
    ----------
    name : str
        ``"name"`` or ``"name:preset"``.
    budget : Budget
    params : dict
        Parameters that the user named; the method must have each of them.
    common : dict
        Parameters that are set only if the method has them and the value is not None, except that
        a `max_seconds` that the method does not have is an error.

    Raises
    ------
    UnknownNameError
        If the method, the preset or a parameter is not known.
    MissingPackageError
        If a package that the method needs is not installed.
    DataError
        If the method reduces a model instead of rows, or has no `max_seconds` but one was given.
    """
    resolved = get_manager().resolve("method", name)
    short, spec = resolved.name, resolved.spec
    if spec.reduces == "model":
        raise DataError(
            f"method {short!r} reduces a model instead of rows: name it in a suite "
            f"(distillkit run SUITE --methods {short}), or fit distillkit.TeacherStudentDistiller."
        )
    if missing := spec.missing():
        raise MissingPackageError(f"method {short!r}", missing)
    accepted = list(inspect.signature(spec.load()).parameters)
    for param in params:
        if param not in accepted:
            raise UnknownNameError(f"parameter of {short}", param, accepted)
    if common.get("max_seconds") is not None and "max_seconds" not in accepted:
        raise DataError(f"max_seconds: {short} takes no steps, so it has no wall-clock limit; leave it out.")
    value = dict(budget.value) if isinstance(budget.value, Mapping) else budget.value
    return make_method(name, params, {"budget": value, **common})


def check_weights(distiller: Any, X: Any, weight: np.ndarray | None, method: str, output: Path) -> None:
    """Check that weights of the rows can be used, and those of the distilled rows be written.

    Raises
    ------
    DataError
        If the method cannot use weights, or the table has a column of its own by the name of the
        weights in the output.
    """
    if weight is not None and not has_fit_parameter(distiller, "sample_weight"):
        raise DataError(
            f"the rows have weights, which method {method!r} cannot use: leave their column out by --drop (or "
            "--no-weight for arrays), or choose a method that can, such as kmeans."
        )
    if output.suffix in _TABLES and "sample_weight" in getattr(X, "columns", ()):
        raise DataError(
            "the table has a column 'sample_weight' of its own, which is the name of the weights in "
            f"{output.suffix} files: rename it, leave it out by --drop, or write a .safetensors file."
        )


def distil_rows(distiller: Any, X: Any, y: Any, weight: np.ndarray | None = None, *, standardize: bool) -> DistilledSet:
    """Distil rows, optionally in standardized units; the result is in the units of `X` either way.

    Parameters
    ----------
    distiller : distiller
        Unfitted.
    X : ndarray or DataFrame of shape (n, ...)
    y : ndarray of shape (n,) or None
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    standardize : bool
        Whether to distil in standardized units. Distances between rows then weight each column by
        its standard deviation and not by its unit, and so does each channel of series. Tables with
        text, categories, dates or gaps are standardized by their encoder; see `TableEncoder` for
        what it does otherwise.

    Raises
    ------
    DataError
        If the method cannot use the rows or its parameters.
    """
    _check_finite(X)
    distiller._standardizes = standardize  # noqa: SLF001 (no parameter: pipelines have an encoder for this)
    if is_frame(X) and needs_encoding(X):
        return _fit(distiller, X, y, weight)
    if not standardize:
        return _fit(distiller, X, y, weight)
    rows = np.asarray(as_numeric(X), dtype=np.float64)
    # The encoder of tables takes no weights, so that weighted columns are scaled without it.
    by_encoder = is_frame(X) and weight is None
    scaling = TableEncoder().fit(X) if by_encoder else fit_scaling(rows, weight)
    small = _fit(distiller, scaling.transform(X if by_encoder else rows), y, weight)
    # Bring the rows back to the original units, and drop all that refers to standardized ones.
    small.stored = None
    own = rows if is_frame(X) else np.asarray(X)  # Selected rows keep the type of an array.
    small.X = own[small.indices] if small.indices is not None else _unscaled(small.in_original_units(), scaling)
    for name in ("offset", "weighting"):
        small.provenance.pop(name, None)
    small.preprocessing = None
    small.feature_names = tuple(map(str, X.columns)) if hasattr(X, "columns") else None
    small.provenance["standardized"] = True
    if is_frame(X):
        encoder = TableEncoder(standardize=False).fit(X)
        small.table = DistilledTable(encoder, None if small.indices is None else take_rows(X, small.indices))
    return small


def _unscaled(X: np.ndarray, scaling: TableEncoder | Preprocessing) -> np.ndarray:
    """Return made rows in original units, as numbers."""
    if isinstance(scaling, Preprocessing):
        return scaling.inverse_transform(X)
    return np.asarray(as_numeric(scaling.inverse_transform(X, rounded=False)), dtype=np.float64)


def _check_finite(X: Any) -> None:
    """Raise an error that names the columns with infinite values, if there are any.

    Arrays must have no missing values either. The message of scikit-learn would recommend other
    models instead.
    """
    if hasattr(X, "columns"):
        counts = X.isin([np.inf, -np.inf]).sum()
        columns = [f"{name!r} ({number})" for name, number in counts.items() if number]
        if columns:
            listed = ", ".join(columns[:5]) + (", ..." if len(columns) > 5 else "")
            raise DataError(f"there are infinite values in column {listed}: replace them or drop those rows first.")
    elif np.asarray(X).dtype.kind == "f" and (number := np.count_nonzero(~np.isfinite(X))):
        raise DataError(f"X holds {number} values that are NaN or infinite: fill them in or drop those rows first.")


def _fit(distiller: Any, X: Any, y: Any, weight: np.ndarray | None) -> DistilledSet:
    try:
        small: DistilledSet = distiller.fit(X, y, **weight_argument(weight)).distilled_
    except DistillkitError:
        raise
    except (ValueError, TypeError) as exc:  # scikit-learn raises these for invalid rows and parameters.
        raise DataError(f"{type(distiller).__name__}: {exc}") from exc
    return small
