"""The page of a report, read with a parser: what it shows, and that it is accessible and needs nothing else."""

import base64
import io
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from distillkit import DistilledSet, RandomSubset, report
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.metrics.series._series_metrics import autocorrelations

VOID = {"meta", "link", "img", "path", "polyline", "polygon"}


class Page(HTMLParser):
    """Elements of a page as (tag, attributes, texts), and tags that were not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if not any(tag == "style" for tag, _, _ in self.open):
            for _, _, texts in self.open:
                texts.append(data)

    def all(self, tag, **attributes):
        """Return (attributes, text) of the elements with a tag and, for `of`, with a class."""
        wanted = attributes.get("of")
        return [
            (attrs, " ".join(" ".join(texts).split()))
            for name, attrs, texts in self.elements
            if name == tag and (wanted is None or wanted in (attrs.get("class") or "").split())
        ]

    def table(self, caption):
        """Return the rows of the table whose caption begins with a text, by their first cell."""
        for place, (tag, _, texts) in enumerate(self.elements):
            if tag == "table" and " ".join(texts).strip().startswith(caption):
                cells, rows = self.elements[place + 1 :], []
                for name, _, words in cells:
                    if name == "table":
                        break
                    if name == "tr":
                        rows.append([])
                    elif name in ("th", "td"):
                        rows[-1].append(" ".join(" ".join(words).split()))
                return {row[0]: row[1:] for row in rows}
        raise AssertionError(caption)


def check(html, *, is_page=True):
    """Check what every page has to be: offline, without scripts, with headings in order and named parts."""
    page = Page(html)
    for tag, attrs, _ in page.elements:
        assert tag not in ("script", "iframe", "object")
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href"):
            if name in attrs:
                assert attrs[name].startswith(("data:", "#")), attrs[name]
        if tag == "img":
            assert attrs["alt"]
        if tag == "svg":
            assert attrs["role"] == "img"
            assert attrs["aria-label"]
    assert not re.search(r"url\(|@import", html)
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == (1 if is_page else 2)
    assert levels.count(levels[0]) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption"))
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [attrs["href"][1:] for attrs, _ in page.all("a")]
    assert set(targets) <= set(ids)
    assert bool(ids) == is_page
    return page


@pytest.fixture(scope="module")
def about(table, picked):
    train, test, _ = table
    return report(train, picked, test=test)


@pytest.fixture(scope="module")
def page(about):
    return check(about.to_html())


def lights(page):
    return {
        text.split(":")[0].split(" ", 1)[1].strip(): attrs["class"]
        for attrs, text in page.all("li")
        if "class" in attrs
    }


def test_published_rows_are_red_by_word_and_color(page):
    assert lights(page)["privacy as a whole"] == lights(page)["copies"] == "red"
    items = [text for attrs, text in page.all("li", of="red")]
    assert "red copies : 40 of the 40 published rows are copies of training rows." in items


def test_fresh_rows_are_green_by_word_and_color(table):
    train, test, fresh = table
    found = check(report(train, fresh, test=test, metrics=[]).to_html())
    assert set(lights(found).values()) == {"green"}
    assert all(text.startswith("green ") for _, text in found.all("li", of="green"))
    assert len(found.all("li", of="green")) == 4
    assert "No metric was asked for." in [text for _, text in found.all("p")]


def test_sizes_scores_and_fidelity_are_those_of_the_report(about, page):
    sizes = page.table("Rows and bytes")
    assert sizes["rows"] == ["600", "40", "6.67%"]
    assert sizes["size"][2] == f"{100 * about.sizes.bytes_small / about.sizes.bytes_real:.2f}%"
    score = about.utility.scores.loc["accuracy"]
    shown = page.table("Scores of ExtraTreesClassifier on 300 test rows")["accuracy"]
    assert shown[0] == f"{score['small']:.3f} ± {score['small_error']:.3f}"
    assert shown[2] == f"{score['random']:.3f} ± {score['random_sd']:.3f}"
    fidelity = page.table("Distances of the small set")
    assert list(fidelity)[1:] == list(about.fidelity.index)
    for name, row in about.fidelity.iterrows():
        assert fidelity[name][1] == f"{row['fresh']:.4g} ± {row['fresh_sd']:.2g}"
        assert fidelity[name][4] == (row["reading"] or "-")


def test_columns_show_both_sides_gaps_and_drift_with_its_floor(about, page):
    overview = page.table("All columns")
    assert set(overview) == {"column", *about.frame.index}
    for name, row in about.frame.iterrows():
        assert overview[name][1] == f"{row['measure']} {row['drift']:.3f}"
        assert overview[name][2] == f"{row['floor']:.3f} ± {row['floor_sd']:.3f}"
        assert overview[name][5:7] == [f"{row[f'gaps_{side}']:.1%}" for side in ("real", "small")]
    headings = [text for _, text in page.all("h3")]
    assert {"age number", "income number", "city category", "member boolean", "since date"} <= set(headings)
    assert len([label for attrs, _ in page.all("svg") if (label := attrs["aria-label"]).startswith("Histogram")]) == 3


def test_bars_are_as_high_as_the_shares(about):
    column = next(column for column in about.columns if column.name == "age")
    svg = re.search(r'<svg[^>]*aria-label="Histogram of age.*?</svg>', about.to_html(), re.DOTALL).group()
    highest = max(*column.bins[1], *column.bins[2])
    for side, shares in (("real", column.bins[1]), ("small", column.bins[2])):
        path = re.search(rf'<path class="{side}" d="([^"]*)"', svg).group(1)
        heights = [float(text) for text in re.findall(r"v-([\d.]+)", path)]
        present = [share for share in shares if share > 0]
        np.testing.assert_allclose(np.array(heights) / 176, np.array(present) / highest, atol=1e-3)


def test_levels_have_their_shares_and_sum_to_one(page, about):
    levels = page.table("Shares of the levels")
    cities = next(column for column in about.columns if column.name == "city")
    assert any(f"{share:.1%}" in values[0] for _, share, _ in cities.levels for values in levels.values())


def test_texts_of_the_data_are_escaped():
    evil = "<script>alert(1)</script>"
    X = pd.DataFrame({evil: [evil, "b"] * 40, "size": np.arange(80.0)})
    y = np.repeat(["<b>no</b>", "yes"], 40)
    about = report((X, y), (X[::8], y[::8]), metrics=[])
    for html in (about.to_html(), about._repr_html_()):
        assert "<script" not in html
        assert "<b>no" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_a_notebook_gets_an_element_without_identifiers(about):
    check(about._repr_html_(), is_page=False)
    assert "<html" not in about._repr_html_()
    assert "prefers-color-scheme: dark" in about._repr_html_()


def test_images_of_each_class_are_shown_on_both_sides():
    rng = np.random.default_rng(0)
    X = np.where(np.arange(120)[:, None, None, None] % 2, 0.8, 0.2) + rng.uniform(-0.01, 0.01, (120, 1, 6, 6))
    y = np.arange(120) % 2
    about = report((X, y), RandomSubset(3, random_state=0).fit(X, y), metrics=[])
    page = check(about.to_html())
    alts = [attrs["alt"] for attrs, _ in page.all("img")]
    assert alts[:4] == [
        "mean of the 60 real images of class 0",
        "8 real images of class 0",
        "mean of the 3 distilled images of class 0",
        "3 distilled images of class 0",
    ]
    for attrs, _ in page.all("img"):
        data = base64.b64decode(attrs["src"].partition(",")[2])
        level = np.asarray(Image.open(io.BytesIO(data)))[:6, :6].mean() / 255
        assert level == pytest.approx(0.8 if attrs["alt"].endswith("1") else 0.2, abs=0.02)


@pytest.mark.parametrize("shape", [(20, 40, 3, 1, 200, 90), (20, 40, 3, 3, 20, 20), (20, 40, 3, 2, 300, 40)])
def test_large_and_colored_images_make_a_small_page(shape):
    n_small, n_real, n_classes, *size = shape
    rng = np.random.default_rng(0)
    X, y = rng.random((n_real, *size), dtype=np.float32), np.arange(n_real) % n_classes
    about = report((X, y), (X[:n_small], y[:n_small]), metrics=[], draws=2)
    assert len(check(about.to_html()).all("img")) == 4 * n_classes
    assert len(about.to_html()) < 1_000_000


def test_images_without_an_axis_of_channels_are_images_if_asked_for():
    rng = np.random.default_rng(0)
    X, y = rng.random((60, 6, 6)), np.arange(60) % 2
    small = X[:10] + 0.01, y[:10]
    about = report((X, y), small, modality="image", metrics=[])
    assert about.sizes.modality == "image"
    np.testing.assert_allclose(about.frame.loc["mean of a row", "mean_real"], X.mean())
    assert report((X, y), (small[0][:, None], small[1]), metrics=[]).sizes.modality == "image"
    assert report((X, y), small, metrics=[]).sizes.modality == "series"
    with pytest.raises(DataError, match="modality='series', but the real rows have the shape"):
        report((X[:, None], y), (small[0][:, None], small[1]), modality="series", metrics=[])
    with pytest.raises(DataError, match="modality='table': give 'image' or 'series'"):
        report((X, y), small, modality="table")


def test_series_have_plots_and_curves_with_the_band_of_random_rows():
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.normal(size=(80, 2, 30)), axis=2)
    y = np.repeat(["calm", "wild"], 40)
    about = report((X, y), (X[::10], y[::10]), metrics=[])
    curve = about.examples.curves[0]
    np.testing.assert_allclose(curve.real, autocorrelations(X, 15).mean(axis=(0, 1)))
    np.testing.assert_allclose(curve.small, autocorrelations(X[::10], 15).mean(axis=(0, 1)))
    assert np.mean((curve.low < curve.small) & (curve.small < curve.high)) > 0.5
    assert about.examples.curves[1].real.sum() == pytest.approx(1, abs=0.02)
    page = check(about.to_html())
    labels = [attrs["aria-label"] for attrs, _ in page.all("svg")]
    assert sum(label == "5 real series of class calm and the mean of all" for label in labels) == 2
    assert sum(label.startswith("Autocorrelation by lag") for label in labels) == 1
    means = page.table("Autocorrelation of both sides")
    assert means["1"] == [f"{curve.real[0]:.3f}", f"{curve.small[0]:.3f}"]


def test_figures_of_series_equal_those_of_numpy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 1, 40))
    row = report(X, X[:10], metrics=[]).frame
    flat = X[:, 0] - X[:, 0].mean(axis=1, keepdims=True)
    lag = (flat[:, :-1] * flat[:, 1:]).sum(axis=1) / (flat**2).sum(axis=1)
    assert row.loc["autocorrelation at lag 1 of a row", "mean_real"] == pytest.approx(lag.mean())
    power = np.abs(np.fft.rfft(flat, axis=1)) ** 2
    frequency = (power * np.fft.rfftfreq(40)).sum(axis=1) / power.sum(axis=1)
    assert row.loc["mean frequency of a row", "mean_real"] == pytest.approx(frequency.mean())


@pytest.mark.parametrize(
    ("real", "small"),
    [
        (np.zeros((30, 1, 2)), np.zeros((3, 1, 2))),
        (np.zeros((30, 1, 1)), np.zeros((3, 1, 1))),
        (np.zeros((30, 1, 4, 4)), np.zeros((3, 1, 4, 4))),
        (np.zeros((30, 3)), np.zeros((3, 3))),
        (pd.DataFrame({"a": [None] * 30}), pd.DataFrame({"a": [None] * 3})),
    ],
    ids=["short series", "one step", "black", "constant", "empty"],
)
def test_every_report_has_a_page(real, small):
    check(report(real, small, metrics=[]).to_html())


def test_a_lost_class_is_told():
    X, y = np.random.default_rng(0).random((60, 1, 5, 5)), np.arange(60) % 3
    small = DistilledSet(X[y < 2][:6], y[y < 2][:6])
    page = check(report((X, y), small, metrics=[]).to_html())
    assert "20 real rows, 0 distilled" in [text for _, text in page.all("p")]
    assert "none" in [text for _, text in page.all("span")]


def test_weights_of_the_real_rows_are_told(tmp_path, table):
    (X, y), _, (fresh, y_fresh) = table
    X.assign(sample_weight=np.arange(len(X)) + 1, answer=y).to_parquet(tmp_path / "real.parquet")
    with pytest.warns(DistillkitWarning, match="read as the weights of the rows"):
        about = report(str(tmp_path / "real.parquet"), (fresh, y_fresh), target="answer", metrics=[])
    assert "real rows have weights, which the report does not use" in about.notes[0]
    assert about.notes[0] in [text for _, text in check(about.to_html()).all("p")]
    assert "which the report does not use" in " ".join(str(about).split())
    of_frame = report(X.assign(sample_weight=2.5), fresh, metrics=[])
    assert of_frame.frame.index.tolist() == X.columns.tolist()
    assert of_frame.notes == ()  # equal weights count as none
    assert report((X, y), (fresh, y_fresh), metrics=[]).notes == ()


def test_the_page_is_written_and_a_wrong_place_is_told(about, tmp_path):
    html = about.to_html(tmp_path / "sub" / "report.html")
    assert (tmp_path / "sub" / "report.html").read_text(encoding="utf-8") == html
    with pytest.raises(DataError, match="Name another file"):
        about.to_html(tmp_path)


def test_the_page_of_a_wide_table_is_small():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 400))
    about = report(X, X[:20], metrics=[], draws=2)
    page = check(about.to_html())
    assert "100 further columns are in the attribute frame of the report." in [text for _, text in page.all("p")]
    assert len(about.to_html()) < 1_000_000
