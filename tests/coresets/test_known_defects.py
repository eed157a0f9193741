"""Defects found in published code for geometric coresets, each as a test that ours does not have it.

Named after the code that has them: DeepCore, cords, apricot, imbalanced-learn, scikit-activeml, and callers of faiss.
"""

from __future__ import annotations

import inspect
import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_info

from distillkit.base._shown_progress import _shows, progress_of
from distillkit.coresets import (
    FacilityLocationCoreset,
    HerdingCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
)
from distillkit.coresets.geometric._sparse_facility_location import sparse_facility_location
from distillkit.exceptions import BudgetError
from distillkit.neighbors import greedy_k_center, kmeans

EVERY = {
    "kmeans": KMeansCoreset,
    "kcenter": KCenterCoreset,
    "herding": HerdingCoreset,
    "facility-location": FacilityLocationCoreset,
    "lightweight": LightweightCoreset,
    "sensitivity": SensitivityCoreset,
}
PICKING = {name: cls for name, cls in EVERY.items() if name != "kmeans"}
every = pytest.mark.parametrize("cls", EVERY.values(), ids=EVERY)
picking = pytest.mark.parametrize("cls", PICKING.values(), ids=PICKING)


def seeded(cls, **params):
    known = inspect.signature(cls).parameters
    return cls(**params, **({"random_state": 0} if "random_state" in known else {}))


