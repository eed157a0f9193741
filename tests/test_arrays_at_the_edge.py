"""Arrays at the edge of what estimators take: right results, or one sentence that says what to do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from distillkit import (
    ClassMeans,
    CraigCoreset,
    DistributionMatchingDistiller,
    FacilityLocationCoreset,
    GANSynthesizer,
    GradientMatchingDistiller,
    GraNdCoreset,
    HerdingCoreset,
    InfluenceCoreset,
    KCenterCoreset,
    KernelDistiller,
    KMeansCoreset,
    LeverageCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
    SoftLabels,
    StreamingCoreset,
    TeacherStudentDistiller,
    WholeSet,
)
from distillkit.coresets import certify
from distillkit.exceptions import DataError
from distillkit.metrics import wasserstein

SEED = {"random_state": 0}
SELECTING = [
    RandomSubset(3, **SEED),
    WholeSet(),
    KMeansCoreset(3, representative="member", **SEED),
    KCenterCoreset(3),
    HerdingCoreset(3),
    FacilityLocationCoreset(3),
    LightweightCoreset(3, **SEED),
    SensitivityCoreset(3, **SEED),
    GraNdCoreset(3, **SEED),
    CraigCoreset(3, **SEED),
    LeverageCoreset(3, **SEED),
    InfluenceCoreset(3, **SEED),
    SoftLabels(RandomSubset(3, **SEED), "linear", **SEED),
]
MAKING = [
    ClassMeans(),
    KMeansCoreset(3, **SEED),
    StreamingCoreset(3, **SEED),
    GradientMatchingDistiller(3, max_iter=1, **SEED),
    DistributionMatchingDistiller(3, max_iter=1, **SEED),
    KernelDistiller(3, max_iter=1, **SEED),
    GANSynthesizer(3, max_iter=2, **SEED),
]
ALL = [*SELECTING, *MAKING, TeacherStudentDistiller("linear", epochs=1, **SEED)]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 3)), np.repeat([0, 1, 2], 20)


def named(model) -> str:
    return type(model).__name__


def fitted(model, X, y, task=None):
    if task is not None and "task" in model.get_params():
        model.set_params(task=task)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", module="distillkit", category=UserWarning)
        return model.fit(X, y)


@pytest.fixture(autouse=True)
def automatic_task():
    yield
    for model in ALL:
        if "task" in model.get_params():
            model.set_params(task="auto")


@pytest.mark.parametrize("model", ALL, ids=named)
def test_truth_values_can_be_a_regression_target(rows, model):
    X, y = rows[0], rows[0][:, 0] > 0
    model = fitted(model, X, y, "regression")
    if hasattr(model, "sample_indices_"):
        np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])
    elif hasattr(model, "y_distilled_"):
        assert np.isfinite(model.y_distilled_).all()


LONG = {
    "int64": 2**63 - 1 - 3 * np.arange(60, dtype=np.int64),
    "uint64": np.uint64(2**63) + np.arange(60, dtype=np.uint64) * np.uint64(5),
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("model", SELECTING, ids=named)
def test_selected_targets_near_and_above_2_to_63_are_exact(rows, model, kind):
    y = LONG[kind]
    model = fitted(model, rows[0], y, "regression")
    assert model.y_distilled_.dtype == y.dtype
    np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])


@pytest.mark.parametrize("model", MAKING, ids=named)
@pytest.mark.parametrize("first", [np.int64(2**63 - 3), np.uint64(2**63 + 8)])
def test_class_labels_near_and_above_2_to_63_are_exact(rows, model, first):
    y = first + rows[1].astype(first.dtype)
    model = fitted(model, rows[0], y, "classification")
    assert model.y_distilled_.dtype == y.dtype
    assert set(model.y_distilled_.tolist()) == set(y.tolist())


REFUSED = {
    "masked": (lambda X: np.ma.array(X, mask=X.max() - 1e-9 < X), "X is a masked array with 1 masked values"),
    "dates": (lambda X: X.astype("datetime64[D]"), "X holds dates or times.*a frame, whose dates are encoded"),
    "durations": (lambda X: X.astype("timedelta64[s]"), "X holds dates or times"),
    "records": (lambda X: np.zeros(len(X), dtype=[("a", float)]), "X is an array of records"),
    "long integers": (
        lambda X: np.array([[10**400 + i, 1] for i in range(len(X))], dtype=object),
        "beyond the range of float64: divide",
    ),
    "extended floats": (lambda X: X.astype(np.longdouble) * np.longdouble(10) ** 400, "beyond the range of float64"),
    "no values": (lambda X: np.empty((len(X), 1, 0, 8)), "with 0 values in each row"),
    "no rows": (lambda X: X[:0], "minimum of 1 is required"),
    "no columns": (lambda X: X[:, :0], "minimum of 1 is required"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("model", ALL, ids=named)
def test_rows_that_are_no_numbers_are_refused_in_one_sentence(rows, model, kind):
    make, message = REFUSED[kind]
    X = make(rows[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            model.fit(X, rows[1][: len(X)])


@pytest.mark.parametrize("model", ALL, ids=named)
def test_targets_that_are_no_labels_and_no_numbers_are_refused(rows, model):
    X, y = rows
    for target, message in (
        (np.ma.array(y, mask=y == 2), "y is a masked array with 20 masked values"),
        (np.arange(60).astype("datetime64[D]"), "y holds dates or times.*: give text or numbers"),
        (np.array([10**400 + i for i in range(60)], dtype=object), "y holds integers beyond 64 bits"),
    ):
        with pytest.raises(DataError, match=message):
            model.fit(X, target)


@pytest.mark.parametrize("model", [RandomSubset(3, **SEED), KMeansCoreset(3, **SEED)], ids=named)
def test_lists_of_long_integers_are_refused(rows, model):
    with pytest.raises(DataError, match="beyond float64"):
        model.fit([[10**400, 1.0]] * 60, rows[1])


def test_masked_arrays_without_masked_values_are_plain_arrays(rows):
    X, y = rows
    expected = KMeansCoreset(3, **SEED).fit(X, y)
    found = KMeansCoreset(3, **SEED).fit(np.ma.array(X), np.ma.array(y))
    np.testing.assert_array_equal(found.X_distilled_, expected.X_distilled_)
    assert type(found.y_distilled_) is np.ndarray


def test_masked_rows_are_refused_after_the_fit_too(rows):
    X, y = rows
    model = KMeansCoreset(3, **SEED).fit(X, y)
    masked = np.ma.array(X, mask=X > 1)
    for use in (lambda: model.transform(masked), lambda: wasserstein(masked, y, model.distilled_)):
        with pytest.raises(DataError, match="X is a masked array"):
            use()


@pytest.mark.parametrize("constant", [0.0, 0.1, -7e15, 1e90])
@pytest.mark.parametrize("task", ["classification", "regression", None])
def test_a_constant_column_changes_no_certificate(rows, constant, task):
    X, y = rows
    y = {"classification": y, "regression": X @ [1.0, 2.0, 3.0], None: None}[task]
    wide = np.column_stack([X, np.full(len(X), constant)])
    plain = np.column_stack([X, np.zeros(len(X))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        errors = [certify(KCenterCoreset(6).fit(rows_, y).distilled_, rows_, y).error for rows_ in (wide, plain)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-6)


def test_tensors_are_taken_as_before(rows):
    X, y = rows
    model = KMeansCoreset(3, **SEED).fit(torch.from_numpy(X), torch.from_numpy(y))
    np.testing.assert_array_equal(model.X_distilled_, KMeansCoreset(3, **SEED).fit(X, y).X_distilled_)


@pytest.mark.parametrize("wrap", [np.array, lambda rows: np.array(rows, dtype=object), list, tuple])
def test_text_in_arrays_and_lists_is_refused_with_the_remedy(wrap):
    mixed = wrap([["Oslo", 1.0], ["Rome", 2.0]] * 10)
    with pytest.raises(DataError, match="X holds text: give a pandas, polars or pyarrow frame"):
        KMeansCoreset(2).fit(mixed, [0, 1] * 10)


@pytest.mark.parametrize("wrap", [lambda rows: np.array(rows, dtype=object), list])
def test_numbers_as_objects_are_taken(wrap):
    rows = [[float(i), 2 * i] for i in range(20)]
    X, _ = KMeansCoreset(2, random_state=0).fit_resample(wrap(rows), [0, 1] * 10)
    expected, _ = KMeansCoreset(2, random_state=0).fit_resample(np.array(rows), [0, 1] * 10)
    np.testing.assert_array_equal(np.asarray(X, dtype=float), expected)
