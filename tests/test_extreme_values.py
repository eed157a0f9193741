"""Values of any size give right results, or one sentence that names the column and the remedy."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import distillkit
from distillkit import (
    BilevelDistiller,
    ClassMeans,
    DistributionMatchingDistiller,
    FacilityLocationCoreset,
    GANSynthesizer,
    GradientMatchingDistiller,
    HerdingCoreset,
    KCenterCoreset,
    KernelDistiller,
    KMeansCoreset,
    LeverageCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
    StreamingCoreset,
    TeacherStudentDistiller,
    TrajectoryMatchingDistiller,
    WholeSet,
    metrics,
)
from distillkit.base import BaseDistiller
from distillkit.coresets import certify
from distillkit.datasets._scaling import standardize
from distillkit.exceptions import DataError, DatasetError
from distillkit.utils._moments import column_deviations, column_means, mean_and_deviation
from distillkit.utils._preprocessing import Preprocessing

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

DISTANCES = [
    KMeansCoreset(budget=3, representative="member", random_state=0),
    KCenterCoreset(budget=3),
    HerdingCoreset(budget=3),
    FacilityLocationCoreset(budget=3),
    LightweightCoreset(budget=3, random_state=0),
    SensitivityCoreset(budget=3, random_state=0),
]
READING = sorted(
    name
    for name in distillkit.__all__
    if isinstance(cls := getattr(distillkit, name), type)
    and issubclass(cls, BaseDistiller)
    and cls not in (BaseDistiller, RandomSubset, WholeSet)
    and name != "SoftLabels"  # trains a teacher, and leaves the rows to another distiller
)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 20)
    return rng.normal(size=(60, 4)) + y[:, None], y


def named(model) -> str:
    return type(model).__name__


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("value", [1e200, 1e160, -1e300])
def test_a_cell_beyond_1e100_is_refused_with_its_column(rows, name, value):
    X, y = rows
    X[7, 2] = value
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    with pytest.raises(DataError, match=r"column 'c' of X holds the value .*divide by a power of ten, or replace"):
        getattr(distillkit, name)().fit(frame, y)


def test_networks_students_and_certificates_refuse_it_too(rows):
    X, y = rows
    small = KCenterCoreset(budget=3).fit(X, y).distilled_
    X[7, 2] = 1e200
    from distillkit.nn import NetworkClassifier, NetworkRegressor

    for fit in (
        lambda: TeacherStudentDistiller().fit(X, y),
        lambda: NetworkClassifier(epochs=1).fit(X, y),
        lambda: NetworkRegressor(epochs=1).fit(X, X[:, 0]),
        lambda: certify(small, X, y),
    ):
        with pytest.raises(DataError, match="column 2 of X holds the value 1e\\+200"):
            fit()


def test_methods_that_do_not_read_the_values_take_any(rows):
    X, y = rows
    X[7, 2] = 1e300
    for model in (RandomSubset(budget=3, random_state=0), WholeSet()):
        model.fit(X, y)
        np.testing.assert_array_equal(model.X_distilled_, X[model.sample_indices_])


@pytest.mark.parametrize("model", DISTANCES, ids=named)
@pytest.mark.parametrize("exponent", [300, 100, -100, -300])
def test_selections_do_not_depend_on_the_unit(rows, model, exponent):
    X, y = rows
    picks = model.fit(X, y).sample_indices_
    np.testing.assert_array_equal(model.fit(np.ldexp(X, exponent), y).sample_indices_, picks)


@pytest.mark.parametrize("model", DISTANCES, ids=named)
@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_selections_of_float32_rows_do_not_depend_on_the_unit(rows, model, scale):
    X, y = rows
    scaled = (X * scale).astype(np.float32)
    picks = model.fit(scaled.astype(np.float64), y).sample_indices_
    np.testing.assert_array_equal(model.fit(scaled, y).sample_indices_, picks)
    assert model.X_distilled_.dtype == np.float32


@pytest.mark.parametrize("model", [*DISTANCES, LeverageCoreset(budget=3, random_state=0)], ids=named)
@pytest.mark.parametrize("constant", [1e90, -7e15, 0.1])
def test_a_constant_column_has_no_part_in_distances(rows, model, constant):
    X, y = rows
    picks = model.fit(X, y).sample_indices_
    wide = np.column_stack([X, np.full(len(X), constant)])
    np.testing.assert_array_equal(model.fit(wide, y).sample_indices_, picks)


@pytest.mark.parametrize("model", DISTANCES, ids=named)
def test_a_large_offset_changes_no_selection(rows, model):
    X, y = np.round(rows[0] * 64), rows[1]  # integers, which the offset leaves exact
    X += np.arange(4)
    picks = model.fit(X, y).sample_indices_
    np.testing.assert_array_equal(model.fit(X + 2.0**40, y).sample_indices_, picks)


@pytest.mark.parametrize("value", [1e90, 1e30])
def test_herding_selects_different_rows_beside_a_large_cell(rows, value):
    X, y = rows
    X[7, 2] = value
    picks = HerdingCoreset(budget=6).fit(X, y).sample_indices_
    assert len(set(picks.tolist())) == len(picks)


QUICK = [
    ClassMeans(),
    GradientMatchingDistiller(budget=2, max_iter=1, random_state=0),
    DistributionMatchingDistiller(budget=2, max_iter=1, random_state=0),
    TrajectoryMatchingDistiller(budget=2, max_iter=1, random_state=0),
    KernelDistiller(budget=2, max_iter=1, random_state=0),
    BilevelDistiller(budget=2, max_iter=1, random_state=0),
    GANSynthesizer(budget=2, max_iter=2, random_state=0),
    StreamingCoreset(budget=2, random_state=0),
]


@pytest.mark.parametrize("model", QUICK, ids=named)
@pytest.mark.filterwarnings("ignore::distillkit.exceptions.DistillkitWarning")
def test_made_rows_stay_within_the_range_of_large_rows(rows, model):
    X, y = rows
    X[7, 2], X[:, 3] = 1e90, 1e80
    model.fit(X, y)
    assert np.isfinite(model.X_distilled_).all()
    np.testing.assert_allclose(model.X_distilled_[:, 3], 1e80, rtol=1e-12)
    preprocessing = model.distilled_.preprocessing
    assert preprocessing is None or np.isfinite(preprocessing.scale).all()


@pytest.mark.parametrize("value", [1e200, -1e300])
def test_a_target_beyond_1e100_is_refused(rows, value):
    X, y = rows[0], rows[0][:, 0].copy()
    y[3] = value
    with pytest.raises(DataError, match=r"y holds the number .*divide y by a power of ten"):
        KMeansCoreset(budget=3).fit(X, y)


def test_rows_whose_squares_vanish_are_refused(rows):
    with pytest.raises(DataError, match=r"the values of X differ by .* at most.*multiply X by a power of ten"):
        KMeansCoreset(budget=3).fit(rows[0] * 1e-200, rows[1])


# ------------------------------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("column", "mean", "deviation"),
    [
        ([1e200, 0.0, 0.0, 0.0], 2.5e199, np.sqrt(3) * 2.5e199),
        ([1.5e308, -1.5e308], 0.0, 1.5e308),
        ([1e-200, 3e-200], 2e-200, 1e-200),
        ([1e16, 1e16 + 2, 1e16 + 4, 1e16 + 6], 1e16 + 4, np.sqrt(5)),  # the mean is rounded to a float64
        ([0.1, 0.1, 0.1], 0.1, 1.0),
        ([1e300, 1e300, 1e300], 1e300, 1.0),
    ],
)
def test_means_and_deviations_are_those_of_exact_arithmetic(column, mean, deviation):
    X = np.array(column)[:, None]
    np.testing.assert_allclose(column_means(X), [mean], rtol=1e-15)
    np.testing.assert_allclose(column_deviations(X), [deviation], rtol=1e-15)
    np.testing.assert_allclose(mean_and_deviation(X[:, 0]), (mean, deviation), rtol=1e-15)
    np.testing.assert_allclose(column_means(X, np.full(len(X), 2.0)), [mean], rtol=1e-15)


@pytest.mark.parametrize("column", [[1e200, 0.0, 1.0], [1.5e308, -1.5e308, 0.0], [1e-200, 3e-200, 7e-200]])
def test_standardized_columns_are_finite_and_can_be_mapped_back(column):
    X = np.column_stack([column, [1.0, 2.0, 4.0]])
    scaling = Preprocessing.standardize(X)
    Z = scaling.transform(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-12)
    size = np.abs(X).max(axis=0)
    np.testing.assert_allclose(scaling.inverse_transform(Z) / size, X / size, atol=1e-12)


@pytest.mark.parametrize(
    "column", [[1e200, 0.0, 1.0, np.nan], [1.5e308, -1.5e308, 0.0, 0.0], [1e-200, 2e-200, 5e-200, 0]]
)
def test_datasets_standardize_any_values(column):
    train = np.column_stack([column, [1.0, 2.0, 3.0, 4.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled, _ = standardize(train, train)
    np.testing.assert_allclose(np.nanmean(scaled, axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(scaled, axis=0), 1, rtol=1e-6)


def test_a_test_value_too_far_for_float32_is_refused():
    train = np.arange(4.0)[:, None]
    with pytest.raises(
        DatasetError, match=r"column 0 holds the value 1e\+200, which is too far from the training rows"
    ):
        standardize(train, np.array([[1e200]]))


def test_new_rows_too_far_for_float32_are_refused_by_networks_and_students(rows):
    from distillkit.nn import NetworkClassifier

    X, y = rows
    far = X.copy()
    far[3, 1] = 1e50
    for model in (
        NetworkClassifier(epochs=1, random_state=0).fit(X, y),
        TeacherStudentDistiller("linear", epochs=1, random_state=0).fit(X, y),
    ):
        with pytest.raises(DataError, match=r"X holds values up to 1e\+50, too far from the training rows for float32"):
            model.predict(far)


def test_evaluation_and_targets_of_students_refuse_values_out_of_range(rows):
    X, y = rows
    small = KCenterCoreset(budget=3).fit(X, y).distilled_
    far, numbers = X.copy(), X[:, 0].copy()
    far[3, 1] = numbers[3] = 1e200
    with pytest.raises(DataError, match=r"column 1 of X holds the value 1e\+200"):
        distillkit.evaluate(small, far, y, evaluators=["knn"])
    with pytest.raises(DataError, match=r"y holds the number 1e\+200"):
        TeacherStudentDistiller("linear", task="regression", epochs=1).fit(X, numbers)


@pytest.mark.parametrize("metric", ["wasserstein", "sliced_wasserstein"])
@pytest.mark.parametrize("exponent", [600, -600])
def test_transport_metrics_are_in_the_units_of_the_rows_at_any_scale(rows, metric, exponent):
    X, y = rows
    compare = getattr(metrics, metric)
    expected = compare(X, y, distillkit.DistilledSet(X[::5], y[::5]))
    scaled = np.ldexp(X, exponent)
    found = compare(scaled, y, distillkit.DistilledSet(scaled[::5], y[::5]))
    assert np.ldexp(found, -exponent) == pytest.approx(expected, rel=1e-12)
