"""Starting from the rows of another method."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from distillkit import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KCenterCoreset,
    KernelDistiller,
    KMeansCoreset,
    RandomSubset,
    TrajectoryMatchingDistiller,
)
from distillkit.coresets import ClassMeans, UncertaintyCoreset
from distillkit.exceptions import DataError

STILL = {"lr": 1e-30, "max_iter": 1, "device": "cpu", "random_state": 0}  # too small a step to be seen
CONDENSERS = [
    GradientMatchingDistiller(hidden=(8,), **STILL),
    DistributionMatchingDistiller(hidden=(8,), **STILL),
    KernelDistiller(hidden=(8,), **STILL),
    BilevelDistiller(hidden=(8,), inner_steps=2, **STILL),
    TrajectoryMatchingDistiller(hidden=(8,), n_experts=1, expert_epochs=2, **STILL),
]
every = pytest.mark.parametrize("condenser", CONDENSERS, ids=lambda condenser: type(condenser).__name__)


@pytest.fixture
def table():
    """Return 120 rows of three classes, in mixed order, with text for labels."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2], [60, 40, 20]))
    return rng.normal(size=(120, 4)) + 2 * codes[:, None], np.array(["ant", "bee", "cat"])[codes]


def start_of(condenser, X, y, **params):
    return clone(condenser).set_params(**params).fit(X, y)


def in_order(X):
    return X[np.lexsort(X.T)]


@every
def test_the_rows_of_a_coreset_are_where_it_starts(condenser, table):
    X, y = table
    condensed = start_of(condenser, X, y, budget=3, init=KCenterCoreset(random_state=1))
    if isinstance(condenser, BilevelDistiller):  # chooses among the rows that it does not hold out
        for row, label in zip(condensed.X_distilled_, condensed.y_distilled_, strict=True):
            assert np.abs(X[y == label] - row).max(axis=1).min() < 1e-5
        return
    picked = KCenterCoreset(budget=3, random_state=1).fit(X, y)
    for label in np.unique(y):
        rows, expected = (in_order(model.X_distilled_[model.y_distilled_ == label]) for model in (condensed, picked))
        np.testing.assert_allclose(rows, expected, atol=1e-5)


@every
def test_they_move_from_there(condenser, table):
    X, y = table
    still = start_of(condenser, X, y, budget=3, init=KCenterCoreset(random_state=1))
    moved = start_of(condenser, X, y, budget=3, init=KCenterCoreset(random_state=1), lr=0.1, max_iter=3)
    assert not np.allclose(still.X_distilled_, moved.X_distilled_, atol=1e-5)


def test_a_registered_name_is_as_good_as_an_instance(table):
    X, y = table
    named = start_of(CONDENSERS[0], X, y, budget=4, init="uncertainty:hard")
    unfitted = start_of(CONDENSERS[0], X, y, budget=4, init=UncertaintyCoreset(keep="hard"))
    np.testing.assert_array_equal(named.X_distilled_, unfitted.X_distilled_)
    picked = UncertaintyCoreset(budget=4, keep="hard").fit(X, y)
    np.testing.assert_allclose(in_order(named.X_distilled_), in_order(picked.X_distilled_), atol=1e-5)


def test_unequal_budgets_reach_the_method(table):
    X, y = table
    budget = {"ant": 5, "bee": 1, "cat": 2}
    condensed = start_of(CONDENSERS[0], X, y, budget=budget, init="random")
    assert {label: int((condensed.y_distilled_ == label).sum()) for label in budget} == budget
    for row, label in zip(condensed.X_distilled_, condensed.y_distilled_, strict=True):
        assert np.abs(X[y == label] - row).max(axis=1).min() < 1e-5


