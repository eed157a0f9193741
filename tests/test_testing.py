"""The checks themselves: each passes for distillers that keep the contract, and fails for one that breaks its clause."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from distillkit import ClassMeans, Preprocessing, RandomSubset, WholeSet, make_pipeline
from distillkit.base import Outcome
from distillkit.exceptions import UnknownNameError
from distillkit.testing import check_distiller, distiller_checks, expected_failed_checks, parametrize_with_checks

NAMES = [name for name, _ in distiller_checks(RandomSubset())]


class Fits(RandomSubset):
    """Breaks something at the end of `fit`."""

    def fit(self, X, y=None):
        super().fit(X, y)
        self.spoil(X, y)
        return self


class NotSelf(RandomSubset):
    def fit(self, X, y=None):
        super().fit(X, y)


class NoHistory(Fits):
    def spoil(self, X, y):
        del self.history_


class NoneIndices(ClassMeans):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.sample_indices_ = None
        return self


class ChangesParameter(Fits):
    def spoil(self, X, y):
        self.budget = 0.3


class OtherRows(Fits):
    def spoil(self, X, y):
        self.X_distilled_ = self.X_distilled_ + 1e-9


class SameRowTwice(Fits):
    def spoil(self, X, y):
        self.sample_indices_[1] = self.sample_indices_[0]


class MeanOneWeights(Fits):
    def spoil(self, X, y):
        self.sample_weight_ = self.sample_weight_ / self.sample_weight_.mean()


class ZeroWeight(Fits):
    def spoil(self, X, y):
        self.sample_weight_[0] = 0


class ForgetsAClass(RandomSubset):
    def fit(self, X, y=None):
        if y is None or np.asarray(y).dtype.kind == "f":
            return super().fit(X, y)
        return super().fit(X, np.where(np.asarray(y) == y[0], y[1], y))


class GlobalSeed(RandomSubset):
    def _distill(self, rows, run):
        run.rng = np.random
        return super()._distill(rows, run)


class DrawsOn(Fits):
    def spoil(self, X, y):
        self.calls = getattr(self, "calls", 0) + 1
        self.sample_weight_ = self.sample_weight_ + self.calls


class StaleHistory(Fits):
    def spoil(self, X, y):
        self.past = [*getattr(self, "past", []), {"step": 1}]
        self.history_ = self.past


class StaleSoftLabels(Fits):
    def spoil(self, X, y):
        self.wide = self.n_features_in_ == 5 or hasattr(self, "wide")
        if self.wide:
            self.soft_labels_ = np.full((len(self.X_distilled_), 3), 1 / 3)


class RawSoftLabels(Fits):
    def spoil(self, X, y):
        self.soft_labels_ = np.ones((len(self.X_distilled_), 3))


class Unpicklable(Fits):
    def spoil(self, X, y):
        self.function_ = lambda: None


class ArrayInHistory(Fits):
    def spoil(self, X, y):
        self.history_ = [{"loss": np.float32(0.5)}]


class NaNInHistory(Fits):
    def spoil(self, X, y):
        self.history_ = [{"loss": float("nan")}]


class OldArtefact(Fits):
    def spoil(self, X, y):
        self.distilled_.sample_weight = np.ones(len(self.X_distilled_))


class NoSteps(RandomSubset):
    def __init__(self, budget=0.1, *, task="auto", max_iter=3, random_state=None):
        super().__init__(budget, task=task, random_state=random_state)
        self.max_iter = max_iter


class Timeless(RandomSubset):
    def __init__(self, budget=0.1, *, task="auto", max_seconds=None, random_state=None):
        super().__init__(budget, task=task, random_state=random_state)
        self.max_seconds = max_seconds


class OneTooMany(RandomSubset):
    def _distill(self, rows, run):
        outcome = super()._distill(rows, run)
        extra = np.setdiff1d(np.arange(len(rows.X)), outcome.indices)[:1]
        return Outcome(indices=np.append(outcome.indices, extra))


class LowersBudget(RandomSubset):
    def fit(self, X, y=None):
        if isinstance(self.budget, int) and self.budget > len(X):
            return clone(self).set_params(budget=1).fit(X, y)
        return super().fit(X, y)


class ReturnsTuple(RandomSubset):
    def fit_transform(self, X, y=None):
        return super().fit_transform(X, y), y

    def fit_resample(self, X, y=None):
        return super().fit_resample(X, y)


class ReturnsRowsOnly(RandomSubset):
    def fit_resample(self, X, y=None):
        return super().fit_resample(X, y)[0]


class ReturnsOtherRows(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return rows + 1e-9, labels


class NoSetOutput(RandomSubset, auto_wrap_output_keys=None):
    pass


class TransformDistils(RandomSubset):
    def transform(self, X):
        return super().transform(X)[self.sample_indices_]


class TransformCentres(RandomSubset):
    def transform(self, X):
        rows = super().transform(X)
        return rows - rows.mean(axis=0)


class TransformUnfitted(RandomSubset):
    def transform(self, X):
        return X if not hasattr(self, "X_distilled_") else super().transform(X)


class TransformAnything(RandomSubset):
    def transform(self, X):
        super().transform(self.X_distilled_)
        return X


class OtherSpace(ClassMeans):
    def _distill(self, rows, run):
        outcome = super()._distill(rows, run)
        return Outcome(X=Preprocessing.standardize(rows.X).transform(outcome.X), y=outcome.y, weight=outcome.weight)


class Codes(Fits):
    def spoil(self, X, y):
        if y is not None:
            self.y_distilled_ = np.unique(self.y_distilled_, return_inverse=True)[1]


class RegressionInts(Fits):
    def spoil(self, X, y):
        if self.y_distilled_ is not None and self.y_distilled_.dtype.kind == "f":
            self.y_distilled_ = self.y_distilled_.astype(int)


class Flattens(Fits):
    def spoil(self, X, y):
        if self.X_distilled_.ndim == 4:
            self.X_distilled_ = self.X_distilled_.reshape(len(self.X_distilled_), -1)


class Doubles(Fits):
    def spoil(self, X, y):
        self.X_distilled_ = self.X_distilled_.astype(np.float64)


class Writes(RandomSubset):
    def fit(self, X, y=None):
        super().fit(X, y)
        if isinstance(X, np.ndarray) and X.dtype == float:
            X[0] += 1
        return self


class NoLists(RandomSubset):
    def fit(self, X, y=None):
        if isinstance(X, list):
            return super().fit(np.asarray(X)[::-1], y)
        return super().fit(X, y)


class ArraysFromFrames(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return np.asarray(rows), labels


class LosesIndex(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return rows.reset_index(drop=True) if hasattr(rows, "reset_index") else rows, labels


class LosesCategories(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return rows, labels.astype(object) if hasattr(labels, "cat") else labels


class RowsAsText(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return rows.astype(str) if hasattr(self, "encoder_") else rows, labels


class OtherRowsOfTables(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return X.iloc[: len(rows)] if hasattr(self, "encoder_") else rows, labels


class MadeOutOfRange(ClassMeans):
    def fit(self, X, y=None):
        super().fit(X, y)
        if hasattr(self, "encoder_"):
            rows = self.distilled_.to_frame().assign(count=99)
            self.distilled_.table = replace(self.distilled_.table, rows=rows)
        return self


class ArraysFromTensors(RandomSubset):
    def fit_resample(self, X, y=None):
        rows, labels = super().fit_resample(X, y)
        return np.asarray(rows), labels


class FillsNaN(RandomSubset):
    def fit(self, X, y=None):
        if isinstance(X, np.ndarray) and X.dtype == float:
            X = np.nan_to_num(X)
        return super().fit(X, y)


class FailsOnRepeats(RandomSubset):
    def fit(self, X, y=None):
        if len(np.unique(np.asarray(X), axis=0)) < len(X):
            raise ZeroDivisionError("division by zero")
        return super().fit(X, y)


class WeightsOfFewRows(Fits):
    def spoil(self, X, y):
        if len(X) < 20:
            self.sample_weight_ = np.ones(len(self.X_distilled_)) * 7


class IgnoresWeights(RandomSubset):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y)


class ZeroAsOne(RandomSubset):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, None if sample_weight is None else np.maximum(sample_weight, 1))


class AddsToWeights(RandomSubset):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, None if sample_weight is None else sample_weight + 1)


BROKEN = {
    "check_attributes": [NotSelf, NoHistory, NoneIndices],
    "check_params_untouched": [ChangesParameter],
    "check_picked_rows": [OtherRows, SameRowTwice],
    "check_weights": [MeanOneWeights, ZeroWeight],
    "check_labels": [ForgetsAClass, RawSoftLabels],
    "check_same_seed": [GlobalSeed, DrawsOn],
    "check_refit": [StaleHistory, StaleSoftLabels],
    "check_pickle": [Unpicklable],
    "check_history": [ArrayInHistory, NaNInHistory],
    "check_artefact": [OldArtefact],
    "check_iterations": [NoSteps, Timeless],
    "check_budget_per_class": [OneTooMany],
    "check_budget_in_all": [OneTooMany],
    "check_budget_errors": [LowersBudget],
    "check_fit_resample": [ReturnsRowsOnly, ReturnsOtherRows],
    "check_fit_transform": [ReturnsTuple],
    "check_transform_keeps_rows": [TransformDistils, TransformCentres],
    "check_transform_needs_fit": [TransformUnfitted],
    "check_transform_shape": [TransformAnything],
    "check_one_space": [OtherSpace],
    "check_set_output": [NoSetOutput],
    "check_label_kinds": [Codes],
    "check_tasks": [RegressionInts],
    "check_modalities": [Flattens],
    "check_dtypes": [Doubles],
    "check_inputs_untouched": [Writes],
    "check_layouts": [NoLists],
    "check_pandas": [ArraysFromFrames, LosesIndex],
    "check_pandas_labels": [LosesCategories],
    "check_torch": [ArraysFromTensors],
    "check_unusable_rows": [FillsNaN],
    "check_few_rows": [FailsOnRepeats, WeightsOfFewRows],
    "check_mixed_table": [RowsAsText, OtherRowsOfTables, MadeOutOfRange],
    "check_weight_sum": [IgnoresWeights, AddsToWeights],
    "check_zero_weights": [IgnoresWeights, ZeroAsOne],
    "check_weight_scale": [IgnoresWeights, AddsToWeights],
    "check_weight_errors": [IgnoresWeights],
}


def test_every_check_has_a_distiller_that_breaks_it():
    assert sorted(BROKEN) == sorted(NAMES)


@pytest.mark.parametrize(("name", "broken"), [(name, cls) for name, classes in BROKEN.items() for cls in classes])
def test_a_check_fails_for_what_it_is_about(name, broken):
    with pytest.raises(AssertionError, match=f"{broken.__name__} fails {name}: ."):
        check_distiller(broken(), skip=set(NAMES) - {name})


def test_the_first_failure_is_named_in_words():
    with pytest.raises(
        AssertionError, match=r"MeanOneWeights fails check_weights: sample_weight_ sums to .*, not to the 27 rows"
    ):
        check_distiller(MeanOneWeights())


def test_a_check_can_be_skipped_but_not_by_a_name_that_is_none():
    check_distiller(TransformUnfitted(), skip=["check_transform_needs_fit"], modalities=["table"])
    with pytest.raises(UnknownNameError, match=r"unknown check 'check_transfrom_needs_fit'.*check_transform_needs_fit"):
        check_distiller(RandomSubset(), skip=["check_transfrom_needs_fit"])


class TablesOnly(RandomSubset):
    def fit(self, X, y=None):
        if np.ndim(X) > 2:
            raise RuntimeError("tables only")
        return super().fit(X, y)


class ImagesOnly(RandomSubset):
    def fit(self, X, y=None):
        if np.ndim(X) in (2, 3) and len(X):
            raise RuntimeError("images only")
        return super().fit(X, y)


class ClassesOnly(RandomSubset):
    _needs_y = True

    def fit(self, X, y=None):
        super().fit(X, y)
        if self.distilled_.classes is None:
            raise RuntimeError("classes only")
        return self


class NumbersOnly(ClassesOnly):
    def fit(self, X, y=None):
        RandomSubset.fit(self, X, y)
        if self.distilled_.classes is not None:
            raise RuntimeError("numbers only")
        return self


@pytest.mark.parametrize(
    ("distiller", "scope"),
    [
        (TablesOnly(), {"modalities": ["table"]}),
        (ClassesOnly(), {"tasks": ["classification"], "modalities": ["table"]}),
        (NumbersOnly(), {"tasks": ["regression"], "modalities": ["series"]}),
        (RandomSubset(), {"tasks": [None], "modalities": ["table"]}),
    ],
)
def test_what_a_distiller_does_not_do_is_left_out(distiller, scope):
    check_distiller(distiller, **scope)


@pytest.mark.parametrize("distiller", [TablesOnly(), ClassesOnly(), NumbersOnly(), ImagesOnly()])
def test_what_it_says_it_does_is_not(distiller):
    with pytest.raises(AssertionError, match=r"RuntimeError: .* only"):
        check_distiller(distiller)


@pytest.mark.parametrize(
    "scope", [{"tasks": ["clustering"]}, {"tasks": []}, {"modalities": ["text"]}, {"modalities": []}]
)
def test_a_scope_that_does_not_exist_is_refused(scope):
    with pytest.raises(ValueError, match=rf"{next(iter(scope))}=.* must be one or more of"):
        distiller_checks(RandomSubset(), **scope)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [(RandomSubset, "give an instance"), (StandardScaler(), "no distiller: it has no fit_resample")],
)
def test_what_is_no_distiller_is_refused(estimator, words):
    with pytest.raises(TypeError, match=words):
        check_distiller(estimator)


def test_the_estimator_given_is_not_touched():
    distiller = RandomSubset(budget=0.7)
    check_distiller(distiller, modalities=["table"], skip=set(NAMES) - {"check_attributes", "check_weights"})
    assert vars(distiller) == vars(RandomSubset(budget=0.7))


def test_expected_failures_are_the_ones_that_scikit_learn_finds():
    for estimator in (RandomSubset(), WholeSet(), make_pipeline(StandardScaler(), LogisticRegression())):
        reasons = expected_failed_checks(estimator)
        results = check_estimator(estimator, expected_failed_checks=reasons, on_skip=None, on_fail=None)
        failed = {result["check_name"] for result in results if result["status"] in ("failed", "xfail")}
        assert failed == set(reasons)
        assert all(len(reason) > 40 for reason in reasons.values())
    assert expected_failed_checks(LogisticRegression()) == {}
    assert set(expected_failed_checks(SklearnPipeline([("a", StandardScaler())]))) == {
        "check_dont_overwrite_parameters",
        "check_estimators_overwrite_params",
    }


def test_parametrize_marks_expected_failures_strictly_and_names_every_case():
    cases = parametrize_with_checks([RandomSubset(), LogisticRegression()]).args[1]
    ids = [case.id for case in cases]
    assert {f"RandomSubset0-{name}" for name in NAMES} <= set(ids)
    assert not any(name.startswith("LogisticRegression1-check") for name in ids)
    marks = {case.id: case.marks[0] for case in cases if case.marks}
    assert sorted(marks) == [
        "RandomSubset0-sklearn-check_transformer_data_not_an_array",
        "RandomSubset0-sklearn-check_transformer_general",
        "RandomSubset0-sklearn-check_transformer_general(readonly_memmap=True)",
    ]
    assert all(mark.name == "xfail" and mark.kwargs["strict"] for mark in marks.values())


class ByDuck(BaseEstimator):
    """A distiller that does not inherit from ours: the checks ask for nothing else than the contract."""

    def __init__(self, budget=0.1, random_state=None):
        self.budget = budget
        self.random_state = random_state

    def _inner(self):
        return RandomSubset(self.budget, random_state=self.random_state)

    def fit(self, X, y=None):
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        fitted = self._inner().fit(X, y)
        for name, value in vars(fitted).items():
            if name.endswith("_"):
                setattr(self, name, value)
        self.inner_ = fitted
        return self

    def fit_resample(self, X, y=None):
        self.fit(X, y)
        return self._inner().fit_resample(X, y)

    def fit_transform(self, X, y=None):
        return self.fit_resample(X, y)[0]

    def transform(self, X):
        return self.inner_.transform(X) if hasattr(self, "inner_") else self._inner().transform(X)


def test_the_contract_needs_no_inheritance():
    check_distiller(ByDuck(), modalities=["table"], skip=["check_set_output"])
