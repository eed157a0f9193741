"""Standard errors over splits, and over seeds and test rows, against closed forms and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from distillkit.bench.leaderboard._joint_samples import CrossedSample, Estimate, SplitSample
from distillkit.bench.leaderboard._rank_intervals import rank_intervals
from distillkit.bench.leaderboard._resampled_scores import ResampledRows
from distillkit.bench.leaderboard._stats import student_quantile


def one_seed(values: list[float]) -> dict[int, dict[int, float]]:
    return {split: {split: value} for split, value in enumerate(values)}


def crossed(tables: dict[str, np.ndarray], one_row: float = 1e-9, seed: int = 0) -> CrossedSample:
    """Build a sample from residuals (seeds, rows), whose metric is their mean."""
    n = next(iter(tables.values())).shape[1]
    weights = ResampledRows(np.zeros(n), seed).weights / n
    scores = {name: {s: row @ weights for s, row in enumerate(table)} for name, table in tables.items()}
    values = {name: {s: float(row.mean()) for s, row in enumerate(table)} for name, table in tables.items()}
    return CrossedSample(scores, values, n, one_row)


def holds(estimate: Estimate | None, truth: float) -> bool:
    assert estimate is not None
    return abs(estimate.value - truth) <= student_quantile(0.95, estimate.dof) * estimate.error


# over splits


def test_one_seed_a_split_gives_the_variance_of_nadeau_and_bengio() -> None:
    values = [0.81, 0.84, 0.78, 0.9]
    found = SplitSample({"a": one_seed(values)}, 25, 75, 0.01).mean("a")
    assert found is not None
    assert (found.value, found.dof) == (pytest.approx(np.mean(values)), 3)
    assert found.error == pytest.approx(math.sqrt((1 / 4 + 25 / 75) * np.var(values, ddof=1)))


def test_the_variance_of_seeds_is_not_taken_to_be_shared_by_splits() -> None:
    rng = np.random.default_rng(0)
    table = 0.8 + rng.normal(0, 0.05, (6, 4))  # splits x seeds, which differ by their seeds alone
    found = SplitSample({"a": {k: dict(enumerate(row)) for k, row in enumerate(table)}}, 25, 75, 1e-9).mean("a")
    assert found is not None
    between, within = np.var(table.mean(axis=1), ddof=1), np.mean(np.var(table, axis=1, ddof=1)) / 4
    assert found.error**2 == pytest.approx(between / 6 + max(between - within, 1e-18) / 3)


def test_differences_are_paired_by_split_and_by_seed_where_both_have_the_same() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(0.7, 0.1, (5, 3))
    noise = rng.normal(0, 0.01, (5, 3))
    tables = {"a": base + 0.05 + noise, "b": base}
    sample = SplitSample({n: {k: dict(enumerate(r)) for k, r in enumerate(t)} for n, t in tables.items()}, 1, 4, 1e-9)
    found = sample.difference("a", "b")
    assert found is not None
    gains = (tables["a"] - tables["b"]).mean(axis=1)
    between, within = np.var(gains, ddof=1), np.mean(np.var(noise, axis=1, ddof=1)) / 3
    assert found.error**2 == pytest.approx(between / 5 + max(between - within, 1e-18) / 4)
    # A method without randomness has one value a split, and the seeds of the other one remain.
    fixed = {k: {0: 0.9} for k in range(5)}
    mixed = SplitSample({"fixed": fixed, "b": {k: dict(enumerate(r)) for k, r in enumerate(base)}}, 1, 4, 1e-9)
    found = mixed.difference("fixed", "b")
    assert found is not None
    between, within = np.var(base.mean(axis=1), ddof=1), np.mean(np.var(base, axis=1, ddof=1)) / 3
    assert found.error**2 == pytest.approx(between / 5 + max(between - within, 1e-18) / 4)


def test_equal_scores_have_the_error_of_one_test_row() -> None:
    found = SplitSample({"a": one_seed([0.9] * 10)}, 45, 133, 1 / 45).mean("a")
    assert found is not None
    assert found.error == pytest.approx(math.sqrt(1 / 10 + 45 / 133) / 45)
    assert SplitSample({"a": one_seed([0.9])}, 45, 133, 1 / 45).mean("a") is None


# over seeds and rows


def test_one_seed_has_the_error_of_the_test_rows() -> None:
    rng = np.random.default_rng(0)
    correct = (rng.random((1, 400)) < 0.8).astype(float)
    found = crossed({"a": correct}).mean("a")
    assert found is not None
    p = correct.mean()
    assert found.error == pytest.approx(math.sqrt(p * (1 - p) / 400), rel=0.06)
    assert found.dof == pytest.approx(399)


def test_rows_that_never_differ_leave_the_error_of_the_seeds() -> None:
    seeds = np.array([0.7, 0.8, 0.85, 0.9, 0.72])
    found = crossed({"a": np.repeat(seeds[:, None], 300, axis=1)}).mean("a")
    assert found is not None
    assert found.error == pytest.approx(seeds.std(ddof=1) / math.sqrt(5), rel=0.06)
    assert found.dof == pytest.approx(4, rel=0.01)


def test_a_perfect_score_has_the_error_of_one_row() -> None:
    found = crossed({"a": np.ones((2, 50))}, one_row=1 / 50).mean("a")
    assert found is not None
    assert found.error == pytest.approx(1 / 50)


def test_intervals_of_seeds_and_rows_hold_as_often_as_they_say() -> None:
    """Scores are a constant plus effects of seeds, of rows, and of both, whose sizes are known."""
    rng = np.random.default_rng(5)
    hits, gains = [], []
    for _ in range(250):
        rows = rng.normal(0, 1, 60)
        tables = {
            name: shift + rng.normal(0, 0.15, (5, 1)) + rows + rng.normal(0, 0.5, (5, 60))
            for name, shift in (("a", 2.0), ("b", 1.5))
        }
        sample = crossed(tables, seed=int(rng.integers(1 << 30)))
        hits.append(holds(sample.mean("a"), 2.0))
        gains.append(holds(sample.difference("a", "b"), 0.5))
    for several in (hits, gains):
        assert 0.90 <= np.mean(several) <= 0.99


def test_what_all_methods_share_cancels_in_a_difference() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 1, 200)
    noise = rng.normal(0, 0.01, (2, 4, 200))
    sample = crossed({"a": rows + noise[0], "b": rows + 0.1 + noise[1]})
    mean, gain = sample.mean("a"), sample.difference("b", "a")
    assert mean is not None
    assert gain is not None
    assert gain.value == pytest.approx(0.1, abs=0.002)
    assert gain.error < mean.error / 30


def test_a_method_without_randomness_is_compared_with_one_of_several_seeds() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(0, 1, 300)
    many = rows + rng.normal(0, 0.2, (6, 1))
    found = crossed({"fixed": rows[None] + 1.0, "many": many}).difference("fixed", "many")
    assert found is not None
    assert found.error == pytest.approx(many.mean(axis=1).std(ddof=1) / math.sqrt(6), rel=0.06)


# ranks


def test_rank_intervals_hold_the_ranks_of_all_methods_as_often_as_they_say() -> None:
    """Four methods are equal and one is better: any of the ranks 2 to 5 is right for the former."""
    rng = np.random.default_rng(7)
    held = {"best": 0, "equal": 0}
    n = 150
    for _ in range(n):
        common = rng.normal(0, 0.05, 10)
        values = {f"m{i}": one_seed(list(0.8 + common + rng.normal(0, 0.02, 10))) for i in range(4)}
        values["best"] = one_seed(list(0.95 + common + rng.normal(0, 0.02, 10)))
        # One test row in a billion training rows: splits are then as good as independent.
        found = rank_intervals(SplitSample(values, 1, 10**9, 1e-9), list(values), 1)
        held["best"] += found["best"] == (1, 1)
        held["equal"] += found["m0"][0] <= 2 and found["m0"][1] == 5
    assert held["best"] == n
    assert held["equal"] / n >= 0.92


@pytest.mark.parametrize("sign", [1, -1])
def test_ranks_follow_the_direction_of_the_metric(sign: int) -> None:
    values = {name: one_seed([mean + 0.001 * k for k in range(6)]) for name, mean in (("a", 0.2), ("b", 0.5))}
    found = rank_intervals(SplitSample(values, 10, 90, 0.001), ["a", "b"], sign)
    assert found == ({"a": (2, 2), "b": (1, 1)} if sign > 0 else {"a": (1, 1), "b": (2, 2)})


def test_the_critical_value_grows_with_the_number_of_methods() -> None:
    """A gain that tells two methods apart is not beyond doubt among twenty."""
    rng = np.random.default_rng(0)
    values = {f"m{i:02}": one_seed(list(0.5 + rng.normal(0, 0.1, 10))) for i in range(20)}
    values["b"] = one_seed(list(0.5 + np.linspace(-0.01, 0.01, 10)))
    gain = stats.t.ppf(0.985, 9) * math.sqrt(1 / 10) * 0.1
    noise = np.array([0.1, -0.1] * 5) * math.sqrt(9 / 10)
    values["a"] = one_seed(list(0.5 + np.linspace(-0.01, 0.01, 10) + gain + noise))
    sample = SplitSample(values, 1, 10**9, 1e-9)
    assert rank_intervals(sample, ["a", "b"], 1) == {"a": (1, 1), "b": (2, 2)}
    assert rank_intervals(sample, list(values), 1)["b"][0] == 1


def test_one_method_alone_has_the_first_rank_and_unknown_errors_give_no_ranks() -> None:
    sample = SplitSample({"a": one_seed([0.5, 0.6]), "b": one_seed([0.5])}, 10, 30, 0.1)
    assert rank_intervals(sample, ["a"], 1) == {"a": (1, 1)}
    assert rank_intervals(sample, ["a", "b"], 1) == {}
