"""What reports say beside the scores: floors, privacy, and comparisons over evaluators and datasets."""

from __future__ import annotations

import io
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.leaderboard._over_datasets import bootstrap_over, win_rates
from distillkit.bench.leaderboard._set_facts import privacy_columns
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters import render_terminal, write_csv, write_html, write_markdown
from distillkit.bench.reporters._sections import SECTIONS
from distillkit.specs import MetricSpec

METRICS = {
    name: MetricSpec(name=name, target=None, stage=stage, greater_is_better=better)
    for name, stage, better in (("accuracy", "prediction", True), ("mmd", "data", False), ("fid", "data", False))
}
SHIFTS = {"random": 0.0, "kmeans": 0.2, "kcenter": -0.1, "whole": 0.4}


def row(method: str, seed: int, *, dataset: str = "d0", evaluator: str = "knn", **more: Any) -> dict[str, Any]:
    wobble = 0.01 * ((3 * seed + len(method) + len(evaluator)) % 4)
    weaker = 0.05 if evaluator == "mlp" and method == "kmeans" else 0.0
    fields: dict[str, Any] = {
        "dataset": dataset, "task": "classification", "evaluator": evaluator, "label_mode": "hard",
        "budget": "-" if method == "whole" else "10", "method": method, "method_name": method, "method_params": {},
        "distil_seed": seed, "eval_seed": 0, "split": seed, "n_test": 400, "n_train": 3600, "rows": 100,
        "rows_seen": 100, "status": "ok", "metrics": {"accuracy": 0.5 + SHIFTS[method] + wobble - weaker},
    } | more  # fmt: skip
    return fields | {"key": "/".join(str(fields[n]) for n in ("dataset", "evaluator", "method", "distil_seed"))}


def board(rows: list[dict[str, Any]]) -> LeaderboardData:
    return build_leaderboard(rows, {one["key"]: one for one in rows}, METRICS, title="t")


def many(datasets: int, evaluators: tuple[str, ...] = ("knn",), **more: Any) -> list[dict[str, Any]]:
    return [
        row(method, seed, dataset=f"d{d}", evaluator=evaluator, **more)
        for d in range(datasets)
        for evaluator in evaluators
        for method in SHIFTS
        for seed in range(3)
    ]


def with_floors() -> list[dict[str, Any]]:
    rows = many(1, ("knn", "mlp"))
    for one in rows:
        shift = one["distil_seed"] / 1000
        one["metrics"] |= {"mmd": 0.02 + shift, "fid": 7.5}
        floor = {"picked": [0.03, 0.001], "fresh": [0.04, 0.002], "z": -9.0 - one["distil_seed"], "error": None}
        one["floors"] = {"mmd": floor, "fid": {"picked": None, "fresh": [7.0, 0.3], "z": None, "error": None}}
    return rows


def texts(leaderboard: LeaderboardData, folder: Path) -> dict[str, str]:
    console = Console(file=io.StringIO(), width=100)
    render_terminal(leaderboard, console)
    found = {"terminal": console.file.getvalue()}  # type: ignore[attr-defined]
    for write in (write_markdown, write_html):
        (path,) = write(leaderboard, folder)
        found[path.suffix[1:]] = path.read_text(encoding="utf-8")
    return found


# floors


def test_metrics_stand_beside_random_and_held_out_rows(tmp_path: Path) -> None:
    leaderboard = board(with_floors())
    line = leaderboard.table.query("method == 'kmeans' and evaluator == 'knn'").iloc[0]
    assert line["mmd"] == pytest.approx(0.021)
    assert (line["mmd.picked"], line["mmd.fresh"], line["mmd.z"]) == pytest.approx((0.03, 0.04, -10.0))
    assert pd.isna(line["fid.picked"])
    assert line["fid.fresh"] == pytest.approx(7.0)
    columns = list(pd.read_csv(write_csv(leaderboard, tmp_path)[0]).columns)
    assert columns[columns.index("mmd") :][:4] == ["mmd", "mmd.picked", "mmd.fresh", "mmd.z"]
    found = texts(leaderboard, tmp_path)
    assert "| kmeans | 0.021 | 0.03 | 0.04 | -10.0 | 7.5 | — | 7 | — |" in found["md"]
    assert found["md"].count("d0, budget 10: mmd, fid") == 1  # the sets are the same for all evaluators
    assert all("held-out rows" in text for text in found.values())
    assert 'href="#floors"' in found["html"]


