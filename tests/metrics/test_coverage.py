from __future__ import annotations

import numpy as np
import pytest

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference, _coverage, _neighborhoods, random_sets


def brute_force(X, y, S, y_small, k):
    covered = 0
    for i in range(len(X)):
        others = [j for j in range(len(X)) if j != i and y[j] == y[i]]
        distances = sorted(np.linalg.norm(X[j] - X[i]) for j in others)
        radius = distances[min(k, len(distances)) - 1] if distances else 0.0
        covered += any(np.linalg.norm(S[j] - X[i]) < radius for j in range(len(S)) if y_small[j] == y[i])
    return covered / len(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 5, 50])
def test_the_double_loop_over_three_classes(k, dtype):
    rng = np.random.default_rng(k)
    y = np.repeat([0, 1, 2], [40, 25, 3])
    X = rng.normal(size=(68, 3)).astype(dtype) + y[:, None].astype(dtype)
    S, y_small = rng.normal(1, 1, size=(9, 3)).astype(dtype), np.repeat([0, 1, 2], 3)
    expected = brute_force(X, y, S, y_small, k)
    assert expected > 0
    assert metrics.coverage(X, y, DistilledSet(S, y_small, classes=np.arange(3)), 0, n_neighbors=k) == expected


def test_a_continuous_target_is_one_more_column():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 2)), rng.normal(10, 3, size=60)
    S, y_small = rng.normal(size=(6, 2)), rng.normal(10, 3, size=6)
    scaled, one = (y - y.mean()) / y.std(), np.zeros(60)
    joint, small = np.column_stack([X, scaled]), np.column_stack([S, (y_small - y.mean()) / y.std()])
    assert metrics.coverage(X, y, DistilledSet(S, y_small), 0) == brute_force(joint, one, small, one, 5) > 0


@pytest.mark.parametrize("block", [1, 100, 10_000])
def test_blocks_change_nothing(block, monkeypatch):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(80, 2)), np.repeat([0, 1], 40)
    distilled = DistilledSet(rng.normal(size=(6, 2)), np.repeat([0, 1], 3), classes=np.arange(2))
    value = metrics.coverage(X, y, distilled, 0)
    monkeypatch.setattr(_neighborhoods, "_BLOCK_DISTANCES", block)
    assert metrics.coverage(X, y, distilled, 0) == value > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_and_ties_far_from_the_origin(dtype):
    rng = np.random.default_rng(3)
    X = (rng.random((20, 784)) + 30).astype(dtype)
    y, classes = np.zeros(len(X), dtype=int), np.array([0])
    assert metrics.coverage(X, y, DistilledSet(X, y, classes=classes), 0) == 1.0
    # A copy of a row covers it, and those rows of which it is one of the four nearest.
    squares = np.square(X[:, None].astype(float) - X[None]).sum(axis=2)
    rank = np.argsort(np.argsort(squares, axis=1), axis=1)
    expected = np.mean((rank[:, :3] < 5).any(axis=1))
    copies = DistilledSet((X[:3].astype(float) * 3 / 3).astype(dtype), y[:3], classes=classes)
    assert metrics.coverage(X, y, copies, 0) == expected
    # Rows with as many copies as neighbors have a ball of radius 0, which holds nothing.
    assert metrics.coverage(np.repeat(X, 6, axis=0), np.repeat(y, 6), DistilledSet(X, y, classes=classes), 0) == 0.0


def test_classes_left_out_and_rows_without_weight_cover_nothing():
    X, y = np.random.default_rng(4).normal(size=(40, 2)), np.repeat([0, 1], 20)
    all_of_one = DistilledSet(X[:20], y[:20], classes=np.arange(2))
    assert metrics.coverage(X, y, all_of_one, 0) == 0.5
    weightless = DistilledSet(X, y, np.repeat([1.0, 0.0], 20), classes=np.arange(2))
    assert metrics.coverage(X, y, weightless, 0) == 0.5
    lone = np.append(y[:-1], 2)
    assert metrics.coverage(X, lone, DistilledSet(X[-1:], lone[-1:], classes=np.arange(3)), 0) == 0


