"""The figures of the columns equal independent computations."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from distillkit import DistilledSet, report
from distillkit.reports._summaries import weighted_quantiles


@pytest.fixture(scope="module")
def about(table, picked):
    (X, y), test, _ = table
    return report(X, picked, y, test=test, metrics=["marginal-ks"])


def shares(values, levels):
    return values.value_counts(normalize=True).reindex(levels).fillna(0.0)


def test_numbers_equal_those_of_pandas_and_scipy(about, table, picked):
    (X, _), _, _ = table
    small = picked.to_frame()
    for name in ("age", "income"):
        row = about.frame.loc[name]
        for side, values in (("real", X[name]), ("small", small[name])):
            present = values.dropna()
            weight = picked.sample_weight[values.notna()] if side == "small" else np.ones(len(present))
            assert row[f"mean_{side}"] == pytest.approx(np.average(present, weights=weight))
            assert row[f"sd_{side}"] == pytest.approx(np.sqrt(np.cov(present, aweights=weight, ddof=0)))
            assert (row[f"min_{side}"], row[f"max_{side}"]) == (present.min(), present.max())
            gaps = np.average(values.isna(), weights=picked.sample_weight if side == "small" else None)
            assert row[f"gaps_{side}"] == pytest.approx(gaps)
    median = np.quantile(X["age"], 0.5, method="inverted_cdf")
    assert about.frame.loc["age", "median_real"] == median


def test_drift_without_weights_is_that_of_scipy(table):
    (X, _), _, (fresh, _) = table
    row = report(X, fresh, metrics=[]).frame.loc["age"]
    assert row["drift"] == pytest.approx(ks_2samp(X["age"], fresh["age"]).statistic)
    assert row["measure"] == "KS"


def test_levels_and_their_drift_equal_those_of_pandas(about, table, picked):
    (X, _), _, _ = table
    small, levels = picked.to_frame(), sorted(X["city"].unique())
    weighted = pd.Series(picked.sample_weight).groupby(small["city"].to_numpy()).sum()
    q = (weighted / weighted.sum()).reindex(levels).fillna(0.0)
    p = shares(X["city"], levels)
    row = about.frame.loc["city"]
    assert row["drift"] == pytest.approx((p - q).abs().sum() / 2)
    lost = set(levels) - set(small["city"])
    assert row["levels_real"] == 4
    assert row["levels_lost"] == len(lost)
    assert row["share_lost"] == pytest.approx(p[list(lost)].sum())
    assert row["levels_lost_expected"] == pytest.approx(((1 - p) ** len(small)).sum())
    column = next(column for column in about.columns if column.name == "city")
    assert [level for level, _, _ in column.levels] == shares(X["city"], levels).sort_values()[::-1].index.tolist()
    assert column.lost == tuple(level for level, _, _ in column.levels if level in lost)


def test_histograms_share_their_bins_and_hold_all_rows(about):
    for column in about.columns:
        if column.bins:
            edges, real, small = column.bins
            assert len(edges) == len(real) + 1 == len(small) + 1
            assert sum(real) == pytest.approx(1)
            assert sum(small) == pytest.approx(1)


def test_dates_are_seconds_since_1970(about, table):
    (X, _), _, _ = table
    row = about.frame.loc["since"]
    assert row["kind"] == "date"
    assert pd.Timestamp(row["min_real"], unit="s") == X["since"].min()
    assert row["mean_real"] == pytest.approx((X["since"] - pd.Timestamp(0)).dt.total_seconds().mean())


def test_the_target_is_the_last_column(about):
    assert about.frame.index[-1] == "target"
    assert about.frame["is_target"].tolist() == [False] * 5 + [True]


def test_gaps_that_vanish_are_drift_of_labels():
    X = pd.DataFrame({"color": ["red", "blue", None, None] * 20, "size": np.arange(80.0)})
    small = X[X["color"].notna()].iloc[:10]
    row = report(X, small, metrics=[]).frame.loc["color"]
    assert row["drift"] == pytest.approx(0.5)
    assert (row["gaps_real"], row["gaps_small"]) == (0.5, 0.0)


def test_the_floor_is_that_of_random_rows_against_the_others(table):
    """Random rows lie within their floor, and shifted rows far outside."""
    (X, y), _, (fresh, y_fresh) = table
    near = report((X, y), (fresh, y_fresh), metrics=[])
    assert near.draws == 20
    assert near.frame["z"].dropna().abs().max() < 4
    moved = report((X, y), (fresh.assign(age=fresh["age"] + 30), y_fresh), metrics=[])
    assert moved.frame.loc["age", "z"] > 5
    assert [column.name for column in moved.columns if column.drifts] == ["age"]
    assert "1 of its 5 columns drifts more than those of random rows do: 'age'" in moved.summary


def test_the_floor_of_a_drift_is_what_two_samples_of_scipy_give(table):
    (X, y), _, _ = table
    small = DistilledSet(np.zeros((40, 1)), y=np.repeat(["no", "yes"], 20))
    about = report((X[["age"]], y), small, metrics=[], draws=60)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(300):
        rows = np.concatenate([rng.choice(np.flatnonzero(y == label), 20, replace=False) for label in ("no", "yes")])
        values.append(ks_2samp(X["age"].iloc[rows], X["age"].drop(rows)).statistic)
    row = about.frame.loc["age"]
    assert row["floor"] == pytest.approx(np.mean(values), abs=4 * np.std(values) / np.sqrt(60))
    assert row["floor_sd"] == pytest.approx(np.std(values), rel=0.4)


def test_a_set_of_more_than_half_the_rows_has_no_floor(table):
    (X, y), _, _ = table
    about = report((X, y), (X[:400], y[:400]), metrics=[])
    assert about.draws == 0
    assert about.frame["floor"].isna().all()
    assert "has no floor, because the set has more than half of the rows" in about.summary


def test_weighted_quantiles_are_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    numbers, weight = rng.normal(size=30), rng.integers(1, 6, 30).astype(float)
    repeated = np.repeat(numbers, weight.astype(int))
    expected = np.quantile(repeated, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf")
    assert weighted_quantiles(numbers, weight) == tuple(expected)


def test_the_associations_are_those_of_pandas_and_differ_most_first():
    rng = np.random.default_rng(0)
    a = rng.normal(size=200)
    X = pd.DataFrame({"a": a, "b": a + rng.normal(size=200), "c": rng.normal(size=200)})
    small = X.iloc[:50].assign(b=rng.normal(size=50))
    found = report(X, small, metrics=[]).associations
    first = found.iloc[0]
    assert {first["first"], first["second"]} == {"a", "b"}
    assert first["real"] == pytest.approx(X["a"].corr(X["b"]))
    assert first["small"] == pytest.approx(small["a"].corr(small["b"]))
    assert (found["real"] - found["small"]).abs().is_monotonic_decreasing


def test_images_and_series_are_shown_by_figures_of_each_row():
    rng = np.random.default_rng(0)
    X = rng.random((60, 2, 5))
    row = report(X, X[:10], metrics=[]).frame.loc["mean of channel 1"]
    assert row["mean_real"] == pytest.approx(X[:, 1].mean(), rel=1e-5)
