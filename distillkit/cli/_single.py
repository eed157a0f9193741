"""One distillation outside a suite, as ``distillkit distill`` does it."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.budget import Budget
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError, DataError, DistillkitError, PluginError, UnknownNameError
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method
from distillkit.utils._containers import as_numeric
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["check_output", "distil_rows", "make_distiller", "write_distilled"]

_SUFFIXES = (".safetensors", ".csv", ".parquet", ".npz")


def check_output(path: Path) -> None:
    """Refuse an output that could not be written, before any work is done.

    Raises
    ------
    ArtefactError
        If the suffix is not known or the folder cannot be written.
    """
    if path.suffix not in _SUFFIXES:
        raise ArtefactError(f"cannot write {path}: the suffix must be one of {', '.join(_SUFFIXES)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as exc:
        raise ArtefactError(f"cannot write {path}: {exc.strerror or exc}. Choose another folder.") from exc


def make_distiller(name: str, budget: Budget, params: dict[str, Any], given: dict[str, Any]) -> Any:
    """Make a distiller by registry name, optionally ``name:preset``.

    Parameters
    ----------
    name : str
    budget : Budget
    params : dict
        Parameters the user named: each must be one of the method's.
    given : dict
        Parameters to set where the method has them and the value is not None. A `max_seconds` that it does not
        have is an error.

    Raises
    ------
    UnknownNameError
        If the method, the preset or a parameter is not known.
    PluginError
        If a package that the method needs is not installed.
    DataError
        If the method takes no `max_seconds` but one was given, or reduces a model and not rows.
    """
    resolved = get_manager().resolve("method", name)
    short, spec = resolved.name, resolved.spec
    if spec.reduces == "model":
        raise DataError(
            f"method {short!r} makes a model small and no rows: name it in a suite (distillkit run SUITE --methods {short}), or "
            "fit distillkit.TeacherStudentDistiller."
        )
    if missing := spec.missing():
        raise PluginError(f"method {short!r} needs {', '.join(missing)}, which is not installed: install it first.")
    taken = list(inspect.signature(spec.load()).parameters)
    for param in params:
        if param not in taken:
            raise UnknownNameError(f"parameter of {short}", param, taken)
    if given.get("max_seconds") is not None and "max_seconds" not in taken:
        raise DataError(f"max_seconds: {short} takes no steps, so it has no wall-clock budget; leave it out.")
    common = {"budget": dict(budget.value) if isinstance(budget.value, Mapping) else budget.value, **given}
    return make_method(name, params, common)


def distil_rows(distiller: Any, X: Any, y: Any, *, standardize: bool) -> DistilledSet:
    """Distil rows, optionally in standardized units; the rows of the result are in the units of X all the same.

    Parameters
    ----------
    distiller : distiller
    X : ndarray or DataFrame of shape (n, ...)
    y : ndarray of shape (n,) or None
    standardize : bool
        Distances between columns of different units mean little; with this they count by their spread.

    Raises
    ------
    DataError
        If the method cannot use the rows or its parameters.
    """
    _refuse_missing(X)
    if not standardize:
        return _fit(distiller, X, y)
    rows = np.asarray(as_numeric(X), dtype=np.float64)
    scaling = Preprocessing.standardize(rows)
    small = _fit(distiller, scaling.transform(rows), y)
    small.stored = None  # small rows of columns that are scaled one by one have no units
    small.X = rows[small.indices] if small.indices is not None else scaling.inverse_transform(small.in_original_units())
    for name in ("offset", "weighting"):  # said in standardized units, too
        small.provenance.pop(name, None)
    small.preprocessing = None  # of the standardized rows, which these no longer are
    small.feature_names = tuple(map(str, X.columns)) if hasattr(X, "columns") else None
    small.provenance["standardized"] = True
    return small


def _refuse_missing(X: Any) -> None:
    """Name the columns with missing values: scikit-learn's own message recommends other models."""
    if hasattr(X, "columns"):
        counts = (X.isna() | X.isin([np.inf, -np.inf])).sum()
        holes = [f"{name!r} ({number})" for name, number in counts.items() if number]
        if holes:
            shown = ", ".join(holes[:5]) + (", ..." if len(holes) > 5 else "")
            raise DataError(
                f"there are missing or infinite values in column {shown}: fill them in or drop those rows first."
            )
    elif np.asarray(X).dtype.kind == "f" and (number := np.count_nonzero(~np.isfinite(X))):
        raise DataError(f"X holds {number} values that are NaN or infinite: fill them in or drop those rows first.")


def _fit(distiller: Any, X: Any, y: Any) -> DistilledSet:
    try:
        small: DistilledSet = distiller.fit(X, y).distilled_
    except DistillkitError:
        raise
    except (ValueError, TypeError) as exc:  # what scikit-learn raises for rows and parameters it cannot use
        raise DataError(f"{type(distiller).__name__}: {exc}") from exc
    return small


def write_distilled(small: DistilledSet, path: Path, target: str) -> None:
    """Write a distilled set in the format that the suffix names.

    Raises
    ------
    ArtefactError
        If it cannot be written.
    """
    try:
        if path.suffix == ".safetensors":
            small.save(path)
        elif path.suffix == ".csv":
            small.to_pandas(target=target).to_csv(path, index=False)
        elif path.suffix == ".parquet":
            small.to_pandas(target=target).to_parquet(path, index=False)
        else:
            np.savez(path, **_arrays(small))
    except OSError as exc:
        raise ArtefactError(f"cannot write {path}: {exc.strerror or exc}. Choose another file.") from exc


def _arrays(small: DistilledSet) -> dict[str, Any]:
    arrays = {"X": small.X, "y": small.y, "sample_weight": small.sample_weight}
    # text of a table is an array of objects, which NumPy would pickle
    return {
        name: values.astype(str) if values.dtype == object else values
        for name, values in arrays.items()
        if values is not None
    }
