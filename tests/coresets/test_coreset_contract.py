"""What every coreset and control keeps, each with its own reasons to break it."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from distillkit.coresets import (
    ClassMeans,
    FacilityLocationCoreset,
    HerdingCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
    WholeSet,
)
from distillkit.exceptions import BudgetError

BUDGETED = {
    "random": RandomSubset(),
    "kmeans": KMeansCoreset(),
    "kmeans-member": KMeansCoreset(representative="member"),
    "kmeans-spherical": KMeansCoreset(spherical=True),
    "kcenter": KCenterCoreset(),
    "kcenter-random": KCenterCoreset(start="random"),
    "herding": HerdingCoreset(),
    "facility": FacilityLocationCoreset(),
    "facility-sparse": FacilityLocationCoreset(n_neighbors=12),
    "facility-cosine": FacilityLocationCoreset(metric="cosine"),
    "lightweight": LightweightCoreset(),
    "sensitivity": SensitivityCoreset(n_clusters=3),
}
FIXED = {"class-means": ClassMeans(), "whole": WholeSet()}
PICKING = (*(name for name in BUDGETED if name not in ("kmeans", "kmeans-spherical")), "whole")
SEEDED = ("random", "kmeans", "kmeans-member", "kcenter-random", "lightweight", "sensitivity")
RANKED = ("kcenter", "herding", "facility", "facility-sparse", "facility-cosine")
DIRECTIONS = ("kmeans-spherical", "facility-cosine")
# tests/test_contract.py runs scikit-learn's checks on the other configurations
CHECKED_HERE = ("kmeans-spherical", "kcenter-random", "facility-sparse", "facility-cosine", "sensitivity")

budgeted = pytest.mark.parametrize("name", BUDGETED)
every = pytest.mark.parametrize("name", [*BUDGETED, *FIXED])
picking = pytest.mark.parametrize("name", PICKING)


def make(name, **params):
    model = clone({**BUDGETED, **FIXED}[name])
    if "random_state" in model.get_params():
        params.setdefault("random_state", 0)
    return model.set_params(**params)


def other_row_counts(estimator):
    """Checks that hold `fit_transform(X) == fit(X).transform(X)`, which a distiller must not."""
    reason = "fit_transform returns the distilled rows, transform carries every row"
    return {"check_transformer_general": reason, "check_transformer_data_not_an_array": reason}


@parametrize_with_checks(
    [BUDGETED[name] for name in CHECKED_HERE], expected_failed_checks=other_row_counts, xfail_strict=True
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@budgeted
@pytest.mark.parametrize(
    ("budget", "sizes"), [(1, [1, 1, 1]), (7, [7, 7, 7]), (0.1, [18, 9, 3]), ({0: 5, 1: 1, 2: 30}, [5, 1, 30])]
)
def test_exactly_the_budget_comes_back(name, budget, sizes, table):
    model = make(name, budget=budget).fit(*table)
    assert np.bincount(model.y_distilled_).tolist() == sizes
    assert model.X_distilled_.shape == (sum(sizes), 5)
    assert len(model.distilled_) == sum(sizes)


@every
def test_weights_are_positive_and_sum_to_the_rows_of_each_class(name, table):
    X, y = table
    model = make(name).fit(X, y)
    assert model.sample_weight_.min() > 0
    sums = np.bincount(model.y_distilled_, weights=model.sample_weight_)
    np.testing.assert_allclose(sums, np.bincount(y), rtol=1e-12)


@picking
def test_picked_rows_are_rows_of_the_data_with_their_own_labels(name, table):
    # one library reads features in a shuffled order and then indexes as if it had not: random rows of the class
    X, y = table
    model = make(name).fit(X, y)
    assert len(set(model.sample_indices_.tolist())) == len(model.sample_indices_)
    np.testing.assert_array_equal(model.X_distilled_, X[model.sample_indices_])
    np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])


@every
def test_only_picked_rows_have_indices(name, table):
    assert hasattr(make(name).fit(*table), "sample_indices_") == (name in PICKING)


def test_a_refit_that_makes_rows_forgets_the_indices_of_one_that_picked(table):
    model = KMeansCoreset(representative="member").fit(*table)
    assert not hasattr(model.set_params(representative="centroid").fit(*table), "sample_indices_")


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int16, np.int64])
def test_rows_come_back_in_their_dtype(name, dtype, table):
    X = (20 * np.abs(table[0])).astype(dtype)
    model = make(name).fit(X, table[1])
    is_made = np.dtype(dtype).kind != "f" and not hasattr(model, "sample_indices_")
    assert model.X_distilled_.dtype.kind == "f" if is_made else model.X_distilled_.dtype == dtype
    assert X.min() <= model.X_distilled_.min() <= model.X_distilled_.max() <= X.max()


@every
@pytest.mark.parametrize(
    "labels", [np.array(["one", "two", "three"]), np.array(["b", "c", "a"], dtype=object), np.array([-5, 7, 100])]
)
def test_labels_of_any_kind_come_back_as_they_were(name, labels, table):
    X, y = table
    plain, named = make(name).fit(X, np.argsort(np.argsort(labels))[y]), make(name).fit(X, labels[y])
    np.testing.assert_array_equal(named.X_distilled_, plain.X_distilled_)
    np.testing.assert_array_equal(named.y_distilled_, np.sort(labels)[plain.y_distilled_])
    assert named.y_distilled_.dtype == labels.dtype


@every
def test_two_boolean_classes(name, table):
    X, y = table
    model = make(name).fit(X, y > 0)
    assert model.y_distilled_.dtype == bool
    assert set(model.y_distilled_.tolist()) == {False, True}


@every
def test_without_labels_all_rows_are_one_group(name, table):
    X, _ = table
    model = make(name).fit(X)
    assert model.y_distilled_ is None
    assert len(model.X_distilled_) == {"class-means": 1, "whole": 300}.get(name, 30)
    assert model.sample_weight_.sum() == pytest.approx(300)


@every
def test_a_continuous_target_comes_back_as_numbers(name, numbers):
    X, y = numbers
    model = make(name).fit(X, y)
    assert model.y_distilled_.dtype == np.float64
    assert y.min() <= model.y_distilled_.min() <= model.y_distilled_.max() <= y.max()
    assert len(model.X_distilled_) == {"class-means": 10, "whole": 200}.get(name, 20)
    assert model.sample_weight_.sum() == pytest.approx(200)


@every
@pytest.mark.parametrize("shape", [(5, 1), (1, 5), (1, 5, 1)])
def test_images_and_series_keep_their_shape(name, shape, table):
    X, y = table
    flat, shaped = make(name).fit(X, y), make(name).fit(X.reshape(300, *shape), y)
    assert shaped.X_distilled_.shape[1:] == shape
    np.testing.assert_array_equal(shaped.X_distilled_.reshape(-1, 5), flat.X_distilled_)
    assert shaped.transform(X.reshape(300, *shape)).shape == (300, *shape)


@budgeted
def test_one_row_per_class_and_as_many_as_there_are(name, table):
    X, y = table
    assert sorted(make(name, budget=1).fit(X, y).y_distilled_.tolist()) == [0, 1, 2]
    whole = make(name, budget={0: 180, 1: 90, 2: 30}).fit(X, y)
    np.testing.assert_allclose(np.sort(whole.X_distilled_, axis=0), np.sort(X, axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.sample_weight_, 1)


@budgeted
def test_classes_of_one_row_are_kept(name):
    X, y = np.arange(12.0).reshape(6, 2), np.array(list("abcdef"))
    model = make(name, budget=1).fit(X, y)
    assert sorted(model.y_distilled_.tolist()) == list("abcdef")
    np.testing.assert_allclose(np.sort(model.X_distilled_, axis=0), X)


@budgeted
@pytest.mark.parametrize("y", [None, np.repeat([0, 1], 20), np.repeat([0.5, 1.5], 20)])
def test_equal_rows_still_give_the_whole_budget(name, y):
    X = np.full((40, 3), 0.1)
    model = make(name, budget=7).fit(X, y)
    assert len(model.X_distilled_) == (14 if y is not None and y.dtype.kind == "i" else 7)
    np.testing.assert_allclose(model.X_distilled_, 0.1, rtol=1e-12)
    assert model.sample_weight_.sum() == pytest.approx(40)
    if name in PICKING:
        assert len(set(model.sample_indices_.tolist())) == len(model.sample_indices_)


@pytest.mark.parametrize("name", [name for name in (*BUDGETED, *FIXED) if name not in DIRECTIONS])
def test_a_large_offset_changes_nothing_but_the_offset(name, table):
    X, y = table
    plain, moved = make(name).fit(X, y), make(name).fit(X + 1e6, y)
    np.testing.assert_allclose(moved.X_distilled_ - 1e6, plain.X_distilled_, atol=1e-4)
    np.testing.assert_allclose(moved.sample_weight_, plain.sample_weight_)


@every
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(name, table):
    fits = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fits.append(make(name).fit(*table))
    for attribute in ("X_distilled_", "y_distilled_", "sample_weight_"):
        np.testing.assert_array_equal(getattr(fits[0], attribute), getattr(fits[1], attribute))


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_another_set(name, table):
    assert not np.array_equal(make(name).fit_transform(*table), make(name, random_state=1).fit_transform(*table))


@pytest.mark.parametrize("name", RANKED)
def test_what_is_greedy_needs_no_seed(name, table):
    np.testing.assert_array_equal(
        clone(BUDGETED[name]).fit_transform(*table), clone(BUDGETED[name]).fit_transform(*table)
    )


@pytest.mark.parametrize("name", RANKED)
def test_a_prefix_of_what_is_greedy_is_the_coreset_of_a_smaller_budget(name, table):
    X, y = table
    large = make(name, budget=25).fit(X, y)
    for k in (1, 2, 7, 24):
        small = make(name, budget=k).fit(X, y)
        np.testing.assert_array_equal(large.sample_indices_[: 3 * k], small.sample_indices_)
        np.testing.assert_array_equal(large.distilled_.prefix(k).indices, small.sample_indices_)
    part = make(name, budget={0: 9, 1: 4, 2: 1}).fit(X, y)
    assert set(large.distilled_.prefix({0: 9, 1: 4, 2: 1}).indices) == set(part.sample_indices_)


@pytest.mark.parametrize("name", RANKED)
def test_permuted_rows_give_the_same_rows_in_the_same_order(name, table):
    X, y = table
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(make(name).fit_transform(X, y), make(name).fit_transform(X[order], y[order]))


@budgeted
def test_constant_columns_change_no_pick(name, table):
    X, y = table
    constant = np.hstack([X, np.full((300, 1), 0.0)])
    plain, wide = make(name).fit(X, y), make(name).fit(constant, y)
    np.testing.assert_allclose(wide.X_distilled_[:, :5], plain.X_distilled_, rtol=1e-9)
    assert (wide.X_distilled_[:, 5] == 0).all()


@every
def test_sparse_rows_are_taken_or_refused_by_name(name, table):
    X = scipy.sparse.csr_matrix(np.maximum(table[0], 0))
    if get_tags(make(name)).input_tags.sparse:  # see test_sparse_rows.py
        assert make(name).fit(X, table[1]).transform(X).format == "csr"
        return
    with pytest.raises(TypeError, match=r"[Ss]parse data was passed"):
        make(name).fit(X, table[1])


@every
def test_boolean_columns_are_taken(name, table):
    X = table[0] > 1.5
    model = make(name).fit(X, table[1])
    assert model.X_distilled_.dtype == (bool if hasattr(model, "sample_indices_") else np.float32)
    assert model.sample_weight_.sum() == pytest.approx(300)


@every
def test_text_columns_come_back_as_text(name, table):
    X = pd.DataFrame(table[0][:, :2], columns=["p", "q"]).assign(kind="red")
    rows = make(name).fit(X, table[1]).X_distilled_
    assert list(rows.columns) == ["p", "q", "kind"]
    assert set(rows["kind"]) == {"red"}


@every
def test_the_global_random_state_is_left_alone(name, table):
    before = np.random.get_state()[1].copy()
    make(name).fit(*table)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@every
def test_given_arrays_are_left_alone(name, table):
    X, y = table[0].copy(), table[1].copy()
    X.setflags(write=False)
    make(name).fit(X, y)
    np.testing.assert_array_equal(X, table[0])
    np.testing.assert_array_equal(y, table[1])


@every
def test_clones_and_pickles_do_the_same(name, table):
    model = make(name).fit(*table)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.X_distilled_, model.X_distilled_)
    fresh = clone(again)
    with pytest.raises(NotFittedError):
        fresh.transform(table[0])
    np.testing.assert_array_equal(fresh.fit_transform(*table), model.X_distilled_)


@every
def test_frames_come_back_as_frames(name, table):
    X = pd.DataFrame(table[0], columns=list("pqrst"), index=[f"row {i}" for i in range(300)])
    y = pd.Series(table[1], index=X.index, name="kind")
    model = make(name)
    X_small, y_small = model.fit_resample(X, y)
    assert X_small.columns.tolist() == list("pqrst")
    assert y_small.name == "kind"
    assert X_small.index.tolist() == y_small.index.tolist()
    if name in PICKING:
        pd.testing.assert_frame_equal(X_small, X.iloc[model.sample_indices_])


@every
def test_tensors_come_back_as_tensors(name, table):
    X, y = torch.tensor(table[0], dtype=torch.float32), torch.tensor(table[1])
    X_small, y_small = make(name).fit_resample(X, y)
    assert (X_small.dtype, y_small.dtype) == (torch.float32, torch.int64)
    assert len(X_small) == len(y_small)


@every
def test_new_rows_pass_unchanged(name, table):
    model = make(name).fit(*table)
    np.testing.assert_array_equal(model.transform(table[0][:7]), table[0][:7])


@every
def test_history_is_json_and_steps_are_counted_only_where_there_are_steps(name, table):
    model = make(name).fit(*table)
    json.dumps(model.history_)
    assert hasattr(model, "n_iter_") == name.startswith("kmeans")


@budgeted
def test_more_rows_than_there_are_is_refused(name, table):
    with pytest.raises(BudgetError, match="class 2, which has n_samples = 30"):
        make(name, budget=31).fit(*table)


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gaps_are_refused(name, bad, table):
    X = table[0].copy()
    X[5, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        make(name).fit(X, table[1])


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (KMeansCoreset, {"representative": "median"}),
        (KMeansCoreset, {"target_weight": -1.0}),
        (KMeansCoreset, {"spherical": "yes"}),
        (KMeansCoreset, {"n_init": 0}),
        (KMeansCoreset, {"max_iter": 2.5}),
        (KMeansCoreset, {"max_seconds": 0}),
        (KMeansCoreset, {"device": "tpu"}),
        (KMeansCoreset, {"task": "ranking"}),
        (KCenterCoreset, {"start": "corner"}),
        (HerdingCoreset, {"target_weight": -1}),
        (HerdingCoreset, {"max_seconds": 0}),
        (FacilityLocationCoreset, {"n_neighbors": 1}),
        (FacilityLocationCoreset, {"metric": "manhattan"}),
        (FacilityLocationCoreset, {"target_weight": -1}),
        (FacilityLocationCoreset, {"device": "tpu"}),
        (LightweightCoreset, {"target_weight": -1}),
        (SensitivityCoreset, {"n_clusters": 0}),
        (SensitivityCoreset, {"target_weight": -1}),
        (KCenterCoreset, {"max_seconds": -1}),
        (ClassMeans, {"bins": 0}),
    ],
)
def test_parameters_are_checked_in_fit_and_not_before(cls, params, table):
    model = cls(**params)
    with pytest.raises(ValueError, match=next(iter(params))):
        model.fit(*table)