def peak_bytes(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_deepcore_herding_takes_argmax_for_argmin(table):
    # herding.py picks the row FARTHEST from the target, which keeps the mean worse than random rows do
    X, y = table
    herded = HerdingCoreset(budget=6).fit(X, y)
    for c in range(3):
        points = X[y == c]
        ours = np.linalg.norm(herded.X_distilled_[herded.y_distilled_ == c].mean(axis=0) - points.mean(axis=0))
        for seed in range(10):
            random = RandomSubset(6, random_state=seed).fit_transform(points)
            assert ours < np.linalg.norm(random.mean(axis=0) - points.mean(axis=0))


def test_deepcore_k_center_keeps_a_matrix_of_budget_times_rows():
    # kcentergreedy.py: 25,000 x 50,000 float32 are 5 GB; scikit-activeml's CoreSet allocates its matrix anew each time
    X = np.random.default_rng(0).normal(size=(4000, 8)).astype(np.float32)
    few, many = (peak_bytes(lambda k=k: greedy_k_center(X, k, start=0)) for k in (100, 1000))
    assert many < few + 1000 * (8 + 40) * 8 + 4000 * 64 * 8  # not 1000 x 4000 x 4 = 16 MB


@picking
def test_deepcore_greedy_returns_a_mask_so_that_the_ranking_is_lost(cls, table):
    X, y = table
    model = seeded(cls, budget=20).fit(X, y)
    assert model.sample_indices_.dtype.kind == "i"
    if hasattr(model, "ranking_"):
        small = seeded(cls, budget=3).fit(X, y)
        np.testing.assert_array_equal(model.sample_indices_[:9], small.sample_indices_)


def test_deepcore_batched_gains_skip_rows_and_multiply_an_offset():
    # calc_gain_batch: with more candidates than a batch, gains are those of other rows
    X = np.random.default_rng(0).normal(size=(203, 3))  # no multiple of any batch
    distances = cdist(X, X)
    gain = distances.max(axis=1, keepdims=True) - distances
    found = sparse_facility_location(X, 8)
    values = [gain[:, found.picks[: j + 1]].max(axis=1).sum() for j in range(8)]
    np.testing.assert_allclose(np.cumsum(found.gains), values, rtol=1e-7)


@picking
def test_deepcore_weights_are_off_by_one(cls, table):
    # craig.py starts each weight at one and then adds the size of the cluster: weights that do not sum to the rows
    X, y = table
    model = seeded(cls, budget=7).fit(X, y)
    sums = np.bincount(model.y_distilled_, weights=model.sample_weight_)
    np.testing.assert_allclose(sums, np.bincount(y), rtol=1e-12)
    whole = seeded(cls, budget={0: 180, 1: 90, 2: 30}).fit(X, y)
    np.testing.assert_allclose(whole.sample_weight_, 1)


@every
def test_deepcore_seeds_global_generators(cls, table):
    before = np.random.get_state()[1].copy()
    seeded(cls).fit(*table)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@every
def test_deepcore_has_mutable_defaults(cls):
    for parameter in inspect.signature(cls).parameters.values():
        assert isinstance(parameter.default, (int, float, str, bool, type(None))), parameter.name


@every
def test_deepcore_takes_one_namespace_of_all_arguments_and_wants_cuda(cls, table):
    parameters = inspect.signature(cls).parameters
    assert all(each.kind is not each.VAR_KEYWORD for each in parameters.values())
    assert cls().get_params().get("device", "auto") == "auto"
    assert len(seeded(cls).fit(*table).X_distilled_) == 30  # whatever there is to compute on
    if "device" in parameters:
        assert len(seeded(cls, device="cpu").fit(*table).X_distilled_) == 30


@picking
def test_cords_reads_features_in_another_order_than_it_indexes(cls, table):
    # submodularselectionstrategy.py: features in a fresh random order, indexed as if it were kept: random rows
    X, y = table
    order = np.random.default_rng(1).permutation(300)
    model, shuffled = seeded(cls, budget=6).fit(X, y), seeded(cls, budget=6).fit(X[order], y[order])
    for each, rows, labels in ((model, X, y), (shuffled, X[order], y[order])):
        np.testing.assert_array_equal(rows[each.sample_indices_], each.X_distilled_)
        np.testing.assert_array_equal(labels[each.sample_indices_], each.y_distilled_)
    if hasattr(model, "ranking_"):  # nothing is drawn: the very same rows
        np.testing.assert_array_equal(order[shuffled.sample_indices_], model.sample_indices_)


def test_cords_and_apricot_make_a_matrix_of_all_pairs():
    X = np.random.default_rng(0).normal(size=(10_000, 4)).astype(np.float32)
    sparse_facility_location(X[:50], 3, n_neighbors=4)  # what is loaded on first use does not count
    assert (
        peak_bytes(lambda: sparse_facility_location(X, 5, n_neighbors=16)) < 10_000**2 / 2
    )  # float32 pairs are 400 MB


def test_apricot_greedy_by_default_has_no_guarantee():
    # its default samples -ln(0.9) n / k candidates per pick: the guarantee 1 - 1/e - 0.9 is below zero
    X = np.random.default_rng(5).normal(size=(400, 2))
    distances = cdist(X, X)
    gain = distances.max(axis=1, keepdims=True) - distances
    model = FacilityLocationCoreset(budget=10).fit(X)
    best, picks = np.zeros(400), []
    for _ in range(10):
        gains = np.maximum(gain - best[:, None], 0).sum(axis=0)
        picks.append(int(np.argmax(gains >= gains.max() * (1 - 1e-9))))
        best = np.maximum(best, gain[:, picks[-1]])
    assert model.sample_indices_.tolist() == picks  # every candidate is in play at every pick
    assert model.guarantee_ >= 1 - 1 / np.e


@every
def test_apricot_validates_and_converts_in_init_and_sets_results_before_fit(cls):
    model = cls(budget="many")
    assert model.get_params()["budget"] == "many"
    assert set(vars(model)) == set(model.get_params())
    with pytest.raises(ValueError, match="budget"):
        model.fit(np.eye(3))


@every
def test_apricot_has_parameters_without_effect(cls):
    # n_jobs, say: every parameter that there is must be read by the code that computes
    classes = [base for base in cls.__mro__[:-1] if "distillkit" in base.__module__]
    source = "".join(inspect.getsource(part) for part in (*classes, progress_of, _shows))
    for name in inspect.signature(cls).parameters:
        assert len(re.findall(rf"self\.{name}\b(?! =)", source)) or f'"{name}"' in source, name
    assert "n_jobs" not in inspect.signature(cls).parameters


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_apricot_forces_float64(cls, dtype, table):
    assert seeded(cls).fit(table[0].astype(dtype), table[1]).X_distilled_.dtype == dtype


@every
def test_apricot_refuses_rows_of_mixed_sign(cls, table):
    X, y = table
    standardized = (X - X.mean(axis=0)) / X.std(axis=0)
    assert (seeded(cls).fit_transform(standardized, y) < 0).any()


@every
def test_apricot_transform_applies_stored_positions_to_any_rows(cls, table):
    X, y = table
    model = seeded(cls).fit(X, y)
    new = np.random.default_rng(9).normal(size=(300, 5))
    np.testing.assert_array_equal(model.transform(new), new)


@every
def test_apricot_returns_a_tuple_from_fit_transform_with_y(cls, table):
    assert isinstance(seeded(cls).fit_transform(*table), np.ndarray)


@pytest.mark.parametrize("seed", range(20))
def test_imbalanced_learn_snaps_centroids_to_rows_twice_or_of_another_class(seed):
    # ClusterCentroids looked for the nearest of ALL rows (issue 738)
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 3, size=(60, 2)).astype(float), rng.integers(0, 2, size=60)
    model = KMeansCoreset(budget=8, representative="member", random_state=seed).fit(X, y)
    assert len(set(model.sample_indices_.tolist())) == 16
    np.testing.assert_array_equal(y[model.sample_indices_], np.repeat([0, 1], 8))


