"""The density of an adversarial forest: it sums to one, and conditions on it are exact."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from distillkit import ForestSynthesizer
from distillkit.synthesis.forest._adversarial_tree import AdversarialTree
from distillkit.synthesis.forest._splits import Splits
from distillkit.synthesis.tabular._cells import Cells

LEVELS = {"city": ["Rome", "Oslo", "Bern", None], "size": ["S", "M", "L"], "member": [True, False], "rooms": [1, 2, 5]}


@pytest.fixture(scope="module")
def homes():
    """A frame whose values and labels can be enumerated."""
    rng = np.random.default_rng(0)
    n = 800
    rooms = rng.choice([1, 2, 5], n, p=[0.5, 0.3, 0.2])
    size = np.where(rooms == 5, "L", rng.choice(["S", "M"], n))
    city = np.where(size == "S", rng.choice(["Rome", "Oslo"], n, p=[0.9, 0.1]), rng.choice(["Oslo", "Bern"], n)).astype(
        object
    )
    city[rng.random(n) < np.where(size == "L", 0.3, 0.05)] = None
    frame = pd.DataFrame({"city": city, "size": size, "member": rng.random(n) < 0.3 * (city == "Rome") + 0.2})
    frame["rooms"] = rooms
    return frame, np.where(rng.random(n) < np.where(size == "L", 0.8, 0.2), "dear", "cheap")


@pytest.fixture(scope="module")
def forest(homes):
    return ForestSynthesizer(budget=2, random_state=0).fit(*homes)


@pytest.fixture(scope="module")
def grid():
    """All rows that there can be."""
    return pd.DataFrame(list(itertools.product(*LEVELS.values())), columns=list(LEVELS))


def test_the_density_of_categories_sums_to_one(forest, grid):
    joint = [forest.log_prob(grid, np.full(len(grid), label)) for label in ("cheap", "dear")]
    assert np.isclose(np.exp(joint).sum(), 1, atol=1e-12)
    np.testing.assert_allclose(np.logaddexp(*joint), forest.log_prob(grid), atol=1e-9)


def test_samples_have_the_density(forest, grid):
    rows, _ = forest.sample(20000)
    counts = rows.value_counts(dropna=False)
    merged = grid.merge(counts.rename("count").reset_index(), how="left").fillna({"count": 0})
    expected = np.exp(forest.log_prob(grid))
    error = np.abs(merged["count"].to_numpy() / len(rows) - expected)
    assert (error <= 5 * np.sqrt(expected / len(rows))).all()


@pytest.mark.parametrize(
    "given",
    [
        {"city": ["Bern", None]},
        {"size": "L", "member": True},
        {"rooms": ">=2", "city": "Oslo"},
        {"rooms": [1, 5], "size": ["S", "L"], "city": None},
    ],
)
def test_conditions_have_the_distribution_of_rejection_and_of_the_density(forest, grid, given):
    rows, labels = forest.sample(6000, given=given)
    columns = {
        "city": lambda column: column.isin([c for c in given.get("city") or [] if c]) | column.isna(),
        "size": lambda column: column.isin(list(given.get("size", ""))),
        "member": lambda column: column,
        "rooms": lambda column: column.isin([2, 5] if given.get("rooms") == ">=2" else [1, 5]),
    }
    if given.get("city") == "Oslo":
        columns["city"] = lambda column: column == "Oslo"
    if given.get("city", "") is None:
        columns["city"] = lambda column: column.isna()
    meets = np.logical_and.reduce([columns[name](rows[name]) for name in given])
    assert meets.all()
    allowed = np.logical_and.reduce([columns[name](grid[name]) for name in given])
    # 1. The joint probability of rows and labels by the density, which is enumerated.
    kept = grid[allowed]
    joint = np.exp([forest.log_prob(kept, np.full(len(kept), label)) for label in ("cheap", "dear")])
    joint /= joint.sum()
    # 2. The shares in the sample under conditions.
    keys = list(zip(*(rows[name].astype(object).where(rows[name].notna(), None) for name in LEVELS), strict=True))
    index = {
        key: place
        for place, key in enumerate(kept.astype(object).where(kept.notna(), None).itertuples(index=False, name=None))
    }
    places = np.array([index[key] for key in keys])
    shares = np.stack([np.bincount(places[labels == label], minlength=len(kept)) for label in ("cheap", "dear")]) / len(
        rows
    )
    assert (np.abs(shares - joint) < 5 * np.sqrt(joint / len(rows)) + 1e-3).all()
    # 3. The shares of labels among unconditional rows that meet the conditions.
    free, free_labels = forest.sample(40000, random_state=1)
    met = np.logical_and.reduce([columns[name](free[name]) for name in given])
    share, n_met = np.mean(free_labels[met] == "dear"), met.sum()
    assert abs(np.mean(labels == "dear") - share) < 5 * np.sqrt(0.25 / n_met + 0.25 / len(rows))


def test_imputations_have_the_conditional_density(forest, grid):
    known = pd.DataFrame(
        {"city": [None] * 4000, "size": ["M"] * 4000, "member": [True] * 4000, "rooms": [np.nan] * 4000}
    )
    filled = forest.impute(known, ["cheap"] * 4000)
    assert filled["city"].notna().all()
    assert (filled["size"] == "M").all()
    kept = grid[(grid["size"] == "M") & grid["member"] & grid["city"].notna()]
    density = np.exp(forest.log_prob(kept, ["cheap"] * len(kept)))
    density /= density.sum()
    for (city, _, _, rooms), probability in zip(kept.itertuples(index=False, name=None), density, strict=True):
        share = np.mean((filled["city"] == city) & (filled["rooms"] == rooms))
        assert abs(share - probability) < 5 * np.sqrt(probability / 4000) + 1e-3
    mean = forest.impute(known[:1], ["cheap"], how="mean")
    assert np.isclose(mean["rooms"][0], np.rint(density @ kept["rooms"]))
    by_city = pd.Series(density).groupby(kept["city"].to_numpy()).sum()
    assert mean["city"][0] == by_city.idxmax()


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(600) < 0.3, 0.0, rng.lognormal(0, 0.6, 600))
    return x[:, np.newaxis], 2 * x + rng.normal(0, 0.3, 600)


def test_the_density_of_a_number_integrates_to_one(numbers):
    X, _ = numbers
    forest = ForestSynthesizer(budget=5, random_state=0).fit(X)
    edges = np.linspace(1e-6, X.max(), 200_001)
    middle = (edges[1:] + edges[:-1]) / 2
    integral = np.exp(forest.log_prob(middle[:, np.newaxis])) @ np.diff(edges)
    zero = np.exp(forest.log_prob([[0.0]]))[0]
    assert abs(zero - 0.3) < 0.05
    assert abs(integral + zero - 1) < 2e-3
    assert np.isneginf(forest.log_prob([[-1.0], [99.0]])).all()


def test_the_density_of_whole_numbers_sums_to_one():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"k": rng.poisson(200, 700), "c": rng.choice(["a", "b"], 700)})
    forest = ForestSynthesizer(budget=5, random_state=0).fit(frame)
    whole = pd.DataFrame({"k": np.tile(np.arange(400), 2), "c": np.repeat(["a", "b"], 400)})
    assert np.isclose(np.exp(forest.log_prob(whole)).sum(), 1, atol=1e-9)


def test_numbers_under_conditions_are_those_of_rejection(numbers):
    X, y = numbers
    forest = ForestSynthesizer(budget=5, random_state=0).fit(np.column_stack([X, y]), y > 2)
    free, labels = forest.sample(60000)
    low, high = 0.87, 1.613
    met = (free[:, 0] >= low) & (free[:, 0] <= high)
    rows, drawn = forest.sample(8000, given={0: (low, high)})
    assert rows[:, 0].min() >= low
    assert rows[:, 0].max() <= high
    for column in range(2):
        deviation = free[met, column].std()
        error = rows[:, column].mean() - free[met, column].mean()
        assert abs(error) < 5 * deviation * np.sqrt(1 / met.sum() + 1 / len(rows))
    assert abs(drawn.mean() - labels[met].mean()) < 5 * np.sqrt(0.25 / met.sum() + 0.25 / len(rows))


def test_targets_are_part_of_the_density(numbers):
    X, y = numbers
    forest = ForestSynthesizer(budget=5, n_trees=10, random_state=0).fit(X, y)
    rows, targets = forest.sample(2000)
    assert np.corrcoef(rows[:, 0], targets)[0, 1] > 0.9
    near, _ = forest.sample(500, np.full(500, 6.0))
    assert abs(np.median(near) - 3) < 0.6
    edges = np.linspace(y.min(), y.max(), 20001)
    point = np.array([[1.234567]])
    middle = (edges[1:] + edges[:-1]) / 2
    joint = np.exp(forest.log_prob(np.repeat(point, 20000, axis=0), middle)) @ np.diff(edges)
    assert abs(joint / np.exp(forest.log_prob(point)[0]) - 1) < 0.02
    filled = forest.impute([[np.nan]], [4.0], how="mean")
    assert abs(filled[0, 0] - 2) < 0.5


def test_leaves_that_rows_can_reach_are_found_by_their_boxes():
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(0, 9, 500), rng.integers(0, 4, 500), rng.integers(0, 6, 500)])
    codes[:, 2] = (codes[:, 0] + codes[:, 1]) % 6

    class Clock:
        def out_of_time(self):
            return False

    trees, nodes = [AdversarialTree() for _ in range(3)], []
    for tree in trees:
        options = {"min_leaf": 5, "tolerance": 0.0, "is_first": True}
        nodes.append(tree.grow(codes.astype(np.float32), np.ones(500), Clock(), rng, **options))
    splits, leaves = Splits.of(trees, nodes)
    assert splits.n_leaves > 30
    assert np.bincount(leaves.ravel()).min() >= 5
    low, high = splits.bounds([9, 4, 6])
    rows, found = splits.reach(codes[:50], np.ones((50, 3), dtype=bool))
    np.testing.assert_array_equal(found.reshape(50, 3), leaves[:, :50].T)
    known = rng.random((50, 3)) < 0.5
    inside = ((codes[:50, np.newaxis] >= low) & (codes[:50, np.newaxis] <= high)) | ~known[:, np.newaxis]
    rows, found = splits.reach(codes[:50], known)
    np.testing.assert_array_equal(np.column_stack([rows, found]), np.argwhere(inside.all(axis=2)))


@pytest.mark.parametrize("step", [0.0, 0.5, 1.0])
def test_cells_divide_the_range_of_numbers(step):
    rng = np.random.default_rng(0)
    numbers = rng.lognormal(3, 1, 500)
    numbers = np.rint(numbers / step) * step if step else np.where(rng.random(500) < 0.2, 7.0, numbers)
    cells = Cells.of_numbers(np.append(numbers, np.nan), step, discrete=False, has_gaps=True)
    codes, inside = cells.codes(np.append(numbers, np.nan))
    assert inside.all()
    assert codes[-1] == len(cells.low) == cells.size - 1
    assert (np.diff(cells.low) > 0).all()
    assert (cells.low[1:] > cells.high[:-1]).all()
    assert ((numbers >= cells.low[codes[:-1]]) & (numbers <= cells.high[codes[:-1]])).all()
    drawn = cells.draw(np.repeat(codes, 50), rng)
    np.testing.assert_array_equal(cells.codes(drawn)[0], np.repeat(codes, 50))
    if step:
        assert np.nanmax(np.abs(drawn / step - np.rint(drawn / step))) < 1e-9
        largest = int(cells.high[-1] / step) + 1
        counts = np.bincount(cells.codes(np.arange(1, largest) * step)[0][cells.codes(np.arange(1, largest) * step)[1]])
        np.testing.assert_allclose(np.exp(cells.log_measure()[: len(counts)])[1:-1], counts[1:-1])


def test_a_saved_forest_makes_the_same_rows_in_another_process(forest, homes, tmp_path):
    path = forest.save(tmp_path / "forest.safetensors")
    frame, _ = homes
    again = ForestSynthesizer.load(path)
    assert again.sample(300)[0].equals(forest.sample(300)[0])
    np.testing.assert_array_equal(again.log_prob(frame), forest.log_prob(frame))
    script = (
        "import sys\nfrom distillkit import ForestSynthesizer\nforest = ForestSynthesizer.load(sys.argv[1])\n"
        "rows, labels = forest.sample(300, given={'rooms': '>1'})\n"
        "rows.assign(label=labels).to_pickle(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", script, str(path), str(tmp_path / "rows.pkl")], check=True)
    rows, labels = forest.sample(300, given={"rooms": ">1"})
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "rows.pkl"), rows.assign(label=labels))
