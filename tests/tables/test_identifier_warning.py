"""The warning about identifiers comes once for a table, however often it is fitted and read."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV

from distillkit import KMeansCoreset, make_pipeline
from distillkit.datasets import load_rows
from distillkit.exceptions import DistillkitWarning
from distillkit.utils._warn_once import warn_once


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"code": [f"c{i:03}" for i in range(60)], "x": rng.normal(size=60), "y": ["no", "yes"] * 30})


def test_a_search_over_a_table_warns_once(table):
    trees = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=2)
    pipeline = make_pipeline(KMeansCoreset(0.5, random_state=0), trees)
    search = GridSearchCV(pipeline, {"kmeanscoreset__budget": [0.4, 0.5]}, cv=2)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        search.fit(table[["code", "x"]], table["y"])
    (message,) = [str(each.message) for each in told if "column 'code'" in str(each.message)]
    assert message.startswith("the text in column 'code' differs in nearly every row, like an identifier: ")


@pytest.mark.parametrize(("action", "times"), [("default", 1), ("once", 1), ("always", 3), ("ignore", 0)])
def test_the_filters_decide_whether_a_warning_is_repeated(action, times):
    with warnings.catch_warnings(record=True) as told:
        warnings.resetwarnings()
        warnings.filterwarnings("error", message="another")
        warnings.filterwarnings("error", category=DeprecationWarning)
        warnings.simplefilter(action, DistillkitWarning, append=True)
        for _ in range(3):
            with warnings.catch_warnings():  # which makes Python forget what it has shown
                warn_once("one")
    assert len(told) == times


def test_an_ignored_warning_is_given_later():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warn_once("one")
    with pytest.warns(DistillkitWarning, match="one"):
        warn_once("one")


def test_a_warning_can_be_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(DistillkitWarning, match="one"):
                warn_once("one")


def test_the_reader_leaves_text_to_the_encoder_and_names_numbers(table, tmp_path):
    table.assign(number=range(60)).to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(DistillkitWarning) as told:
        X, y = load_rows(str(tmp_path / "t.csv"), target="y")
    assert [str(each.message).partition(", having")[0] for each in told] == [
        f"{tmp_path / 't.csv'}: column 'number' looks like an identifier"
    ]
    with pytest.warns(DistillkitWarning, match="the text in column 'code' differs"):
        KMeansCoreset(0.5, random_state=0).fit(X, y)