def test_without_floors_privacy_and_further_evaluators_there_are_no_sections(tmp_path: Path) -> None:
    leaderboard = board(many(1))
    for text in texts(leaderboard, tmp_path).values():
        assert not any(section.title in text for section in SECTIONS)


# privacy


def test_the_most_severe_verdict_over_the_sets_is_shown_with_its_reasons(tmp_path: Path) -> None:
    rows = many(1)
    for one in rows:
        fails = one["method"] == "kmeans" and one["distil_seed"] == 1
        one["privacy"] = {
            "verdict": "fail" if fails else "pass",
            "reasons": ["3 of 10 rows are copies"] if fails else [],
        }
        one |= {"exposes_originals": one["method"] == "random", "starts_from_real": False}
    leaderboard = board(rows)
    table = leaderboard.table.set_index("method")
    assert table["privacy"].to_dict() == {"kmeans": "fail", "random": "pass", "kcenter": "pass", "whole": "pass"}
    assert table.loc["kmeans", "privacy_reasons"] == "3 of 10 rows are copies"
    assert table["exposes_originals"].to_dict() == {name: name == "random" for name in table.index}
    found = texts(leaderboard, tmp_path)
    assert "| kmeans | 10 | fail | no | no | 3 of 10 rows are copies |" in found["md"]
    assert all("differential privacy" in found[name] for name in ("md", "html"))


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [(["pass", "warn"], "warn"), (["unknown", "pass"], "unknown"), ([], ""), (["warn", "fail"], "fail")],
)
def test_verdicts_are_in_order_of_severity(verdicts: list[str], worst: str) -> None:
    assert privacy_columns([{"privacy": {"verdict": verdict}} for verdict in verdicts])["privacy"] == worst


# over evaluators


def test_sets_are_judged_by_the_mean_and_the_worst_evaluator(tmp_path: Path) -> None:
    leaderboard = board(many(1, ("knn", "mlp")))
    means = leaderboard.table.set_index(["method", "evaluator"])["mean"]
    found = leaderboard.across_evaluators.set_index("method")
    assert found.loc["kmeans", "mean"] == pytest.approx(fmean(means["kmeans"]))
    assert (found.loc["kmeans", "worst"], found.loc["kmeans", "worst_evaluator"]) == (means["kmeans", "mlp"], "mlp")
    assert list(found.index) == ["kmeans", "random", "kcenter", "whole"]  # by budget, then from the best to the worst
    assert "d0, budget 10: accuracy over 2 evaluators" in texts(leaderboard, tmp_path)["md"]


def test_the_order_of_the_evaluators_is_compared_with_that_of_the_whole_set(tmp_path: Path) -> None:
    scores = {
        "whole": {"knn": 0.9, "mlp": 0.8, "logistic": 0.7},
        "random": {"knn": 0.5, "mlp": 0.4, "logistic": 0.3},  # the same order
        "kmeans": {"knn": 0.3, "mlp": 0.4, "logistic": 0.5},  # the opposite order
        "kcenter": {"knn": 0.5, "mlp": 0.3, "logistic": 0.4},  # one of three pairs differs
    }
    rows = many(1, ("knn", "mlp", "logistic"))
    for one in rows:
        one["metrics"]["accuracy"] = scores[one["method"]][one["evaluator"]]
    found = board(rows).across_evaluators.set_index("method")["selection_correlation"]
    assert found.to_dict() == pytest.approx({"whole": 1, "random": 1, "kmeans": -1, "kcenter": 1 / 3})
    assert "| kmeans | 0.400 | 0.300 | knn | -1.00 |" in texts(board(rows), tmp_path)["md"]
    few = board(many(1, ("knn", "mlp"))).across_evaluators["selection_correlation"]
    assert few.isna().all()


def test_a_method_that_lacks_a_value_with_one_evaluator_is_left_out() -> None:
    rows = many(1, ("knn", "mlp"))
    for one in rows:
        if (one["method"], one["evaluator"], one["distil_seed"]) == ("kmeans", "mlp", 0):
            one.update(status="timeout", metrics={})
    assert "kmeans" not in set(board(rows).across_evaluators["method"])


# over datasets


