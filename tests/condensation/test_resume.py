from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop import _checkpoint, _validation
from distillkit.condensation.loop._checkpoint import Checkpoint, State
from distillkit.exceptions import ArtefactError, DataError
from distillkit.nn import seeded
from distillkit.plotting._history_data import clean_history, series_names, x_axis

COMMON = {"width": 4, "hidden": (8,), "random_state": 0, "device": "cpu", "record_every": 4, "patience": None}
METHODS = {
    "gradient": lambda **params: GradientMatchingDistiller(2, outer_steps=3, inner_steps=2, **{**COMMON, **params}),
    "gradient-visits": lambda **params: GradientMatchingDistiller(
        2, outer_steps=2, inner_steps=2, updates=3, **{**COMMON, **params}
    ),
    "gradient-real": lambda **params: GradientMatchingDistiller(
        2, outer_steps=3, inner_steps=2, train_on="real", **{**COMMON, **params}
    ),
    "gradient-clusters": lambda **params: GradientMatchingDistiller(
        2, inner_steps=2, real_batch=8, real_draw="clusters", **{**COMMON, **params}
    ),
    "distribution": lambda **params: DistributionMatchingDistiller(2, outer_steps=2, **{**COMMON, **params}),
    "hybrid": lambda **params: DistributionMatchingDistiller(2, gradient_weight=0.1, **{**COMMON, **params}),
    "trajectory": lambda **params: TrajectoryMatchingDistiller(
        2, n_experts=2, expert_epochs=3, student_steps=3, student_batch=3, **{**COMMON, **params}
    ),
    "kernel": lambda **params: KernelDistiller(2, **{**COMMON, **POOL, **params}),
    "kernel-soft": lambda **params: KernelDistiller(2, learn_labels=True, norm="none", **{**COMMON, **POOL, **params}),
    "bilevel": lambda **params: BilevelDistiller(2, inner_steps=3, **{**COMMON, "validation_every": 4, **params}),
}
POOL = {"pool_size": 2, "max_age": 2, "updates": 3, "linear_share": 0.3}
OF_LABELS = ("kernel", "kernel-soft", "bilevel")
each = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(autouse=True)
def short_validation(monkeypatch):
    """Train the networks that validate rows for a few steps only: other tests judge their quality."""
    monkeypatch.setattr(_validation, "_STEPS", 10)


def accepted_by(method, **params):
    """Parameters that a method has, of some."""
    return {name: value for name, value in params.items() if name in METHODS[method]().get_params()}


def same(first, second):
    assert first.X_distilled_.tobytes() == second.X_distilled_.tobytes()
    assert np.array_equal(first.y_distilled_, second.y_distilled_)
    assert first.n_iter_ == second.n_iter_
    timeless = [[{**record, "seconds": None} for record in fitted.history_] for fitted in (first, second)]
    assert timeless[0] == timeless[1]


class BrokenError(Exception):
    """Something that ends a process at once."""


def network(calls, at, error):
    """A network of the user's that fails when it is made, or looks at rows, for the n-th time."""

    class Failing(nn.Module):
        def __init__(self, shape, n_outputs):
            super().__init__()
            count()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 6), nn.Tanh(), nn.Dropout(0.2))
            self.head = nn.Linear(6, n_outputs)

        def embed(self, rows):
            count()
            return self.body(rows)

        def forward(self, rows):
            return self.head(self.embed(rows))

    def count():
        calls.append(1)
        if len(calls) == at:
            raise error

    return Failing


def looks(method, images):
    """How often networks are made and looked through when half of 12 updates are done."""
    calls = []
    METHODS[method](max_iter=1, network=network(calls, None, None)).fit(*images)
    METHODS[method](max_iter=12, network=network(calls, None, None)).fit(*images)
    return len(calls) // 2


@each
def test_a_resumed_run_equals_an_uninterrupted_one(method, images, tmp_path):
    make, settings = METHODS[method], accepted_by(method, augment="auto", random_end=True, window=2)
    whole = make(max_iter=10, **settings).fit(*images)
    path = tmp_path / "run.safetensors"
    for steps in (2, 7, 10, 10):  # within the first network, within a block, to the end, and with nothing left to do
        parts = make(max_iter=steps, checkpoint=path, **settings).fit(*images)
        assert path.exists()
    same(parts, whole)
    for name in ("soft_labels_", "network_lr_", "student_lr_"):
        assert hasattr(parts, name) == hasattr(whole, name)
        assert np.array_equal(getattr(parts, name, 0), getattr(whole, name, 0))


@each
def test_with_averages_validation_and_learned_targets(method, numbers, tmp_path):
    if method == "kernel-soft":
        pytest.skip("probabilities are those of classes")
    settings = accepted_by(
        method, average=0.9, target_lr=0.05, validation_fraction=0.2, validation_every=4, momentum=0.0
    )
    make = METHODS[method]
    whole = make(max_iter=9, **settings).fit(*numbers)
    assert sum("validation" in record for record in whole.history_) >= 2
    for steps in (5, 9):
        parts = make(max_iter=steps, checkpoint=tmp_path / "run", **settings).fit(*numbers)
    same(parts, whole)


