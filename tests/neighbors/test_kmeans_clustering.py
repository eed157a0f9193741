"""k-means against brute force, scikit-learn and its own mathematics; each trap of faiss has a test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info, threadpool_limits

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors import _lloyd, _threads, kmeans
from distillkit.neighbors._lloyd import lloyd


def distances(X, centroids):
    X, centroids = np.asarray(X, dtype=np.float64), np.asarray(centroids, dtype=np.float64)
    return ((X[:, None] - centroids) ** 2).sum(axis=2)


def is_exact(X, found, weights=None):
    """Owner, distances and inertia are those of the final centroids, and no cluster is empty."""
    every = distances(X, found.centroids)
    np.testing.assert_allclose(every[np.arange(len(X)), found.labels], found.squared_distances, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.squared_distances, every.min(axis=1), rtol=1e-4, atol=1e-9)
    assert found.inertia == pytest.approx(
        np.dot(np.ones(len(X)) if weights is None else weights, found.squared_distances)
    )
    assert set(found.labels) == set(range(len(found.centroids)))
    assert found.squared_distances.dtype == found.centroids.dtype == np.float64
    assert found.labels.dtype == np.int64


@pytest.fixture(params=[4, 20], ids=["faiss", "numpy"])
def rows(request):
    """Rows of so many columns that faiss, or NumPy, clusters them on the CPU."""
    return np.random.default_rng(0).normal(size=(600, request.param))


def test_the_optimum_of_a_tiny_set_is_found():
    X = np.random.default_rng(3).normal(size=(9, 2))
    best = min(
        sum(((X[label == c] - X[label == c].mean(axis=0)) ** 2).sum() for c in range(3))
        for label in map(np.array, itertools.product(range(3), repeat=9))
        if len(set(label.tolist())) == 3
    )
    assert kmeans(X, 3, n_init=50, max_iter=50).inertia == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_inertia_is_within_one_percent_of_scikit_learn_at_equal_steps(blobs, seed):
    X, _ = blobs
    ours = kmeans(X, 9, seed=seed, n_init=10, max_iter=10)
    theirs = KMeans(9, n_init=10, max_iter=10, tol=0, random_state=seed).fit(X)
    assert ours.inertia <= 1.01 * theirs.inertia_


def test_inertia_on_rows_without_structure_is_within_one_percent_of_scikit_learn(rows):
    ours = np.mean([kmeans(rows, 30, seed=seed, max_iter=20).inertia for seed in range(16)])
    theirs = [KMeans(30, n_init=1, max_iter=20, tol=0, random_state=seed).fit(rows).inertia_ for seed in range(16)]
    assert ours <= 1.01 * np.mean(theirs)


def test_separated_groups_are_recovered(blobs):
    X, label = blobs
    found = kmeans(X, 9, n_init=20)
    assert len(set(zip(found.labels.tolist(), label.tolist(), strict=True))) == 9
    means = np.array([X[found.labels == c].mean(axis=0) for c in range(9)])
    np.testing.assert_allclose(found.centroids, means, atol=1e-5)


def test_everything_belongs_to_the_final_centroids(rows):
    found = kmeans(rows, 20, max_iter=2)  # far from converged: faiss's own objective would be another number
    is_exact(rows, found)
    assert found.backend == ("faiss" if rows.shape[1] == 4 else "numpy")


def test_no_rows_are_left_out_when_there_are_many_per_cluster():
    # faiss trains on 256 rows per cluster unless told otherwise: the centroid would not be the mean of ALL its rows
    X = np.random.default_rng(1).normal(size=(3000, 2))
    np.testing.assert_allclose(kmeans(X, 1).centroids[0], X.mean(axis=0), atol=1e-6)
    found = kmeans(X, 2, max_iter=200)
    assert found.n_iter < 200
    means = np.array([X[found.labels == c].mean(axis=0) for c in range(2)])
    np.testing.assert_allclose(found.centroids, means, atol=1e-5)


def test_few_rows_per_cluster_print_no_warning(rows, capfd):
    kmeans(rows[:50], 20)  # faiss wants 39 rows per cluster
    assert capfd.readouterr() == ("", "")


def test_inertia_counts_the_weights(rows):
    weights = np.random.default_rng(5).uniform(0, 3, size=len(rows))
    found = kmeans(rows, 7, weights=weights, max_iter=3)
    is_exact(rows, found, weights)


def test_converged_centroids_are_the_weighted_means_of_their_rows(rows):
    weights = np.random.default_rng(5).integers(1, 9, size=len(rows)).astype(float)
    found = kmeans(rows, 5, weights=weights, max_iter=300)
    assert found.n_iter < 300
    for c in range(5):
        own = found.labels == c
        np.testing.assert_allclose(found.centroids[c], np.average(rows[own], axis=0, weights=weights[own]), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_only_ratios_of_weights_matter(rows, scale):
    weights = np.random.default_rng(5).uniform(1, 3, size=len(rows))
    expected = kmeans(rows, 5, weights=weights)
    found = kmeans(rows, 5, weights=weights * scale)
    np.testing.assert_allclose(found.centroids, expected.centroids, atol=1e-5)
    assert found.inertia == pytest.approx(expected.inertia * scale, rel=1e-4)


def test_rows_without_weight_do_not_pull(rows):
    weights = (rows[:, 0] < 0).astype(float)
    found = kmeans(rows, 1, weights=weights)
    np.testing.assert_allclose(found.centroids[0], rows[rows[:, 0] < 0].mean(axis=0), atol=1e-5)


def test_more_starts_never_do_worse_and_steps_are_those_of_one_start(rows):
    one, five = kmeans(rows, 25, max_iter=4), kmeans(rows, 25, max_iter=4, n_init=5)
    assert five.inertia <= one.inertia
    assert five.n_iter <= 4  # faiss's statistics add up over starts


def test_steps_stop_at_convergence():
    X = np.array([[0.0], [0.1], [10.0], [10.1]])
    assert kmeans(X, 2, max_iter=100).n_iter < 10


@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 1e6), (np.float64, -1e9), (np.float32, 1e6)])
def test_a_large_offset_costs_no_precision(blobs, offset, dtype):
    X, label = blobs
    moved = (X + offset).astype(dtype)
    found = kmeans(moved, 9, n_init=20)
    assert len(set(zip(found.labels.tolist(), label.tolist(), strict=True))) == 9
    means = np.array([moved[found.labels == c].mean(axis=0, dtype=np.float64) for c in range(9)])
    np.testing.assert_allclose(found.centroids - offset, means - offset, atol=1e-4)
    is_exact(moved - np.float64(offset), kmeans(moved - np.float64(offset), 9))


@pytest.mark.parametrize("factor", [1e-30, 1e30, 1e100])
def test_sizes_outside_the_range_of_float32_are_no_trouble(blobs, factor):
    X, label = blobs
    found = kmeans(X * factor, 9, n_init=20)
    assert len(set(zip(found.labels.tolist(), label.tolist(), strict=True))) == 9
    assert found.inertia == pytest.approx(kmeans(X, 9, n_init=20).inertia * factor**2, rel=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
def test_dtypes_and_memory_orders_are_taken(dtype):
    X = np.random.default_rng(0).integers(0, 255, size=(80, 6)).astype(dtype)
    expected = kmeans(X.astype(np.float64), 7)
    for variant in (X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        np.testing.assert_array_equal(kmeans(variant, 7).centroids, expected.centroids)
    is_exact(X, expected)


def test_given_rows_are_left_as_they_are(rows):
    before, weights = rows.copy(), np.ones(len(rows))
    kmeans(rows, 10, weights=weights, spherical=True)
    kmeans(rows, 10, weights=weights)
    np.testing.assert_array_equal(rows, before)
    np.testing.assert_array_equal(weights, 1)


def test_as_many_clusters_as_rows_are_the_rows(rows):
    found = kmeans(rows[:9], 9)
    np.testing.assert_array_equal(found.centroids, rows[:9])
    assert (found.inertia, found.n_iter, found.backend) == (0.0, 0, "copy")
    assert found.labels.tolist() == list(range(9))


def test_one_row_is_one_cluster():
    found = kmeans(np.array([[3.0, 4.0]]), 1)
    assert (found.centroids.tolist(), found.inertia) == ([[3.0, 4.0]], 0.0)


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("k", [1, 4, 5, 6, 30, 49, 50])
def test_duplicates_never_leave_a_cluster_empty(k, spherical):
    different = np.random.default_rng(2).normal(size=(5, 3))
    found = kmeans(np.repeat(different, 10, axis=0), k, spherical=spherical)
    counts = np.bincount(found.labels, minlength=k)
    assert counts.min() >= 1
    assert len(found.centroids) == k
    assert (found.inertia < 1e-9) == (k >= 5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_equal_rows_are_shared_out(value):
    found = kmeans(np.full((20, 3), value), 4)
    assert np.bincount(found.labels).tolist() == [5, 5, 5, 5]
    np.testing.assert_allclose(found.centroids, value)
    assert found.inertia == 0


def test_spherical_clusters_by_direction_whatever_the_length():
    rng = np.random.default_rng(0)
    angle = np.repeat([0.3, 2.0, 4.0], 50) + rng.normal(scale=0.05, size=150)
    X = rng.lognormal(sigma=3, size=(150, 1)) * np.column_stack([np.cos(angle), np.sin(angle)])
    found = kmeans(X, 3, spherical=True, n_init=10)
    assert len(set(zip(found.labels.tolist(), np.repeat(range(3), 50).tolist(), strict=True))) == 3
    np.testing.assert_allclose(np.linalg.norm(found.centroids, axis=1), 1, rtol=1e-6)
    cosine = (X / np.linalg.norm(X, axis=1, keepdims=True)) @ found.centroids.T
    np.testing.assert_array_equal(found.labels, cosine.argmax(axis=1))
    np.testing.assert_allclose(found.squared_distances, 2 - 2 * cosine.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("factor", [1e-120, 1e120])
def test_directions_of_very_long_and_short_rows_and_of_zeros_are_finite(factor):
    X = factor * np.random.default_rng(0).normal(size=(40, 3))
    X[7] = 0
    found = kmeans(X, 4, spherical=True)
    assert np.isfinite(found.centroids).all()
    assert np.isfinite(found.inertia)


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("columns", [4, 20, 90])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(spherical, columns, monkeypatch):
    monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 1000)
    X = np.random.default_rng(0).normal(size=(5000, columns)).astype(np.float32)
    results = []
    for threads in (1, 2, 1):
        with threadpool_limits(threads):
            results.append(kmeans(X, 40, seed=11, max_iter=8, spherical=spherical))
    for other in results[1:]:
        np.testing.assert_array_equal(other.centroids, results[0].centroids)
        np.testing.assert_array_equal(other.labels, results[0].labels)
        assert other.inertia == results[0].inertia


def test_another_seed_gives_another_result(rows):
    assert not np.array_equal(kmeans(rows, 20, seed=1).centroids, kmeans(rows, 20, seed=2).centroids)


def test_neither_numpys_random_state_nor_the_thread_pools_are_touched(rows):
    before = np.random.get_state()[1].copy()
    threads = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    kmeans(rows, 10, n_init=2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    after = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert {path: after[path] for path in threads} == threads


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_rows", "k"), [(600, 30), (60, 50), (40, 3)])
def test_steps_one_by_one_give_the_bits_of_a_single_call(rows, n_rows, k, weighted, spherical):
    X, weights = rows[:n_rows], np.random.default_rng(0).uniform(1, 2, size=n_rows) if weighted else None
    single = kmeans(X, k, weights=weights, spherical=spherical, n_init=2)
    stepped = kmeans(X, k, weights=weights, spherical=spherical, n_init=2, should_stop=lambda: False)
    np.testing.assert_array_equal(stepped.centroids, single.centroids)
    assert (stepped.n_iter, stepped.inertia) == (single.n_iter, single.inertia)


def asked_by_the_start(rows, k):
    asked = []
    kmeans(rows, k, max_iter=1, should_stop=lambda: bool(asked.append(1)))
    return len(asked)


def test_a_stop_keeps_the_steps_done(rows):
    answers = iter([False] * (asked_by_the_start(rows, 30) + 2) + [True])
    stopped = kmeans(rows, 30, should_stop=lambda: next(answers))
    assert stopped.n_iter == 3
    np.testing.assert_array_equal(stopped.centroids, kmeans(rows, 30, max_iter=3).centroids)


def test_a_stop_from_the_first_moment_still_leaves_one_step_of_one_start(rows):
    asked = []
    stopped = kmeans(rows, 30, n_init=5, should_stop=lambda: not asked.append(1))
    assert (stopped.n_iter, len(asked)) == (1, 3)  # the start, the step after it, the next start
    is_exact(rows, stopped)


def test_nobody_is_asked_to_stop_what_has_ended():
    asked = []
    kmeans(np.arange(10.0)[:, None], 1, max_iter=1, should_stop=lambda: bool(asked.append(1)))
    assert asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"k": 0}, "k=0 clusters cannot be made of 10 rows"),
        ({"k": 11}, "k=11 clusters cannot be made of 10 rows"),
        ({"seed": -1}, "seed=-1 is out of range"),
        ({"seed": 2**31}, "seed=2147483648 is out of range"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"n_init": 0}, "n_init=0"),
        ({"weights": np.ones(9)}, "weights must be 10 finite numbers"),
        ({"weights": np.zeros(10)}, "weights must be 10"),
        ({"weights": -np.ones(10)}, "none negative"),
        ({"weights": np.full(10, np.nan)}, "weights must be 10 finite"),
        ({"device": "tpu"}, "device='tpu'"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(arguments, said):
    with pytest.raises(DataError, match=said):
        kmeans(np.arange(20.0).reshape(10, 2), **{"k": 2, **arguments})


def test_rows_with_gaps_are_refused_before_faiss_sees_them():
    with pytest.raises(DataError, match="NaN or infinity"):
        kmeans(np.array([[0.0], [np.nan]]), 1)


class TestLloyd:
    """Steps by NumPy's products."""

    @staticmethod
    def steps(X, centres, *, weights=None, spherical=False, max_iter=20, should_stop=None):
        return lloyd(X, centres, weights, max_iter=max_iter, spherical=spherical, should_stop=should_stop)

    def test_a_centre_without_rows_moves_to_the_row_farthest_from_its_own(self):
        X = np.array([[-1.0], [-0.9], [0.9], [1.0]], dtype=np.float32)
        centres, labels, _ = self.steps(X, np.array([[0.0], [9.0]], dtype=np.float32))
        np.testing.assert_allclose(np.sort(centres.ravel()), [-0.95, 0.95], rtol=1e-6)
        assert labels[0] == labels[1] != labels[2] == labels[3]

    def test_a_row_without_weight_draws_no_centre(self):
        X = np.array([[-1.0], [-0.9], [0.9]], dtype=np.float32)
        centres, _, _ = self.steps(
            X, np.array([[0.0], [9.0]], dtype=np.float32), weights=np.array([1.0, 1.0, 0.0]), max_iter=1
        )
        assert centres.ravel().tolist() == pytest.approx([-0.95, -1.0])

    def test_a_step_is_that_of_scikit_learn(self):
        X = np.random.default_rng(0).normal(size=(400, 30)).astype(np.float32)
        weights = np.random.default_rng(1).uniform(size=400)
        for steps in (1, 2, 5):
            ours, labels, done = self.steps(X, X[:12], weights=weights, max_iter=steps)
            theirs = KMeans(12, init=X[:12].astype(np.float64), n_init=1, max_iter=steps, tol=0).fit(X, None, weights)
            np.testing.assert_allclose(ours, theirs.cluster_centers_, atol=1e-5)
            np.testing.assert_array_equal(labels, theirs.labels_)
            assert done == steps

    def test_sums_that_follow_the_rows_that_moved_are_those_of_all_rows(self, monkeypatch):
        X = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32)
        weights = np.random.default_rng(1).uniform(size=2000)
        found = []
        for moved in (-1, 1):  # never, always
            monkeypatch.setattr(_lloyd, "_MAX_UPDATED", moved)
            found.append(self.steps(X, X[:30], weights=weights, max_iter=15))
        (full, labels, _), (followed, other, _) = found
        np.testing.assert_array_equal(other, labels)
        np.testing.assert_allclose(followed, full, atol=1e-6)

    def test_a_fixed_point_ends_it(self):
        X = np.array([[0.0], [0.1], [0.8], [0.9]], dtype=np.float32)
        assert self.steps(X, X[[0, 2]])[2] == 1


