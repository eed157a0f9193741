"""Training histories in the page: its points are compared with the histories, and its list with what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.reporters import render_html, write_html
from distillkit.bench.reporters.page import _curves
from distillkit.bench.reporters.page._curves import CurvePlot, make_curves

HOSTILE = "</script><script>alert('x')</script> & \"quoted\""


def falling(seed: int, n: int = 5, **more: Any) -> list[dict[str, Any]]:
    return [{"iteration": 10 * i, "loss": 5.0 - i + seed / 10, "seconds": i / 2, **more} for i in range(1, n + 1)]


def row(method: str, seed: int, budget: str = "1", dataset: str = "digits", **more: Any) -> dict[str, Any]:
    key = f"{dataset}-{method}-{budget}-{seed}-{more.get('evaluator', 'knn')}"
    return {
        "suite": "s", "dataset": dataset, "task": "classification", "modality": "table", "method": method, "method_name": method,
        "method_params": {}, "kind": "neural", "plugin": "distillkit", "plugin_version": "0", "budget": budget, "distil_seed": seed,
        "evaluator": "knn", "evaluator_name": "knn", "eval_seed": 0, "label_mode": "hard", "key": key, "status": "ok", "phase": None,
        "error": None, "metrics": {"accuracy": 0.5, "rows": 3}, "n_concurrent": 1, "artefact": None, "environment": "e",
        "distil_key": f"{dataset}-{method}-{budget}-{seed}".replace("/", "_"),
    } | more  # fmt: skip


def board(rows: list[dict[str, Any]], folder: Path | None) -> LeaderboardData:
    return build_leaderboard(rows, {r["key"]: r for r in rows}, {}, title="t", folder=folder)


def keep(folder: Path, line: dict[str, Any], history: Any, **more: Any) -> dict[str, Any]:
    """Store the history in the record that the row leads to, and return the row."""
    path = folder / "artefacts" / f"{line['distil_key']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"whole": False, "history": history, **more}), encoding="utf-8")
    return line


def plots(rows: list[dict[str, Any]], folder: Path) -> dict[tuple[str, str, str, str], CurvePlot]:
    found, left = make_curves(board(rows, folder))
    assert left == 0
    return {(plot.dataset, plot.method, plot.budget, plot.title): plot for plot in found}


def pieces(plot: CurvePlot, seed: int = 0) -> list[list[tuple[float, float]]]:
    """Return the unbroken lines of a seed."""
    lines: list[list[tuple[float, float]]] = [[]]
    for point in plot.curves[seed]:
        if point is None:
            lines.append([])
        else:
            lines[-1].append(point)
    return [line for line in lines if line]


def test_the_lines_are_the_histories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    histories = {
        seed: [{"iter": 25 * i, "generator_loss": rng.normal(), "accuracy": rng.random()} for i in range(1, 60)]
        for seed in (0, 1, 2)
    }
    found = plots([keep(tmp_path, row("gan", seed), steps) for seed, steps in histories.items()], tmp_path)
    assert list(found) == [("digits", "gan", "1", "generator loss"), ("digits", "gan", "1", "accuracy")]
    for name, plot in zip(("generator_loss", "accuracy"), found.values(), strict=True):
        assert plot.axis == "iteration"
        assert not plot.log
        for seed, steps in histories.items():
            expected = np.array([[step["iter"], step[name]] for step in steps])
            assert np.array(plot.as_json()["curves"][seed]) == pytest.approx(expected, rel=1e-5)


def test_a_plot_says_in_words_what_it_shows(tmp_path: Path) -> None:
    rows = [keep(tmp_path, row("dc", seed), falling(seed)) for seed in (0, 1)]
    (plot,) = plots(rows, tmp_path).values()
    assert plot.words == "4.05 to 0.05, mean of 2 seeds"


def test_large_ratios_of_a_loss_are_shown_on_a_log_scale(tmp_path: Path) -> None:
    steps = [{"epoch": i, "loss": 10.0**-i, "share": 10.0**-i} for i in range(5)]
    loss, share = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    assert loss.log
    assert not share.log


def test_what_is_not_there_breaks_the_line(tmp_path: Path) -> None:
    losses = [3.0, 2.5, None, 2.0, None, 1e300, 1.0, 0.5]
    steps = [{"step": i, "loss": loss} for i, loss in enumerate(losses)]
    (plot,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    assert pieces(plot) == [[(0, 3.0), (1, 2.5)], [(3, 2.0)], [(6, 1.0), (7, 0.5)]]


def test_an_axis_that_starts_anew_for_each_class_starts_a_new_line(tmp_path: Path) -> None:
    steps = [{"label": label, "epoch": i, "loss": 3.0 - i - label} for label in (0, 1) for i in (1, 2, 3)]
    (plot,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    assert [len(piece) for piece in pieces(plot)] == [3, 3]


def test_long_histories_are_thinned_to_their_ends(tmp_path: Path) -> None:
    steps = [{"iteration": i, "loss": 2000.0 - i} for i in range(1, 1000)]
    (plot,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    (line,) = pieces(plot)
    assert len(line) == _curves.MAX_POINTS
    assert (line[0], line[-1]) == ((1, 1999), (999, 1001))


@pytest.mark.parametrize(
    "losses", [[2.0], [0.0, 0.0], [1e-9, 1e-9], [5e15, 5e15 + 1], [-1e-12, 1e-12], [1e-300, 1e90], [1e99, -1e99]]
)
def test_any_numbers_can_be_drawn(losses: list[float], tmp_path: Path) -> None:
    steps = [{"epoch": i + 1, "loss": loss} for i, loss in enumerate(losses)]
    (plot,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    shown = json.loads(json.dumps(plot.as_json(), allow_nan=False))["curves"]["0"]
    assert np.array(shown)[:, 1] == pytest.approx(losses, rel=1e-5, abs=0)


# the page


def test_the_page_lists_every_series_of_every_history(tmp_path: Path) -> None:
    rows = [
        keep(tmp_path, row(method, seed, budget, dataset), falling(seed, similarity=0.9))
        for dataset in ("digits", "waves")
        for budget in ("10", "1")
        for method in ("gan", "dc")
        for seed in (0, 1, 2)
    ]
    rows += [{**r, "evaluator": "mlp", "key": f"{r['key']}-mlp"} for r in rows]  # of the same distillations
    page = render_html(board(rows, tmp_path))
    section = page.partition('<section id="curves">')[2].partition("</section>")[0]
    lines = re.findall(r'data-entry="\d+">(.*?)</button> (.*?)</li>', section)
    assert re.findall(r"<summary>(.*?)</summary>", section) == ["digits: gan, dc", "waves: gan, dc"]
    of_one = [
        (f"{method}, budget {budget}", f"{series}: {words}, mean of 3 seeds")
        for budget in ("1", "10")
        for method in ("gan", "dc")
        for series, words in (("loss", "4.1 to 0.1"), ("similarity", "0.9 to 0.9"))
    ]
    assert lines == of_one * 2
    assert "<details open" not in section
    assert 'href="#curves"' in page


def test_a_teacher_has_plots_of_its_own(tmp_path: Path) -> None:
    of_teacher = [{"epoch": i, "loss": 2.0 - i} for i in (1, 2)]
    rows = [keep(tmp_path, row("soft", 0), [{"label": 0, "inertia": 1.0}], teacher_history=of_teacher)]
    rows += [keep(tmp_path, row("dc", 0), falling(0), teacher_history=of_teacher)]
    assert [key[1::2] for key in plots(rows, tmp_path)] == [
        ("soft", "teacher's loss"),
        ("dc", "loss"),
        ("dc", "teacher's loss"),
    ]


def test_rows_whose_judging_failed_still_show_how_they_were_distilled(tmp_path: Path) -> None:
    assert len(plots([keep(tmp_path, row("dc", 0, status="failed", metrics={}), falling(0))], tmp_path)) == 1


@pytest.mark.parametrize(
    "history",
    [None, [], 3, "text", [1, 2], {"loss": 1}, [{"iteration": 1, "loss": "low"}], [{"label": 0, "loss": 1.0}], [{"iteration": 1, "loss": None}]],
)  # fmt: skip
def test_records_without_a_usable_history_leave_the_page_as_it_was(history: Any, tmp_path: Path) -> None:
    line = row("dc", 0)
    before = render_html(board([line], tmp_path))
    assert 'id="curves"' not in before
    assert render_html(board([keep(tmp_path, line, history)], tmp_path)) == before


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"rows": 3}'])
def test_old_lost_and_damaged_records_leave_the_page_as_it_was(text: str, tmp_path: Path) -> None:
    line = row("dc", 0)
    before = render_html(board([line], tmp_path))
    path = tmp_path / "artefacts" / f"{line['distil_key']}.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert render_html(board([line], tmp_path)) == before
    assert render_html(board([{k: v for k, v in line.items() if k != "distil_key"}], tmp_path)) == before
    assert render_html(board([line], None)) == before


def test_names_that_are_markup_stay_text(tmp_path: Path) -> None:
    rows = [
        keep(tmp_path, row(HOSTILE, 0, dataset=f"d{HOSTILE}", distil_key="k"), [{"epoch": 1, HOSTILE: 1.0}, {"epoch": 2, HOSTILE: 2.0}])
    ]  # fmt: skip
    page = render_html(board(rows, tmp_path))
    section = page.partition('<section id="curves">')[2].partition("</section>")[0]
    assert "<script" not in section
    assert "&lt;script&gt;" in section


def test_equal_records_give_equal_pages(tmp_path: Path) -> None:
    rows = [keep(tmp_path, row("dc", seed), falling(seed)) for seed in (0, 1)]
    first = write_html(board(rows, tmp_path), tmp_path / "a")[0].read_bytes()
    again = build_leaderboard(rows, {r["key"]: r for r in reversed(rows)}, {}, title="t", folder=tmp_path)
    assert write_html(again, tmp_path / "b")[0].read_bytes() == first


def test_more_plots_than_a_page_should_hold_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_curves, "MAX_PLOTS", 3)
    rows = [keep(tmp_path, row(f"m{i}", 0), falling(0, similarity=0.5)) for i in range(4)]
    found, left = make_curves(board(rows, tmp_path))
    assert len(found) == 3
    assert left == 5
    assert "5 more plots are not drawn" in render_html(board(rows, tmp_path))
