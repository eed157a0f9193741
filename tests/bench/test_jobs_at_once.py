"""The number of cells that run at the same time decides about the time alone, and not about any result."""

from __future__ import annotations

import numpy as np

from distillkit.bench.execution._run_plan import run_plan
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.bench.results._store import ResultsStore
from distillkit.distilled import DistilledSet

SUITE = """
name = "at-once"
datasets = ["digits"]
methods = [{ name = "gradient-matching", max_iter = 2, inner_steps = 1, network = "mlp", hidden = [16] }]
evaluators = ["knn"]
budgets = [5]
splits = 1
controls = false
seeds = 2
metrics = ["accuracy"]
"""
ARRAYS = ("X", "y", "sample_weight")


def run(folder, jobs):
    """Run a suite and return the accuracy, the numbers of threads and the distilled arrays by seed."""
    with ResultsStore(folder) as store:
        rows = list(run_plan(make_plan(parse_suite(SUITE, "s.toml")), store, jobs=jobs))
    assert [row["status"] for row in rows] == ["ok", "ok"], [row["error"] for row in rows]
    sets = {row["distil_seed"]: DistilledSet.load(folder / row["artefact"]) for row in rows}
    return {
        row["distil_seed"]: (
            row["metrics"]["accuracy"],
            row["threads"],
            sets[row["distil_seed"]].provenance["threads"],
            [getattr(sets[row["distil_seed"]], name) for name in ARRAYS],
        )
        for row in rows
    }


def test_results_are_bit_identical_for_any_number_of_jobs(tmp_path):
    one, two = (run(tmp_path / f"jobs-{jobs}", jobs) for jobs in (1, 2))
    assert one.keys() == two.keys() == {0, 1}
    for seed in one:
        assert one[seed][:3] == two[seed][:3]
        assert one[seed][1] == one[seed][2]["torch"] == 1
        assert set(one[seed][2].values()) == {1}
        for a, b in zip(one[seed][3], two[seed][3], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
