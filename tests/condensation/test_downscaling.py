from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from distillkit import DistilledSet, SoftLabels
from distillkit.cli._single import distil_rows
from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.condensation.problem._downscaling import Downscaling
from distillkit.distilled._reading import read_card
from distillkit.exceptions import ArtefactError, DataError
from distillkit.nn import NetworkClassifier
from distillkit.utils._interpolation import expand

SMALL = {"budget": 4, "width": 4, "hidden": (8,), "device": "cpu", "random_state": 0, "max_iter": 3, "downscale": 2}
METHODS = {
    "gradient": lambda **params: GradientMatchingDistiller(outer_steps=2, inner_steps=1, **{**SMALL, **params}),
    "distribution": lambda **params: DistributionMatchingDistiller(**{**SMALL, **params}),
    "trajectory": lambda **params: TrajectoryMatchingDistiller(
        n_experts=1, expert_epochs=2, student_steps=2, **{**SMALL, **params}
    ),
    "kernel": lambda **params: KernelDistiller(pool_size=2, updates=2, **{**SMALL, **params}),
    "bilevel": lambda **params: BilevelDistiller(inner_steps=2, **{**SMALL, **params}),
}
each = pytest.mark.parametrize("method", METHODS)
DOWNSCALING = Downscaling((1, 9, 8), 2, torch.device("cpu"))


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 1, 8, 8)[:400], y[:400]


def test_the_way_there_and_back_is_that_of_the_saved_set():
    stored = torch.randn(3, 1, 5, 4, dtype=torch.float64).float()
    np.testing.assert_allclose(DOWNSCALING.decode(stored), expand(stored.numpy(), (9, 8)), atol=1e-5)
    np.testing.assert_allclose(DOWNSCALING.encode(DOWNSCALING.decode(stored)), stored, atol=1e-5)


def test_an_update_is_that_of_the_chain_rule_and_limits_hold_for_small_rows():
    parts = [(torch.randn(2, 1, 9, 8), torch.tensor([0, 0]))]
    rows = SyntheticRows(parts, lr=0.1, downscaling=DOWNSCALING)
    by_rows = torch.randn(2, 1, 9, 8)
    moved = rows.snapshot().stored.clone().requires_grad_()
    (DOWNSCALING.decode(moved) * by_rows).sum().backward()
    pulled = rows.pull_back(by_rows)
    torch.testing.assert_close(pulled, moved.grad)
    rows.update([pulled])
    torch.testing.assert_close(rows.snapshot().stored, moved.detach() - 0.1 * moved.grad)
    torch.testing.assert_close(rows.snapshot().X, DOWNSCALING.decode(rows.snapshot().stored))

    limits = (torch.full((1, 1, 9, 8), -0.1), torch.full((1, 1, 9, 8), 0.2))
    held = SyntheticRows(parts, lr=0.1, downscaling=DOWNSCALING, limits=limits)
    assert held.snapshot().X.min() >= -0.1 - 1e-6
    held.update([torch.randn_like(pulled) * 100])
    assert held.snapshot().stored.min() == pytest.approx(-0.1)
    assert held.snapshot().stored.max() == pytest.approx(0.2)


@each
@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_every_method_keeps_small_images_and_returns_whole_ones(method, dtype, digits, tmp_path):
    X, y = digits
    small = METHODS[method]().fit(X.astype(dtype), y)
    distilled = small.distilled_
    assert distilled.stored.shape == (40, 1, 4, 4)
    assert distilled.X.shape == (40, 1, 8, 8)
    assert small.X_distilled_.dtype == distilled.stored.dtype == (np.float32 if dtype == np.uint8 else dtype)
    assert distilled.nbytes == distilled.stored.nbytes + distilled.y.nbytes + distilled.sample_weight.nbytes
    plain = METHODS[method](downscale=1).fit(X.astype(dtype), y).distilled_
    assert plain.stored is None
    assert plain.X.nbytes == 4 * distilled.stored.nbytes
    path = distilled.save(tmp_path / "small.safetensors")
    assert read_card(path)["schema"] == 2  # versions that know no stored images say so
    assert "X" not in load_file(path)
    loaded = DistilledSet.load(path)
    assert loaded.X.tobytes() == distilled.X.tobytes()
    assert loaded.stored.tobytes() == distilled.stored.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("weight", [None, 0.1])
