from __future__ import annotations

import numpy as np
import pytest

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import _coverage


def brute_force(X, y, S, y_small, k):
    covered = 0
    for i in range(len(X)):
        others = [j for j in range(len(X)) if j != i and y[j] == y[i]]
        distances = sorted(np.linalg.norm(X[j] - X[i]) for j in others)
        radius = distances[min(k, len(distances)) - 1] if distances else 0.0
        covered += any(np.linalg.norm(S[j] - X[i]) <= radius for j in range(len(S)) if y_small[j] == y[i])
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
    monkeypatch.setattr(_coverage, "_BLOCK_DISTANCES", block)
    assert metrics.coverage(X, y, distilled, 0) == value > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_copy_covers_its_row_even_among_duplicates_far_from_the_origin(dtype):
    rng = np.random.default_rng(3)
    unique = (rng.random((20, 784)) + 30).astype(dtype)
    X = np.repeat(unique, 10, axis=0)  # every radius is 0
    y = np.zeros(len(X), dtype=int)
    assert metrics.coverage(X, y, DistilledSet(unique, y[:20], classes=np.array([0])), 0) == 1.0
    assert metrics.coverage(X, y, DistilledSet(unique[:5], y[:5], classes=np.array([0])), 0) == 0.25
    moved = unique + dtype(0.02)
    assert metrics.coverage(X, y, DistilledSet(moved, y[:20], classes=np.array([0])), 0) == 0.0


def test_classes_left_out_and_rows_without_weight_cover_nothing():
    X, y = np.random.default_rng(4).normal(size=(40, 2)), np.repeat([0, 1], 20)
    all_of_one = DistilledSet(X[:20], y[:20], classes=np.arange(2))
    assert metrics.coverage(X, y, all_of_one, 0) == 0.5
    weightless = DistilledSet(X, y, np.repeat([1.0, 0.0], 20), classes=np.arange(2))
    assert metrics.coverage(X, y, weightless, 0) == 0.5
    lone = np.append(y[:-1], 2)
    assert metrics.coverage(X, lone, DistilledSet(X[-1:], lone[-1:], classes=np.arange(3)), 0) == 1 / 40


def test_random_rows_cover_what_is_expected():
    rng = np.random.default_rng(5)
    values = []
    for _ in range(40):
        X, S = rng.normal(size=(200, 3)), rng.normal(size=(40, 3))
        values.append(metrics.coverage(X, None, DistilledSet(S), 0))
    spread = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(metrics.expected_coverage(200, 40, 5), abs=4 * spread)


def test_expected_coverage_at_its_ends():
    assert metrics.expected_coverage(100, 0, 5) == 0.0
    assert metrics.expected_coverage(2, 1, 1) == metrics.expected_coverage(2, 1, 9) == 0.5


def test_balls_drawn_by_the_seed_estimate_the_whole(monkeypatch):
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(2000, 2)), rng.integers(0, 2, 2000)
    distilled = DistilledSet(rng.normal(size=(200, 2)), rng.integers(0, 2, 200), classes=np.arange(2))
    whole = metrics.coverage(X, y, distilled, 0)
    monkeypatch.setattr(_coverage, "_MAX_DISTANCES", 500 * 1000)  # 500 balls in classes of some 1,000 rows
    first, again, other = (metrics.coverage(X, y, distilled, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert first == pytest.approx(whole, abs=4 * np.sqrt(whole * (1 - whole) / 500))


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
