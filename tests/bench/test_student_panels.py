"""Students in the leaderboard and its reports: a comparison of their own, with their figures, told from sets of rows."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from scipy import stats as reference

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.leaderboard._stats import holm
from distillkit.bench.reporters import render_terminal, write_csv, write_html, write_markdown
from distillkit.bench.reporters._students import LEGEND, student_columns_of
from distillkit.metrics._specs import metric_specs

METRICS = {spec.name: spec for spec in metric_specs()}
SCORES = {
    "teacher-student": [0.90, 0.91, 0.93],
    "student-alone": [0.85, 0.87, 0.88],
    "pruned": [0.86, 0.84, 0.89],
    "teacher": [0.95, 0.96, 0.96],
}


def row(method: str, seed: int, value: float, **more: Any) -> dict[str, Any]:
    """Return a finished row of a student, or with ``budget=...`` of a set of rows."""
    fields = {
        "dataset": "digits", "task": "classification", "modality": "image", "method": method, "method_name": method,
        "method_params": {"alpha": 1.0}, "kind": "knowledge", "plugin": "distillkit", "plugin_version": "0.1.0", "budget": "-",
        "distil_seed": seed, "evaluator": "student", "evaluator_name": "student", "eval_seed": 0, "label_mode": "any",
        "split": seed, "n_test": 1000, "n_train": 9000,
    } | more  # fmt: skip
    if fields["budget"] != "-":
        fields |= {"evaluator": "knn", "evaluator_name": "knn", "label_mode": "hard"}
    names = ("dataset", "task", "evaluator", "label_mode", "method", "budget", "distil_seed")
    fields["key"] = "/".join(str(fields[name]) for name in names)
    small = 1.0 if method == "teacher" else 4.0
    metrics = {"accuracy" if fields["task"] == "classification" else "r2": value}
    if fields["label_mode"] == "any":
        metrics |= {
            "agreement": value + 0.03, "parameters": 20_000 / small, "parameter-compression": small, "latency-ratio": small - 0.5,
            "seconds-distil": 5.0, "seconds-train": 2.0,
        }  # fmt: skip
    return {
        **fields, "status": "ok", "phase": None, "error": None, "metrics": metrics, "rows": 100, "rows_seen": 100, "n_concurrent": 1,
        "seconds": 9.0,
    }  # fmt: skip


def board(rows: list[dict[str, Any]]) -> LeaderboardData:
    return build_leaderboard(rows, {one["key"]: one for one in rows}, METRICS, title="t")


def students(**more: Any) -> list[dict[str, Any]]:
    return [row(method, seed, value, **more) for method, values in SCORES.items() for seed, value in enumerate(values)]


def sets() -> list[dict[str, Any]]:
    return [
        row(method, seed, 0.5, budget="10", method_params={}) for method in ("random", "kmeans") for seed in range(3)
    ]


def line(leaderboard: LeaderboardData, method: str) -> pd.Series:
    (_, found), *more = leaderboard.table[leaderboard.table["method"] == method].iterrows()
    assert not more
    return found


def test_the_teacher_is_the_reference_and_all_others_have_ranks() -> None:
    leaderboard = board(students())
    assert {name: line(leaderboard, name)["reference"] for name in SCORES} == dict.fromkeys(SCORES, False) | {
        "teacher": True
    }
    assert {name: line(leaderboard, name)["rank"] for name in SCORES if name != "teacher"} == {
        "teacher-student": 1,
        "student-alone": 2,
        "pruned": 3,
    }
    assert pd.isna(line(leaderboard, "teacher")["rank"])


def _corrected_p(scores: list[float], control: list[float]) -> float:
    """Return the p-value of the paired t-test with the variance of Nadeau and Bengio."""
    t = float(reference.ttest_rel(scores, control).statistic) * math.sqrt((1 / 3) / (1 / 3 + 1000 / 9000))
    return float(2 * reference.t.sf(abs(t), 2))


def test_students_are_tested_against_the_student_alone() -> None:
    leaderboard = board(students())
    alone, names = SCORES["student-alone"], ["teacher-student", "pruned"]
    expected = holm([_corrected_p(SCORES[name], alone) for name in names])
    assert [line(leaderboard, name)["p_vs_random"] for name in names] == pytest.approx(expected)
    assert [line(leaderboard, name)["vs_random"] for name in names] == ["better", "no difference"]
    for name in ("student-alone", "teacher"):
        assert pd.isna(line(leaderboard, name)["p_vs_random"])


def test_numbers_are_compared_in_the_same_way() -> None:
    leaderboard = board(students(task="regression"))
    found = line(leaderboard, "teacher-student")
    assert (found["metric"], found["rank"], found["vs_random"]) == ("r2", 1, "better")


def test_students_and_sets_of_rows_are_never_in_one_comparison() -> None:
    leaderboard = board([*students(), *sets()])
    alone = board(students())
    for name in SCORES:
        mixed, own = line(leaderboard, name), line(alone, name)
        # The correction of p-values is over the whole page, to which the sets of rows belong, too.
        assert pd.isna(own["p_vs_random"]) or mixed["p_vs_random"] >= own["p_vs_random"]
        pd.testing.assert_series_equal(mixed.drop("p_vs_random"), own.drop("p_vs_random"), check_names=False)
    of_students, of_sets = leaderboard.panels()
    assert (of_students.title, of_students.of_students) == ("digits · student", True)
    assert (of_students.methods, of_students.references) == (
        ["teacher-student", "student-alone", "pruned"],
        ["teacher"],
    )
    assert of_students.budgets == []
    assert of_students.best("-") == {"teacher-student"}
    assert (of_sets.title, of_sets.of_students, of_sets.methods) == ("digits · knn", False, ["kmeans", "random"])


def test_figures_are_columns_where_there_are_students_and_nowhere_else() -> None:
    names = {"agreement", "parameters", "parameter-compression", "latency-ratio"}
    leaderboard = board([*students(), *sets()])
    assert names <= set(leaderboard.metric_columns)
    assert line(leaderboard, "teacher-student")["agreement"] == pytest.approx(0.03 + sum(SCORES["teacher-student"]) / 3)
    assert line(leaderboard, "random")[list(names)].isna().all()
    assert not names & set(board(sets()).table.columns)
    of_students, of_sets = leaderboard.panels()
    assert [figure.title for figure in student_columns_of(of_students)] == [
        "recovered", "agrees", "parameters", "smaller", "faster", "distil", "train",
    ]  # fmt: skip
    assert student_columns_of(of_sets) == []


def test_averages_over_datasets_are_of_students_alone() -> None:
    rows = [one for name in ("digits", "wine") for one in students(dataset=name)]
    (overall,) = board([*rows, *sets()]).overall
    assert overall.title == "Average rank, classification, students: 2 comparisons on 2 datasets"
    assert overall.table["method"].tolist() == ["teacher-student", "student-alone", "pruned"]


def test_a_student_that_failed_is_told_like_any_other() -> None:
    rows = students()
    for one in rows[:3]:
        one.update(status="timeout", phase="distil", error="ran past its limit of 5 s", metrics={})
    leaderboard = board(rows)
    found = line(leaderboard, "teacher-student")
    assert (found["done"], found["statuses"]) == ("0/3", "3 timeout")
    assert len(leaderboard.failures) == 3
    console = Console(file=io.StringIO(), width=100)
    render_terminal(leaderboard, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "teacher-student on digits (budget -): 3 timeout in distil" in text
    assert re.search(r"^teacher-student +timeout +— ", text, re.MULTILINE)


# reports


def text_of(leaderboard: LeaderboardData) -> str:
    console = Console(file=io.StringIO(), width=100)
    render_terminal(leaderboard, console)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_the_terminal_shows_students_with_their_figures() -> None:
    lines = text_of(board([*students(), *sets()])).splitlines()
    assert max(map(len, lines)) <= 100
    (head,) = [one.split() for one in lines if "agrees" in one and "method" in one]
    assert head == ["method", "accuracy", "recovered", "agrees", "parameters", "smaller", "faster", "distil", "train"]
    (best,) = [one for one in lines if one.startswith("teacher-student ")]
    assert "#1 0.913 ±" in best
    assert best.split()[-6:] == ["4x", "3.5x", "5", "s", "2", "s"]
    assert "0.943" in best
    assert "5,000" in best
    assert [one.split()[0] for one in lines if one.startswith(tuple(f"{name} " for name in SCORES))] == [
        "teacher-student", "student-alone", "pruned", "teacher",
    ]  # fmt: skip


def test_what_the_figures_mean_is_said_where_they_are_shown() -> None:
    def words(text: str) -> str:
        return " ".join(text.split())

    legend, of_sets = words(LEGEND), "rows, distil, train: at the largest budget"
    both, only_sets, only_students = (
        words(text_of(board(rows))) for rows in ([*students(), *sets()], sets(), students())
    )
    assert legend in both
    assert of_sets in both
    assert legend not in only_sets
    assert of_sets not in only_students


def test_markdown_has_one_table_with_a_line_for_each(tmp_path: Path) -> None:
    (path,) = write_markdown(board([*students(), *sets()]), tmp_path)
    text = path.read_text(encoding="utf-8")
    section = text.split("## digits · student")[1].split("\n## ")[0]
    head, _, *lines = [one for one in section.splitlines() if one.startswith("|")]
    assert (
        head
        == "| method | accuracy | recovered | agrees | parameters | smaller | faster | distil | train | done | p | stopped by |"
    )
    assert [one.split(" | ")[0] for one in lines] == ["| teacher-student", "| student-alone", "| pruned", "| *teacher*"]
    assert "] | 0.943 | 5,000 | 4x | 3.5x | 5 s | 2 s | 3/3 | " in lines[0]
    assert lines[-1].endswith("| 1x | 0.5x | 5 s | 2 s | 3/3 | — | — |")


def test_times_taken_side_by_side_are_marked(tmp_path: Path) -> None:
    rows = students()
    rows[0]["n_concurrent"] = 2
    text = write_markdown(board(rows), tmp_path)[0].read_text(encoding="utf-8")
    assert "| smaller | faster† | distil† | train† |" in text
    assert "faster†" in text_of(board(rows))
    assert "3.5x†" in write_html(board(rows), tmp_path)[0].read_text(encoding="utf-8")


def test_the_page_shows_students_with_their_figures_and_the_rest_without(tmp_path: Path) -> None:
    text = write_html(board([*students(), *sets()]), tmp_path)[0].read_text(encoding="utf-8")
    panel, other = re.findall(r'<article class="panel".*?</article>', text, re.DOTALL)
    assert re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", panel) == [
        "method", "accuracy", "recovered", "agrees", "parameters", "smaller", "faster", "distil", "train",
    ]  # fmt: skip
    assert "smaller" not in other
    columns = {column["key"]: column["numeric"] for column in payload_of(text)["columns"]}
    assert columns["agreement"]
    assert columns["parameter-compression"]
    assert columns["latency-ratio"]
    plain = write_html(board(sets()), tmp_path)[0].read_text(encoding="utf-8")
    assert "agreement" not in {column["key"] for column in payload_of(plain)["columns"]}


def payload_of(page: str) -> dict[str, Any]:
    """Return what the page holds for its scripts."""
    packed = re.search(r'id="payload">([^<]*)<', page)
    assert packed is not None
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def test_csv_has_the_figures(tmp_path: Path) -> None:
    table, flat = write_csv(board([*students(), *sets()]), tmp_path)
    read = pd.read_csv(table).set_index("method")
    assert read.loc["teacher", "parameter-compression"] == 1.0
    assert pd.isna(read.loc["random", "parameter-compression"])
    with flat.open(encoding="utf-8", newline="") as file:
        lines = [one for one in csv.DictReader(file) if one["method"] == "student-alone"]
    assert [float(one["metrics.latency-ratio"]) for one in lines] == [3.5] * 3
