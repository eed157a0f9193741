"""Encoded rows that are expanded block by block are those of the encoder, and save memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from distillkit import KMeansCoreset
from distillkit.base import _mixed_tables
from distillkit.exceptions import DataError
from distillkit.tables import TableEncoder
from distillkit.tables._lazy_table import LazyTable

pytestmark = pytest.mark.filterwarnings("ignore:.*like an identifier")


@pytest.mark.parametrize("standardize", [True, False])
def test_blocks_are_those_of_the_encoder(table, standardize):
    encoder = TableEncoder(4, standardize=standardize).fit(table)
    expected, rows = encoder.transform(table), LazyTable.of(encoder, table)
    assert rows.shape == expected.shape
    np.testing.assert_array_equal(rows, expected)
    picks = np.array([7, 0, 59, 7])
    np.testing.assert_array_equal(rows[picks], expected[picks])
    np.testing.assert_array_equal(rows[50:], expected[50:])
    np.testing.assert_array_equal(rows.select(picks)[1:3], expected[picks[1:3]])
    np.testing.assert_array_equal(rows.select(picks).select(np.array([2, 3])), expected[[59, 7]])
    column = np.arange(4.0) + 0.5
    wide = np.column_stack([expected[picks], column])
    for end in (3, 4):  # the last row is the first one again
        np.testing.assert_array_equal(rows.select(picks[:end]).with_column(column[:end]), wide[:end])
    np.testing.assert_array_equal(rows.with_column(np.arange(60.0))[picks][:, -1], picks)
    origin, scale = expected.mean(axis=0), 0.25
    scaled = ((expected - origin) * scale).astype(np.float32)
    for lazy in (rows.scaled(origin, scale), rows.select(np.arange(60)).scaled(origin, scale)):
        assert lazy.dtype == np.float32
        np.testing.assert_array_equal(lazy, scaled)
        np.testing.assert_array_equal(lazy.select(picks), scaled[picks])
    twice = ((scaled - np.float64(0.5)) * 2.0).astype(np.float32)
    np.testing.assert_array_equal(rows.scaled(origin, scale).scaled(np.full(expected.shape[1], 0.5), 2.0), twice)


def test_unknown_levels_and_gaps_are_encoded_as_by_the_encoder(table):
    frame = pd.DataFrame({"c": ["a", "b", "a"], "n": [1.0, 2.0, 4.0], "e": [np.nan] * 3})
    encoder = TableEncoder().fit(frame)
    new = pd.DataFrame({"e": [1.0, 2.0], "n": [np.nan, 3.0], "c": ["z", None]})
    np.testing.assert_array_equal(LazyTable.of(encoder, new), encoder.transform(new))
    for other, words in ((frame.assign(n=np.inf), "infinity"), (frame[["n", "e"]], "lacks the columns c")):
        with pytest.raises(DataError, match=words):
            LazyTable.of(encoder, other)


def large_table(n_rows):
    rng = np.random.default_rng(0)
    labels = {f"c{i}": pd.Categorical.from_codes(rng.integers(0, 40, n_rows), list(range(40))) for i in range(5)}
    numbers = {f"n{i}": rng.normal(size=n_rows) for i in range(3)}
    return pd.DataFrame(numbers | labels | {"gaps": np.where(rng.random(n_rows) < 0.1, np.nan, rng.random(n_rows))})


@pytest.mark.parametrize("task", ["classification", "regression", None])
def test_weighted_k_means_of_a_large_table_is_that_of_the_whole_array(task, monkeypatch):
    X, rng = large_table(600), np.random.default_rng(1)
    y = {"classification": rng.integers(0, 2, 600), "regression": rng.normal(size=600), None: None}[task]
    weight, fits = rng.integers(0, 4, 600), []
    for most in (2**40, 0):
        monkeypatch.setattr(_mixed_tables, "_MOST_BYTES", most)
        fits.append(KMeansCoreset(budget=4, random_state=0).fit(X, y, sample_weight=weight))
    np.testing.assert_allclose(fits[0].distilled_.X, fits[1].distilled_.X, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(fits[0].sample_weight_, fits[1].sample_weight_)
    assert fits[1].sample_weight_.sum() == pytest.approx(weight.sum())


@pytest.mark.parametrize("representative", ["centroid", "member"])
@pytest.mark.parametrize("task", ["classification", "regression", None])
def test_k_means_of_a_large_table_is_that_of_the_whole_array(representative, task, monkeypatch):
    X, rng = large_table(600), np.random.default_rng(1)
    y = {"classification": rng.integers(0, 2, 600), "regression": rng.normal(size=600), None: None}[task]
    fits = []
    for most in (2**40, 0):
        monkeypatch.setattr(_mixed_tables, "_MOST_BYTES", most)
        distiller = KMeansCoreset(8, representative=representative, device="cpu", random_state=0)
        rows, _ = distiller.fit_resample(X, y)
        fits.append((rows, distiller.distilled_))
    pd.testing.assert_frame_equal(fits[0][0], fits[1][0], check_exact=True)
    for name in ("X", "y", "sample_weight"):
        np.testing.assert_array_equal(getattr(fits[0][1], name), getattr(fits[1][1], name))
    for name in ("bytes_seen", "rows_seen", "offset"):
        assert fits[0][1].provenance.get(name) == fits[1][1].provenance.get(name)


@pytest.mark.parametrize("options", [{"certify": True}, {"feature_space": np.tanh}])
def test_what_needs_all_rows_gets_an_array(options, monkeypatch):
    X, results = large_table(300), []
    for most in (2**40, 0):
        monkeypatch.setattr(_mixed_tables, "_MOST_BYTES", most)
        results.append(KMeansCoreset(5, device="cpu", random_state=0, **options).fit(X).distilled_.X)
    np.testing.assert_array_equal(*results)


def test_the_encoded_rows_of_a_large_table_are_never_in_memory_at_once(monkeypatch):
    monkeypatch.setattr(_mixed_tables, "_MOST_BYTES", 0)
    X = large_table(16_000)
    KMeansCoreset(4, max_iter=1, device="cpu", random_state=0).fit(X[:100])  # imports what it needs
    tracemalloc.start()
    distiller = KMeansCoreset(4, max_iter=2, device="cpu", random_state=0).fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    array = len(X) * distiller.distilled_.X.shape[1] * 8
    assert distiller.distilled_.provenance["bytes_seen"] == array
    assert peak < 0.7 * array  # an array of the rows and its float32 copy would take 1.5
