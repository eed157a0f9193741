"""Checks of fitted attributes: rows, labels, weights, history and the distilled set."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.base import clone

from distillkit.distilled import DistilledSet
from distillkit.testing._problem import Scope, expect, expect_equal, fresh

__all__ = ["CHECKS"]

_ATTRIBUTES = ("X_distilled_", "y_distilled_", "sample_weight_", "sample_indices_", "soft_labels_", "ranking_")


def check_attributes(estimator: Any, scope: Scope) -> None:
    """`fit` returns self and sets all attributes of the contract, with equal lengths."""
    problem = scope.problem()
    distiller = fresh(estimator)
    expect(distiller.fit(problem.X, problem.y) is distiller, "fit must return self")
    for name in ("X_distilled_", "y_distilled_", "sample_weight_", "history_", "distilled_", "n_features_in_"):
        expect(hasattr(distiller, name), f"fit must set {name}")
    m = len(distiller.X_distilled_)
    expect(m >= 1, "X_distilled_ has no rows")
    expect(
        distiller.X_distilled_.shape[1:] == problem.X.shape[1:],
        "rows of X_distilled_ must have the shape of those of X",
    )
    for name in _ATTRIBUTES:
        values = getattr(distiller, name, None)
        expect(
            values is None or len(values) == m,
            f"{name} has {0 if values is None else len(values)} rows, X_distilled_ {m}",
        )
    expect(np.isfinite(distiller.X_distilled_).all(), "X_distilled_ holds NaN or infinity")
    expect(
        (distiller.y_distilled_ is None) == (problem.y is None), "y_distilled_ must be None without y, and only then"
    )
    expect(getattr(distiller, "sample_indices_", 0) is not None, "leave sample_indices_ out, do not set it to None")


def check_params_untouched(estimator: Any, scope: Scope) -> None:
    """`fit` changes no parameter, and `clone` gives an unfitted copy with the same parameters."""
    problem = scope.problem()
    distiller = fresh(estimator)
    before = {name: repr(value) for name, value in distiller.get_params(deep=False).items()}
    distiller.fit(problem.X, problem.y)
    after = {name: repr(value) for name, value in distiller.get_params(deep=False).items()}
    expect(before == after, f"fit changed the parameters from {before} to {after}")
    expect(not hasattr(clone(distiller), "X_distilled_"), "a clone must not be fitted")


def check_picked_rows(estimator: Any, scope: Scope) -> None:
    """Selected rows are `X[sample_indices_]` with their labels, and no row is selected twice."""
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    indices = getattr(distiller, "sample_indices_", None)
    if indices is None:
        return
    expect(indices.dtype.kind in "iu", f"sample_indices_ must be integers, not {indices.dtype}")
    expect(len(np.unique(indices)) == len(indices), "sample_indices_ names a row twice")
    if getattr(distiller, "preprocessing_", None) is None:
        expect_equal(distiller.X_distilled_, problem.X[indices], "X_distilled_ must be X[sample_indices_]")
    if problem.y is not None:
        expect_equal(distiller.y_distilled_, problem.y[indices], "y_distilled_ must be y[sample_indices_]")


def check_weights(estimator: Any, scope: Scope) -> None:
    """Weights are positive, finite and sum to the number of training rows."""
    problem = scope.problem()
    weight = fresh(estimator).fit(problem.X, problem.y).sample_weight_
    expect(weight.ndim == 1 and weight.dtype.kind == "f", "sample_weight_ must be one float per row")
    expect((np.isfinite(weight) & (weight > 0)).all(), "sample_weight_ must be positive and finite")
    expect(
        np.isclose(weight.sum(), len(problem.X), rtol=1e-9),
        f"sample_weight_ sums to {weight.sum()}, not to the {len(problem.X)} rows",
    )


def check_labels(estimator: Any, scope: Scope) -> None:
    """The distilled labels contain every class and no other; soft labels are probabilities."""
    if not scope.can("classification"):
        return
    problem = scope.problem("classification")
    distiller = fresh(estimator).fit(problem.X, problem.y)
    expect_equal(
        np.unique(distiller.y_distilled_), np.unique(problem.y), "y_distilled_ must hold every class, and only those"
    )
    soft = getattr(distiller, "soft_labels_", None)
    if soft is not None:
        expect(
            soft.shape == (len(distiller.X_distilled_), 3),
            f"soft_labels_ must have a column per class, not {soft.shape}",
        )
        expect(
            (soft >= 0).all() and np.allclose(soft.sum(axis=1), 1, atol=1e-5),
            "rows of soft_labels_ must be probabilities",
        )


def check_same_seed(estimator: Any, scope: Scope) -> None:
    """The same seed gives the same result bit for bit, also in a clone and in a second fit."""
    problem = scope.problem()
    first = fresh(estimator).fit(problem.X, problem.y)
    np.random.rand(7)  # noqa: NPY002 (detects methods that use the global generator)
    again = clone(first).fit(problem.X, problem.y)
    expected = {name: getattr(first, name, None) for name in _ATTRIBUTES}
    for name, values in expected.items():
        expect_equal(getattr(again, name, None), values, f"{name} of a clone with the same random_state")
    first.fit(problem.X, problem.y)
    for name, values in expected.items():
        expect_equal(getattr(first, name, None), values, f"{name} of a second fit")


def check_refit(estimator: Any, scope: Scope) -> None:
    """A second fit on different rows leaves nothing of the first."""
    problem, other = scope.problem(), scope.problem(seed=1)
    short = other.X[..., :-1] if other.X.ndim == 2 else other.X
    refitted = fresh(estimator).fit(problem.X, problem.y).fit(short, other.y)
    expected = fresh(estimator).fit(short, other.y)
    for name in _ATTRIBUTES:
        expect(hasattr(refitted, name) == hasattr(expected, name), f"{name} of an earlier fit was not removed")
        expect_equal(getattr(refitted, name, None), getattr(expected, name, None), f"{name} of a refit")
    expect(len(refitted.history_) == len(expected.history_), "history_ of an earlier fit was not removed")


def check_pickle(estimator: Any, scope: Scope) -> None:
    """Pickling a fitted distiller preserves its results and `transform`."""
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    copy = pickle.loads(pickle.dumps(distiller))  # noqa: S301 (created on this line)
    expect_equal(copy.X_distilled_, distiller.X_distilled_, "X_distilled_ after pickling")
    expect_equal(copy.transform(problem.X), distiller.transform(problem.X), "transform after pickling")


def check_history(estimator: Any, scope: Scope) -> None:
    """`history_` is a list of JSON-able dicts, and the provenance of `distilled_` is JSON-able."""
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    history = distiller.history_
    expect(
        isinstance(history, list) and all(isinstance(step, dict) for step in history),
        "history_ must be a list of dicts",
    )
    for name, value in (("history_", history), ("distilled_.provenance", distiller.distilled_.provenance)):
        try:
            same = json.loads(json.dumps(value)) == value
        except TypeError as exc:
            raise AssertionError(f"{name} must be JSON-able: {exc}") from exc
        expect(
            same, f"{name} changes when written as JSON and read: use plain lists, dicts with text keys, and numbers"
        )


def check_artefact(estimator: Any, scope: Scope) -> None:
    """`distilled_` equals the fitted attributes, and is preserved bit for bit on disk."""
    problem = scope.problem()
    distiller = fresh(estimator).fit(problem.X, problem.y)
    distilled_set = distiller.distilled_
    expect(isinstance(distilled_set, DistilledSet), "distilled_ must be a DistilledSet")
    pairs = {"X": "X_distilled_", "y": "y_distilled_", "sample_weight": "sample_weight_", "indices": "sample_indices_"}
    for field, attribute in {**pairs, "soft_labels": "soft_labels_", "ranking": "ranking_"}.items():
        expect_equal(
            getattr(distilled_set, field),
            getattr(distiller, attribute, None),
            f"distilled_.{field} against {attribute}",
        )
    with TemporaryDirectory() as folder:
        loaded = DistilledSet.load(distilled_set.save(Path(folder) / "distilled.safetensors"))
    for field in (*pairs, "soft_labels", "ranking", "classes"):
        expect_equal(
            getattr(loaded, field), getattr(distilled_set, field), f"distilled_.{field} after saving and loading"
        )
    expect(loaded.provenance == distilled_set.provenance, "distilled_.provenance changed by saving and loading")


def check_iterations(estimator: Any, scope: Scope) -> None:
    """`n_iter_` counts the steps, and a fit that `max_seconds` ends early still has a result.

    Each part applies only to distillers with the parameter `max_iter` or `max_seconds`.
    """
    problem = scope.problem()
    known = fresh(estimator).get_params(deep=False)
    if "max_iter" in known:
        n_iter = fresh(estimator).fit(problem.X, problem.y).n_iter_
        expect(isinstance(n_iter, int) and n_iter >= 1, f"n_iter_ must be an int of at least 1, not {n_iter!r}")
    if "max_seconds" in known:
        interrupted = fresh(estimator, max_seconds=1e-9).fit(problem.X, problem.y)
        expect(len(interrupted.X_distilled_) >= 1, "a fit ended by max_seconds must still give rows")
        stopped = interrupted.distilled_.provenance.get("stopped_by")
        expect(stopped == "max_seconds", f"provenance must say stopped_by='max_seconds', not {stopped!r}")


CHECKS = (
    check_attributes,
    check_params_untouched,
    check_picked_rows,
    check_weights,
    check_labels,
    check_same_seed,
    check_refit,
    check_pickle,
    check_history,
    check_artefact,
    check_iterations,
)
