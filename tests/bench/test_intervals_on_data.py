"""Intervals and verdicts on real splits of digits and wine: they hold what they say, and call what is there.

The rows are made and judged here as `benchmarks/robustness/intervals.py` does, which repeats this with more
methods, splits and budgets.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from distillkit.bench.leaderboard import build_leaderboard

Rows = dict[int, list[dict[str, Any]]]
SPLITS = 30


@pytest.fixture(scope="module")
def study() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "robustness" / "intervals.py"
    spec = importlib.util.spec_from_file_location("intervals", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def targets() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def wine(study: ModuleType, targets: dict[str, Any]) -> Rows:
    """Three seeds of each split of wine, with one row a class."""
    methods = ("random", "kmeans", *study.NULLS[:2])
    return {
        split: study.make_rows("wine", split, range(3), [1], targets, methods=methods, judges=study.NEAREST)
        for split in range(SPLITS)
    }


@pytest.fixture(scope="module")
def digits(study: ModuleType, targets: dict[str, Any]) -> Rows:
    """Two seeds of each split of digits, with five rows a class."""
    return {
        split: study.make_rows(
            "digits", split, range(2), [5], targets, methods=("random", "kcenter"), judges=study.NEAREST
        )
        for split in range(20)
    }


def page(rows: Rows, splits: Any) -> list[dict[str, Any]]:
    return [row for split in splits for row in rows[split]]


def table(study: ModuleType, rows: list[dict[str, Any]], targets: dict[str, Any]) -> Any:
    by_key = {row["key"]: row for row in rows}
    return build_leaderboard(rows, by_key, study.METRICS, title="t", targets=targets.get).table.set_index("method")


@pytest.mark.parametrize("size", [1, 10])
def test_printed_intervals_hold_the_mean_over_other_splits(
    size: int, study: ModuleType, wine: Rows, digits: Rows, targets: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    for rows in (wine, digits) if size == 1 else (wine,):
        orders = [rng.permutation(len(rows)) for _ in range(16)]
        pages = [(page(rows, order[:size]), page(rows, order[size:])) for order in orders]
        for name, held in study.coverage(pages, targets).items():
            assert held >= 0.90, name


def test_the_star_of_kcenter_on_digits_is_gone(study: ModuleType, digits: Rows, targets: dict[str, Any]) -> None:
    for splits in (range(10), range(10, 20), [0]):
        found = table(study, page(digits, splits), targets).loc["kcenter"]
        assert found["vs_random"] == "no difference"
        assert found["ci_high"] - found["ci_low"] > 0.02  # not ±0.000, although the method has no randomness


@pytest.mark.parametrize("seeds", [1, 3])
def test_kmeans_against_random_on_wine_is_called(
    seeds: int, study: ModuleType, wine: Rows, targets: dict[str, Any]
) -> None:
    """With several seeds of the control on each split, as suites have by default, one of the others will do."""
    for first in (0, 10):
        every = page(wine, range(first, first + 10))
        rows = [row for row in every if row["method"] == "random" or row["distil_seed"] < seeds]
        found = table(study, rows, targets)
        assert found.loc["kmeans", "vs_random"] == "better"
        assert found.loc["random", "rank_low"] > 1


def test_random_rows_with_other_seeds_are_called_on_few_pages(
    study: ModuleType, wine: Rows, targets: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    pages = [page(wine, rng.permutation(SPLITS)[:10]) for _ in range(100)]
    called, _, power = study.calls(pages, targets)["Holm"]
    assert called <= 0.05
    assert power > 0.8  # k-means is called, so that the test is not merely blind
    called, _, _ = study.calls([page(wine, [split]) for split in range(20)], targets)["Holm"]
    assert called <= 0.05
