from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, pearsonr
from scipy.stats.contingency import association

from distillkit import KMeansCoreset, RandomSubset, metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference
from distillkit.metrics.tables._columns import TableColumns
from distillkit.metrics.tables._correlations import associations


def table_of(n, seed=0):
    """Return numbers, two of which are correlated, a column of two values, and labels."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    binary = (first + rng.normal(size=n) > 0) * 2.0
    X = np.column_stack([first, first + rng.normal(size=n), rng.exponential(size=n), binary])
    return X, (first + rng.normal(size=n) > 0.5).astype(int)


def frame_of(n, seed=0):
    rng = np.random.default_rng(seed)
    city = rng.choice(["Rome", "Oslo", "Bern"], n, p=[0.5, 0.3, 0.2])
    age = rng.normal(40, 10, n) + 10 * (city == "Oslo")
    return pd.DataFrame({"age": age, "city": city, "member": rng.random(n) < 0.3}), (age > 45).astype(int)


def test_kolmogorov_smirnov_is_that_of_scipy_with_repeated_rows_for_weights_and_ties():
    X, y = table_of(200)
    X = np.round(X, 1)
    small, y_small = table_of(15, seed=1)
    small, copies = np.round(small, 1), np.random.default_rng(2).integers(1, 4, 15)
    value = metrics.marginal_ks(X, y, DistilledSet(small, y_small, copies.astype(float)))
    expected = [ks_2samp(X[:, place], np.repeat(small[:, place], copies)).statistic for place in range(3)]
    assert value == pytest.approx(np.mean(expected), abs=1e-12)
    child = metrics.marginal_ks(Reference(X, y).without(np.arange(60)), None, DistilledSet(small, y_small))
    expected = [ks_2samp(X[60:, place], small[:, place]).statistic for place in range(3)]
    assert child == pytest.approx(np.mean(expected), abs=1e-12)


def test_total_variation_of_levels_and_labels():
    X, y = table_of(200)
    small, y_small = table_of(15, seed=1)
    weight = np.random.default_rng(3).random(15)
    shares = [(column == top).mean() for column, top in ((X[:, 3], 2), (y, 1))]
    own = [np.average(column == top, weights=weight) for column, top in ((small[:, 3], 2), (y_small, 1))]
    value = metrics.marginal_tv(X, y, DistilledSet(small, y_small, weight))
    assert value == pytest.approx(np.mean(np.abs(np.subtract(shares, own))), abs=1e-12)


def test_the_columns_of_a_mixed_table_are_its_own():
    frame, y = frame_of(400)
    small = RandomSubset(budget=10, random_state=0).fit(frame, y).distilled_
    picked, y_small = frame.iloc[small.indices], np.asarray(small.y)
    weights = np.asarray(small.sample_weight)
    distances = []
    for column, own in ((frame["city"], picked["city"]), (frame["member"], picked["member"])):
        levels = column.unique()
        shares = [np.average(own == level, weights=weights) - (column == level).mean() for level in levels]
        distances.append(np.abs(shares).sum() / 2)
    distances.append(abs(np.average(y_small, weights=weights) - y.mean()))
    assert metrics.marginal_tv(frame, y, small) == pytest.approx(np.mean(distances), abs=1e-12)
    assert metrics.marginal_tv(small.encode(frame), y, small) == pytest.approx(np.mean(distances), abs=1e-12)
    made = KMeansCoreset(budget=10, random_state=0).fit(frame, y).distilled_
    assert 0 < metrics.marginal_tv(frame, y, made) < 1
    assert 0 < metrics.correlation_error(frame, y, made) < 1


def test_floors_of_a_mixed_table_compare_the_same_columns():
    frame, y = frame_of(400)
    small = RandomSubset(budget=20, random_state=0).fit(frame, y).distilled_
    result = metrics.floors(metrics.marginal_tv, frame, y, small, draws=20)
    spread = result.picked[1]
    assert abs(result.value - result.picked[0]) < 4 * spread  # the set is one more such draw
    reference = Reference(small.encode(frame), y)
    metrics.marginal_tv(reference, None, small)
    plain = DistilledSet(small.X, small.y, small.sample_weight, classes=small.classes)
    assert metrics.marginal_tv(reference, None, plain) == pytest.approx(metrics.marginal_tv(frame, y, small))


def test_associations_of_every_kind():
    rng = np.random.default_rng(4)
    numbers = rng.normal(size=(80, 2)) + 5
    levels = np.column_stack([rng.integers(0, 3, 80), (numbers[:, 0] > 5).astype(int)])
    copies = rng.integers(1, 4, 80)
    values = associations(TableColumns(numbers, levels), copies.astype(float))
    numbers, levels = np.repeat(numbers, copies, axis=0), np.repeat(levels, copies, axis=0)
    np.testing.assert_allclose(np.diag(values), 1)
    np.testing.assert_allclose(values, values.T)
    assert values[0, 1] == pytest.approx(pearsonr(*numbers.T).statistic, abs=1e-12)
    counts = np.array([[np.sum((levels == [a, b]).all(axis=1)) for b in range(2)] for a in range(3)])
    assert values[2, 3] == pytest.approx(association(counts, method="cramer"), abs=1e-12)
    for number in range(2):
        for level in range(2):
            column, groups = numbers[:, number], levels[:, level]
            means = [(groups == g).sum() * (column[groups == g].mean() - column.mean()) ** 2 for g in np.unique(groups)]
            ratio = np.sqrt(sum(means) / np.sum((column - column.mean()) ** 2))
            assert values[number, 2 + level] == pytest.approx(ratio, abs=1e-12)


def test_the_error_is_the_mean_over_pairs_without_constant_columns():
    X, y = table_of(200)
    small, y_small = table_of(20, seed=5)
    value = metrics.correlation_error(X, y, DistilledSet(small, y_small))
    first, second = (
        associations(
            TableColumns(rows[:, :3], np.column_stack([rows[:, 3] > 1, labels]).astype(int)), np.ones(len(rows))
        )
        for rows, labels in ((X, y), (small, y_small))
    )
    assert value == pytest.approx(np.abs(first - second)[np.triu_indices(5, 1)].mean(), abs=1e-12)
    constant = np.column_stack([X, np.full(200, 7.0)])
    wider = DistilledSet(np.column_stack([small, np.full(20, 7.0)]), y_small)
    assert metrics.correlation_error(constant, y, wider) == pytest.approx(value, abs=1e-12)
    collapsed = DistilledSet(np.repeat(small[:1], 20, axis=0), y_small)
    assert metrics.correlation_error(X, y, collapsed) > value


def test_a_target_of_numbers_is_one_more_column():
    X, _ = table_of(200)
    y = X[:, 0] * 3 + 1
    right, wrong = DistilledSet(X[:50], y[:50]), DistilledSet(X[:50], -y[:50])
    assert metrics.correlation_error(X, y, right) < metrics.correlation_error(X, y, wrong) - 0.2
    assert metrics.marginal_ks(X, y, right) < metrics.marginal_ks(X, y, wrong)


@pytest.mark.parametrize("metric", [metrics.marginal_tv, metrics.marginal_ks, metrics.correlation_error])
def test_identity_order_and_units(metric):
    X, y = table_of(120)
    assert metric(X, y, DistilledSet(X, y)) == pytest.approx(0, abs=1e-12)
    small, y_small = table_of(20, seed=6)
    order = np.random.default_rng(7).permutation(120)
    value = metric(X, y, DistilledSet(small, y_small))
    assert metric(X[order], y[order], DistilledSet(small[::-1], y_small[::-1])) == pytest.approx(value, abs=1e-12)
    assert metric(X * 8 + 2, y, DistilledSet(small * 8 + 2, y_small)) == pytest.approx(value, abs=1e-12)
    with pytest.raises(DataError, match="needs a table"):
        metric(X.reshape(-1, 1, 4), y, DistilledSet(small.reshape(-1, 1, 4), y_small))
    with pytest.raises(DataError, match="NaN"):
        metric(X, y, DistilledSet(small * np.nan, y_small))


def test_tables_without_what_a_metric_compares():
    X = table_of(50)[0]
    numbers, binary = DistilledSet(X[:9, :3]), DistilledSet(X[:9, 3:])
    assert metrics.marginal_tv(X[:, :3], None, numbers) is None
    assert metrics.marginal_ks(X[:, 3:], None, binary) is None
    with pytest.raises(DataError, match="at least two columns"):
        metrics.correlation_error(X[:, 3:], None, binary)
