"""The page of a report as a reader meets it, in Chromium: widths, schemes, print, keyboard and axe-core."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from distillkit import RandomSubset, report

GROUND = "return getComputedStyle(document.querySelector('.distillkit-report')).backgroundColor"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser without a screen."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.common.exceptions import WebDriverException

    program = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    driver_path = shutil.which("chromedriver")
    if program is None or driver_path is None:
        pytest.skip("no Chromium with its driver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", profile):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    except WebDriverException as exc:
        pytest.skip(f"Chromium does not run here: {exc.msg}")
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory, table, picked):
    """Pages of a table, of images and of series."""
    folder = tmp_path_factory.mktemp("pages")
    report(table[0], picked, test=table[1]).to_html(folder / "table.html")
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    for name, size in (("image", (1, 12, 12)), ("series", (2, 40))):
        X = rng.random((120, *size))
        report((X, y), RandomSubset(4, random_state=0).fit(X, y), draws=5).to_html(folder / f"{name}.html")
    return folder


@pytest.fixture
def opened(chromium, pages):
    """Open a page with a width, a color scheme and a medium, and return the browser."""

    def opened(name, width=1300, scheme="light", medium="screen"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chromium.get((pages / f"{name}.html").as_uri())
        assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []
        return chromium

    return opened


@pytest.mark.parametrize("name", ["table", "image", "series"])
@pytest.mark.parametrize("width", [400, 1300])
def test_the_page_has_the_width_of_the_window(opened, name, width):
    browser = opened(name, width)
    room = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    needed, given = browser.execute_script(room)
    assert needed == given > width - 30  # of which a scroll bar takes some
    cut = browser.execute_script(
        "return [...document.querySelectorAll('.distillkit-report *')].filter(e => !e.closest('.scroll') && "
        "!e.classList.contains('skip') && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length"
    )
    assert cut == 0


def test_charts_and_pictures_have_a_size(opened):
    for name, selector in (("table", ".chart svg"), ("image", ".strip img"), ("series", ".pair svg")):
        sizes = opened(name, 400).execute_script(
            f"return [...document.querySelectorAll('{selector}')].map(e => e.getBoundingClientRect())"
            ".map(b => [b.width, b.height])"
        )
        assert len(sizes) >= 3
        assert min(min(size) for size in sizes) > 15


def test_histograms_are_drawn_in_the_colors_of_the_sides(opened):
    for scheme in ("light", "dark"):
        fills = opened("table", scheme=scheme).execute_script(
            "return ['real', 'small'].map(s => getComputedStyle(document.querySelector('path.' + s)).fill)"
        )
        swatches = opened("table", scheme=scheme).execute_script(
            "return ['real', 'small'].map(s => getComputedStyle(document.querySelector('.swatch.' + s)).backgroundColor)"
        )
        assert fills == swatches
        assert fills[0] != fills[1]


def test_it_follows_the_scheme_and_prints_in_black_on_white(opened):
    assert opened("table").execute_script(GROUND) == "rgb(255, 255, 255)"
    assert opened("table", scheme="dark").execute_script(GROUND) == "rgb(18, 22, 28)"
    browser = opened("table", scheme="dark", medium="print")
    assert browser.execute_script(GROUND) == "rgb(255, 255, 255)"
    assert browser.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"


def test_the_keyboard_reaches_links_tables_and_details(opened):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = opened("table", 400)
    reached = []
    for _ in range(60):
        ActionChains(browser, duration=0).send_keys(Keys.TAB).perform()
        reached.append(
            browser.execute_script("return document.activeElement.className || document.activeElement.tagName")
        )
        if reached[-1] == "SUMMARY":
            break
    assert reached[:2] == ["skip", "A"]
    assert "scroll" in reached
    ActionChains(browser, duration=0).send_keys(Keys.ENTER).perform()
    assert browser.execute_script("return document.activeElement.parentElement.open") is True


@pytest.mark.parametrize("name", ["table", "image", "series"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened, name, scheme):
    if not (given := os.environ.get("AXE_CORE")):
        pytest.skip("AXE_CORE names no axe.min.js")
    browser = opened(name, scheme=scheme)
    browser.execute_script(Path(given).read_text(encoding="utf-8"))
    found = browser.execute_script(
        "return axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact, v.id, "
        "v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))"
    )
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []
