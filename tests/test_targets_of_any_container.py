"""Labels and numbers of any container come back as they were, or are refused in the words of the package."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from distillkit import ClassMeans, KMeansCoreset, RandomSubset, TeacherStudentDistiller
from distillkit.exceptions import DataError

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
N = 12
TRUTH = [bool(i % 2) for i in range(N)]
DAYS = [dt.datetime(2020, 1, 1 + i % 2) for i in range(N)]  # noqa: DTZ001 (rows of tables have no zone)
FLOATS = [0.5 * (i % 5) + i for i in range(N)]


@pytest.fixture(name="X")
def rows():
    return np.random.default_rng(0).normal(size=(N, 2))


@pytest.mark.parametrize(
    "y",
    [pd.Series(TRUTH).astype("category"), pd.DataFrame({"k": pd.Series(TRUTH).astype("category")})],
    ids=["series", "frame"],
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_categories_of_truth_values_stay_truth_values(X, y):
    distiller = KMeansCoreset(2, random_state=0)
    labels = distiller.fit_resample(X, y)[1]
    assert distiller.y_distilled_.tolist() == [False, False, True, True]
    assert type(labels) is type(y)
    expected = type(y)(y.iloc[[0, 0, 1, 1]]).reset_index(drop=True)
    (pd.testing.assert_series_equal if isinstance(y, pd.Series) else pd.testing.assert_frame_equal)(labels, expected)


@pytest.mark.parametrize(
    "y",
    [pd.DataFrame({"k": TRUTH}), pl.DataFrame({"k": TRUTH}), pa.table({"k": TRUTH})],
    ids=["pandas", "polars", "arrow"],
)
@pytest.mark.parametrize("distiller", [ClassMeans(), RandomSubset(1, random_state=0)])
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_a_target_frame_gives_a_frame(X, y, distiller):
    labels = distiller.fit_resample(X, y)[1]
    assert type(labels) is type(y)
    assert sorted(np.ravel(labels).tolist()) == [False, True]


@pytest.mark.parametrize("values", [DAYS, [day.date() for day in DAYS], [day - DAYS[0] for day in DAYS]])
@pytest.mark.parametrize(
    "container", [np.asarray, pd.Series, pd.Index, pl.Series, pa.array, lambda y: pd.Series(y).astype("category")]
)
@pytest.mark.parametrize("model", [RandomSubset(2), TeacherStudentDistiller("linear", "linear")])
def test_targets_of_dates_or_durations_are_refused(X, values, container, model):
    with pytest.raises(DataError, match=r"y holds (dates or times|values of type)"):
        model.fit(X, container(values))


def test_a_target_of_lists_is_refused(X):
    with pytest.raises(DataError, match="y holds values of type"):
        RandomSubset(2).fit(X, pl.Series([[1], [2]] * 6))


@pytest.mark.parametrize("index_type", [pa.int8(), pa.int32()])
def test_made_labels_of_a_dictionary_are_a_dictionary(X, index_type):
    y = pa.array([1, 2] * 6).dictionary_encode().cast(pa.dictionary(index_type, pa.int64()))
    labels = ClassMeans().fit_resample(X, y)[1]
    assert labels.type == y.type
    assert labels.to_pylist() == [1, 2]


def test_made_targets_beyond_the_categories_are_floats(X):
    distiller = KMeansCoreset(3, random_state=0)
    numbers = distiller.fit_resample(X, pd.Series(FLOATS, dtype="category"))[1]
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, KMeansCoreset(3, random_state=0).fit(X, FLOATS).y_distilled_)
    encoded = pa.array(range(0, 10 * N, 10)).dictionary_encode()
    assert pa.types.is_floating(KMeansCoreset(3, task="regression", random_state=0).fit_resample(X, encoded)[1].type)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
@pytest.mark.parametrize("model", [KMeansCoreset(2), TeacherStudentDistiller("linear", "linear")])
def test_weights_of_an_extreme_sum_are_refused(X, scale, model):
    with pytest.raises(DataError, match=r"the weights sum to .*e[+-](301|299),.* divide them by the largest one"):
        model.fit(X, TRUTH, sample_weight=np.full(N, scale))
