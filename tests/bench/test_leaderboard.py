"""The leaderboard against values worked out by hand and by scipy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean, stdev
from typing import Any

import pandas as pd
import pytest
from scipy import stats as reference

from distillkit.bench.leaderboard import COLUMNS, LeaderboardData, build_leaderboard
from distillkit.bench.leaderboard._stats import holm, nemenyi_cd
from distillkit.specs import MetricSpec, PublishedResult

METRICS = {
    name: MetricSpec(name=name, target=None, stage="prediction", greater_is_better=better)
    for name, better in [("accuracy", True), ("r2", True), ("rmse", False), ("rows", None), ("seconds-train", False)]
}

N_TEST, N_TRAIN = 500, 1500

Board = dict[tuple[str, str], dict[int, float] | list[float] | dict[tuple[int, int], float]]


def cell(method: str, budget: str = "10", seed: int = 0, again: int = 0, **more: Any) -> dict[str, Any]:
    fields = {
        "suite": "test", "dataset": "digits", "dataset_revision": "1", "task": "classification", "modality": "image",
        "method": method, "method_name": method.partition(":")[0], "method_version": 1, "method_params": {}, "kind": "coreset",
        "plugin": "distillkit", "plugin_version": "0.1.0", "budget": budget, "distil_seed": seed, "evaluator": "knn",
        "evaluator_name": "knn", "evaluator_version": 1, "evaluator_params": {}, "eval_seed": again, "label_mode": "hard",
        "split": seed, "n_test": N_TEST, "n_train": N_TRAIN,
    } | more  # fmt: skip
    place = (
        fields[name] for name in ("dataset", "evaluator", "label_mode", "method", "budget", "distil_seed", "eval_seed")
    )
    return {**fields, "key": "/".join(map(str, place))}


def ok(identity: dict[str, Any], metrics: dict[str, float | None], **more: Any) -> dict[str, Any]:
    return {
        **identity,
        "schema": 1,
        "status": "ok",
        "phase": None,
        "error": None,
        "metrics": metrics,
        "n_concurrent": 1,
        "seconds": 1.0,
    } | more


def failed(identity: dict[str, Any], status: str = "timeout", **more: Any) -> dict[str, Any]:
    return ok(identity, {}, status=status, phase="distil", error="stopped after 5 s") | more


def by_key(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in rows}


def board(
    scores: dict[str, list[float | None]], *, metric: str = "accuracy", budget: str = "10", **more: Any
) -> LeaderboardData:
    """Build a board of one comparison: method -> one score per distillation seed, None for a cell that failed."""
    rows = []
    for method, values in scores.items():
        own = "-" if method in ("whole", "class-means") else budget
        for seed, value in enumerate(values):
            identity = cell(method, own, seed, **more)
            rows.append(failed(identity) if value is None else ok(identity, {metric: value}))
    identities = [{name: value for name, value in row.items() if name not in ("status", "metrics")} for row in rows]
    task = more.get("task", "classification")
    return build_leaderboard(identities, by_key(rows), METRICS, title="test", primary={task: metric})


def corrected_t(values: list[float], n_test: int = N_TEST, n_train: int = N_TRAIN) -> tuple[float, float, float]:
    """Return the ends of the interval of Nadeau and Bengio, and the p-value of a mean of zero."""
    error = math.sqrt(1 / len(values) + n_test / n_train) * max(stdev(values), 1 / n_test)
    low, high = reference.t.interval(0.95, len(values) - 1, loc=fmean(values), scale=error)
    return float(low), float(high), float(2 * reference.t.sf(abs(fmean(values)) / error, len(values) - 1))


def line(leaderboard: LeaderboardData, method: str, **where: Any) -> pd.Series:
    found = leaderboard.table[leaderboard.table["method"] == method]
    for name, value in where.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_the_interval_is_over_splits_with_evaluation_seeds_averaged_first() -> None:
    values = {(0, 0): 0.80, (0, 1): 0.84, (1, 0): 0.90, (1, 1): 0.88, (2, 0): 0.86, (2, 1): 0.92}
    rows = [ok(cell("kmeans", seed=seed, again=again), {"accuracy": value}) for (seed, again), value in values.items()]
    found = line(build_leaderboard(rows, by_key(rows), METRICS, title="t"), "kmeans")
    means = [0.82, 0.89, 0.89]
    low, high, _ = corrected_t(means)
    assert found["mean"] == pytest.approx(fmean(means))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, min(high, 1.0)))
    assert (found["interval_from"], found["n_splits"], found["note"]) == ("splits", 3, "")
    assert (found["std"], found["n"], found["done"]) == (pytest.approx(stdev(means)), 3, "6/6")
    within = [stdev([0.80, 0.84]), stdev([0.90, 0.88]), stdev([0.86, 0.92])]
    assert found["std_evaluation"] == pytest.approx(math.sqrt(fmean(s**2 for s in within)))


def test_seeds_of_one_split_are_averaged_before_splits_are_compared() -> None:
    values = {(0, 0): 0.80, (0, 1): 0.90, (1, 2): 0.60, (1, 3): 0.64, (2, 4): 0.71}
    rows = [ok(cell("kmeans", seed=seed, split=split), {"accuracy": value}) for (split, seed), value in values.items()]
    found = line(build_leaderboard(rows, by_key(rows), METRICS, title="t"), "kmeans")
    low, high, _ = corrected_t([0.85, 0.62, 0.71])
    assert found["mean"] == pytest.approx(fmean([0.85, 0.62, 0.71]))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((max(low, 0.0), min(high, 1.0)))
    assert (found["n"], found["n_splits"]) == (5, 3)


def test_one_split_without_stored_predictions_has_a_mean_but_no_interval_and_says_why() -> None:
    found = line(board({"kmeans": [0.9], "random": [0.8]}), "kmeans")
    assert found["mean"] == pytest.approx(0.9)
    assert found["n"] == 1
    names = ("ci_low", "ci_high", "std", "std_evaluation", "p_vs_random", "better_than_random", "rank_low", "rank_high")
    assert all(pd.isna(found[name]) for name in names)
    assert found["vs_random"] == "not tested"
    assert "did not store the predictions" in found["note"]


def test_results_of_earlier_versions_have_no_interval_and_say_why() -> None:
    old = board({"kmeans": [0.9, 0.92], "random": [0.8, 0.79]}, split=None)
    assert old.table["ci_low"].isna().all()
    assert set(old.table["vs_random"]) == {"", "not tested"}
    (panel,) = old.panels()
    assert any("did not store the predictions" in note for note in panel.notes)


def test_ranks_share_ties_follow_the_direction_and_leave_references_out() -> None:
    scores = {"a": [0.1 + 0.2, 0.9], "b": [0.9, 0.3], "c": [0.95, 0.95], "random": [0.1, 0.1], "whole": [0.99, 0.99]}
    ranks = board(scores).table.set_index("method")["rank"]  # 0.1 + 0.2 is not 0.3, and yet a and b are tied
    assert ranks[["c", "a", "b", "random"]].tolist() == [1, 2, 2, 4]
    assert pd.isna(ranks["whole"])
    ranks = board(scores, metric="rmse", task="regression").table.set_index("method")["rank"]
    assert ranks[["random", "a", "b", "c"]].tolist() == [1, 2, 2, 4]


def test_methods_with_missing_cells_rank_behind_and_nothing_is_made_up() -> None:
    leaderboard = board({"best": [0.99, None, 0.99], "fair": [0.5, 0.5, 0.5], "none": [None, None, None]})
    best, none = line(leaderboard, "best"), line(leaderboard, "none")
    assert (best["rank"], best["done"], best["complete"]) == (2, "2/3", False)
    assert best["mean"] == pytest.approx(0.99)
    assert line(leaderboard, "fair")["rank"] == 1
    assert (none["done"], none["statuses"]) == ("0/3", "3 timeout")
    assert pd.isna(none["rank"])
    assert pd.isna(none["mean"])
    assert len(leaderboard.failures) == 4
    assert set(leaderboard.failures["error"]) == {"stopped after 5 s"}


def test_cells_without_a_row_are_pending_not_failed() -> None:
    cells = [cell("kmeans", seed=seed) for seed in range(3)]
    leaderboard = build_leaderboard(cells, by_key([ok(cells[0], {"accuracy": 0.5})]), METRICS, title="t")
    assert (leaderboard.n_planned, leaderboard.n_done, leaderboard.n_ok, len(leaderboard.failures)) == (3, 1, 1, 0)
    assert line(leaderboard, "kmeans")["statuses"] == "1 ok, 2 pending"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.9", True])
def test_a_metric_that_is_no_number_is_a_missing_value(value: Any) -> None:
    found = line(board({"kmeans": [0.5, value] if value is not None else [0.5, math.nan]}), "kmeans")
    assert (found["done"], found["mean"]) == ("1/2", 0.5)


def test_the_test_against_random_is_paired_and_corrected_over_the_whole_page() -> None:
    scores: dict[str, list[float | None]] = {
        "random": [0.70, 0.75, 0.72, 0.80],
        "good": [0.80, 0.84, 0.83, 0.89],
        "same": [0.71, 0.74, 0.72, 0.81],
        "bad": [0.60, 0.64, 0.63, 0.69],
        "few": [0.9, None, None, 0.9],
        "whole": [0.95, 0.95, 0.95, 0.95],
    }
    names = ["good", "same", "bad"]  # incomplete methods have no test, and references take no part
    raw = [corrected_t([a - b for a, b in zip(scores[n], scores["random"], strict=True)])[2] for n in names]  # type: ignore[operator]
    one = board(scores)
    assert [line(one, name)["p_vs_random"] for name in names] == pytest.approx(holm(raw))
    assert [line(one, name)["vs_random"] for name in names] == ["better", "no difference", "worse"]
    assert [line(one, name)["better_than_random"] for name in names] == [True, False, False]
    for name in ("random", "few", "whole"):
        assert pd.isna(line(one, name)["p_vs_random"])
        assert pd.isna(line(one, name)["better_than_random"])
    assert line(one, "few")["vs_random"] == "not tested"
    # A second comparison on the same page makes all of them stricter.
    rows = [
        ok(cell(name, evaluator=evaluator, seed=seed), {"accuracy": value})
        for evaluator in ("knn", "mlp")
        for name in ("random", *names)
        for seed, value in enumerate(scores[name])
        if value is not None
    ]
    two = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    found = [line(two, name, evaluator=e)["p_vs_random"] for e in ("knn", "mlp") for name in names]
    assert found == pytest.approx(holm([*raw, *raw]))


def test_better_means_less_where_less_is_better() -> None:
    found = line(board({"random": [5.0, 5.1, 4.9], "good": [3.0, 3.2, 2.9]}, metric="rmse", task="regression"), "good")
    assert (found["vs_random"], found["better_than_random"], found["rank"]) == ("better", True, 1)


@pytest.mark.parametrize("last", [0.9, 0.9001])
def test_scores_that_hardly_differ_get_the_verdict_of_equal_ones(last: float) -> None:
    """One test row is the least that a score varies by, so that equal scores are not beyond all doubt."""
    leaderboard = board({"random": [0.899, 0.899, 0.899], "kmeans": [0.9, 0.9, last]}, n_test=1000, n_train=3000)
    found = line(leaderboard, "kmeans")
    assert found["vs_random"] == "no difference"
    assert found["p_vs_random"] == pytest.approx(corrected_t([0.001] * 3, 1000, 3000)[2], abs=0.02)
    assert found["ci_high"] - found["ci_low"] > 0.004


@pytest.mark.parametrize("last", [0.05, 0.0501])
def test_gains_that_hardly_differ_get_the_verdict_of_equal_ones(last: float) -> None:
    leaderboard = board({"random": [0.80, 0.70, 0.75], "kmeans": [0.85, 0.75, 0.75 + last]}, n_test=45, n_train=133)
    assert line(leaderboard, "kmeans")["vs_random"] == "no difference"
    assert line(leaderboard, "kmeans")["p_vs_random"] == pytest.approx(corrected_t([0.05] * 3, 45, 133)[2], abs=0.001)


def test_a_method_that_lacks_cells_has_no_verdict_however_good_it_is() -> None:
    leaderboard = board({"random": [0.5] * 5, "kmeans": [0.9, None, 0.9, None, 0.9]})
    found = line(leaderboard, "kmeans")
    assert (found["vs_random"], found["rank"]) == ("not tested", 2)
    assert pd.isna(found["rank_low"])


def test_without_all_cells_of_the_control_nothing_is_tested() -> None:
    leaderboard = board({"random": [0.5, None, 0.5], "kmeans": [0.9, 0.9, 0.9]})
    assert line(leaderboard, "kmeans")["vs_random"] == "not tested"


@pytest.mark.parametrize(("metric", "task", "most"), [("accuracy", "classification", 1.0), ("r2", "regression", 1.0)])
def test_intervals_stay_within_the_range_of_the_metric(metric: str, task: str, most: float) -> None:
    scores: dict[str, list[float | None]] = {"high": [1.0, 0.9, 1.0], "low": [0.02, 0.3, 0.0]}
    leaderboard = board(scores, metric=metric, task=task, n_test=40, n_train=120)
    assert line(leaderboard, "high")["ci_high"] == most
    assert (line(leaderboard, "low")["ci_low"] == 0.0) == (metric == "accuracy")
    assert (line(leaderboard, "low")["ci_low"] < 0.0) == (metric == "r2")  # R2 has no lower bound


def test_methods_that_differ_clearly_have_single_ranks_and_others_share_an_interval() -> None:
    wobble = [0.01, -0.01, 0.005, -0.005, 0.0, 0.01, -0.01, 0.0]
    scores: dict[str, list[float | None]] = {
        "first": [0.9 + w for w in wobble],
        "same-a": [0.6 + w for w in wobble],
        "same-b": [0.6 - w for w in wobble],
        "random": [0.3 + w for w in reversed(wobble)],
        "partial": [*[0.99] * 7, None],
        "whole": [0.95] * 8,
    }
    table = board(scores).table.set_index("method")
    ranks = {
        name: (table.loc[name, "rank_low"], table.loc[name, "rank_high"]) for name in ("first", "same-a", "same-b")
    }
    assert ranks == {"first": (1, 1), "same-a": (2, 3), "same-b": (2, 3)}
    assert (table.loc["random", "rank_low"], table.loc["random", "rank_high"]) == (4, 4)
    assert list(table.index[table["tied_with_best"].fillna(value=False)]) == ["first"]
    assert table.loc[["partial", "whole"], "rank_low"].isna().all()


def test_a_method_tuned_on_the_test_rows_of_a_dataset_has_no_rank_and_no_verdict_there() -> None:
    rows = []
    for dataset in ("digits", "wine"):
        for seed in range(4):
            place: dict[str, Any] = {"seed": seed, "dataset": dataset, "dataset_name": dataset}
            rows.append(ok(cell("random", **place), {"accuracy": 0.5 + 0.01 * seed}))
            rows.append(ok(cell("tuned", tuned_on=["digits"], **place), {"accuracy": 0.9 + 0.01 * seed}))
            rows.append(ok(cell("other", tuned_on="training rows", **place), {"accuracy": 0.8 + 0.01 * seed}))
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    here, there = (line(leaderboard, "tuned", dataset=dataset) for dataset in ("digits", "wine"))
    assert (here["tuned_on_test"], here["vs_random"], here["reference"]) == (True, "not tested", False)
    assert pd.isna(here["rank"])
    assert (there["tuned_on_test"], there["vs_random"], there["rank"]) == (False, "better", 1)
    assert line(leaderboard, "other", dataset="digits")["rank"] == 1
    assert leaderboard.overall[0].left_out == {"tuned": 1}


def test_methods_without_randomness_say_so() -> None:
    rows = [ok(cell("herding", seed=s, deterministic=True), {"accuracy": 0.8}) for s in (0, 1)]
    rows += [ok(cell("random", seed=s), {"accuracy": 0.7}) for s in (0, 1)]
    table = build_leaderboard(rows, by_key(rows), METRICS, title="t").table.set_index("method")
    assert table["deterministic"].to_dict() == {"herding": True, "random": False}


def test_notes_name_splits_shared_rows_and_looks_at_the_test_rows() -> None:
    rows = [
        ok(cell("kmeans", seed=s), {"accuracy": 0.5}, shared_rows=2 + s, data_key=f"d{s}", task_note="") for s in (0, 1)
    ]
    stale = ok(cell("old"), {"accuracy": 0.9})
    leaderboard = build_leaderboard(rows, by_key([*rows, stale]), METRICS, title="t")
    (panel,) = leaderboard.panels()
    assert panel.notes[:3] == [
        "2 splits into training and test rows.",
        "2 to 3 of 500 test rows equal a training row.",
        "3 evaluations on its test rows are stored.",
    ]


def test_the_control_is_the_plain_random_subset_alone() -> None:
    rows = [
        ok(cell("random:other", seed=s, method_params={"replace": True}), {"accuracy": 0.2 + 0.1 * s}) for s in range(3)
    ]
    rows += [ok(cell("kmeans", seed=s), {"accuracy": 0.5}) for s in range(3)]
    assert line(build_leaderboard(rows, by_key(rows), METRICS, title="t"), "kmeans")["vs_random"] == ""


def test_hard_and_soft_labels_evaluators_and_budgets_are_never_compared() -> None:
    rows = [
        ok(cell("kmeans", budget, evaluator=evaluator, label_mode=labels), {"accuracy": 0.5})
        for budget in ("1", "10")
        for evaluator in ("knn", "mlp")
        for labels in ("hard", "soft")
    ]
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    assert leaderboard.table["rank"].tolist() == [1] * 8
    assert len(leaderboard.panels()) == 4


def test_references_belong_to_every_budget() -> None:
    rows = [ok(cell("kmeans", budget), {"accuracy": 0.5}) for budget in ("1", "10")] + [
        ok(cell("whole", "-"), {"accuracy": 0.9})
    ]
    (panel,) = build_leaderboard(rows, by_key(rows), METRICS, title="t").panels()
    assert (panel.budgets, panel.methods, panel.references) == (["1", "10"], ["kmeans"], ["whole"])
    for budget in panel.budgets:
        assert (panel.get("whole", budget) or {})["mean"] == pytest.approx(0.9)
    assert panel.get("kmeans", "50") is None


def test_budgets_are_in_order_of_size() -> None:
    rows = [ok(cell("kmeans", budget), {"accuracy": 0.5}) for budget in ("100", "0.5", "2", "a=1,b=2", "0.05", "10")]
    rows.append(ok(cell("whole", "-"), {"accuracy": 0.5}))
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    assert leaderboard.table["budget"].tolist() == ["2", "10", "100", "0.05", "0.5", "a=1,b=2", "-"]


def test_costs_come_from_metrics_or_from_the_row_itself() -> None:
    rows = [
        ok(
            cell("whole", "-", s),
            {"accuracy": 0.9},
            rows=1000,
            rows_seen=1000,
            bytes=8000,
            bytes_seen=8000,
            seconds_train=2.0 + 2 * s,
        )
        for s in (0, 1)
    ]
    rows += [
        ok(cell("kmeans", seed=s), {"accuracy": 0.8, "rows": 100, "compression-rows": 10.0, "seconds-train": 0.1})
        for s in (0, 1)
    ]
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    whole, kmeans = line(leaderboard, "whole"), line(leaderboard, "kmeans")
    assert (whole["rows"], whole["compression-rows"], whole["compression-bytes"], whole["seconds-train"]) == (
        1000,
        1,
        1,
        3.0,
    )
    assert (kmeans["rows"], kmeans["compression-rows"]) == (100, 10)
    assert kmeans["seconds-train-whole"] == 3.0
    assert pd.isna(kmeans["training-time-reduction"])  # wall-clock seconds of two fits are no measurement
    assert kmeans["gap_to_whole"] == pytest.approx(-0.1)
    assert pd.isna(kmeans["seconds-distil"])


def test_the_whole_set_is_that_of_the_same_data_and_evaluator() -> None:
    rows = [ok(cell("whole", "-", evaluator="mlp"), {"accuracy": 0.9, "seconds-train": 5.0})]
    rows.append(ok(cell("kmeans"), {"accuracy": 0.8, "seconds-train": 0.0}))
    found = line(build_leaderboard(rows, by_key(rows), METRICS, title="t"), "kmeans")
    assert pd.isna(found["seconds-train-whole"])
    assert pd.isna(found["training-time-reduction"])
    assert pd.isna(found["gap_to_whole"])


def test_times_of_cells_run_side_by_side_are_marked_and_memory_is_the_peak() -> None:
    rows = [
        ok(
            cell("kmeans", seed=s),
            {"accuracy": 0.5},
            n_concurrent=1 + s,
            peak_mb=100.0 + s,
            stopped_by="max_seconds",
            peak_mb_distil=90.0 - s,
            peak_mb_evaluate=100.0 + s,
        )
        for s in (0, 1)
    ]
    rows.append(ok(cell("random"), {"accuracy": 0.5}))
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    found = line(leaderboard, "kmeans")
    assert (found["timing_shared"], found["peak_mb"], found["stopped_by"]) == (True, 101.0, "max_seconds")
    assert (found["peak_mb_distil"], found["peak_mb_evaluate"]) == (90.0, 101.0)
    assert pd.isna(line(leaderboard, "random")["peak_mb_distil"])
    assert not line(leaderboard, "random")["timing_shared"]
    assert leaderboard.timing_shared


def test_further_metrics_have_columns_and_clashing_names_are_kept_apart() -> None:
    rows = [ok(cell("kmeans"), {"accuracy": 0.5, "macro-f1": 0.4, "rank": 7.0, "z": 1.0, "bad": None})]
    leaderboard = build_leaderboard(rows, by_key(rows), METRICS, title="t")
    found = line(leaderboard, "kmeans")
    assert (found["accuracy"], found["macro-f1"], found["metric.rank"], found["rank"]) == (0.5, 0.4, 7.0, 1)
    assert {"accuracy", "macro-f1", "metric.rank", "z", "rows"} <= set(leaderboard.metric_columns)
    assert "bad" not in leaderboard.table.columns


def test_skipped_cells_are_listed_with_reason_and_counted_apart() -> None:
    planned = [cell("gan", seed=s, skip="gan does images only") for s in (0, 1)]
    old = [cell("kmeans:x"), cell("random")]
    rows = [ok(old[0], {}, status="skipped", error="needs faiss"), ok(old[1], {"accuracy": 0.5})]
    leaderboard = build_leaderboard([*planned, *old], by_key(rows), METRICS, title="t")
    assert leaderboard.skipped[["method", "cells", "reason"]].to_numpy().tolist() == [
        ["gan", 2, "gan does images only"],
        ["kmeans:x", 1, "needs faiss"],
    ]
    assert (leaderboard.n_planned, leaderboard.n_done, leaderboard.n_ok, leaderboard.n_skipped) == (1, 1, 1, 3)
    assert leaderboard.table["method"].tolist() == ["random"]
    assert leaderboard.failures.empty


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory", "crashed"])
def test_every_kind_of_failure_is_a_line_with_its_cause(status: str) -> None:
    row = failed(cell("kmeans", seed=3), status, seconds=2.5)
    (record,) = build_leaderboard([row], by_key([row]), METRICS, title="t").failures.to_dict("records")
    names = ("method", "distil_seed", "status", "phase", "error", "seconds", "key")
    assert tuple(record[name] for name in names) == (
        "kmeans",
        3,
        status,
        "distil",
        "stopped after 5 s",
        2.5,
        row["key"],
    )


def test_rows_of_no_planned_cell_and_unused_environments_are_left_out() -> None:
    row, stale = (
        ok(cell("kmeans"), {"accuracy": 0.5}, environment="e1"),
        ok(cell("old"), {"accuracy": 0.9}, environment="e2"),
    )
    leaderboard = build_leaderboard(
        [row], by_key([row, stale]), METRICS, title="t", environments={"e1": {"a": 1}, "e2": {}}
    )
    assert [kept["key"] for kept in leaderboard.rows] == [row["key"]]
    assert leaderboard.environments == {"e1": {"a": 1}}


def test_an_empty_plan_gives_an_empty_board_with_all_columns() -> None:
    leaderboard = build_leaderboard([], {}, METRICS, title="t")
    assert leaderboard.table.empty
    assert set(COLUMNS) <= set(leaderboard.table.columns)
    assert leaderboard.panels() == []
    assert not leaderboard.timing_shared


# average ranks


def many(
    datasets: int, shifts: dict[str, float], *, budgets: tuple[str, ...] = ("1",), noise: float = 0.0, **more: Any
) -> LeaderboardData:
    rows = []
    for d in range(datasets):
        for budget in budgets:
            for i, (method, shift) in enumerate(shifts.items()):
                wobble = noise * math.sin(7 * d + 3 * i + len(budget))
                rows.append(
                    ok(cell(method, budget, dataset=f"d{d}", **more), {"accuracy": 0.5 + 0.01 * d + shift + wobble})
                )
    return build_leaderboard(rows, by_key(rows), METRICS, title="t")


def test_one_comparison_has_no_average_rank() -> None:
    assert many(1, {"a": 0.1, "b": 0.0}).overall == []


def test_average_ranks_are_over_comparisons_with_no_verdict_on_few_datasets() -> None:
    (overall,) = many(5, {"a": 0.2, "b": 0.1, "c": 0.1}, budgets=("1", "10")).overall
    assert (overall.n_comparisons, overall.n_datasets) == (10, 5)
    assert overall.table[["method", "average_rank", "firsts"]].to_numpy().tolist() == [
        ["a", 1.0, 10],
        ["b", 2.5, 0],
        ["c", 2.5, 0],
    ]
    assert overall.verdict.startswith("Too few datasets")
    assert overall.friedman_p is None
    assert overall.table["within_cd"].isna().all()


def test_six_datasets_have_a_friedman_test_and_a_critical_difference() -> None:
    shifts = {"a": 0.30, "b": 0.20, "c": 0.10, "d": 0.0}
    leaderboard = many(8, shifts, noise=0.04)
    (overall,) = leaderboard.overall
    scores = leaderboard.table.pivot_table(index="dataset", columns="method", values="mean")
    assert overall.friedman_p == pytest.approx(reference.friedmanchisquare(*(scores[name] for name in shifts)).pvalue)
    assert overall.friedman_p is not None
    assert overall.friedman_p < 0.05
    assert overall.critical_difference == pytest.approx(nemenyi_cd(4, 8))
    ranks = reference.rankdata(-scores.to_numpy(), axis=1).mean(axis=0)
    assert dict(zip(overall.table["method"], overall.table["dataset_rank"], strict=True)) == pytest.approx(
        dict(zip(scores.columns, ranks, strict=True))
    )
    assert overall.table["within_cd"].tolist() == (overall.table["dataset_rank"] - 1 < nemenyi_cd(4, 8)).tolist()


def test_budgets_of_one_dataset_are_one_vote_not_several() -> None:
    """Ten budgets on six datasets are six blocks: the p-value must not fall with the number of budgets."""
    shifts = {"a": 0.02, "b": 0.01, "c": 0.0}
    one = many(6, shifts, noise=0.0).overall[0]
    ten = many(6, shifts, noise=0.0, budgets=tuple(map(str, range(1, 11)))).overall[0]
    assert one.friedman_p == pytest.approx(ten.friedman_p)


def test_methods_that_never_differ_are_not_told_apart() -> None:
    (overall,) = many(7, {"a": 0.1, "b": 0.1, "c": 0.1}).overall
    assert overall.friedman_p == 1.0
    assert "does not tell" in overall.verdict


def test_two_methods_are_too_few_for_the_test() -> None:
    (overall,) = many(6, {"a": 0.1, "b": 0.0}).overall
    assert "Too few methods" in overall.verdict


def test_methods_missing_somewhere_are_left_out_and_named() -> None:
    rows = [ok(cell(m, dataset=d), {"accuracy": 0.5}) for d in ("x", "y") for m in ("a", "b")]
    rows += [ok(cell("part", dataset="x"), {"accuracy": 0.9}), failed(cell("part", dataset="y"))]
    rows += [ok(cell("whole", "-", dataset=d), {"accuracy": 0.9}) for d in ("x", "y")]
    (overall,) = build_leaderboard(rows, by_key(rows), METRICS, title="t").overall
    assert overall.table["method"].tolist() == ["a", "b"]
    assert overall.left_out == {"part": 1}


def test_nothing_in_common_says_so() -> None:
    rows = [ok(cell("a", dataset="x"), {"accuracy": 0.5}), ok(cell("b", dataset="y"), {"accuracy": 0.5})]
    (overall,) = build_leaderboard(rows, by_key(rows), METRICS, title="t").overall
    assert overall.table.empty
    assert "Fewer than two methods" in overall.verdict


def test_labels_and_tasks_have_averages_of_their_own() -> None:
    rows = [ok(cell("a", dataset=d, label_mode=mode), {"accuracy": 0.5}) for d in "xy" for mode in ("hard", "soft")]
    rows += [ok(cell("a", dataset=d, task="regression", evaluator="ridge"), {"r2": 0.5}) for d in ("u", "v")]
    found = build_leaderboard(rows, by_key(rows), METRICS, title="t").overall
    assert [(one.task, one.label_mode, one.n_comparisons) for one in found] == [
        ("classification", "hard", 2), ("classification", "soft", 2), ("regression", "hard", 2),
    ]  # fmt: skip


# published figures


def figure(**changes: Any) -> PublishedResult:
    fields = {
        "method": "kmeans",
        "dataset": "digits",
        "budget": "10",
        "evaluator": "knn",
        "metric": "accuracy",
        "value": 0.8,
        "source": "a paper",
    }
    return PublishedResult(**(fields | changes))


def compared(
    figures: list[PublishedResult], values: tuple[float, ...] = (0.79, 0.80, 0.82), **more: Any
) -> list[dict[str, Any]]:
    rows = [ok(cell("kmeans:medoids", seed=s, **more), {"accuracy": value}) for s, value in enumerate(values)]
    return build_leaderboard(rows, by_key(rows), METRICS, title="t", published=figures).published.to_dict("records")


@pytest.mark.parametrize("changes", [{"budget": "1"}, {"dataset": "mnist"}, {"metric": "macro-f1"}])
def test_figures_for_other_data_budgets_and_metrics_are_left_out(changes: dict[str, Any]) -> None:
    assert compared([figure(**changes)]) == []


def test_figures_of_methods_that_were_not_run_are_kept_apart() -> None:
    (record,) = compared([figure(method="herding")])
    assert (record["verdict"], record["evaluator"]) == ("not run", None)
    assert math.isnan(record["measured"])


def test_figures_for_the_original_stand_beside_the_recompressed_images() -> None:
    (record,) = compared([figure(dataset="cifar10", protocol="hard labels")], dataset="cifar10-jpeg")
    assert (record["dataset"], record["protocol"], record["verdict"]) == (
        "cifar10-jpeg",
        "hard labels",
        "other protocol",
    )
    assert record["reason"] == "other data: the source has original CIFAR-10"
    assert compared([figure(dataset="cifar10")], dataset="cifar10-jpeg")[0]["verdict"] == "other protocol"
    assert compared([figure(dataset="cifar10")], dataset="mine", dataset_name="cifar10-jpeg")[0]["dataset"] == "mine"
