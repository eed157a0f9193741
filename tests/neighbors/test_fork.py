"""k-means in a process that was forked after k-means ran in its parent."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from distillkit import KMeansCoreset

pytest.importorskip("faiss")
if "fork" not in multiprocessing.get_all_start_methods():
    pytest.skip("this system cannot fork processes", allow_module_level=True)


def send_coreset(X, connection):
    connection.send(KMeansCoreset(50, device="cpu", random_state=0).fit(X).X_distilled_)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("n_columns", [2, 8, 16])
def test_a_forked_process_computes_the_same_coreset_and_does_not_wait_for_threads(n_columns):
    X = np.random.default_rng(0).normal(size=(4000, n_columns))
    model = KMeansCoreset(50, device="cpu", random_state=0).fit(X)
    threads = threadpool_limits(2, user_api="openmp")  # faiss is loaded by now
    model.fit(X)
    assert model.distilled_.provenance["backends"] == ["faiss"]
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=send_coreset, args=(X, sending), daemon=True)
    process.start()
    try:
        assert receiving.poll(30), "the forked process hangs"
        np.testing.assert_array_equal(receiving.recv(), model.X_distilled_)
    finally:
        process.kill()
        process.join()
        threads.restore_original_limits()