@pytest.mark.usefixtures("no_faiss")
class TestWithoutFaiss:
    """Without faiss only the GPU, and some speed, is lost."""

    pytestmark = pytest.mark.filterwarnings("ignore:faiss cannot be used")

    def test_it_says_so(self, rows):
        with pytest.warns(DistillkitWarning, match="faiss cannot be used"):
            assert kmeans(rows, 5).backend == "numpy"

    def test_separated_groups_are_recovered(self, blobs):
        X, label = blobs
        found = kmeans(X + 1e6, 9, n_init=10)
        assert len(set(zip(found.labels.tolist(), label.tolist(), strict=True))) == 9

    def test_on_the_cpu_nothing_is_said(self, rows, recwarn):
        assert kmeans(rows, 5, device="cpu").backend == "numpy"
        assert not recwarn.list

    def test_the_steps_are_those_with_faiss(self, rows, monkeypatch):
        without = kmeans(rows, 20, seed=3, max_iter=3)
        monkeypatch.undo()
        np.testing.assert_allclose(without.centroids, kmeans(rows, 20, seed=3, max_iter=3).centroids, atol=1e-4)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_everything_belongs_to_the_final_centroids(self, rows, weighted):
        weights = np.random.default_rng(1).uniform(1, 2, size=len(rows)) if weighted else None
        is_exact(rows, kmeans(rows, 20, max_iter=3, weights=weights), weights)

    def test_spherical_centroids_have_length_one_and_own_the_rows_nearest_in_direction(self, rows):
        found = kmeans(rows, 6, spherical=True)
        np.testing.assert_allclose(np.linalg.norm(found.centroids, axis=1), 1, rtol=1e-6)
        cosine = (rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ found.centroids.T
        np.testing.assert_allclose(cosine[np.arange(len(rows)), found.labels], cosine.max(axis=1), atol=1e-6)

    @pytest.mark.parametrize("k", [4, 5, 6, 30])
    def test_duplicates_never_leave_a_cluster_empty(self, k):
        X = np.repeat(np.random.default_rng(2).normal(size=(5, 3)), 10, axis=0)
        assert np.bincount(kmeans(X, k).labels, minlength=k).min() >= 1

    def test_a_stop_keeps_the_steps_done(self, rows):
        answers = iter([False] * (asked_by_the_start(rows, 30) + 1) + [True])
        assert kmeans(rows, 30, should_stop=lambda: next(answers)).n_iter == 2

    def test_the_same_seed_gives_the_same_bits(self, rows):
        np.testing.assert_array_equal(kmeans(rows, 9, seed=4).centroids, kmeans(rows, 9, seed=4).centroids)
        assert not np.array_equal(kmeans(rows, 9, seed=4).centroids, kmeans(rows, 9, seed=5).centroids)