@picking
def test_imbalanced_learn_loses_positions_and_index_labels(cls, table):
    X = pd.DataFrame(table[0], index=[f"row {i}" for i in range(300)], columns=list("pqrst"))
    model = seeded(cls, budget=4)
    small, _ = model.fit_resample(X, pd.Series(table[1], index=X.index))
    pd.testing.assert_frame_equal(small, X.iloc[model.sample_indices_])


@every
def test_imbalanced_learn_has_no_weights_and_wants_a_dict_for_rows_per_class(cls, table):
    model = seeded(cls, budget=10).fit(*table)
    assert np.bincount(model.y_distilled_).tolist() == [10, 10, 10]
    assert model.sample_weight_.sum() == pytest.approx(300)


@every
def test_imbalanced_learn_takes_classes_only(cls, numbers):
    X, y = numbers
    model = seeded(cls, budget=25).fit(X, y)
    assert model.y_distilled_.dtype == np.float64
    assert len(np.unique(model.y_distilled_)) > 20


def test_callers_of_faiss_let_it_leave_rows_out():
    # its k-means trains on 256 rows per centroid unless told otherwise, without a word
    X = np.random.default_rng(1).normal(size=(3000, 2))
    np.testing.assert_allclose(KMeansCoreset(budget=1).fit_transform(X)[0], X.mean(axis=0), rtol=1e-9)


def test_callers_of_faiss_let_it_warn_on_stderr_of_few_rows(capfd):
    # below 39 rows per centroid, from C++, where no filter of Python reaches
    KMeansCoreset(budget=10, random_state=0).fit(np.random.default_rng(0).normal(size=(60, 2)))
    assert capfd.readouterr() == ("", "")


def test_callers_of_faiss_report_its_objective():
    # it ignores the weights and belongs to the centroids before the last step
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(200, 3)), rng.integers(1, 9, size=200).astype(float)
    found = kmeans(X, 7, weights=weights, max_iter=3)
    squared = cdist(X, found.centroids, "sqeuclidean").min(axis=1)
    assert found.inertia == pytest.approx(weights @ squared, rel=1e-5)


@every
def test_callers_of_faiss_ask_for_more_centroids_than_rows(cls, table, capfd):
    with pytest.raises(BudgetError, match=r"31"):
        seeded(cls, budget=31).fit(*table)  # the smallest class has 30
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("representative", ["centroid", "member"])
def test_callers_of_faiss_get_fewer_centroids_of_equal_rows(representative):
    X = np.repeat(np.eye(4), 6, axis=0)
    model = KMeansCoreset(budget=5, representative=representative, random_state=0).fit(X)
    assert len(model.X_distilled_) == 5
    assert (model.sample_weight_ > 0).all()
    assert model.sample_weight_.sum() == 24


@every
def test_callers_of_faiss_overflow_its_seed(cls, table):
    if "random_state" in inspect.signature(cls).parameters:
        first, second = (cls(random_state=2**32 - 1).fit(*table) for _ in range(2))  # faiss takes the clock for -1
        np.testing.assert_array_equal(first.X_distilled_, second.X_distilled_)


def test_callers_of_faiss_cluster_directions_of_rows_of_any_length():
    rng = np.random.default_rng(0)
    direction = np.repeat(np.eye(3), 40, axis=0) + 0.05 * rng.normal(size=(120, 3))
    X = direction * rng.uniform(0.01, 100, size=(120, 1))
    model = KMeansCoreset(budget=3, spherical=True, random_state=0).fit(X)
    assert sorted(model.sample_weight_.tolist()) == [40, 40, 40]


@every
def test_callers_of_faiss_change_the_threads_of_others(cls, table):
    # faiss.omp_set_num_threads reaches torch, too
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]
    seeded(cls).fit(*table)
    assert (torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]) == before


@every
def test_callers_of_faiss_hand_it_gaps(cls, table, capfd):
    X = table[0].copy()
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        seeded(cls).fit(X, table[1])
    assert capfd.readouterr() == ("", "")  # no trace from C++
