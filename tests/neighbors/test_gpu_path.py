"""The calls that a GPU would get, made to faiss itself on the CPU: a stand-in that only says there is a GPU."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from distillkit.coresets import KMeansCoreset
from distillkit.neighbors import gpu_wanted, kmeans, nearest, neighbor_graph


@pytest.fixture
def calls(monkeypatch):
    """Note what was asked of the GPU, and have the CPU do it."""
    noted, clustering = [], faiss.Kmeans

    def on_cpu(d, k, *, gpu, **options):
        noted.append(("Kmeans", gpu))
        return clustering(d, k, gpu=False, **options)

    def to_gpus(index):
        noted.append(("index", True))
        return index

    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "Kmeans", on_cpu)
    monkeypatch.setattr(faiss, "index_cpu_to_all_gpus", to_gpus, raising=False)
    return noted


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(600, 30))


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_k_means_is_faiss_with_a_gpu(rows, device, calls):
    weights = np.random.default_rng(1).uniform(1, 2, size=600)
    found = kmeans(rows, 12, weights=weights, max_iter=100, device=device)
    assert (calls, found.backend) == ([("Kmeans", True)], "faiss-gpu")
    means = [np.average(rows[found.labels == c], axis=0, weights=weights[found.labels == c]) for c in range(12)]
    np.testing.assert_allclose(found.centroids, means, atol=1e-4)


def test_the_gpu_and_the_products_of_the_cpu_take_the_same_steps(rows, calls):
    gpu, cpu = (kmeans(rows, 12, max_iter=3, device=device) for device in ("cuda", "cpu"))
    assert (gpu.backend, cpu.backend) == ("faiss-gpu", "numpy")
    np.testing.assert_array_equal(gpu.labels, cpu.labels)
    np.testing.assert_allclose(gpu.centroids, cpu.centroids, atol=1e-5)


@pytest.mark.parametrize("spherical", [False, True])
def test_steps_one_by_one_give_the_bits_of_a_single_call(rows, spherical, calls):
    options = {"spherical": spherical, "max_iter": 6}
    single, stepped = kmeans(rows, 12, **options), kmeans(rows, 12, **options, should_stop=lambda: False)
    np.testing.assert_array_equal(stepped.centroids, single.centroids)
    assert stepped.n_iter == single.n_iter


def test_cpu_means_no_gpu(rows, calls):
    assert gpu_wanted("cuda")
    assert kmeans(rows, 12, device="cpu").backend == "numpy"
    assert kmeans(rows[:, :4], 12, device="cpu").backend == "faiss"
    assert calls == [("Kmeans", False)]


def test_nearest_rows_are_searched_on_the_gpu(rows, calls):
    _, indices = nearest(rows[:50], rows, 7)
    np.testing.assert_array_equal(indices, np.argsort(cdist(rows[:50], rows), axis=1)[:, :7])
    assert calls == [("index", True)]


def test_so_are_graphs(rows, calls):
    graph = neighbor_graph(rows, 7)
    expected = np.sort(np.argsort(cdist(rows, rows), axis=1)[:, :7], axis=1)
    np.testing.assert_array_equal(np.sort(graph.indices, axis=1), expected)
    assert (calls, graph.backend) == ([("index", True)], "faiss-gpu")


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_coreset_names_the_gpu_as_what_computed(rows, device, calls):
    y = np.arange(600) % 3
    model = KMeansCoreset(budget=5, device=device, random_state=0).fit(rows, y)
    assert {step["backend"] for step in model.history_} == {"faiss-gpu"}
    assert model.distilled_.provenance["backends"] == ["faiss-gpu"]
    assert calls == [("Kmeans", True)] * 3
