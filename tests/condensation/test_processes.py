"""Fits that two processes of torch.distributed share, against fits of one process."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import distributed

from distillkit.condensation.processes._open import open_processes
from distillkit.condensation.processes._processes import Processes
from distillkit.exceptions import DataError

pytestmark = pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")

SCRIPT = Path(__file__).with_name("shared_fit.py")


def script():
    """Import the script, which is no test and in no package."""
    spec = importlib.util.spec_from_file_location("shared_fit", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared_fit = script()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def both(folder):
    """The outcomes of all cases in the first and in the second process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    processes = [
        subprocess.Popen([sys.executable, SCRIPT, folder, str(rank)], stderr=subprocess.PIPE, env=environment)
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    return [pickle.loads((folder / f"{rank}.pkl").read_bytes()) for rank in range(2)]


def without_seconds(history):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in history]


@pytest.mark.parametrize("name", shared_fit.EQUAL)
def test_the_result_is_that_of_one_process(both, name):
    alone = shared_fit.outcome_of(shared_fit.EQUAL[name])
    shared = both[0][name]
    assert np.allclose(shared["X"], alone["X"], rtol=1e-4, atol=1e-5)
    assert not np.array_equal(alone["X"][0], alone["X"][1])
    assert (shared["n_iter"], shared["stopped_by"]) == (alone["n_iter"], alone["stopped_by"])
    for record, expected in zip(without_seconds(shared["history"]), without_seconds(alone["history"]), strict=True):
        assert record == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", [*shared_fit.EQUAL, "unseeded", "time", "memory", "saved"])
def test_all_processes_get_the_same_result_to_the_bit(both, name):
    first, second = (outcomes[name] for outcomes in both)
    assert np.array_equal(first["X"], second["X"])
    assert first["history"] == second["history"]  # the seconds included: one clock counts for both
    assert (first["n_iter"], first["stopped_by"]) == (second["n_iter"], second["stopped_by"])


def test_the_first_process_decides_when_time_is_over(both):
    assert both[0]["time"]["stopped_by"] == both[1]["time"]["stopped_by"] == "max_seconds"
    assert both[0]["time"]["n_iter"] > 0


@pytest.mark.parametrize(("name", "failed"), [("error", 1), ("first-error", 0), ("validation", 0), ("packing", 1)])
def test_an_error_of_one_process_ends_the_fit_in_all(both, name, failed):
    assert both[failed][name]["error"] == "ValueError"
    other = both[1 - failed][name]
    assert other["error"] == "ProcessGroupError"
    assert other["message"] == f"process {failed} of 2 failed: ValueError: the matching is broken"


def test_a_result_that_cannot_be_sent_ends_the_fit_in_all(both):
    assert "error" in both[0]["pickling"]
    assert both[1]["pickling"]["error"] == "ProcessGroupError"


def test_a_loss_that_is_not_finite_in_one_process_ends_the_fit_of_all_with_the_best_rows(both):
    for outcomes in both:
        assert (outcomes["not-finite"]["stopped_by"], outcomes["not-finite"]["n_iter"]) == ("not_finite", 4)


def test_memory_that_ends_in_one_process_halves_the_batch_of_all(both):
    assert both[0]["memory"]["real_batch"] == both[1]["memory"]["real_batch"] == 10  # of 20 rows per class
    assert both[0]["memory"]["n_iter"] == 6


def test_memory_that_ends_for_good_ends_the_fit_of_all(both):
    for outcomes in both:
        assert outcomes["no-memory"]["error"] == "NotEnoughMemoryError"
        assert "iteration 5" in outcomes["no-memory"]["message"]


def test_ctrl_c_in_one_process_ends_the_fit_of_all_after_the_same_update(both):
    first, second = (outcomes["interrupted"] for outcomes in both)
    assert first["stopped_by"] == second["stopped_by"] == "interrupted"
    assert first["n_iter"] == second["n_iter"] == 3
    assert np.array_equal(first["X"], second["X"])


def test_other_rows_in_one_process_are_refused_by_all(both):
    for outcomes in both:
        assert outcomes["other-rows"]["error"] == "DataError"
        assert "fit with another data: give all of them the same data" in outcomes["other-rows"]["message"]


def test_more_processes_than_groups_are_refused(both):
    assert "2 processes cannot share one group" in both[0]["too-few-classes"]["message"]


def test_processes_none_fits_in_each_process_on_its_own(both):
    assert not np.allclose(both[0]["alone"]["X"], both[1]["alone"]["X"])
    assert np.array_equal(both[0]["alone"]["X"], shared_fit.outcome_of(shared_fit.CASES["alone"])["X"])


def test_only_the_first_process_writes_the_checkpoint_which_one_process_resumes(both, folder):
    assert (folder / "0.run").exists()
    assert not (folder / "1.run").exists()
    alone = shared_fit.outcome_of(shared_fit.checkpoint, folder)
    assert np.array_equal(alone["X"], both[0]["saved"]["X"])
    assert np.array_equal(both[0]["saved"]["X"], both[0]["gradient"]["X"])


def test_without_a_group_a_fit_is_that_of_one_process():
    assert not open_processes("auto").is_shared
    assert not open_processes(None).is_shared


@pytest.mark.parametrize("costs", [[1, 1, 1, 1, 1], [100, 1, 1], [1, 1, 100], [3, 1, 1, 3, 9, 2, 2]])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_shares_are_neighbors_that_together_hold_each_group_once(costs, size):
    shares = []
    for rank in range(size):
        processes = Processes()
        processes.rank, processes.size = rank, size
        shares.append(range(len(costs))[processes.share(costs)])
    assert [number for share in shares for number in share] == list(range(len(costs)))
    assert min(map(len, shares)) >= 1
    if len(set(costs)) == 1:
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_fewer_groups_than_processes_are_refused():
    processes = Processes()
    processes.size = 3
    with pytest.raises(DataError, match="3 processes cannot share 2 groups"):
        processes.share([1.0, 1.0])
