"""Threads that work on blocks: one product each, one level, and all as it was afterwards."""

from __future__ import annotations

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from distillkit.neighbors import _threads
from distillkit.neighbors._threads import block_threads, thread_count, within_thread


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 10)
    with threadpool_limits(2):
        yield


def blas_threads():
    # The library inside faiss-cpu counts per thread and multiplies nothing for NumPy.
    pools = [pool for pool in threadpool_info() if "faiss" not in pool["filepath"]]
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


def test_products_are_made_alone_and_the_limit_is_taken_back():
    assert thread_count() == 2
    with block_threads(10) as each:
        assert each is not map
        assert list(each(lambda _: blas_threads(), range(2))) == [{1}, {1}]
    assert blas_threads() == {2}


def test_little_work_and_one_thread_need_no_pool():
    with block_threads(9) as each:
        assert each is map
        assert blas_threads() == {1}  # the bits are those of one thread
    with threadpool_limits(1), block_threads(10) as each:
        assert each is map


def test_a_limit_on_products_alone_counts():
    with threadpool_limits(1, user_api="blas"):
        assert thread_count() == 1


def test_threads_start_no_further_ones():
    def of_block(_):
        with block_threads(10) as inner:
            return inner is map and within_thread()

    with block_threads(10) as each:
        assert all(each(of_block, range(4)))
    assert not within_thread()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_drops_the_blocks_not_begun(error):
    begun = []

    def of_block(number):
        begun.append(number)
        threading.Event().wait(0.01)
        return number

    def work():
        with block_threads(10) as each:
            for _ in each(of_block, range(500)):
                raise error

    with pytest.raises(error):
        work()
    assert len(begun) < 100
    assert blas_threads() == {2}
