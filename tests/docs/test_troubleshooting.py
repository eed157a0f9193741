"""The error messages on the page of troubles are those that distillkit gives."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from distillkit import (
    DistilledSet,
    GradientMatchingDistiller,
    KMeansCoreset,
    UncertaintyCoreset,
    evaluate,
    plot_rows,
)
from distillkit import make_pipeline as make_distilling_pipeline
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.cli._single import distil_rows
from distillkit.datasets import load_dataset
from distillkit.datasets._paths import dataset_for_path
from distillkit.nn import NetworkClassifier

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
HEADINGS = re.findall(r"^### `(.*)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
X, y = load_iris(return_X_y=True)
NUMBERS = X[:, 0] + 0.123
KMEANS = KMeansCoreset(budget=2)

TROUBLES = {
    "budget over the rows": lambda: KMeansCoreset(60).fit(X, y),
    "budget of 10.0": lambda: KMeansCoreset(10.0).fit(X, y),
    "class left out": lambda: KMeansCoreset({0: 3}).fit(X, y),
    "budget per class of numbers": lambda: KMeansCoreset({0: 3}).fit(X, NUMBERS),
    "array of text": lambda: KMEANS.fit(X.astype(str), y),
    "model without text": lambda: make_distilling_pipeline(KMEANS, LogisticRegression()).fit(
        pd.DataFrame({"a": ["x", "y"] * 75}), y
    ),
    "array after a table": lambda: KMeansCoreset(2).fit(pd.DataFrame({"a": ["x", "y"] * 9})).transform(X),
    "another kind of column": lambda: (
        KMeansCoreset(2).fit(pd.DataFrame({"a": ["1", "2"] * 9})).transform(pd.DataFrame({"a": [1, 2]}))
    ),
    "gap": lambda: KMEANS.fit(np.where(X > 7, np.nan, X), y),
    "infinity in a file": lambda: distil_rows(KMEANS, pd.DataFrame({"a": [1.0, np.inf]}), None, standardize=True),
    "value out of range": lambda: KMEANS.fit(np.where(X > 7, 1e200, X), y),
    "columns renamed": lambda: KMEANS.fit(pd.DataFrame(X, columns=list("abcd")), y).distilled_.encode(
        pd.DataFrame(X, columns=list("abce"))
    ),
    "no labels": lambda: GradientMatchingDistiller(1).fit(X),
    "numbers for classes": lambda: UncertaintyCoreset(2).fit(X, NUMBERS),
    "no ranking": lambda: KMEANS.fit(X, y).distilled_.prefix(1),
    "pipeline of scikit-learn": lambda: make_pipeline(KMEANS, LogisticRegression()).fit(X, y),
    "columns missing": lambda: KMEANS.fit(X, y).transform(X[:, :2]),
    "file of another format": lambda: dataset_for_path("nowhere.json"),
    "no file": lambda: DistilledSet.load("nowhere.safetensors"),
    "table drawn": lambda: plot_rows(KMEANS.fit(X, y)),
    "network for images": lambda: GradientMatchingDistiller(1, network="convnet").fit(X, y),
    "channels last": lambda: GradientMatchingDistiller(1).fit(X.reshape(-1, 2, 2, 1).repeat(8, 1).repeat(8, 2), y),
    "softmax in a network": lambda: NetworkClassifier(network=nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))).fit(X, y),
    "no GPU": lambda: GradientMatchingDistiller(1, device="cuda").fit(X, y),
    "misspelled name": lambda: evaluate(KMEANS.fit(X, y), X, y, evaluators=["logistics"]),
    "misspelled key": lambda: parse_suite('name = "a"\nbudget = [1]', "a.toml"),
    "no data folder": lambda: load_dataset("mnist"),
}


def fits(heading, message):
    return re.search(".*".join(map(re.escape, heading.split("…"))), message, re.DOTALL)


@pytest.fixture(scope="module")
def messages():
    patch = pytest.MonkeyPatch()
    patch.delenv("DISTILLKIT_DATA", raising=False)
    patch.setattr("torch.cuda.is_available", lambda: False)
    texts = {}
    for name, trouble in TROUBLES.items():
        with pytest.raises(Exception) as error:
            trouble()
        texts[name] = str(error.value)
    patch.undo()
    return texts


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_message_on_the_page_is_given(heading, messages):
    assert any(fits(heading, message) for message in messages.values())


@pytest.mark.parametrize("name", TROUBLES)
def test_the_trouble_is_on_the_page(name, messages):
    assert any(fits(heading, messages[name]) for heading in HEADINGS), messages[name]
