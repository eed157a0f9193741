"""The page as a reader meets it, driven in Chromium: filters, charts, tables, drawer, keyboard, widths, schemes and print."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from distillkit.bench.leaderboard import LeaderboardData

VISIBLE_PANELS = "return [...document.querySelectorAll('#results .panel')].filter(p => !p.hidden).map(p => p.dataset.dataset + ' ' + p.dataset.evaluator)"
SETTLED = "return new Promise(done => setTimeout(() => done(true), 150))"
SAID = "return document.getElementById('said').textContent"
CHARTS = (
    "return [...document.querySelectorAll('#multiples .chart')].map(c => c.querySelectorAll('svg').length).join('')"
)


def choose(browser: Any, name: str, value: str) -> None:
    browser.run(
        "const s = document.querySelector(`[data-filter=${arguments[0]}]`); s.value = arguments[1];"
        "s.dispatchEvent(new Event('change'));",
        name,
        value,
    )
    browser.run(SETTLED)


def fragment(browser: Any) -> str:
    return browser.run("return location.hash")


def test_the_page_is_small_and_hostile_names_run_no_script(browser: Any, page: Path) -> None:
    assert page.stat().st_size < 3_000_000
    browser.open(page)
    assert browser.run("return document.title") == "large · leaderboard"
    assert browser.errors() == []


def test_one_filter_bar_governs_tables_and_charts(browser: Any, page: Path, board: LeaderboardData) -> None:
    browser.open(page)
    assert len(browser.run(VISIBLE_PANELS)) == 9
    choose(browser, "dataset", "data1")
    assert browser.run(VISIBLE_PANELS) == ["data1 knn", "data1 logistic"]
    assert browser.until("return document.querySelectorAll('#multiples svg.marks').length === 2")
    rows = "return new Set([...document.querySelectorAll('#table tbody tr')].map(r => r.textContent.includes('data1'))).size"
    assert browser.run(rows) == 1
    choose(browser, "evaluator", "knn")
    choose(browser, "budget", "10")
    assert browser.run(VISIBLE_PANELS) == ["data1 knn"]
    heads = (
        "return [...document.querySelectorAll('.panel:not([hidden]) thead th:not([hidden])')].map(h => h.textContent)"
    )
    assert browser.run(heads) == ["method", "10 a class"]
    choose(browser, "family", "synthesis")
    names = "return [...document.querySelectorAll('.panel:not([hidden]) tbody tr:not([hidden])')].map(r => r.dataset.method)"
    expected = set(board.table.query("kind == 'synthesis'")["method"])
    assert set(browser.run(names)) == expected
    assert browser.run(SAID) == "8 of 778 entries in 1 tables pass the filters."
    assert fragment(browser) == "#dataset=data1&budget=10&evaluator=knn&family=synthesis"
    browser.run("document.getElementById('reset').click()")
    browser.run(SETTLED)
    assert len(browser.run(VISIBLE_PANELS)) == 9
    choose(browser, "labels", "soft")
    assert browser.run(VISIBLE_PANELS) == ["data0 logistic"]


def test_controls_and_names_are_filtered_everywhere(browser: Any, page: Path) -> None:
    browser.open(page, "#controls=off&q=method-0")
    names = "return [...new Set([...document.querySelectorAll('[data-scope][data-method]')].filter(e => e.checkVisibility()).map(e => e.dataset.method))]"
    assert browser.run(names) == [f"method-{m:02d}" for m in range(10)]
    assert not browser.run("return document.getElementById('controls').checked")


def test_a_split_shows_its_own_values(browser: Any, page: Path, board: LeaderboardData) -> None:
    browser.open(page, "#split=3&dataset=data2")
    cell = "return [...document.querySelectorAll('.panel:not([hidden]) [data-method=method-00] td .cell')].map(c => c.textContent)"
    row = [r for r in board.rows if (r["dataset"], r["method"], r["split"]) == ("data2", "method-00", 3)]
    assert [text.split()[-1] for text in browser.run(cell)] == [f"{r['metrics']['accuracy']:.3f}" for r in row]
    choose(browser, "split", "")
    assert all("±" in text for text in browser.run(cell))


def test_averages_of_what_is_left_agree_with_those_made_in_python(
    browser: Any, page: Path, board: LeaderboardData
) -> None:
    overall = next(one for one in board.overall if one.label_mode == "hard")
    browser.open(page, "#q=method")  # leaves all complete methods but the random subset
    shown = browser.run(
        "return [...document.querySelectorAll('.filtered:not([hidden]) tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    assert len(shown) == len(overall.table) - 1
    order = [name for name in overall.table["method"] if name != "random"]
    assert [line[0] for line in shown] == order
    ranks = dict(zip(overall.table["method"], overall.table["average_rank"], strict=True))
    assert [float(line[1]) for line in shown] == pytest.approx([ranks[name] for name in order], abs=0.006)
    assert browser.until("return document.querySelector('.cd svg') && document.querySelector('.wins svg')")


def test_the_table_sorts_by_keyboard_chooses_columns_and_exports(
    browser: Any, page: Path, board: LeaderboardData
) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(page, "#dataset=data3")
    browser.run("document.querySelector('#table th[data-key=mean] button').focus()")
    browser.keys(Keys.ENTER)
    assert (
        browser.run("return document.querySelector('#table th[data-key=mean]').getAttribute('aria-sort')")
        == "descending"
    )
    assert "sort=mean%3Adesc" in fragment(browser)
    browser.run("const b = document.querySelector('#columns input[value=kind]'); b.click();")
    assert browser.run("return !!document.querySelector('#table th[data-key=kind]')")
    browser.run("document.getElementById('export').click()")
    deadline = time.monotonic() + 10
    while not (files := list(browser.downloads.glob("large*.csv"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = list(csv.DictReader(io.StringIO(files[0].read_text(encoding="utf-8"))))
    expected = board.table.query("dataset == 'data3'").sort_values("mean", ascending=False, kind="stable")
    assert [float(line["mean"]) for line in lines] == pytest.approx(expected["mean"].to_numpy(), rel=1e-5)
    assert {line["kind"] for line in lines} == {"control", "coreset", "condensation", "synthesis"}


def test_the_drawer_holds_what_is_behind_a_number(browser: Any, page: Path, board: LeaderboardData) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(page, "#dataset=data0&evaluator=knn")
    browser.run(
        "document.querySelector('.panel:not([hidden]) [data-method=method-00] td:nth-of-type(2) .cell').focus()"
    )
    browser.keys(Keys.ENTER)
    assert browser.until("return document.getElementById('drawer').open")
    assert browser.until("return document.querySelector('#drawer .chart svg')")
    text = browser.run("return document.getElementById('drawer').textContent")
    row = next(
        r for r in board.rows if (r["dataset"], r["method"], r["budget"], r["split"]) == ("data0", "method-00", "10", 0)
    )
    for piece in (
        "method-00, budget 10 on data0 · knn", "95 % interval", "whole 0.9", "random 0.5", f"distillkit reproduce {row['key']} results/large",
        "columns scaled to unit variance", "n_init", "Runs (10)", "held-out rows", "the first 5 of 20 rows", "10 to 0.345", "made up.",
    ):  # fmt: skip
        assert piece in text, piece
    assert "cell=" in fragment(browser)
    browser.keys(Keys.ESCAPE)
    assert browser.until("return !document.getElementById('drawer').open")
    assert browser.run("return document.activeElement.closest('tr').dataset.method") == "method-00"
    browser.keys(Keys.ARROW_DOWN)
    assert browser.run("return document.activeElement.closest('tr').dataset.method") == "method-01"


def test_the_address_opens_a_cell_and_errors_are_shown(browser: Any, page: Path, board: LeaderboardData) -> None:
    places = board.table.query("dataset == 'data5' and method == 'method-21' and budget == '50'").index
    browser.open(page, f"#cell={places[0]}")
    assert browser.until("return document.getElementById('drawer').open")
    assert "ValueError: </script>" in browser.run("return document.querySelector('#drawer pre').textContent")


def test_a_gray_method_is_lit_by_focus_and_keeps_a_color_once_chosen(browser: Any, page: Path) -> None:
    browser.open(page, "#dataset=data4")
    assert browser.until("return document.querySelector('#multiples svg.marks')")
    lines = "[...document.querySelectorAll('#multiples svg .mark-line path')]"
    thick = f"return {lines}.filter(p => p.getAttribute('stroke-width') === '3').length"
    colors = f"return new Set({lines}.map(p => p.getAttribute('stroke'))).size"
    before = browser.run(colors)
    browser.run("document.querySelector('[data-legend=method-15]').focus()")
    assert browser.until(f"{thick} === 1")
    browser.run("document.activeElement.blur()")
    assert browser.until(f"{thick} === 0")
    browser.run("document.querySelector('[data-legend=method-15]').click(); document.activeElement.blur()")
    assert browser.until(f"return (() => {{ {colors} }})() === {before + 1}")
    assert fragment(browser).endswith("&m=method-15")


def test_the_axes_of_the_charts_are_chosen(browser: Any, page: Path) -> None:
    browser.open(page, "#dataset=data4")
    for name, value, title in (("x", "bytes", "bytes of"), ("cost", "privacy", "privacy panel")):
        browser.run("document.querySelector(`input[name=${arguments[0]}][value=${arguments[1]}]`).click()", name, value)
        place = "multiples" if name == "x" else "fronts"
        assert browser.until(f"return document.querySelector('#{place} svg')?.textContent.includes('{title}')")
    assert "x=bytes&cost=privacy" in fragment(browser)


@pytest.mark.parametrize("width", [400, 1300])
def test_nothing_is_cut_without_a_cue(browser: Any, page: Path, width: int) -> None:
    browser.open(page, width=width)
    assert browser.run("return document.documentElement.scrollWidth - innerWidth") <= 0
    uncued = browser.run(
        "return [...document.querySelectorAll('main .scroll')].filter(s => s.checkVisibility() && s.scrollWidth > s.clientWidth + 1 &&"
        " s.parentElement.querySelector('.cue').hidden).length"
    )
    assert uncued == 0
    sticky = browser.run(
        "const s = [...document.querySelectorAll('main .scroll')].find(s => s.scrollWidth > s.clientWidth + 40); if (!s) return true;"
        "const h = s.querySelector('tbody th'); const x = h.getBoundingClientRect().x; s.scrollLeft = 40;"
        "return Math.abs(h.getBoundingClientRect().x - x) < 41"
    )
    assert sticky


def test_dark_and_print(browser: Any, page: Path) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.open(page, scheme="dark")
    assert browser.run(ground) == "rgb(18, 22, 28)"
    browser.open(page, media="print")
    assert browser.run(ground) == "rgb(255, 255, 255)"
    assert browser.run("return getComputedStyle(document.getElementById('bar')).display") == "none"


@pytest.fixture(scope="module")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of axe-core, of the file that AXE_CORE names or as npm gives it."""
    if given := os.environ.get("AXE_CORE"):
        return Path(given).read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("axe")
    if (npm := shutil.which("npm")) is None:
        pytest.skip("axe-core: there is no npm, and AXE_CORE names no axe.min.js")
    fetched = subprocess.run([npm, "pack", "axe-core@4"], cwd=folder, capture_output=True, timeout=120, check=False)
    if fetched.returncode:
        pytest.skip("axe-core: npm cannot fetch it here, and AXE_CORE names no axe.min.js")
    with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, page: Path, axe_source: str, scheme: str) -> None:
    browser.open(page, "#dataset=data0&evaluator=knn&q=method-0", scheme=scheme)
    browser.run("[...document.querySelectorAll('main details')].slice(0, 4).forEach(d => { d.open = true; })")
    assert browser.until("return document.querySelectorAll('#fronts svg').length")
    browser.driver.set_script_timeout(60)
    browser.command("Runtime.evaluate", expression=axe_source)
    found = browser.run(
        "return axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 120))]))"
    )
    assert [one for one in found if one[0] in ("serious", "critical")] == []
    browser.run("document.querySelector('#results .panel:not([hidden]) .cell').click()")
    assert browser.until("return document.getElementById('drawer').open")
    found = browser.run(
        "return axe.run('#drawer', {resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 120))]))"
    )
    assert [one for one in found if one[0] in ("serious", "critical")] == []
