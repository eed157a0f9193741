"""Leaderboards of one test part, whose intervals come from the stored predictions and targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.results._outcomes import encode
from distillkit.bench.results._store import ResultsStore
from distillkit.metrics._specs import metric_specs

METRICS = {spec.name: spec for spec in metric_specs()}
N = 200
TRUE = np.arange(N) % 4
"""True class codes of the test rows."""


def predictions(right: float, seed: int) -> np.ndarray:
    """Return predicted codes, a given share of which is right, on rows that are equally hard for all."""
    rng = np.random.default_rng(seed)
    hardness = np.random.default_rng(99).permutation(N) / N
    return np.where(hardness + rng.normal(0, 0.03, N) < right, TRUE, (TRUE + 1) % 4)


def row(method: str, seed: int, predicted: np.ndarray, metric: str = "accuracy", **more: Any) -> dict[str, Any]:
    value = METRICS[metric].load()(more.pop("true", TRUE), predicted)
    fields = {
        "dataset": "digits", "task": "classification", "evaluator": "knn", "label_mode": "hard", "budget": "10",
        "method": method, "role": "control" if method == "random" else "method", "distil_seed": seed, "eval_seed": 0,
        "split": None, "n_test": len(predicted), "n_train": 1000, "data_key": "data", "status": "ok",
        "outcome": encode(predicted, 4), "metrics": {metric: float(value)},
    } | more  # fmt: skip
    return fields | {"key": f"{method}-{seed}-{fields['eval_seed']}"}


def board(rows: list[dict[str, Any]], true: Any = TRUE, classes: int | None = 4, **more: Any) -> LeaderboardData:
    encoded = {"data": encode(true, classes)}
    return build_leaderboard(rows, {r["key"]: r for r in rows}, METRICS, title="t", targets=encoded.get, **more)


def line(leaderboard: LeaderboardData, method: str) -> Any:
    (found,) = [record for record in leaderboard.table.to_dict("records") if record["method"] == method]
    return found


def test_one_seed_has_an_interval_from_the_test_rows_and_no_verdict() -> None:
    leaderboard = board([row("kmeans", 0, predictions(0.8, 0)), row("random", 0, predictions(0.6, 1))])
    found = line(leaderboard, "kmeans")
    p = found["mean"]
    half = stats.t.ppf(0.975, N - 1) * np.sqrt(p * (1 - p) / N)
    assert found["ci_high"] - p == pytest.approx(half, rel=0.06)
    assert (found["interval_from"], found["note"]) == ("test rows", "")
    assert found["vs_random"] == "not tested"  # how much another seed changes is not known


def test_methods_without_randomness_are_compared_with_the_seeds_of_the_control() -> None:
    rows = [row("random", seed, predictions(0.6, seed)) for seed in range(5)]
    rows.append(row("herding", 0, predictions(0.8, 9), deterministic=True))
    found = line(board(rows), "herding")
    assert (found["vs_random"], found["deterministic"], found["interval_from"]) == ("better", True, "test rows")
    assert (found["rank_low"], found["rank_high"]) == (1, 1)
    assert found["ci_low"] < found["mean"] < found["ci_high"]


def test_differences_are_paired_by_test_rows() -> None:
    """Both methods are right on the same rows, so that a small gain is beyond doubt while the intervals overlap."""
    rows = [row("random", seed, predictions(0.70, seed)) for seed in range(5)]
    rows += [row("kmeans", seed, predictions(0.78, seed + 10)) for seed in range(5)]
    leaderboard = board(rows)
    better, control = line(leaderboard, "kmeans"), line(leaderboard, "random")
    assert better["ci_low"] < control["ci_high"]
    assert better["vs_random"] == "better"
    rng = np.random.default_rng(0)
    shuffled = [
        one | {"outcome": encode(np.where(rng.permutation(np.arange(N) < 140), TRUE, (TRUE + 1) % 4), 4)}
        for one in rows[:5]
    ]
    unpaired = line(board([*shuffled, *rows[5:]]), "kmeans")
    assert unpaired["p_vs_random"] > 10 * better["p_vs_random"]


@pytest.mark.parametrize("metric", ["balanced-accuracy", "macro-f1"])
def test_other_metrics_of_labels_have_intervals_too(metric: str) -> None:
    rows = [row("kmeans", s, predictions(0.8, s), metric) for s in range(3)]
    found = line(board(rows, primary={"classification": metric}), "kmeans")
    assert found["metric"] == metric
    assert 0.02 < found["ci_high"] - found["mean"] < 0.1


def test_numbers_have_intervals_that_may_be_negative_but_do_not_exceed_one() -> None:
    true = np.random.default_rng(0).normal(size=N)
    rows = []
    for name, noise in (("good", 0.05), ("bad", 1.0)):
        for seed in range(3):
            predicted = true + np.random.default_rng(seed).normal(0, noise, N)
            outcome = {"outcome": encode(predicted, None), "task": "regression"}
            rows.append(row(name, seed, predicted, "r2", true=true, **outcome))
    leaderboard = board(rows, true, None)
    good, bad = line(leaderboard, "good"), line(leaderboard, "bad")
    assert good["mean"] < good["ci_high"] <= 1.0
    assert bad["ci_low"] < 0.0
    assert bad["ci_high"] - bad["ci_low"] > 10 * (good["ci_high"] - good["ci_low"])


def test_a_perfect_score_has_an_interval_that_ends_at_one() -> None:
    found = line(board([row("kmeans", s, TRUE) for s in range(3)]), "kmeans")
    assert found["ci_high"] == 1.0
    assert found["ci_low"] == pytest.approx(1 - stats.t.ppf(0.975, N - 1) / N)


def test_targets_are_read_from_the_results_folder(tmp_path: Path) -> None:
    rows = [row("kmeans", s, predictions(0.8, s)) for s in range(3)]
    facts = {"task": "classification", "classes": list("abcd"), "n_train": 1000, "n_test": N, "shared_rows": 0}
    path = ResultsStore(tmp_path).targets_path("data")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(facts | encode(TRUE, 4)), encoding="utf-8")
    by_key = {one["key"]: one for one in rows}
    read = build_leaderboard(rows, by_key, METRICS, title="t", folder=tmp_path)
    assert line(read, "kmeans")["ci_low"] == line(board(rows), "kmeans")["ci_low"]
    missing = build_leaderboard(rows, by_key, METRICS, title="t", folder=tmp_path / "other")
    assert line(missing, "kmeans")["note"].startswith("no interval")


def test_predictions_that_do_not_fit_the_targets_give_a_note() -> None:
    rows = [row("kmeans", 0, predictions(0.8, 0)) | {"outcome": encode(TRUE[:50], 4)}]
    found = line(board(rows), "kmeans")
    assert np.isnan(found["ci_low"])
    assert found["note"].startswith("no interval: 50 predictions are stored for 200 test rows")


def test_evaluation_seeds_are_averaged_before_seeds_are_resampled() -> None:
    rows = [row("kmeans", s, predictions(0.8, 10 * s + e), eval_seed=e) for s in range(3) for e in range(2)]
    found = line(board(rows), "kmeans")
    assert found["n"] == 3
    assert found["mean"] == pytest.approx(np.mean([one["metrics"]["accuracy"] for one in rows]))
    assert found["interval_from"] == "test rows and seeds"