@pytest.mark.parametrize("bins", [False, True])
def test_numbers_start_from_rows_with_their_numbers(bins):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=100)
    condenser = CONDENSERS[1] if bins else CONDENSERS[0]  # distribution matching reduces bins of the target
    condensed = start_of(condenser, X, y, budget=10, init=RandomSubset())
    assert len(condensed.X_distilled_) == 10
    for row, number in zip(condensed.X_distilled_, condensed.y_distilled_, strict=True):
        nearest = np.abs(X - row).max(axis=1).argmin()
        assert np.abs(X[nearest] - row).max() < 1e-5
        assert number == pytest.approx(y[nearest], abs=1e-5)


def test_images_keep_their_shape():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 1, 8, 8)).astype(np.float32), np.repeat([0, 1], 20)
    condensed = start_of(
        GradientMatchingDistiller(width=4, **STILL), X, y, budget=2, init=KMeansCoreset(representative="member")
    )
    assert condensed.X_distilled_.shape == (4, 1, 8, 8)
    for row, label in zip(condensed.X_distilled_, condensed.y_distilled_, strict=True):
        assert np.abs(X[y == label] - row).reshape(20, -1).max(axis=1).min() < 1e-5


def test_rows_of_a_method_with_units_of_its_own_come_in_those_of_the_data(table):
    X, y = table
    X = 50 + 10 * X
    condensed = start_of(CONDENSERS[0], X, y, budget=2, init=CONDENSERS[2])
    assert (condensed.X_distilled_ > X.min() - 5 * X.std()).all()
    assert abs(condensed.X_distilled_.mean() - X.mean()) < 2 * X.std()


def test_the_seed_of_the_condenser_seeds_the_start(table):
    X, y = table
    first, again, other = (
        start_of(CONDENSERS[0], X, y, budget=3, init=RandomSubset(), random_state=seed).X_distilled_
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    fixed = [
        start_of(CONDENSERS[0], X, y, budget=3, init=RandomSubset(random_state=5), random_state=seed).X_distilled_
        for seed in (0, 1)
    ]
    np.testing.assert_allclose(*fixed, atol=1e-5)


def test_the_clock_of_the_condenser_ends_the_start_too(table):
    X, y = table
    inner = KernelDistiller(hidden=(8,), max_iter=10**6, patience=None, device="cpu")
    condensed = start_of(CONDENSERS[0], X, y, budget=2, init=inner, max_seconds=0.5)
    assert condensed.n_iter_ == 1
    assert inner.max_seconds is None  # a clone ran
    assert not hasattr(inner, "X_distilled_")


def test_a_resumed_run_equals_one_that_was_not_interrupted(table, tmp_path):
    X, y = table
    common = {"init": RandomSubset(), "lr": 0.1, "budget": 2, "patience": None}
    whole = start_of(CONDENSERS[0], X, y, **common, max_iter=6)
    file = tmp_path / "run.ckpt"
    start_of(CONDENSERS[0], X, y, **common, max_iter=3, checkpoint=file)
    resumed = start_of(CONDENSERS[0], X, y, **common, max_iter=6, checkpoint=file)
    np.testing.assert_array_equal(resumed.X_distilled_, whole.X_distilled_)
    with pytest.raises(DataError, match="another init"):
        start_of(CONDENSERS[0], X, y, **{**common, "init": KCenterCoreset()}, max_iter=7, checkpoint=file)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("uncertanty", r"The 'init' parameter must be one of kmeans, mean, .*did you mean 'uncertainty'"),
        ("uncertainty:harder", "unknown preset of uncertainty"),
        (ClassMeans(), "as many rows as its budget|no budget"),
        (3, "The 'init' parameter"),
    ],
)
def test_a_start_that_cannot_be(init, message, table):
    with pytest.raises(ValueError, match=message):
        start_of(CONDENSERS[0], *table, budget=2, init=init)


def test_init_is_cloned_with_the_condenser():
    condenser = GradientMatchingDistiller(init=UncertaintyCoreset(among=0.2))
    copy = clone(condenser).set_params(init__among=0.5)
    assert copy.init.among == 0.5
    assert condenser.init.among == 0.2
