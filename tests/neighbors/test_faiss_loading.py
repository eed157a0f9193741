"""faiss is loaded late, never silently missed, and asked for GPUs in the one way that is right."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors import _faiss as loading
from distillkit.neighbors import gpu_wanted


def fake_faiss(gpus: int) -> SimpleNamespace:
    """A GPU build: it has `StandardGpuResources` whether or not there is a GPU."""
    return SimpleNamespace(
        get_num_gpus=lambda: gpus, StandardGpuResources=object, ClusteringInitMethod_KMEANS_PLUS_PLUS=1
    )


def test_importing_the_package_does_not_import_faiss():
    code = (
        "import sys, distillkit.neighbors, distillkit.coresets; print('faiss' in sys.modules, 'torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "False"]


def test_faiss_is_found_where_it_is_installed():
    assert loading.load_faiss() is sys.modules["faiss"]


@pytest.mark.usefixtures("no_faiss")
def test_missing_faiss_gives_a_warning_with_a_remedy():
    with pytest.warns(DistillkitWarning, match=r"faiss cannot be used .*NumPy computes instead.*install"):
        assert loading.load_faiss() is None


def test_two_wheels_in_one_folder_are_named_as_the_cause(monkeypatch, no_faiss):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.15.1")
    with pytest.warns(DistillkitWarning, match="uninstall both, then install one"):
        loading.load_faiss()


def test_faiss_without_a_k_means_plus_plus_start_is_too_old(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", SimpleNamespace(__version__="1.9.0"))
    with pytest.warns(DistillkitWarning, match=r"1\.9\.0 is older than 1\.14\.3"):
        assert loading.load_faiss() is None


def test_a_gpu_build_without_a_gpu_computes_on_the_cpu():
    assert loading.gpu_of(fake_faiss(0), "auto") is False


def test_auto_takes_a_gpu_if_there_is_one_and_cpu_never():
    assert loading.gpu_of(fake_faiss(1), "auto") is True
    assert loading.gpu_of(fake_faiss(1), "cuda") is True
    assert loading.gpu_of(fake_faiss(1), "cpu") is False


def test_cuda_without_a_gpu_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", fake_faiss(0))
    with pytest.raises(DataError, match=r"device='cuda' needs a GPU.*use device='auto' or 'cpu'"):
        gpu_wanted("cuda")


@pytest.mark.usefixtures("no_faiss")
def test_cuda_without_faiss_is_refused_and_cpu_does_not_even_look():
    with pytest.warns(DistillkitWarning), pytest.raises(DataError, match="device='cuda'"):
        gpu_wanted("cuda")
    assert gpu_wanted("cpu") is False


def test_another_device_is_refused():
    with pytest.raises(DataError, match="device='tpu' is not known"):
        gpu_wanted("tpu")


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((0, 2)), r"shape \(0, 2\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.zeros((2, 2, 2)), "reshape"),
        (np.array([[1.0, np.nan]]), "NaN or infinity"),
        (np.array([[1.0, np.inf]]), "NaN or infinity"),
        (np.array([[1.0, -np.inf]]), "NaN or infinity"),
        (np.array([[1.0, -1e200]]), "scale its columns"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(X, said):
    with pytest.raises(DataError, match=said):
        loading.as_rows(X)


def test_integers_become_floats_and_floats_are_not_copied():
    assert loading.as_rows([[1, 2]]).dtype == np.float64
    rows = np.ones((2, 2), dtype=np.float32)
    assert loading.as_rows(rows) is rows


@pytest.mark.parametrize("factor", [1e-40, 1e-6, 1.0, 1e6, 1e100])
def test_rows_are_centred_and_scaled_without_losing_digits(factor):
    X = factor * (5 + np.random.default_rng(0).normal(size=(50, 3)))
    origin, scale = loading.origin_and_scale(X)
    small = loading.to_float32(X, origin, scale)
    assert np.log2(scale) == np.round(np.log2(scale))  # a power of two
    assert 0.5 <= np.abs(small).max() <= 1
    np.testing.assert_allclose(small.astype(np.float64) / scale + origin, X, rtol=1e-7)
    assert small.dtype == np.float32
    assert small.flags.c_contiguous


def test_equal_rows_need_no_scale():
    origin, scale = loading.origin_and_scale(np.full((4, 2), 3.0))
    assert np.isfinite(scale)
    assert origin.tolist() == [3.0, 3.0]


def test_blocks_do_not_change_the_conversion(monkeypatch):
    X = np.random.default_rng(1).normal(size=(37, 5))
    origin, scale = loading.origin_and_scale(X)
    whole = loading.to_float32(X, origin, scale)
    monkeypatch.setattr(loading, "BLOCK_BYTES", 200)  # 5 rows at a time
    np.testing.assert_array_equal(loading.to_float32(X, origin, scale), whole)
