"""Loss curves in the page: read back from the SVG into numbers and compared with the histories."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.reporters import _curves, write_html
from distillkit.bench.reporters._curves import make_curves
from distillkit.bench.reporters._html import render_html

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


def plots(rows: list[dict[str, Any]], folder: Path) -> dict[tuple[str, str, str, str], ET.Element]:
    groups, left = make_curves(board(rows, folder), {"gan": 3})
    assert left == 0
    return {
        (group.dataset, group.method, group.budget, plot.title): ET.fromstring(str(plot.svg))  # noqa: S314 (our own)
        for group in groups
        for plot in group.plots
    }


def curves(svg: ET.Element) -> list[list[list[tuple[float, float]]]]:
    """Return the pixels of each line, in unbroken pieces."""
    found = []
    for path in svg.iter("path"):
        assert path.attrib["class"] == "curve"
        pieces = [piece.removesuffix("h0") for piece in path.attrib["d"].split("M")[1:]]
        found.append([[tuple(map(float, point.split())) for point in piece.split("L")] for piece in pieces])
    return found


def scale(svg: ET.Element, axis: int) -> np.ndarray:
    """Return the line (slope, offset) that carries pixels of an axis to its numbers, from what is written beside its ticks."""
    ticks = [
        e for e in svg.iter("text") if e.get("class") == "tick" and (e.get("text-anchor") == "middle") == (axis == 0)
    ]
    pixels = [float(e.attrib["x"]) if axis == 0 else float(e.attrib["y"]) - 4 for e in ticks]
    numbers = [float(str(e.text).replace(",", "")) for e in ticks]
    assert len(numbers) >= 3
    slope, offset = np.polyfit(pixels, numbers, 1)
    assert np.abs(np.polyval([slope, offset], pixels) - numbers).max() < abs(slope) * 0.2, (
        "ticks are not where they say"
    )
    return np.array([slope, offset])


def values(svg: ET.Element) -> list[np.ndarray]:
    """Return each unbroken line as (x, y) in the numbers of the axes."""
    return [
        np.column_stack([np.polyval(scale(svg, axis), np.array(piece)[:, axis]) for axis in (0, 1)])
        for line in curves(svg)
        for piece in line
    ]


def test_the_lines_are_the_histories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    histories = {
        seed: [{"iter": 25 * i, "generator_loss": rng.normal(), "accuracy": rng.random()} for i in range(1, 60)]
        for seed in (0, 1, 2)
    }
    found = plots([keep(tmp_path, row("gan", seed), steps) for seed, steps in histories.items()], tmp_path)
    assert list(found) == [("digits", "gan", "1", "generator loss"), ("digits", "gan", "1", "accuracy")]
    for name, svg in zip(("generator_loss", "accuracy"), found.values(), strict=True):
        assert svg.attrib["class"] == "chart s3"
        drawn = values(svg)
        assert len(drawn) == 3
        pixel = np.abs([scale(svg, axis)[0] for axis in (0, 1)])
        for line, steps in zip(drawn, histories.values(), strict=True):
            expected = np.array([[step["iter"], step[name]] for step in steps])
            assert (np.abs(line - expected) / pixel).max() < 0.4
        titles = {e.text for e in svg.iter("text") if e.get("class") == "title"}
        assert titles == {"iteration", name.replace("_", " ")}


def test_a_plot_says_in_words_what_it_shows(tmp_path: Path) -> None:
    rows = [keep(tmp_path, row("dc", seed), falling(seed)) for seed in (0, 1)]
    (group,) = make_curves(board(rows, tmp_path), {})[0]
    (plot,) = group.plots
    assert plot.words == "4.05 to 0.05, mean of 2 seeds"
    svg = ET.fromstring(str(plot.svg))  # noqa: S314 (our own)
    assert svg.attrib["aria-label"] == f"loss against iteration, dc on digits, budget 1: {plot.words}"
    titles = [path.findtext("title") for path in svg.iter("path")]
    assert titles == [
        "seed 0: 4 at iteration 10 to 0 at iteration 50",
        "seed 1: 4.1 at iteration 10 to 0.1 at iteration 50",
    ]


def test_large_ratios_are_drawn_on_a_log_scale(tmp_path: Path) -> None:
    steps = [{"epoch": i, "loss": 10.0**-i} for i in range(5)]
    (svg,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    (((*points,),),) = curves(svg)
    assert np.allclose(np.diff([y for _, y in points]), points[1][1] - points[0][1], atol=0.21)
    ticks = [e.text for e in svg.iter("text") if e.get("text-anchor") == "end"]
    assert sorted(float(str(tick)) for tick in ticks) == [1e-4, 1e-3, 1e-2, 1e-1, 1]
    assert "loss (log)" in {e.text for e in svg.iter("text")}


def test_what_is_not_there_breaks_the_line_and_what_stands_alone_is_a_dot(tmp_path: Path) -> None:
    losses = [3.0, 2.5, None, 2.0, None, 1e300, 1.0, 0.5]
    steps = [{"step": i, "loss": loss} for i, loss in enumerate(losses)]
    (svg,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    assert [len(piece) for piece in curves(svg)[0]] == [2, 1, 2]
    (path,) = svg.iter("path")
    assert path.attrib["d"].count("h0") == 1
    lone = values(svg)[1][0]
    assert lone == pytest.approx([3, 2.0], abs=0.05)


def test_an_axis_that_starts_anew_for_each_class_starts_a_new_line(tmp_path: Path) -> None:
    steps = [{"label": label, "epoch": i, "loss": 3.0 - i - label} for label in (0, 1) for i in (1, 2, 3)]
    (svg,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    assert [len(piece) for piece in curves(svg)[0]] == [3, 3]


def test_long_histories_are_thinned_to_their_ends(tmp_path: Path) -> None:
    steps = [{"iteration": i, "loss": 2000.0 - i} for i in range(1, 1000)]
    (svg,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    (line,) = values(svg)
    assert len(line) == _curves.MAX_POINTS
    assert line[0] == pytest.approx([1, 1999], abs=4)
    assert line[-1] == pytest.approx([999, 1001], abs=4)


@pytest.mark.parametrize(
    "losses", [[2.0], [0.0, 0.0], [1e-9, 1e-9], [5e15, 5e15 + 1], [-1e-12, 1e-12], [1e-300, 1e90], [1e99, -1e99]]
)
def test_any_numbers_can_be_drawn(losses: list[float], tmp_path: Path) -> None:
    steps = [{"epoch": i + 1, "loss": loss} for i, loss in enumerate(losses)]
    (svg,) = plots([keep(tmp_path, row("dc", 0), steps)], tmp_path).values()
    (line,) = curves(svg)
    for x, y in itertools.chain(*line):
        assert 0 <= x <= _curves.WIDTH
        assert 0 <= y <= _curves.HEIGHT - _curves.BOTTOM
    assert all(math.isfinite(float(n)) for e in svg.iter() for n in re.findall(r"[-\d.]+", e.get("y1", "")))


# the page


def test_the_page_has_a_line_for_every_series_of_every_history(tmp_path: Path) -> None:
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
    assert section.count('class="curve"') == 24 * 2
    assert page.count('class="curve"') == 24 * 2
    assert re.findall(r"<summary>(.*?)</summary>", section) == ["digits: gan, dc", "waves: gan, dc"]
    heads = re.findall(r"</span>(.*?)</h4>", section)
    assert heads == ["gan, budget 1", "dc, budget 1", "gan, budget 10", "dc, budget 10"] * 2
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
    assert section.count('class="curve"') == 1
    assert "<script" not in section
    assert "&lt;script&gt;" in section
    (svg,) = plots(rows, tmp_path).values()
    assert HOSTILE in svg.attrib["aria-label"]


def test_equal_records_give_equal_pages(tmp_path: Path) -> None:
    rows = [keep(tmp_path, row("dc", seed), falling(seed)) for seed in (0, 1)]
    first = write_html(board(rows, tmp_path), tmp_path / "a")[0].read_bytes()
    again = build_leaderboard(rows, {r["key"]: r for r in reversed(rows)}, {}, title="t", folder=tmp_path)
    assert write_html(again, tmp_path / "b")[0].read_bytes() == first


def test_more_plots_than_a_page_should_hold_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_curves, "MAX_PLOTS", 3)
    rows = [keep(tmp_path, row(f"m{i}", 0), falling(0, similarity=0.5)) for i in range(4)]
    groups, left = make_curves(board(rows, tmp_path), {})
    assert [len(group.plots) for group in groups] == [2, 1]
    assert left == 5
    assert "5 more plots are not drawn" in render_html(board(rows, tmp_path))
