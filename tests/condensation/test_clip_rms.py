"""The former name max_norm of clip_rms still works, with a warning."""

from __future__ import annotations

import inspect
import warnings

import pytest

from distillkit import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._checkpoint import _upgraded_key

TINY = {"budget": 1, "hidden": (4,), "max_iter": 3, "device": "cpu", "random_state": 0}
CONDENSERS = {
    GradientMatchingDistiller: {},
    DistributionMatchingDistiller: {},
    TrajectoryMatchingDistiller: {"n_experts": 1, "expert_epochs": 2, "student_steps": 2},
    BilevelDistiller: {"inner_steps": 2},
}
every = pytest.mark.parametrize("cls", CONDENSERS)


def condenser(cls, **params):
    return cls(**(TINY | CONDENSERS[cls] | params))


@every
@pytest.mark.parametrize("limit", [1e-3, None])
def test_the_former_name_does_the_same_and_warns_once(cls, limit, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named = condenser(cls, clip_rms=limit, lr=1.0).fit(*table)
    with pytest.warns(FutureWarning, match=rf"renamed to clip_rms .* give clip_rms={limit}") as caught:
        former = condenser(cls, max_norm=limit, lr=1.0).fit(*table)
    assert len(caught) == 1
    assert former.X_distilled_.tobytes() == named.X_distilled_.tobytes()
    other = condenser(cls, clip_rms=1e-4, lr=1.0).fit(*table)
    assert other.X_distilled_.tobytes() != named.X_distilled_.tobytes()


def test_the_former_name_wins_over_a_preset(table):
    with pytest.warns(FutureWarning, match="clip_rms"):
        former = condenser(GradientMatchingDistiller, preset="dc", max_norm=1e-3).fit(*table)
    named = condenser(GradientMatchingDistiller, preset="dc", clip_rms=1e-3).fit(*table)
    assert former.X_distilled_.tobytes() == named.X_distilled_.tobytes()


def test_a_run_under_the_former_name_is_resumed_under_the_new_one(table, tmp_path):
    cls, path = DistributionMatchingDistiller, tmp_path / "run"
    whole = condenser(cls, clip_rms=0.1).fit(*table)
    with pytest.warns(FutureWarning, match="clip_rms"):
        condenser(cls, max_norm=0.1, max_iter=1, checkpoint=path).fit(*table)
    resumed = condenser(cls, clip_rms=0.1, checkpoint=path).fit(*table)
    assert resumed.n_iter_ == 3
    assert resumed.X_distilled_.tobytes() == whole.X_distilled_.tobytes()


def test_keys_of_older_checkpoints_get_the_new_name():
    assert _upgraded_key({"lr": 0.1, "max_norm": None}) == {"lr": 0.1, "clip_rms": None}


@every
def test_the_former_name_is_the_last_parameter(cls):
    assert list(inspect.signature(cls).parameters)[-1] == "max_norm"
    assert cls().max_norm == "deprecated"


@every
@pytest.mark.parametrize("name", ["clip_rms", "max_norm"])
def test_limits_are_positive(cls, name, table):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        condenser(cls, **{name: 0}).fit(*table)
