"""The share of the gap that students recover: its interval, and no ranks where there is no gap."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from distillkit.bench.leaderboard._joint_samples import SplitSample
from distillkit.bench.leaderboard._recovered_gap import recovered_gap
from distillkit.bench.reporters import write_markdown
from tests.bench.test_student_panels import SCORES, board, line, row

N_TEST, N_TRAIN = 1000, 9000


def sample_of(**scores):
    values = {name: {split: {0: value} for split, value in enumerate(numbers)} for name, numbers in scores.items()}
    return SplitSample(values, N_TEST, N_TRAIN)


def corrected_t(differences):
    """Return the statistic of Nadeau and Bengio for the mean of differences between splits."""
    n = len(differences)
    return np.mean(differences) / np.sqrt(np.var(differences, ddof=1) * (1 / n + N_TEST / N_TRAIN))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_interval_holds_the_shares_that_a_test_does_not_refuse(sign):
    """At its ends the test of ``taught - alone = share (teacher - alone)`` is just significant."""
    rng = np.random.default_rng(0)
    alone, teacher = rng.normal(0.8, 0.01, 8), rng.normal(0.9, 0.01, 8)
    taught = 0.4 * alone + 0.6 * teacher + rng.normal(0, 0.01, 8)
    sample = sample_of(alone=sign * alone, teacher=sign * teacher, taught=sign * taught)
    gap = recovered_gap(sample, "taught", "alone", "teacher", sign)
    assert gap.share == pytest.approx((taught - alone).mean() / (teacher - alone).mean())
    assert gap.low < gap.share < gap.high
    for end in (gap.low, gap.high):
        t = corrected_t((taught - alone) - end * (teacher - alone))
        assert abs(t) == pytest.approx(stats.t.ppf(0.975, 7), rel=1e-6)


def test_a_gap_below_its_noise_gives_no_share():
    rng = np.random.default_rng(0)
    alone = rng.normal(0.8, 0.02, 5)
    for teacher in (alone + rng.normal(0, 0.02, 5), alone - 0.1 + rng.normal(0, 0.001, 5)):
        gap = recovered_gap(sample_of(a=alone, t=teacher, s=alone + 0.001 * rng.normal(size=5)), "s", "a", "t", 1)
        assert gap.below_noise
        assert gap.share is None
    one_split = sample_of(a=[0.8], t=[0.9], s=[0.85])
    assert recovered_gap(one_split, "s", "a", "t", 1) is None


def _rows(teacher):
    scores = SCORES | {"teacher": teacher}
    return [row(method, seed, value) for method, values in scores.items() for seed, value in enumerate(values)]


def test_the_panel_shows_the_share_and_ranks_only_beyond_noise(tmp_path) -> None:
    leaderboard = board(_rows(SCORES["teacher"]))
    taught = line(leaderboard, "teacher-student")
    means = {name: np.mean(values) for name, values in SCORES.items()}
    expected = (means["teacher-student"] - means["student-alone"]) / (means["teacher"] - means["student-alone"])
    assert taught["gap_recovered"] == pytest.approx(expected)
    assert taught["gap_low"] < expected < taught["gap_high"]
    for name in ("teacher", "student-alone"):
        assert pd.isna(line(leaderboard, name)["gap_recovered"])
    write_markdown(leaderboard, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert f"{expected:.0%} [" in text
    noisy = board(_rows([0.80, 0.96, 0.90]))
    for name in ("teacher-student", "student-alone", "pruned"):
        assert pd.isna(line(noisy, name)["rank"])
        assert pd.isna(line(noisy, name)["gap_recovered"])
    assert "not better than the student alone" in line(noisy, "teacher-student")["note"]
    assert math.isfinite(line(noisy, "teacher-student")["mean"])
