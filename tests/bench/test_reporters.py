"""What reporters write: read back by parsers of their formats, not compared with stored files."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from distillkit.bench.leaderboard import LeaderboardData, Panel, build_leaderboard
from distillkit.bench.reporters import _format as f
from distillkit.bench.reporters import render_terminal, write_csv, write_html, write_markdown, write_terminal
from distillkit.bench.reporters._pictures import MAX_PICTURES, draw_set, make_pictures
from distillkit.bench.reporters.page._library import packed_library
from distillkit.distilled import DistilledSet, Preprocessing
from distillkit.specs import MetricSpec, PublishedResult

HOSTILE = "</script><script>alert('x')</script> & \"quoted\" | pipe *star* `tick`\nsecond line"
METRICS = {
    name: MetricSpec(name=name, target=None, stage="run", greater_is_better=better, summary=f"summary of {name}")
    for name, better in [("accuracy", True), ("rmse", False), ("rows", None), ("mmd", False)]
}
WRITERS = [write_terminal, write_markdown, write_csv, write_html]


def cell(method: str, budget: str, seed: int, **more: Any) -> dict[str, Any]:
    fields = {
        "suite": "s", "dataset": "digits", "task": "classification", "modality": "image", "method": method,
        "method_name": method.partition(":")[0], "method_params": {"preset": True} if ":" in method else {}, "kind": "coreset",
        "plugin": "distillkit", "plugin_version": "0.1.0", "budget": budget, "distil_seed": seed, "evaluator": "knn",
        "evaluator_name": "knn", "eval_seed": 0, "label_mode": "hard", "split": seed, "n_test": 1000, "n_train": 9000,
    } | more  # fmt: skip
    return {
        **fields,
        "key": "/".join(
            str(fields[name]) for name in ("dataset", "evaluator", "label_mode", "method", "budget", "distil_seed")
        ),
    }


def row(identity: dict[str, Any], accuracy: float, rows: int, **more: Any) -> dict[str, Any]:
    metrics = {"accuracy": accuracy, "rows": rows, "seconds-distil": 0.5, "seconds-train": 0.01 * rows, "mmd": 1 / rows}
    fields = {
        "status": "ok",
        "phase": None,
        "error": None,
        "metrics": metrics,
        "n_concurrent": 1,
        "artefact": None,
        "environment": "abc",
    }
    return (
        identity
        | fields
        | {"started": "2031-05-06T07:08:09+00:00", "peak_mb": 100.0, "seconds": 1.0, "stopped_by": None}
        | more
    )


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Rows of two datasets, five methods and two budgets, with failures, skips and a method without all its cells."""
    found = []
    for d, (dataset, modality) in enumerate([("digits", "image"), ("waves", "series")]):
        place: dict[str, Any] = {"dataset": dataset, "modality": modality}
        for m, method in enumerate(["random", "kmeans", "kmeans:medoids", "kcenter"]):
            for budget, kept in (("1", 3), ("10", 30)):
                for seed in range(4):
                    value = 0.5 + 0.1 * m + 0.01 * ((seed * 7 + m) % 4) + 0.005 * kept - 0.1 * d
                    found.append(row(cell(method, budget, seed, **place), value, kept, n_concurrent=1 + d))
        found += [row(cell("whole", "-", seed, **place), 0.95, 300) for seed in range(4)]
    broken = [r for r in found if (r["method"], r["dataset"], r["budget"]) == ("kcenter", "digits", "10")]
    for r in broken[:2]:
        r.update(status="timeout", phase="distil", error=HOSTILE, metrics={})
    for r in (r for r in found if (r["method"], r["dataset"], r["budget"]) == ("kmeans:medoids", "waves", "10")):
        r.update(status="crashed", phase="distil", error="signal 11", metrics={})
    return found


def build(rows: list[dict[str, Any]], folder: Path | None = None, **more: Any) -> LeaderboardData:
    skipped = [cell("gan", "1", seed, skip=f"gan does images only: {HOSTILE}") for seed in (0, 1)]
    figures = [
        PublishedResult(
            method="kmeans",
            dataset="digits",
            budget="10",
            evaluator="ConvNet-3",
            metric="accuracy",
            value=0.77,
            std=0.01,
            source="T. 1",
        ),
        PublishedResult(
            method="herding",
            dataset="digits",
            budget="1",
            evaluator="ConvNet-3",
            metric="accuracy",
            value=0.66,
            source="T. 2",
        ),
    ]
    return build_leaderboard(
        [*rows, *skipped], {r["key"]: r for r in rows}, METRICS, title=f"a {HOSTILE}", description="of tests", published=figures,
        environments={"abc": {"versions": {"numpy": "2.0"}, "processor": HOSTILE, "gpus": []}}, folder=folder, **more,
    )  # fmt: skip


