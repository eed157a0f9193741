"""Checks of evaluators and of methods that reduce a model: fitting, seeds, weights and learning."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from distillkit.testing._problem import expect, expect_equal
from distillkit.testing._runner import BoundCheck, bound

__all__ = ["ModelMaker", "model_checks"]

_SHAPES = {"table": (6,), "series": (2, 16), "image": (1, 12, 12)}
_N_ROWS = 60


@dataclass(frozen=True)
class ModelMaker:
    """How to make the model under check.

    Parameters
    ----------
    make : callable
        ``(task, random_state) -> estimator``, unfitted.
    tasks, modalities : tuple of str
        What is registered.
    flatten : bool
        Whether X has two axes for each modality.
    presets : tuple of callable
        Make the model with the parameters of each preset.
    """

    make: Callable[[str, int], Any]
    tasks: tuple[str, ...]
    modalities: tuple[str, ...]
    flatten: bool = True
    presets: tuple[Callable[[str, int], Any], ...] = ()

    def problem(self, task: str, modality: str | None = None, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """Return rows whose target can be read from each of their values, and the targets."""
        rng = np.random.default_rng(0)
        codes = np.arange(_N_ROWS) % n_classes
        shape = _SHAPES[modality or self.modalities[0]]
        X = rng.normal(scale=0.3, size=(_N_ROWS, *shape)) + 2.0 * (codes - 1).reshape(-1, *[1] * len(shape))
        X = X.astype(np.float32)
        y = codes.astype(np.int64) if task == "classification" else codes * 5.0
        return (X.reshape(_N_ROWS, -1) if self.flatten else X), y

    def fitted(self, task: str, seed: int = 0, **problem: Any) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return a fitted model with its rows and targets."""
        X, y = self.problem(task, **problem)
        model = self.make(task, seed)
        model.fit(X.copy(), y.copy())
        return model, X, y


def check_interface(subject: ModelMaker) -> None:
    """The model has `fit` and `predict`, and predicts one value for each row of each modality."""
    for task in subject.tasks:
        for modality in subject.modalities:
            model, X, _ = subject.fitted(task, modality=modality)
            shape = np.shape(model.predict(X[:7]))
            expect(shape == (7,), f"predict of 7 rows ({task}, {modality}) has shape {shape}, not (7,)")


def check_predictions(subject: ModelMaker) -> None:
    """Predictions are the labels that were given, and probabilities sum to one."""
    for task in subject.tasks:
        model, X, y = subject.fitted(task)
        predicted = np.asarray(model.predict(X))
        expect(np.isfinite(predicted).all(), "predict gives NaN or infinity")
        if task == "classification":
            strange = sorted(set(predicted.tolist()) - set(y.tolist()))
            expect(not strange, f"predict gives {strange}, which are no labels of the training rows")
            if hasattr(model, "predict_proba"):
                shares = np.asarray(model.predict_proba(X))
                expect(shares.shape == (len(X), 3), f"predict_proba has shape {shares.shape}, not ({len(X)}, 3)")
                expect(
                    (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1, atol=1e-4),
                    "the rows of predict_proba must be probabilities, which sum to one",
                )


def check_learns(subject: ModelMaker) -> None:
    """It learns targets that can be read from each value of a row."""
    for task in subject.tasks:
        model, X, y = subject.fitted(task)
        predicted = np.asarray(model.predict(X), float)
        if task == "classification":
            share = float(np.mean(predicted == y))
            expect(share > 0.6, f"{share:.0%} of the predictions for its own, well separated rows are right")
        else:
            ratio = float(np.mean((predicted - y) ** 2) / np.var(y))
            expect(ratio < 0.5, f"on its own rows its squared error is {ratio:.0%} of the variance of the target")


def check_seed(subject: ModelMaker) -> None:
    """The same seed gives the same predictions, whatever the global random generator holds."""
    for task in subject.tasks:
        first, X, _ = subject.fitted(task, seed=3)
        np.random.rand(7)  # noqa: NPY002 (detects models that use the global generator)
        again, _, _ = subject.fitted(task, seed=3)
        expect_equal(again.predict(X), first.predict(X), "predictions of a second model with the same random_state")


def check_inputs_untouched(subject: ModelMaker) -> None:
    """`fit` and `predict` change neither X nor y."""
    for task in subject.tasks:
        X, y = subject.problem(task)
        rows, targets = X.copy(), y.copy()
        subject.make(task, 0).fit(rows, targets).predict(rows)
        expect_equal(rows, X, "X after fit and predict")
        expect_equal(targets, y, "y after fit and predict")


def check_weights(subject: ModelMaker) -> None:
    """If `fit` takes `sample_weight`, rows of nearly all weight decide the prediction."""
    if "classification" not in subject.tasks:
        return
    model = subject.make("classification", 0)
    if not has_fit_parameter(model, "sample_weight"):
        return
    X, _ = subject.problem("classification")
    X = np.zeros_like(X)
    y = np.arange(len(X)) % 2
    for label in (0, 1):
        weight = np.where(y == label, 1.0, 1e-3) * len(X) / 2
        model = subject.make("classification", 0)
        model.fit(X, y, sample_weight=weight)
        predicted = set(np.asarray(model.predict(X[:2])).tolist())
        expect(
            predicted == {label},
            f"equal rows of which those of class {label} have nearly all weight are predicted as {sorted(predicted)}: "
            "use sample_weight, or leave it out of fit",
        )


def check_two_rows(subject: ModelMaker) -> None:
    """It can be trained on one row of each class, as the smallest distilled sets have."""
    for task in subject.tasks:
        X, y = subject.problem(task, n_classes=2)
        model = subject.make(task, 0)
        model.fit(X[:2], y[:2])
        expect(np.isfinite(np.asarray(model.predict(X), float)).all(), "trained on two rows, it predicts NaN")


def check_pickle(subject: ModelMaker) -> None:
    """A fitted model keeps its predictions when it is pickled."""
    model, X, _ = subject.fitted(subject.tasks[0])
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301 (created on this line)
    expect_equal(copy.predict(X), model.predict(X), "predictions after pickling")


def check_presets(subject: ModelMaker) -> None:
    """Each preset makes a model."""
    for make in subject.presets:
        expect(hasattr(make(subject.tasks[0], 0), "fit"), "a preset makes no model")


CHECKS: tuple[Callable[[ModelMaker], None], ...] = (
    check_interface,
    check_predictions,
    check_learns,
    check_seed,
    check_inputs_untouched,
    check_weights,
    check_two_rows,
    check_pickle,
    check_presets,
)


def model_checks(spec: Any, make: Callable[..., Any]) -> list[BoundCheck]:
    """Return the checks of a model.

    Parameters
    ----------
    spec : EvaluatorSpec or MethodSpec
    make : callable
        ``(task, random_state, **params) -> estimator``.
    """
    presets = tuple(partial(make, **params) for params in spec.presets.values())
    order = [task for task in ("classification", "regression") if task in spec.tasks]
    modalities = tuple(name for name in _SHAPES if name in spec.modalities)
    subject = ModelMaker(make, tuple(order), modalities, getattr(spec, "flatten", False), presets)
    return [(check.__name__, bound(check, subject)) for check in CHECKS]
