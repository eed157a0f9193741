from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from distillkit.base._training_rows import TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.condensation import DistributionMatchingDistiller, GradientMatchingDistiller
from distillkit.condensation.loop._synthetic_rows import Snapshot
from distillkit.condensation.loop._validation import Validation, hold_out
from distillkit.exceptions import DataError
from distillkit.nn import Mlp, seeded


def rows_of(budget, counts=(1, 4, 45)):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.arange(len(y), dtype=float)[:, None]
    return TrainingRows(X, y, "classification", group_rows(y, len(y), "classification", Budget(budget)))


def test_each_class_gives_its_share_and_keeps_its_budget():
    rows = rows_of({0: 1, 1: 3, 2: 2})
    training_rows, held = hold_out(rows, 0.4, seed=0)
    assert [len(group.rows) for group in held.groups] == [0, 1, 18]
    assert [group.size for group in training_rows.groups] == [1, 3, 2]
    assert sorted([*training_rows.X[:, 0], *held.X[:, 0]]) == list(range(50))
    for part in (training_rows, held):
        for number, group in enumerate(part.groups):
            assert (part.y[group.rows] == number).all()
    assert np.array_equal(hold_out(rows, 0.4, seed=0)[1].X, held.X)
    assert not np.array_equal(hold_out(rows, 0.4, seed=1)[1].X, held.X)


def test_nothing_to_hold_out_is_said():
    with pytest.raises(DataError, match=r"validation_fraction=0.4 leaves no row"):
        hold_out(rows_of({0: 1, 1: 4, 2: 45}), 0.4, seed=0)


def judged(**options):
    def make(seed):
        with seeded(seed):
            return Mlp((2,), 2, hidden=(8,))

    X = torch.tensor([[1.0, 0.0], [2.0, 0.1], [-1.0, 0.0], [-2.0, 0.3]])
    settings = {"classes": True, "seed": 0, "every": 5, "patience": 20, **options}
    return Validation(make, (X, torch.tensor([0, 0, 1, 1])), **settings)


def test_good_rows_score_above_bad_ones():
    X = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert judged().score(X, torch.tensor([0, 1])) == 1.0
    assert judged().score(X, torch.tensor([1, 0])) == 0.0
    assert judged().score(X * 1e30, torch.tensor([0, 1])) <= 1.0  # whatever comes of it, no error does


def test_the_best_is_kept_and_patience_counts_from_it(monkeypatch):
    validation = judged()
    scores = iter([0.5, 0.7, 0.7, 0.6, 0.6])
    monkeypatch.setattr(validation, "score", lambda *_: next(scores))
    rows = Snapshot(torch.zeros(1), torch.zeros(1))
    results = [validation.judge(rows, iteration) for iteration in (5, 10, 15, 20, 31)]
    assert [good for _, good in results] == [True, True, True, False, False]
    assert [figures["validation"] for figures, _ in results] == [0.5, 0.7, 0.7, 0.6, 0.6]
    assert validation.exhausted(31)
    assert not validation.exhausted(29)
    assert validation.due(36)
    assert not validation.due(35)


@pytest.mark.parametrize("cls", [DistributionMatchingDistiller, GradientMatchingDistiller])
def test_early_stopping_returns_the_rows_of_the_best_score(cls, table):
    X, y = table
    options = {"validation_fraction": 0.3, "validation_every": 5, "record_every": 5, "max_iter": 400, "patience": 20}
    fitted = cls(1, hidden=(16,), random_state=0, device="cpu", **options).fit(X, y)
    scores = [record["validation"] for record in fitted.history_ if "validation" in record]
    assert all(0 <= score <= 1 for score in scores)
    assert fitted.distilled_.provenance["stopped_by"] == "converged"
    best = 5 * (1 + int(np.argmax(scores)))
    assert fitted.n_iter_ == best + 20
    assert fitted.sample_weight_.sum() == pytest.approx(90)


def test_numbers_are_judged_by_r2(numbers):
    fitted = DistributionMatchingDistiller(
        8, validation_fraction=0.25, validation_every=2, max_iter=4, record_every=2, random_state=0, device="cpu"
    ).fit(*numbers)
    assert max(record["validation"] for record in fitted.history_) > 0.5


def test_the_last_judgement_is_within_the_seconds(table, monkeypatch):
    began = time.perf_counter()
    now = [began]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    class Slow(Mlp):
        def __init__(self, shape, n_outputs):
            super().__init__(shape, n_outputs, hidden=(4,))
            now[0] += 1  # each update draws a network

    def score(*_):
        now[0] += 6
        return 0.5

    monkeypatch.setattr(Validation, "score", score)
    settings = {"max_iter": 1000, "max_seconds": 30, "patience": None, "record_every": 2, "random_state": 0}
    distiller = GradientMatchingDistiller(1, network=Slow, validation_fraction=0.2, validation_every=10, **settings)
    fitted = distiller.fit(*table)
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert fitted.n_iter_ > 10
    assert "validation" in fitted.history_[-1]
    assert 28 <= now[0] - began <= 31  # 36 if the last judgement came on top