@pytest.fixture
def leaderboard(rows: list[dict[str, Any]]) -> LeaderboardData:
    return build(rows)


@pytest.mark.parametrize("write", WRITERS)
def test_an_empty_leaderboard_can_be_written(write: Any, tmp_path: Path) -> None:
    for path in write(build_leaderboard([], {}, METRICS, title="nothing"), tmp_path / "new" / "folder"):
        assert path.is_file()


@pytest.mark.parametrize("write", WRITERS)
def test_equal_rows_give_equal_bytes_in_whatever_order_they_were_read(
    write: Any, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    first = [path.read_bytes() for path in write(build(rows), tmp_path / "a")]
    again = {r["key"]: r for r in reversed(rows)}
    skipped = [cell("gan", "1", seed, skip=f"gan does images only: {HOSTILE}") for seed in (0, 1)]
    base = build(rows)
    shuffled = build_leaderboard(
        [*rows, *skipped],
        again,
        METRICS,
        title=base.title,
        description=base.description,
        environments=base.environments,
    )
    shuffled.published = base.published
    assert [path.read_bytes() for path in write(shuffled, tmp_path / "b")] == first


# terminal


def test_the_text_is_at_most_100_columns_wide_and_says_what_there_is(
    leaderboard: LeaderboardData, tmp_path: Path
) -> None:
    (path,) = write_terminal(leaderboard, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert path.name == "leaderboard.txt"
    assert max(map(len, lines)) <= 100
    assert lines == [line.rstrip() for line in lines]
    text = "\n".join(lines)
    for piece in (
        "72 of 72 cells done, 66 ok, 6 failed, 2 skipped",
        "digits · knn",
        "Too few datasets",
        "Failures: 6 cells",
        "Skipped: 2 cells",
        "crashed",
    ):
        assert piece in text
    kmeans = next(line for line in lines if line.startswith("kmeans "))
    means = leaderboard.table.query("method == 'kmeans' and dataset == 'digits'")["mean"]
    assert all(f"{mean:.3f} ±" in kmeans for mean in means)
    assert kmeans.count("*") == 2


def test_marks_in_the_text_are_explained_and_only_those(
    leaderboard: LeaderboardData, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    text = write_terminal(leaderboard, tmp_path)[0].read_text(encoding="utf-8")
    for mark in "*~†":
        assert f"\n{mark} {f.MARKS[mark][:20]}" in text
    assert f.MARKS["!"] not in text
    alone = [r for r in rows if r["dataset"] == "digits" and r["method"] in ("random", "whole")]
    plain = write_terminal(build_leaderboard(alone, {r["key"]: r for r in alone}, METRICS, title="t"), tmp_path)[
        0
    ].read_text(encoding="utf-8")
    assert not any(meaning in plain for meaning in f.MARKS.values())


def test_many_budgets_and_long_names_still_fit(tmp_path: Path) -> None:
    long = [
        row(cell(f"a-method-with-a-very-long-name-{m}", str(10**b), seed), 0.5 + m / 10, 10**b)
        for m in (0, 1)
        for b in range(7)
        for seed in (0, 1)
    ]
    text = write_terminal(build_leaderboard(long, {r["key"]: r for r in long}, METRICS, title="t"), tmp_path)[
        0
    ].read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 100
    assert all(f"{10**b} a class" in text for b in range(7))


def test_the_best_of_a_column_is_coloured_in_a_terminal_and_markup_in_names_is_text(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        r["method"] = r["method"].replace("kcenter", "[red]x[/red]")
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    render_terminal(build(rows), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/red]" in text
    assert "\x1b[1;32m#1 " in text


# Markdown


def tables(text: str) -> Iterator[list[str]]:
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and lines[0].startswith("|"):
            yield lines


def test_markdown_tables_have_as_many_cells_in_every_line(leaderboard: LeaderboardData, tmp_path: Path) -> None:
    (path,) = write_markdown(leaderboard, tmp_path)
    text = path.read_text(encoding="utf-8")
    found = list(tables(text))
    assert len(found) >= 7
    for lines in found:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1, lines
    assert "2031" not in text  # no time stamps
    assert "<script" not in re.sub(r"\\[<>]", "", text)
    assert "second line" in text


def test_markdown_holds_the_numbers_of_the_table(leaderboard: LeaderboardData, tmp_path: Path) -> None:
    text = write_markdown(leaderboard, tmp_path)[0].read_text(encoding="utf-8")
    for line in leaderboard.table.query("mean == mean").to_dict("records"):
        half = max(line["ci_high"] - line["mean"], line["mean"] - line["ci_low"])  # one side may end at 0 or 1
        assert f"{line['mean']:.3f} ±{half:.3f}" in text
    assert "| random | 1 | 3 |" in text
    assert "| kmeans:medoids | waves | 10 | knn | 4 | crashed | distil | signal 11 |" in text


# CSV


def test_csv_files_hold_the_table_and_every_row(
    leaderboard: LeaderboardData, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    table, flat = write_csv(leaderboard, tmp_path)
    read = pd.read_csv(table)
    assert list(read.columns) == list(leaderboard.table.columns)
    assert np.allclose(read["mean"], leaderboard.table["mean"], equal_nan=True)
    assert read["rank"].isna().sum() == leaderboard.table["rank"].isna().sum() > 0
    with flat.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["key"] for line in lines] == [r["key"] for r in rows]
    for line, original in zip(lines, rows, strict=True):
        assert json.loads(line["method_params"]) == original["method_params"]
        assert float(line["metrics.accuracy"] or "nan") == pytest.approx(
            original["metrics"].get("accuracy", math.nan), nan_ok=True
        )
        assert (line["error"] or None) == original["error"]


# HTML


class Page(HTMLParser):
    """Checks that tags are balanced, and collects tags, attributes and texts."""

    VOID = frozenset({"meta", "img", "input", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(leaderboard: LeaderboardData, folder: Path) -> Page:
    (path,) = write_html(leaderboard, folder)
    assert path.name == "leaderboard.html"
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(leaderboard: LeaderboardData, tmp_path: Path) -> None:
    page = page_of(leaderboard, tmp_path)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/")), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy)
    style = "".join(page.texts)
    assert "@import" not in style
    assert "url(" not in style
    assert not page.all("link")
    anchors = {str(a["href"])[1:] for a in page.all("a")}
    assert anchors <= {str(attributes.get("id")) for _, attributes in page.tags}


def test_hostile_text_stays_text(leaderboard: LeaderboardData, tmp_path: Path) -> None:
    page = page_of(leaderboard, tmp_path)
    assert [script.get("id") for script in page.all("script")] == [None, "payload", "details", "library", None]
    text = "".join(page.texts)
    assert text.count("<script>alert('x')</script>") >= 5  # title, heading, failures, skipped, environment


def payload_of(path: Path, name: str = "payload") -> dict[str, Any]:
    """Return what the page holds for its scripts."""
    packed = re.search(rf'id="{name}">([^<]*)<', path.read_text(encoding="utf-8"))
    assert packed is not None
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def test_every_line_is_in_the_table_with_its_numbers(leaderboard: LeaderboardData, tmp_path: Path) -> None:
    (path,) = write_html(leaderboard, tmp_path)
    payload = payload_of(path)
    keys = [column["key"] for column in payload["columns"]]
    assert {"dataset", "method", "mean", "rank", "seconds-train", "mmd"} <= set(keys)
    assert len(payload["table"]) == len(payload["entries"]) == len(leaderboard.table)
    means = [line[keys.index("mean")][0] for line in payload["table"]]
    assert np.array(means, dtype=float) == pytest.approx(leaderboard.table["mean"].to_numpy(), rel=1e-5, nan_ok=True)
    assert [entry["mean"] for entry in payload["entries"]] == means
    names = [payload["methods"][entry["method"]]["name"] for entry in payload["entries"]]
    assert names == list(leaderboard.table["method"])


def test_soft_labels_have_panels_and_a_column_of_their_own(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    soft = [row(cell("kmeans", "10", 0, label_mode="soft"), 0.9, 30)]
    page = page_of(build([*rows, *soft]), tmp_path)
    columns = payload_of(tmp_path / "leaderboard.html")["columns"]
    assert "label_mode" in {column["key"] for column in columns}
    assert any("soft labels" in text for text in page.texts)


def test_without_the_library_the_page_says_so_and_keeps_its_tables(
    leaderboard: LeaderboardData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    packed_library.cache_clear()
    (path,) = write_html(leaderboard, tmp_path)
    packed_library.cache_clear()
    text = path.read_text(encoding="utf-8")
    assert '<script type="text/plain" id="library"></script>' in text
    assert "pip install vl-convert-python" in text
    assert text.count("<table") > 4


# pictures


def pixels(html: str) -> np.ndarray:
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", html)
    assert data is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGB"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_picture_holds_the_images_one_column_per_class(channels: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    levels = rng.choice([0, 85, 170, 255], size=(6, channels, 5, 4)).astype(np.uint8)
    y = np.array([2, 0, 1, 0, 1, 2])
    html, note = draw_set(DistilledSet(levels if dtype == np.uint8 else levels.astype(dtype) / 255, y), "image")
    picture = pixels(str(html))
    assert picture.shape[:2] == (2 * 6 - 1, 3 * 5 - 1)
    for label in range(3):
        for depth, index in enumerate(np.flatnonzero(y == label)):
            tile = picture[depth * 6 : depth * 6 + 5, label * 5 : label * 5 + 4]
            expected = np.broadcast_to(levels[index].transpose(1, 2, 0), (5, 4, 3))
            assert np.abs(tile.astype(int) - expected).max() <= (
                0 if channels == 1 else 8
            )  # colours are taken from a palette
    assert note == "classes 0 to 2; 2 each"


def test_at_most_ten_classes_of_ten_rows_are_shown() -> None:
    y = np.repeat(np.arange(12), 11)
    html, note = draw_set(DistilledSet(np.zeros((len(y), 1, 3, 3), dtype=np.uint8), y), "image")
    assert pixels(str(html)).shape[:2] == (10 * 4 - 1, 10 * 4 - 1)
    assert note == "classes 0 to 9 of 12; 10 of 11 each"


def test_images_outside_0_1_are_scaled_with_a_note_and_preprocessing_is_undone() -> None:
    X = np.random.default_rng(1).normal(0, 4, size=(4, 1, 6, 6)).astype(np.float32)
    assert "gray levels from" in draw_set(DistilledSet(X, np.arange(4)), "image")[1]
    images = np.linspace(0, 1, 4 * 36, dtype=np.float32).reshape(4, 1, 6, 6)
    scaling = Preprocessing.standardize(images)
    plain, note = draw_set(DistilledSet(images, np.arange(4)), "image")
    restored, _ = draw_set(DistilledSet(scaling.transform(images), np.arange(4), preprocessing=scaling), "image")
    assert "grey" not in note
    assert np.abs(pixels(str(plain)).astype(int) - pixels(str(restored))).max() <= 1


def test_targets_that_are_no_classes_are_drawn_in_one_grid() -> None:
    html, note = draw_set(DistilledSet(np.zeros((25, 1, 3, 3)), np.linspace(0, 1, 25)), "image")
    assert pixels(str(html)).shape[:2] == (3 * 4 - 1, 10 * 4 - 1)
    assert note == "25 of 25 rows"


def test_series_have_one_small_plot_per_class() -> None:
    X = np.random.default_rng(0).normal(size=(14, 2, 300))
    html, note = draw_set(DistilledSet(X, np.repeat([0, 1], 7)), "series")
    page = Page(str(html))
    assert len(page.all("svg")) == 2
    lines = page.all("polyline")
    assert len(lines) == 10
    assert len(str(lines[0]["points"]).split()) <= 120
    assert note == "classes 0 to 1; 5 of 7 each; first of 2 channels"
    first = np.array([point.split(",") for point in str(lines[0]["points"]).split()], dtype=float)
    assert np.corrcoef(first[:, 1], -X[0, 0, ::3])[0, 1] > 0.999


@pytest.mark.parametrize(
    ("shape", "modality"), [((3, 4), "image"), ((3, 1, 2, 2, 2), "image"), ((3,), "series"), ((0, 1, 3, 3), "image")]
)
def test_rows_of_another_kind_are_refused(shape: tuple[int, ...], modality: str) -> None:
    with pytest.raises(ValueError, match="are not of the kind"):
        draw_set(DistilledSet(np.zeros(shape)), modality)


def with_artefacts(rows: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Store the sets of digits: k-means whole, k-center damaged, random missing, the first seed of medoids failed."""
    for r in rows:
        if r["method"] == "whole" or r["dataset"] != "digits" or r["status"] != "ok":
            continue
        name = f"artefacts/{r['method'].replace(':', '-')}-{r['budget']}-{r['distil_seed']}.safetensors"
        r["artefact"] = name
        level = 0.1 * (r["distil_seed"] + 1)
        if r["method"].startswith("kmeans"):
            DistilledSet(np.full((3, 1, 4, 4), level, dtype=np.float32), np.arange(3)).save(folder / name)
        elif r["method"] == "kcenter":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"not a safetensors file")
        if (r["method"], r["distil_seed"]) == ("kmeans:medoids", 0):
            r.update(status="failed", artefact=None, metrics={})
    return rows


def test_pictures_are_of_the_first_seed_and_a_lost_artefact_leaves_a_note(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    found, left = make_pictures(build(with_artefacts(rows, tmp_path), tmp_path))
    pictures = {(picture.method, picture.budget): picture for picture in found}
    assert left == 0
    assert list(pictures) == [(m, b) for b in ("1", "10") for m in ("random", "kmeans", "kmeans:medoids", "kcenter")]
    assert pixels(str(pictures["kmeans", "1"].html))[0, 0, 0] == round(0.1 * 255)  # seed 0
    assert pixels(str(pictures["kmeans:medoids", "1"].html))[0, 0, 0] == round(0.2 * 255)  # seed 1: seed 0 failed
    assert not pictures["kcenter", "1"].html
    assert "damaged" in pictures["kcenter", "1"].note
    assert "there is no file artefacts/random-1-0.safetensors" in pictures["random", "1"].note
    assert str(tmp_path) not in "".join(picture.note for picture in found)


def test_the_page_shows_the_pictures_and_the_notes(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    page = page_of(build(with_artefacts(rows, tmp_path), tmp_path), tmp_path / "out")
    assert len(page.all("img")) == 4
    assert any("no picture" in text for text in page.texts)
    assert (tmp_path / "out" / "leaderboard.html").stat().st_size < 800_000


def test_more_sets_than_a_page_should_hold_are_counted(tmp_path: Path) -> None:
    rows = [row(cell(f"m{i}", "1", 0), 0.5, 3, artefact="none.safetensors") for i in range(MAX_PICTURES + 7)]
    found, left = make_pictures(
        build_leaderboard(rows, {r["key"]: r for r in rows}, METRICS, title="t", folder=tmp_path)
    )
    assert (len(found), left) == (MAX_PICTURES, 7)


# numbers as text


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (f.fixed, None, "—"), (f.fixed, -0.0001, "0.000"), (f.fixed, -0.5, "-0.500"), (f.general, 1347, "1,350"), (f.general, 0.000123, "0.000123"),
        (f.general, 1e-9, "1.00e-09"), (f.general, 0, "0"), (f.duration, 0.0042, "4.2 ms"), (f.duration, 0.1, "0.1 s"), (f.duration, 61, "61 s"),
        (f.duration, 126, "2.1 min"), (f.duration, 7200, "2 h"), (f.duration, 1e6, "280 h"), (f.size, 999, "999 B"), (f.size, 2640, "2.64 kB"),
        (f.size, 9.43e6, "9.43 MB"), (f.size, 5e12, "5,000 GB"), (f.ratio, 2.694, "2.7x"), (f.ratio, 134.7, "130x"), (f.ratio, 1347, "1,300x"),
        (f.pvalue, 1e-9, "<0.001"), (f.pvalue, 0.0123, "0.012"), (f.pvalue, None, "—"),
    ],
)  # fmt: skip
def test_numbers_read_well(function: Any, value: float | None, text: str) -> None:
    assert function(value) == text


def test_reporters_load_no_torch_faiss_or_ot() -> None:
    code = "import sys, distillkit.bench.reporters, distillkit.builtin._published; print([m for m in ('torch', 'faiss', 'ot') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("task", "budget", "title"),
    [
        ("classification", "10", "10 a class"),
        ("regression", "10", "10 rows"),
        ("classification", "0.05", "5%"),
        ("regression", "0.001", "0.1%"),
        ("classification", "1e-05", "0.001%"),
        ("classification", "cat=3,dog=5", "cat=3,dog=5"),
        ("classification", "-", "fixed size"),
    ],
)
def test_budgets_are_shown_as_users_write_them(task: str, budget: str, title: str) -> None:
    panel = Panel("d", task, "table", "knn", "hard", "accuracy", greater_is_better=True)
    assert f.budget_title(panel, budget) == title