def test_win_rates_count_ties_half_and_each_dataset_once() -> None:
    """Two comparisons of one dataset and one of another: the first is worth no more than the second."""
    scores = [np.array([[3.0, 2.0, 2.0], [1.0, 2.0, 3.0]]), np.array([[5.0, 1.0, 1.0]])]
    found = win_rates(scores)
    assert found[0].tolist() == [[0.5, 0.5, 0.5], [0.5, 0.5, 0.25], [0.5, 0.75, 0.5]]
    assert found[1].tolist() == [[0.5, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]


def test_intervals_over_datasets_are_those_of_the_mean_and_need_six_of_them() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, (40, 1))
    (spread,) = bootstrap_over(values, 6)
    error = values.std() / np.sqrt(40)
    assert spread.value == pytest.approx(values.mean())
    assert spread.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert spread.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    (few,) = bootstrap_over(values[:5], 6)
    assert (few.low, few.high) == (None, None)
    (none,) = bootstrap_over(np.full((3, 1), np.nan), 6)
    assert none.value is None


def test_recovery_is_the_share_of_the_gap_between_random_and_whole(tmp_path: Path) -> None:
    leaderboard = board(many(6, ("knn", "mlp")))
    means = leaderboard.table.set_index(["dataset", "evaluator", "method"])["mean"]
    expected = fmean(
        (means[d, e, "kmeans"] - means[d, e, "random"]) / (means[d, e, "whole"] - means[d, e, "random"])
        for d in {d for d, _, _ in means.index}
        for e in ("knn", "mlp")
    )
    (overall,) = leaderboard.overall
    table = overall.table.set_index("method")
    assert table.loc["kmeans", "recovery"] == pytest.approx(expected)
    assert table.loc["random", "recovery"] == pytest.approx(0.0)
    assert table.loc["kmeans", "recovery_low"] <= expected <= table.loc["kmeans", "recovery_high"]
    assert overall.wins.loc["kmeans", "kcenter"] == 1.0
    assert table["win_rate"].to_dict() == {"kmeans": 1.0, "random": 0.5, "kcenter": 0.0}
    found = texts(leaderboard, tmp_path)
    assert all("recovery" in text for text in found.values())
    assert "| kcenter | 0.00 | 0.00 | — |" in found["md"]


def test_where_the_whole_set_is_no_better_than_random_there_is_no_recovery() -> None:
    rows = many(2)
    for one in rows:
        if one["method"] == "whole":
            one["metrics"] = {"accuracy": 0.4}
    assert board(rows).overall[0].table["recovery"].isna().all()


# words and numbers


def test_ranks_are_shown_as_intervals_and_places_without_one_in_parentheses() -> None:
    assert fmt.rank_text({"rank": 2, "rank_low": 1, "rank_high": 4}) == "#1-4"
    assert fmt.rank_text({"rank": 1, "rank_low": 1, "rank_high": 1}) == "#1"
    assert fmt.rank_text({"rank": 3, "rank_low": None, "rank_high": None}) == "(3)"
    assert fmt.rank_text({"rank": None, "rank_low": None, "rank_high": None}) == ""


def test_no_interval_reads_as_zero() -> None:
    entry = {"mean": 0.9871, "ci_low": 0.98692, "ci_high": 0.98728}
    assert fmt.score(entry, 3) == "0.987 ±0.0002"
    assert fmt.score({"mean": 0.99, "ci_low": 0.96, "ci_high": 1.0}, 3) == "0.990 ±0.030"  # the longer side
    assert fmt.score({"mean": 0.99, "ci_low": None, "ci_high": None}, 3) == "0.990"


def test_marks_of_names_are_explained_where_they_occur(tmp_path: Path) -> None:
    rows = many(1)
    for one in rows:
        one |= {"deterministic": one["method"] == "kcenter", "tuned_on": ["d0"] if one["method"] == "kmeans" else []}
    found = texts(board(rows), tmp_path)
    assert "kcenter°" in found["terminal"]
    assert "kmeans‡" in found["terminal"]
    assert f"‡ {fmt.MARKS['‡'][:30]}" in found["terminal"]
    assert "‡" not in texts(board(many(1)), tmp_path)["terminal"]


def test_the_page_names_the_correction_and_the_schemes() -> None:
    assert "Holm's method over all tests of the page" in fmt.PROTOCOL
    assert "Nadeau and Bengio" in fmt.PROTOCOL
    assert "crossed bootstrap" in fmt.PROTOCOL