def test_random_rows_cover_what_is_expected():
    rng = np.random.default_rng(5)
    values = []
    for _ in range(40):
        X, S = rng.normal(size=(200, 3)), rng.normal(size=(40, 3))
        values.append(metrics.coverage(X, None, DistilledSet(S), 0))
    spread = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(metrics.expected_coverage(200, 40, 5), abs=4 * spread)


@pytest.mark.parametrize(("n_small", "k"), [(10, 5), (40, 5), (20, 2)])
def test_random_training_rows_cover_what_is_expected(n_small, k):
    X = np.random.default_rng(6).normal(size=(120, 4))
    reference, small = Reference(X), DistilledSet(X[:n_small])
    picked = [metrics.coverage(reference, None, each, n_neighbors=k) for each in random_sets(reference, small, 150)]
    fresh = [
        metrics.coverage(reference.without(each.indices), None, each, n_neighbors=k)
        for each in random_sets(reference, small, 150)
    ]
    for values, expected in (
        (picked, metrics.expected_coverage(120, n_small, k, "picked")),
        (fresh, metrics.expected_coverage(120 - n_small, n_small, k)),
    ):
        assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / np.sqrt(150))


def test_expected_coverage_at_its_ends():
    assert metrics.expected_coverage(100, 0, 5) == metrics.expected_coverage(100, 0, 5, "picked") == 0.0
    assert metrics.expected_coverage(2, 1, 1) == metrics.expected_coverage(2, 1, 9) == 0.5
    assert metrics.expected_coverage(20, 20, 5, "picked") == metrics.expected_coverage(20, 18, 5, "picked") == 1.0
    assert metrics.expected_coverage(20, 5, 1, "picked") == pytest.approx(0.25)
    with pytest.raises(DataError, match="21 rows cannot be picked out of 20"):
        metrics.expected_coverage(20, 21, 5, "picked")
    with pytest.raises(DataError, match="source='random' is not known"):
        metrics.expected_coverage(20, 2, 5, "random")


def test_drawn_balls_estimate_the_whole_with_the_printed_error(monkeypatch):
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(2000, 2)), rng.integers(0, 2, 2000)
    distilled = DistilledSet(rng.normal(size=(200, 2)), rng.integers(0, 2, 200), classes=np.arange(2))
    whole = metrics.coverage(X, y, distilled, 0)
    assert whole.error is None
    monkeypatch.setattr(_coverage, "_MAX_VALUES", 500 * 1000 * 2)  # 500 balls in classes of some 1,000 rows
    drawn = metrics.coverage(X, y, distilled, 0)
    assert drawn.error == pytest.approx(np.sqrt(whole * (1 - whole) / 500 * 0.75), rel=0.2)
    assert abs(drawn - whole) < 4 * drawn.error
    order = rng.permutation(2000)
    assert metrics.coverage(X[order], y[order], distilled, 0) == drawn
    assert "of 2,000 training rows were examined" in drawn.note


@pytest.mark.parametrize("n_removed", [20, 150])
def test_rows_left_out_of_the_reference(n_removed, monkeypatch):
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    distilled = DistilledSet(X[:30], y[:30], classes=np.arange(2))
    removed = rng.choice(200, n_removed, replace=False)
    kept = np.delete(np.arange(200), removed)
    expected = brute_force(X[kept], y[kept], distilled.X, distilled.y, 5)
    assert metrics.coverage(Reference(X, y).without(removed), None, distilled) == pytest.approx(expected)
    monkeypatch.setattr(_neighborhoods, "_SINGLE_VALUES", 0)
    X = X.astype(np.float32)
    distilled = DistilledSet(X[:30], y[:30], classes=np.arange(2))
    assert metrics.coverage(Reference(X, y).without(removed), None, distilled) == pytest.approx(expected)


