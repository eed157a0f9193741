"""K-means of dask arrays against k-means of the same rows in memory."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from distillkit.exceptions import DataError, MissingPackageError
from distillkit.neighbors import dask_kmeans, kmeans
from distillkit.neighbors._chunk_steps import describe_chunk, merged, sample_chunk
from distillkit.neighbors._chunked_kmeans import _rough

array = pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def _in_this_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def mixture(n=40_000, d=20, k=30, seed=0):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(k, d)) * 3
    return (centers[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def in_chunks(X, rows=7_000):
    return array.from_array(X, chunks=(rows, *X.shape[1:]))


def cost(X, centers, weights=None):
    squares = ((X**2).sum(axis=1)[:, None] - 2 * X @ centers.T + (centers**2).sum(axis=1)).min(axis=1)
    return float(squares.sum() if weights is None else squares @ weights)


@pytest.mark.parametrize("d", [3, 20])
def test_the_cost_is_that_of_one_process(d):
    X = mixture(d=d)
    result = dask_kmeans(in_chunks(X), 25, seed=1)
    alone = kmeans(X, 25, seed=1, device="cpu")
    assert result.inertia <= alone.inertia * 1.01
    assert result.weights.sum() == len(X)
    # The inertia is that of the clusters by their means: at least that of the nearest centroids.
    assert result.inertia == pytest.approx(cost(X.astype(float), result.centroids), rel=1e-3)


def test_few_rows_are_clustered_as_in_memory():
    X = mixture(2_000, 4, 6).astype(np.float64) + 1e6  # a common offset costs no precision
    result = dask_kmeans(in_chunks(X, 300), 6, seed=3, n_init=1)
    alone = kmeans(X, 6, seed=3, device="cpu")
    assert result.inertia == pytest.approx(alone.inertia, rel=1e-6)
    order, expected = np.argsort(result.centroids[:, 0]), np.sort(alone.centroids[:, 0])
    assert np.allclose(result.centroids[order, 0] - 1e6, expected - 1e6, atol=1e-3)


def test_a_weight_counts_as_many_rows():
    rng = np.random.default_rng(0)
    X, weights = mixture(3_000, 4, 5), rng.integers(0, 4, size=3_000)
    result = dask_kmeans(in_chunks(X, 500), 5, weights=weights)
    repeated = kmeans(np.repeat(X, weights, axis=0), 5, device="cpu")
    assert result.n_rows == np.count_nonzero(weights)
    assert result.weights.sum() == weights.sum()
    assert result.inertia == pytest.approx(repeated.inertia, rel=1e-3)


def test_the_result_depends_on_the_seed_but_not_on_the_scheduler():
    import dask

    X = in_chunks(mixture(30_000, 6, 10))
    first, other = dask_kmeans(X, 12, seed=1), dask_kmeans(X, 12, seed=2)
    with dask.config.set(scheduler="threads", num_workers=2):
        again = dask_kmeans(X, 12, seed=1)
    assert np.array_equal(first.centroids, again.centroids)
    assert not np.array_equal(first.centroids, other.centroids)


def test_two_worker_processes_give_the_same_result(tmp_path):
    import dask

    distributed = pytest.importorskip("distributed")
    X = in_chunks(mixture(30_000, 6, 10))
    alone = dask_kmeans(X, 12)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "local_directory": tmp_path}
    with (
        dask.config.set(scheduler=None),
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster) as client,
    ):
        shared = dask_kmeans(X, 12)
        worked = client.run(lambda: "distillkit.neighbors._chunk_steps" in sys.modules)
    assert list(worked.values()) == [True, True]
    assert np.array_equal(shared.centroids, alone.centroids)
    assert shared.inertia == alone.inertia


def test_members_are_the_rows_nearest_to_their_centers():
    X = mixture(5_000, 4, 8)
    result = dask_kmeans(in_chunks(X, 700), 8)
    positions = result.places[:, 0] * 700 + result.places[:, 1]
    assert np.array_equal(X[positions], result.members)
    assert len(set(positions)) == 8
    nearest = ((X[:, None] - result.centroids) ** 2).sum(axis=2).min(axis=0)
    assert np.allclose(((result.members - result.centroids) ** 2).sum(axis=1), nearest, rtol=0.2, atol=0.05)


def test_the_weighted_sample_is_unbiased():
    X = mixture(40_000, 3, 5)
    chunks = [X[:10_000], X[10_000:]]
    described = merged([describe_chunk((chunk, None, None), number, 0) for number, chunk in enumerate(chunks)])
    rough = {None: _rough(described[None], 5, 0)}
    assert rough[None].sample < len(X)
    sums = []
    for seed in range(8):
        sample = merged([sample_chunk((chunk, None, None), n, rough, seed) for n, chunk in enumerate(chunks)])[None]
        assert len(sample.rows) == pytest.approx(rough[None].sample, rel=0.1)
        sums.append([sample.weights.sum(), cost(sample.rows.astype(float), np.zeros((1, 3)), sample.weights)])
    exact = [len(X), cost(X.astype(float), np.zeros((1, 3)))]
    assert np.allclose(np.mean(sums, axis=0), exact, rtol=0.01)


def test_fewer_different_rows_than_clusters():
    X = np.repeat(np.arange(3.0)[:, None], 20, axis=0)
    result = dask_kmeans(in_chunks(X, 7), 5)
    assert result.inertia == 0
    assert set(result.centroids.ravel()) == {0.0, 1.0, 2.0}
    assert (result.weights > 0).all()
    assert result.weights.sum() == 60


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 11}, "k=11 clusters cannot be made of 10 rows"),
        ({"weights": np.ones(9)}, "weight has shape"),
        ({"weights": -np.ones(10)}, r"chunk \d: sample_weight must hold finite numbers"),
        ({"weights": np.zeros(10)}, "X has no rows"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    X = in_chunks(np.arange(20.0).reshape(10, 2), 4)
    with pytest.raises(DataError, match=message):
        dask_kmeans(X, **{"k": 2, **change})


def test_a_chunk_that_is_not_finite_is_named():
    X = np.arange(20.0).reshape(10, 2)
    X[9] = np.nan
    with pytest.raises(DataError, match="chunk 2: X holds NaN or infinity"):
        dask_kmeans(in_chunks(X, 4), 2)


def test_without_dask_the_remedy_is_named(monkeypatch):
    X = in_chunks(np.ones((4, 2)), 2)
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(MissingPackageError, match="pip install"):
        dask_kmeans(X, 2)
