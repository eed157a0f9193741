"""The view of a distilled set in notebooks."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from distillkit import DistilledSet, KMeansCoreset, RandomSubset

VOID = {"img", "polyline"}


class Page(HTMLParser):
    """The text of a page, its tags, and those left open."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts, self.attributes = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def view(small):
    page = Page(small._repr_html_())
    assert page.open == []
    assert not {name for name, _ in page.attributes} & {"onclick", "onload", "href"}
    assert all(value.startswith("data:") for name, value in page.attributes if name == "src")
    assert "script" not in page.tags
    return page


def test_a_table_shows_its_figures_its_method_and_its_first_rows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["width", "height"])
    small = KMeansCoreset(4, random_state=0).fit(frame, np.repeat(["no", "yes"], 40)).distilled_
    text = view(small).text
    assert "rows 8 of 80 (10.00%)" in text
    seen = small.provenance["bytes_seen"]
    assert f"size {small.nbytes} bytes of {seen / 1000:.3g} kB ({small.nbytes / seen:.2%})" in text
    assert "2 classes: no (4), yes (4)" in text
    assert "80 in all" in text
    assert "KMeansCoreset" in text
    assert "budget=4" in text
    assert "width height target sample_weight" in text
    assert "first 5 of 8 rows" in text
    assert f"{small.X[0, 0]:.6g}" in text
    assert "distillkit.report(real, small) shows it beside the real rows" in text


def test_names_labels_and_parameters_are_escaped():
    evil = "<script>alert(1)</script>"
    small = DistilledSet(
        np.eye(2),
        y=np.array([evil, "b"]),
        classes=np.array([evil, "b"]),
        feature_names=(evil, "b<b>"),
        provenance={"method": evil, "params": {evil: evil, "budget": evil}},
    )
    html = small._repr_html_()
    assert "<script" not in html
    assert "b&lt;b&gt;" in html
    assert "alert(1)" in view(small).text


def test_images_are_a_picture_of_the_first_rows_of_each_class():
    X = np.zeros((30, 1, 4, 4), dtype=np.uint8)
    X[:15], X[15:] = 50, 200
    page = view(DistilledSet(X, y=np.repeat([0, 1], 15), classes=np.array([0, 1])))
    source = dict(page.attributes)["src"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))
    assert pixels.shape == (10 * 5 - 1, 2 * 5 - 1)
    assert (pixels[0, 0], pixels[0, -1]) == (50, 200)
    assert "20 of 30 rows, by class" in page.text


def test_series_are_small_curves():
    X = np.random.default_rng(0).normal(size=(6, 1, 20))
    page = view(DistilledSet(X, y=np.repeat(["a", "b"], 3)))
    assert page.tags.count("svg") == 2
    assert page.tags.count("polyline") == 6
    assert "6 of 6 rows" in page.text


@pytest.mark.parametrize(
    "small",
    [
        DistilledSet(np.ones((0, 3))),
        DistilledSet(np.ones((3, 2))),
        DistilledSet(np.ones((2, 2)), y=np.array([0.5, 2.0]), soft_labels=np.ones((2, 1))),
        DistilledSet(np.full((2, 1, 8), np.nan)),
        DistilledSet(np.ones((2, 1, 2, 2, 2))),
        DistilledSet(np.ones((2, 2)), feature_names=("target", "b"), y=np.array([0, 1])),
        DistilledSet(np.ones((2, 1, 4, 4)), provenance={"rows_seen": "many", "seconds": None, "params": 3}),
    ],
    ids=["empty", "bare", "numbers", "nan", "volumes", "clash", "odd provenance"],
)
def test_every_set_has_a_view(small):
    assert f"rows {len(small)}" in view(small).text


def test_a_mixed_table_shows_its_own_columns_and_a_wide_one_its_ends():
    frame = pd.DataFrame({"city": ["Oslo", "Rome"] * 20, "size": np.arange(40)})
    small = RandomSubset(2, random_state=0).fit(frame, np.repeat(["no", "yes"], 20)).distilled_
    assert "city size target sample_weight" in view(small).text
    wide = DistilledSet(np.ones((3, 500)), y=np.array([0, 1, 1]))
    assert "x5 ... x496" in view(wide).text
    assert "502 columns" in view(wide).text


@pytest.mark.parametrize("shape", [(20_000, 1, 28, 28), (20_000, 1, 300), (20_000, 300)])
def test_the_view_of_a_large_set_is_small(shape):
    X = np.broadcast_to(np.random.default_rng(0).random(shape[1:], dtype=np.float32), shape)
    html = DistilledSet(X, y=np.arange(len(X)) % 100, classes=np.arange(100))._repr_html_()
    assert len(html) < 200_000
    assert re.search("100 classes: .*, \\.\\.\\.", html)


def test_the_view_loads_no_matplotlib():
    code = (
        "import sys, numpy as np, distillkit as d; d.DistilledSet(np.ones((2, 1, 4, 4)))._repr_html_();"
        "d.DistilledSet(np.ones((2, 3)))._repr_html_(); print('matplotlib' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