def test_groups_too_large_for_one_pass_are_compared_one_by_one(weight, threads, digits):
    method = METHODS["gradient"] if weight is None else METHODS["distribution"]
    settings = {} if weight is None else {"gradient_weight": weight}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        small = method(budget=9, **settings).fit(*digits)
    finally:
        torch.set_num_threads(before)
    assert small.n_iter_ == 3
    assert small.distilled_.stored.shape == (90, 1, 4, 4)


@each
def test_the_rows_move_away_from_the_start(method, digits):
    X, y = digits
    short, long = (METHODS[method](max_iter=steps, average=0.0).fit(X, y).distilled_.stored for steps in (1, 3))
    assert np.abs(short - long).max() > 1e-6


def test_series_are_interpolated_along_time():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 20)
    X = np.sin(np.arange(25) * (1 + y[:, None, None])) + 0.1 * rng.normal(size=(40, 2, 25))
    distilled = DistributionMatchingDistiller(**{**SMALL, "budget": 3}).fit(X, y).distilled_
    assert distilled.X.shape == (6, 2, 25)
    assert distilled.stored.shape == (6, 2, 13)


def test_a_resumed_run_equals_an_uninterrupted_one(digits, tmp_path):
    X, y = digits
    whole = METHODS["kernel"](max_iter=4).fit(X, y)
    file = tmp_path / "run"
    METHODS["kernel"](max_iter=2, checkpoint=file).fit(X, y)
    resumed = METHODS["kernel"](max_iter=4, checkpoint=file).fit(X, y)
    assert resumed.distilled_.stored.tobytes() == whole.distilled_.stored.tobytes()
    assert resumed.X_distilled_.tobytes() == whole.X_distilled_.tobytes()


def test_a_teacher_labels_the_whole_images_and_leaves_the_small_ones(digits):
    X, y = digits
    teacher = NetworkClassifier(network="mlp", hidden=(8,), epochs=2, random_state=0, device="cpu")
    taught = SoftLabels(METHODS["kernel"](), teacher, random_state=0).fit(X, y).distilled_
    assert taught.stored.shape == (40, 1, 4, 4)
    assert taught.X.shape == (40, 1, 8, 8)
    assert taught.nbytes == taught.stored.nbytes + taught.soft_labels.nbytes + taught.sample_weight.nbytes


def test_tables_and_sides_that_are_too_short_are_refused(digits):
    X, y = digits
    with pytest.raises(DataError, match=r"X is a table.*leave downscale at 1"):
        METHODS["kernel"]().fit(X.reshape(len(X), -1), y)
    with pytest.raises(DataError, match=r"downscale=9 leaves nothing.*give 8 at most"):
        METHODS["gradient"](downscale=9).fit(X, y)
    with pytest.raises(DataError, match=r"feature_map='linear'.*leave it at 1"):
        KernelDistiller(1, feature_map="linear", downscale=2).fit(X, y)


def test_a_set_whose_rows_are_not_those_stored_is_refused(digits):
    stored = digits[0][:3, :, :4, :4]
    with pytest.raises(DataError, match=r"not the interpolation of stored.*leave stored out"):
        DistilledSet(digits[0][:3], stored=stored)
    with pytest.raises(DataError, match="not the interpolation of stored"):
        DistilledSet(np.zeros((3, 8)), stored=stored)


def test_rows_that_were_changed_are_not_saved_as_those_stored(digits, tmp_path):
    small = METHODS["kernel"]().fit(*digits).distilled_
    small.X = small.X + 1
    with pytest.raises(ArtefactError, match="no longer the interpolation of `stored`"):
        small.save(tmp_path / "a")
    small.stored = None
    loaded = DistilledSet.load(small.save(tmp_path / "a"))
    assert loaded.X.tobytes() == small.X.tobytes()


def test_rows_distilled_in_standard_units_come_back_in_their_own(digits, tmp_path):
    X, y = digits
    small = distil_rows(METHODS["kernel"](), X + np.arange(8), y, standardize=True)
    assert small.stored is None
    loaded = DistilledSet.load(small.save(tmp_path / "a"))
    assert loaded.X.tobytes() == small.X.tobytes()
    assert loaded.X[..., 7].mean() == pytest.approx((X[..., 7] + 7).mean(), abs=1)