def prdc_by_loops(X, S, k):
    real = np.sort(np.linalg.norm(X[:, None] - X[None], axis=2), axis=1)[:, k]
    made = np.sort(np.linalg.norm(S[:, None] - S[None], axis=2), axis=1)[:, k]
    between = np.linalg.norm(X[:, None] - S[None], axis=2)
    inside = between < real[:, None]
    return {
        "precision": inside.any(axis=0).mean(),
        "recall": (between < made[None]).any(axis=1).mean(),
        "density": inside.sum(axis=0).mean() / k,
        "coverage": (between.min(axis=1) < real).mean(),
    }


@pytest.mark.parametrize("k", [1, 5])
def test_precision_recall_density_and_coverage_of_prdc(k):
    rng = np.random.default_rng(k)
    X, S = rng.normal(size=(150, 4)), np.concatenate([rng.normal(0.7, 1, size=(35, 4)), rng.normal(9, 1, size=(5, 4))])
    reference = Reference(X).without([7, 8])
    expected = prdc_by_loops(np.delete(X, [7, 8], axis=0), S, k)
    for name, value in expected.items():
        found = getattr(metrics, name)(reference, None, DistilledSet(S), n_neighbors=k, features="values")
        assert found == pytest.approx(value), name
        assert value > 0
    prdc = pytest.importorskip("prdc")
    assert prdc.compute_prdc(np.delete(X, [7, 8], axis=0), S, k) == pytest.approx(expected)


def test_classes_weights_and_few_rows_of_precision_recall_and_density():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(90, 2)), np.repeat([0, 1, 2], 30)
    S, labels = rng.normal(size=(20, 2)), np.repeat([0, 1], 10)
    weight = np.where(np.arange(20) % 2 == 0, 2.0, 0.0)
    small = DistilledSet(S, labels, weight, classes=np.arange(3))
    by_class = [prdc_by_loops(X[y == label], S[labels == label][::2], 3) for label in (0, 1)]
    for name in ("precision", "density", "recall"):
        found = getattr(metrics, name)(X, y, small, n_neighbors=3, features="values")
        assert found == pytest.approx(sum(values[name] for values in by_class) / 3)  # nothing for the third class
    assert metrics.recall(X, y, small, n_neighbors=5) is None
    for metric in (metrics.precision, metrics.recall, metrics.density):
        with pytest.raises(DataError, match="n_neighbors=0"):
            metric(X, y, small, n_neighbors=0)


def test_no_neighbours():
    with pytest.raises(DataError, match="n_neighbors=0"):
        metrics.coverage(np.ones((3, 1)), None, DistilledSet(np.ones((1, 1))), 0, n_neighbors=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float32])
def test_numbers_of_every_type_are_covered_alike(dtype):
    rng = np.random.default_rng(7)
    X, S = rng.integers(0, 17, (150, 4)), rng.integers(0, 17, (20, 4))
    expected = brute_force(X, np.zeros(150), S, np.zeros(20), 5)
    assert 0 < expected < 1
    for rows, distilled in ((X, S.astype(dtype)), (X.astype(dtype), S * 1.0), (X.astype(dtype), S.astype(dtype))):
        assert metrics.coverage(rows, None, DistilledSet(distilled), 0) == expected


@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_one_distant_row_and_any_scale_change_nothing_for_the_others(scale, offset):
    rng = np.random.default_rng(8)
    X, S = rng.integers(-50, 50, (60, 9)) / 4.0, rng.integers(-50, 50, (8, 9)) / 4.0
    expected = brute_force(X, np.zeros(60), S, np.zeros(8), 5)
    assert 0 < expected < 1
    X = np.concatenate([X, X[:1] + 1e9]) + offset
    value = metrics.coverage(X * scale, None, DistilledSet((S + offset) * scale), 0)
    # The nearest rows of the distant row are all others, and so are the distilled rows.
    assert value * 61 - expected * 60 == pytest.approx(round(value * 61 - expected * 60))
    assert round(value * 61 - expected * 60) in (0, 1)
