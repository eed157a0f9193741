"""What ends a fit: updates, time, or convergence, and which of them by default."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from distillkit import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GANSynthesizer,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.condensation.problem import _start_method

TINY = {"hidden": (4,), "device": "cpu", "random_state": 0}
CONDENSERS = {
    "gradient": (GradientMatchingDistiller, {}, 300, 200),
    "distribution": (DistributionMatchingDistiller, {}, 300, 200),
    "trajectory": (TrajectoryMatchingDistiller, {"n_experts": 1, "expert_epochs": 2, "student_steps": 2}, 300, 200),
    "kernel": (KernelDistiller, {"pool_size": 2}, 1000, 500),
    "bilevel": (BilevelDistiller, {"inner_steps": 2, "validation_every": 1000}, 300, 100),
}
every = pytest.mark.parametrize("name", CONDENSERS)


def condenser(name, **params):
    cls, own, _, _ = CONDENSERS[name]
    return cls(1, **(TINY | own | params))


def ending(fitted):
    return fitted.n_iter_, fitted.distilled_.provenance["stopped_by"]


@pytest.fixture
def steady_clock(monkeypatch):
    """A clock that goes on by a millisecond at each look, and so is the same under any load."""
    ticks, start = itertools.count(), time.perf_counter()
    monkeypatch.setattr("time.perf_counter", lambda: start + 1e-3 * next(ticks))


@every
def test_the_default_counts_are_documented(name):
    cls, _, updates, patience = CONDENSERS[name]
    assert (cls._default_max_iter, cls._default_patience) == (updates, patience)
    assert f"None takes {updates}, or no limit where" in cls.__doc__
    assert f"{patience}, or None where `max_seconds` alone" in cls.__doc__


@pytest.mark.usefixtures("steady_clock")
def test_time_alone_ends_a_fit_after_more_updates_than_the_default(table):
    assert ending(condenser("distribution", patience=None).fit(*table)) == (300, "max_iter")
    n_iter, stopped_by = ending(condenser("distribution", max_seconds=1).fit(*table))
    assert stopped_by == "max_seconds"
    assert n_iter > 300


@every
def test_without_time_the_default_counts_end_a_fit(name, table, monkeypatch):
    monkeypatch.setattr(CONDENSERS[name][0], "_default_max_iter", 7)
    assert ending(condenser(name, record_every=2).fit(*table)) == (7, "max_iter")
    monkeypatch.setattr(CONDENSERS[name][0], "_default_patience", 2)
    stuck = condenser(name, record_every=1, tol=0.999, validation_fraction=0.2, validation_every=1).fit(*table)
    assert ending(stuck)[1] == "converged"
    assert ending(stuck)[0] < 7


@every
@pytest.mark.usefixtures("steady_clock")
def test_with_time_neither_default_count_ends_a_fit(name, table, monkeypatch):
    monkeypatch.setattr(CONDENSERS[name][0], "_default_max_iter", 2)
    monkeypatch.setattr(CONDENSERS[name][0], "_default_patience", 1)
    n_iter, stopped_by = ending(condenser(name, max_seconds=1, record_every=1, tol=0.999).fit(*table))
    assert stopped_by == "max_seconds"
    assert n_iter > 2


@every
def test_what_is_given_ends_a_fit_whichever_comes_first(name, table):
    assert ending(condenser(name, max_seconds=600, max_iter=3).fit(*table)) == (3, "max_iter")
    stuck = condenser(name, max_seconds=600, patience=2, record_every=1, tol=0.999).set_params(
        validation_fraction=0.2, validation_every=1
    )
    assert ending(stuck.fit(*table))[1] == "converged"


@pytest.mark.parametrize("params", [{"max_iter": 0}, {"max_iter": "auto"}, {"patience": 0}, {"patience": "never"}])
def test_other_limits_are_refused(params, table):
    with pytest.raises(ValueError, match=f"The {next(iter(params))!r} parameter"):
        condenser("gradient", **params).fit(*table)


@pytest.mark.usefixtures("steady_clock")
def test_a_linear_schedule_without_a_count_follows_the_clock(table, monkeypatch):
    shares, update = [], SyntheticRows.update

    def recorded(rows, gradients, share=1.0):
        shares.append(share)
        return update(rows, gradients, share)

    monkeypatch.setattr(SyntheticRows, "update", recorded)
    condenser("distribution", schedule="linear", max_seconds=1).fit(*table)
    assert all(np.diff(shares) <= 0)
    assert shares[0] > 0.5
    assert shares[-1] < 0.2


@pytest.mark.usefixtures("steady_clock")
def test_a_condenser_that_makes_the_first_rows_leaves_time_to_the_other(table, monkeypatch):
    starts, fit = [], _start_method._fit_resample

    def recorded(method, rows):
        result = fit(method, rows)
        starts.append(ending(method))
        return result

    monkeypatch.setattr(_start_method, "_fit_resample", recorded)
    monkeypatch.setattr(KernelDistiller, "_default_max_iter", 4)
    start = KernelDistiller(pool_size=2, hidden=(4,), device="cpu")
    n_iter, stopped_by = ending(condenser("distribution", init=start, max_seconds=2).fit(*table))
    assert starts == [(4, "max_iter")]
    assert (stopped_by, n_iter > 4) == ("max_seconds", True)


@pytest.mark.filterwarnings("ignore:the generator may not have learned")
def test_a_generator_is_trained_for_its_count_or_its_time(table, monkeypatch):
    monkeypatch.setattr(GANSynthesizer, "_default_max_iter", 3)
    tiny = {"width": 2, "latent": 4, "batch_size": 8, "pool": 12, "random_state": 0, "device": "cpu"}
    assert ending(GANSynthesizer(2, **tiny).fit(*table)) == (3, "max_iter")
    assert ending(GANSynthesizer(2, max_iter=5, max_seconds=600, **tiny).fit(*table)) == (5, "max_iter")
    n_iter, stopped_by = ending(GANSynthesizer(2, max_seconds=2, **tiny).fit(*table))
    assert stopped_by == "max_seconds"
    assert n_iter > 3
