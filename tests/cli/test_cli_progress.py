"""The progress of a single distillation: what is known of it, and where it is shown."""

from __future__ import annotations

import re
import sys
import time

import numpy as np
import pytest

from distillkit import GradientMatchingDistiller, KMeansCoreset
from distillkit.base._training_rows import Run, observe_runs
from distillkit.cli import _fit_progress
from distillkit.cli._fit_progress import FitProgress, Pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a test moves it."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(time, "perf_counter", lambda: Clock.now)
    return Clock


def test_steps_tell_the_share_and_the_time_left(clock):
    run = Run(started=1000.0)
    pace = Pace(run)
    assert (pace.share(), pace.seconds_left()) == (None, None)
    run.n_steps, run.n_iter, clock.now = 100, 25, 1050.0
    assert pace.share() == 0.25
    assert pace.seconds_left() == 150
    run.history.append({"loss": 0.125})
    assert pace.text() == "step 25 of 100, loss 0.125, 0:50 elapsed, about 2:30 left"


def test_a_resumed_run_counts_its_own_steps(clock):
    run = Run(started=1000.0, n_iter=60, n_steps=100)
    clock.now = 1010.0
    pace = Pace(run)
    assert pace.seconds_left() is None
    run.n_iter, clock.now = 70, 1030.0
    assert pace.share() == 0.7
    assert pace.seconds_left() == 60


def test_a_time_limit_ends_a_run_earlier_than_its_steps(clock):
    run = Run(max_seconds=60, started=1000.0, n_steps=100)
    pace = Pace(run)
    run.n_iter, clock.now = 10, 1030.0
    assert pace.share() == 0.5
    assert pace.seconds_left() == 30
    run.n_iter = 90
    assert pace.share() == 0.9
    assert pace.seconds_left() == pytest.approx(30 / 9)


def test_classes_tell_the_share_where_each_is_a_step(clock):
    run = Run(started=1000.0, n_groups=4)
    pace = Pace(run)
    clock.now = 1010.0
    assert pace.share() is None
    run.history.append({"label": 0})
    assert pace.share() == 0.25
    assert pace.seconds_left() == 30
    assert pace.text() == "0:10 elapsed, about 0:30 left"


def test_methods_tell_their_number_of_steps_and_classes():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 4
    seen = []
    with observe_runs(seen.append):
        GradientMatchingDistiller(budget=1, max_iter=3, random_state=0).fit(X, y)
        KMeansCoreset(budget=1).fit(X, y)
    KMeansCoreset(budget=1).fit(X, y)
    assert (seen[0].n_steps, seen[0].n_iter, seen[0].n_groups) == (3, 3, 4)
    assert sum("label" in step for step in seen[-1].history) == seen[-1].n_groups == 4
    assert len([run for run in seen if run.n_groups > 1]) == 2, "fits outside are not observed"


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(_fit_progress, "_SECONDS_BEFORE", 0.0)
    monkeypatch.setattr(_fit_progress, "_SECONDS_BETWEEN", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def fit_slowly(progress):
    run = Run(n_steps=100)
    run.n_iter = 40
    for _ in range(200):
        if progress._thread is None or not progress._thread.is_alive():
            break
        time.sleep(0.01)
        if "step 40 of 100" in sys.stderr.getvalue():
            break


def test_a_bar_is_shown_on_a_terminal_and_taken_away(soon, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = FitProgress("gradient-matching")
    with progress:
        fit_slowly(progress)
    told = capsys.readouterr()
    assert told.out == ""
    assert "gradient-matching" in told.err
    assert "step 40 of 100" in told.err
    assert re.search(r"\x1b\[\?25h", told.err), "the cursor is shown again"
    assert not progress._thread.is_alive()


def test_nothing_is_shown_elsewhere_nor_for_short_fits(capsys, monkeypatch):
    with FitProgress("kmeans") as progress:
        Run()
    assert progress._thread is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with FitProgress("kmeans"):
        Run()
    assert capsys.readouterr().err == ""


def test_the_bar_goes_with_an_error(soon, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = FitProgress("kmeans")
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert not progress._thread.is_alive()
