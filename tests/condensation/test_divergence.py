"""A learning rate that is far too large returns the first rows, with a warning, and no ruined ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from distillkit import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._divergence import has_diverged
from distillkit.condensation.loop._synthetic_rows import Snapshot
from distillkit.exceptions import DistillkitWarning

SMALL = {"budget": 2, "max_iter": 4, "width": 8, "hidden": (16,), "random_state": 0, "device": "cpu"}
METHODS = {
    "gradient": GradientMatchingDistiller(**SMALL),
    "distribution": DistributionMatchingDistiller(**SMALL),
    "kernel": KernelDistiller(pool_size=2, **SMALL),
    "trajectory": TrajectoryMatchingDistiller(n_experts=1, expert_epochs=2, student_steps=2, **SMALL),
    "bilevel": BilevelDistiller(inner_steps=3, **SMALL),
}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(X))[:200]
    return X[chosen], y[chosen]


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("lr", [1000.0, 1e6])
@pytest.mark.parametrize("name", ["gradient", "distribution", "kernel", "trajectory"])
def test_a_rate_of_a_thousand_keeps_the_start_and_warns(digits, name, lr, kind):
    X, y = digits
    rows = X if kind == "table" else (X / 16).reshape(-1, 1, 8, 8)
    model = METHODS[name]
    with pytest.warns(DistillkitWarning, match="the rows of iteration 0 are kept; lower lr"):
        model.set_params(lr=lr).fit(rows, y)
    small = model.X_distilled_
    assert small.min() >= rows.min() - 1e-5
    assert small.max() <= rows.max() + 1e-5
    nearest = KNeighborsClassifier(1).fit(small.reshape(len(small), -1), model.y_distilled_)
    assert nearest.score(rows.reshape(len(rows), -1), y) > 0.7


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.filterwarnings("ignore::distillkit.exceptions.DistillkitWarning")
def test_bilevel_rows_stay_with_the_data_at_any_rate(digits, kind):
    X, y = digits
    rows = X if kind == "table" else (X / 16).reshape(-1, 1, 8, 8)
    small = METHODS["bilevel"].set_params(lr=1000.0).fit(rows, y).X_distilled_
    width = rows.max() - rows.min()
    assert small.min() >= rows.min() - width
    assert small.max() <= rows.max() + width


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.filterwarnings("error::distillkit.exceptions.DistillkitWarning")
def test_the_default_rates_do_not_warn(digits, name):
    lr = type(METHODS[name])().lr
    METHODS[name].set_params(lr=lr).fit(*digits)


def test_a_resumed_run_returns_to_the_start_as_an_uninterrupted_one(digits, tmp_path):
    options = {**SMALL, "lr": 1000.0}
    with pytest.warns(DistillkitWarning, match="iteration 0"):
        whole = DistributionMatchingDistiller(**options).fit(*digits)
    for max_iter in (2, 4):
        model = DistributionMatchingDistiller(**{**options, "max_iter": max_iter}, checkpoint=tmp_path / "run")
        with pytest.warns(DistillkitWarning, match="iteration 0"):
            model.fit(*digits)
    np.testing.assert_array_equal(model.X_distilled_, whole.X_distilled_)


def snapshot(*values: float, targets: tuple[float, ...] | None = None) -> Snapshot:
    numbers = torch.zeros(len(values), dtype=torch.long) if targets is None else torch.tensor(targets)
    return Snapshot(torch.tensor(values)[:, None], numbers)


LIMITS = torch.tensor([[-1.0]]), torch.tensor([[3.0]])


@pytest.mark.parametrize(
    ("best", "lowest_loss", "expected"),
    [
        (snapshot(0.0, 11.5), 2.0, True),  # more than two widths of 4 above 3, and no lower loss
        (snapshot(0.0, -9.5), 2.0, True),
        (snapshot(0.0, 10.5), 2.0, False),  # within two widths
        (snapshot(0.0, 11.5), 0.5, False),  # a lower loss
        (snapshot(0.0, 84.0), 0.5, True),  # more than twenty widths, whatever the loss is
        (snapshot(0.0, 1.0, targets=(0.0, 9.0)), 2.0, True),  # a learned target, beyond those of the start
    ],
)
def test_rows_have_diverged_by_their_distance_and_their_loss(best, lowest_loss, expected):
    start = snapshot(0.0, 1.0, targets=(0.0, 1.0) if best.targets.is_floating_point() else None)
    assert has_diverged(best, start, first_loss=1.0, lowest_loss=lowest_loss, limits=LIMITS) is expected


def test_a_start_far_from_the_data_is_not_held_against_the_rows():
    start, best = snapshot(0.0, 20.0), snapshot(0.0, 25.0)
    assert not has_diverged(best, start, first_loss=1.0, lowest_loss=2.0, limits=LIMITS)
