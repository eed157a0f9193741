"""The numbers of threads in the provenance of a distilled set are those that its fit ran with."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from distillkit import DistilledSet, RandomSubset
from distillkit.utils._thread_counts import thread_counts

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2


def threads_of_a_fit():
    return RandomSubset(budget=2, random_state=0).fit(X, Y).distilled_.provenance["threads"]


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("kind", ["blas", "openmp"])
def test_limits_of_the_caller_are_in_the_provenance(kind, number):
    import sklearn.cluster  # noqa: F401 (loads OpenMP)

    before = thread_counts()
    with threadpool_limits(number, user_api=kind):
        assert threads_of_a_fit()[kind] == number
    assert thread_counts() == before, "asking changes nothing"


def test_the_number_of_torch_is_in_the_provenance():
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 2)
        assert threads_of_a_fit()["torch"] == before + 2
    finally:
        torch.set_num_threads(before)


def test_the_numbers_are_saved_with_the_set(tmp_path):
    small = RandomSubset(budget=2, random_state=0).fit(X, Y).distilled_
    small.save(tmp_path / "small.safetensors")
    assert DistilledSet.load(tmp_path / "small.safetensors").provenance["threads"] == small.provenance["threads"]


def test_asking_imports_neither_torch_nor_faiss():
    code = (
        "import sys, numpy; from distillkit.utils._thread_counts import thread_counts; counts = thread_counts(); "
        "assert counts['blas'] >= 1 and 'torch' not in counts, counts; "
        "assert not {'torch', 'faiss', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