@each
def test_a_run_that_breaks_goes_on_where_it_was(method, images, tmp_path):
    path = tmp_path / "run"
    plain = {"max_iter": 12, **accepted_by(method, schedule="linear")}
    settings = {**plain, "checkpoint": path}
    whole = METHODS[method](network=network([], None, None), **plain).fit(*images)
    calls = []
    with pytest.raises(BrokenError):
        METHODS[method](network=network(calls, looks(method, images), BrokenError()), **settings).fit(*images)
    assert path.exists()
    more = []
    resumed = METHODS[method](network=network(more, None, None), **settings).fit(*images)
    same(resumed, whole)


@each
def test_ctrl_c_gives_the_best_rows_where_that_is_asked_for(method, images, tmp_path):
    make, at = METHODS[method], looks(method, images)
    with pytest.raises(KeyboardInterrupt):
        make(max_iter=50, network=network([], at, KeyboardInterrupt())).fit(*images)
    fitted = make(
        max_iter=50,
        network=network([], at, KeyboardInterrupt()),
        on_interrupt="return",
        checkpoint=tmp_path / "run",
    ).fit(*images)
    assert fitted.distilled_.provenance["stopped_by"] == "interrupted"
    assert 1 <= fitted.n_iter_ < 50
    assert np.isfinite(fitted.X_distilled_).all()
    assert (
        make(max_iter=fitted.n_iter_ + 3, network=network([], None, None), checkpoint=tmp_path / "run")
        .fit(*images)
        .n_iter_
        == fitted.n_iter_ + 3
    )


def test_seconds_of_earlier_parts_count(images, tmp_path):
    make = METHODS["distribution"]
    make(max_iter=1).fit(*images)  # the first fit of a process imports
    first = make(max_iter=10**6, max_seconds=0.6, checkpoint=tmp_path / "run").fit(*images)
    again = make(max_iter=10**6, max_seconds=0.6, checkpoint=tmp_path / "run").fit(*images)
    # With new seconds it would do as many updates again; how many fit into the rest depends on the
    # load of the machine.
    assert again.n_iter_ < 1.5 * first.n_iter_ + 5
    assert again.distilled_.provenance["stopped_by"] == "max_seconds"
    longer = make(max_iter=10**6, max_seconds=1.5, checkpoint=tmp_path / "run").fit(*images)
    assert longer.n_iter_ > first.n_iter_
    assert longer.history_[-1]["seconds"] >= 1.5


@each
def test_another_run_is_told_apart(method, images, tmp_path):
    X, y = images
    path = tmp_path / "run"
    METHODS[method](max_iter=2, checkpoint=path).fit(X, y)
    with pytest.raises(DataError, match="belongs to a run with another average, lr: resume with the same"):
        METHODS[method](max_iter=2, checkpoint=path, lr=0.5, average=0.1).fit(X, y)
    with pytest.raises(DataError, match="another data"):
        METHODS[method](max_iter=2, checkpoint=path).fit(X + 1, y)
    with pytest.raises(DataError, match="another data"):
        METHODS[method](max_iter=2, checkpoint=path).fit(X, y[::-1])


def test_files_that_are_no_checkpoints(images, tmp_path):
    make = METHODS["distribution"]
    (tmp_path / "text").write_text("no tensors")
    save_file({"weights": np.zeros(3)}, tmp_path / "other")
    for name in ("text", "other"):
        with pytest.raises(ArtefactError, match=r"cannot be read .* remove the file"):
            make(checkpoint=tmp_path / name).fit(*images)
    with pytest.raises(ArtefactError, match="give a file"):
        make(checkpoint=tmp_path).fit(*images)
    with pytest.raises(ArtefactError, match="its folder cannot be created"):
        make(checkpoint=tmp_path / "text" / "below").fit(*images)


def test_writing_replaces_the_file_as_a_whole(tmp_path):
    checkpoint = Checkpoint(tmp_path / "deep" / "run", {"lr": 0.1})
    assert checkpoint.read() is None
    for number in (1, 2):
        checkpoint.write(State({"a": torch.full((2,), float(number))}, {"n": number, "inf": float("inf")}))
    state = checkpoint.read()
    assert state.values == {"n": 2, "inf": float("inf")}
    assert state.tensors["a"].tolist() == [2.0, 2.0]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]


def test_a_module_with_other_weights_is_another_network(table, tmp_path):
    def settings(seed):
        with seeded(seed):
            return {"network": nn.Sequential(nn.Linear(5, 3)), "checkpoint": tmp_path / "run", "max_iter": 2}

    METHODS["bilevel"](**settings(0)).fit(*table)
    METHODS["bilevel"](**settings(0)).fit(*table)
    with pytest.raises(DataError, match="a run with another network"):
        METHODS["bilevel"](**settings(1)).fit(*table)


def test_a_file_of_another_version_is_told(images, tmp_path, monkeypatch):
    make = METHODS["distribution"]
    monkeypatch.setattr(_checkpoint, "_FORMAT", 1)
    make(max_iter=2, checkpoint=tmp_path / "run").fit(*images)
    monkeypatch.undo()
    with pytest.raises(ArtefactError, match="by another version of distillkit: remove the file"):
        make(max_iter=2, checkpoint=tmp_path / "run").fit(*images)


@pytest.mark.parametrize("method", OF_LABELS)
def test_histories_of_all_can_be_drawn(method, images):
    settings = {"validation_fraction": 0.2, "validation_every": 4}
    steps = clean_history(METHODS[method](max_iter=8, **settings).fit(*images).history_)
    assert x_axis(steps) == ("iteration", [4.0, 8.0])
    assert {"loss", "validation"} <= set(series_names(steps))
