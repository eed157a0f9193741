from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.base import Run, TrainingRows
from distillkit.base._training_rows import group_rows
from distillkit.budget import Budget
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.condensation.problem._problem import CondensationProblem


def problem_of(X, y, task="classification"):
    X = np.asarray(X, dtype=float)
    return CondensationProblem.of(TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1))), torch.device("cpu"))


def blobs(sizes=(40, 30, 20, 10), seed=0):
    """Two classes, each of four distant blobs; the first column is the number of the row."""
    rng = np.random.default_rng(seed)
    blob = np.repeat(np.arange(4), sizes)
    X = np.column_stack([np.arange(2 * len(blob)) * 1e-4, *(1000 * np.eye(4)[:, np.tile(blob, 2)])])
    X[:, 1:] += rng.normal(size=(len(X), 4))
    return X, np.repeat(["a", "b"], len(blob)), np.tile(blob, 2)


def positions(problem, batch):
    return np.rint(problem.in_units(batch[0])[:, 0] * 1e4).astype(int)


def test_batches_are_rows_of_their_class_scaled(images):
    X, y = images
    problem = problem_of(X, y)
    flat = (X.reshape(60, -1) - X.mean()) / X.std()
    for number, (rows, targets) in enumerate(GroupRows(problem).draw(8, np.random.default_rng(0))):
        distances = ((rows.reshape(8, 1, -1).numpy() - flat) ** 2).sum(axis=2)
        assert distances.min(axis=1) == pytest.approx(0, abs=1e-6)
        assert len(set(distances.argmin(axis=1))) == 8
        assert set(y[distances.argmin(axis=1)]) == {[3, 7][number]}
        assert targets.tolist() == [number] * 8


def test_a_class_smaller_than_the_batch_gives_all_its_rows(table):
    X, y = table
    assert [len(rows) for rows, _ in GroupRows(problem_of(X, y)).draw(500, np.random.default_rng(0))] == [30] * 3


@pytest.mark.parametrize("how", ["random", "clusters"])
def test_each_row_is_as_likely_as_any_other(how):
    X, y, _ = blobs()
    problem = problem_of(X, y)
    rows, rng, times = GroupRows(problem, how=how, size=10), np.random.default_rng(1), 2000
    drawn = [positions(problem, batch) for _ in range(times) for batch in rows.draw(10, rng)]
    assert all(len(set(picks)) == 10 for picks in drawn)
    frequencies = np.bincount(np.concatenate(drawn), minlength=len(X)) / times
    # 0.1 each: five standard deviations of a binomial share
    np.testing.assert_allclose(frequencies, 0.1, atol=5 * np.sqrt(0.09 / times))


def test_every_cluster_gives_its_share():
    X, y, blob = blobs()
    problem = problem_of(X, y)
    rows, rng = GroupRows(problem, how="clusters", size=10), np.random.default_rng(1)
    for _ in range(50):
        for batch in rows.draw(10, rng):
            assert np.bincount(blob[positions(problem, batch)], minlength=4).tolist() == [4, 3, 2, 1]
    at_random = [
        np.bincount(blob[positions(problem, batch)], minlength=4).tolist() for batch in GroupRows(problem).draw(10, rng)
    ]
    assert at_random != [[4, 3, 2, 1]] * 2


def test_fewer_rows_than_clusters_can_be_drawn():
    """As where memory ends, and batches are halved."""
    X, y, blob = blobs()
    problem = problem_of(X, y)
    rows, rng = GroupRows(problem, how="clusters", size=20), np.random.default_rng(1)
    for batch in rows.draw(5, rng):
        assert len(batch[0]) == 5
        assert set(blob[positions(problem, batch)]) >= {0, 1, 2}


def test_a_class_smaller_than_the_batch_is_not_divided():
    X, y, _ = blobs()
    small = GroupRows(problem_of(X, y), how="clusters", size=500).draw(500, np.random.default_rng(0))
    assert [len(batch[0]) for batch in small] == [100, 100]


def test_clusters_of_numbers_are_alike_in_the_target():
    y = np.repeat([0.0, 10.0, 20.0], [20, 20, 10]) + np.linspace(0, 0.1, 50)
    problem = problem_of(np.column_stack([np.arange(50) * 1e-4, np.zeros(50)]), y, "regression")
    rows = GroupRows(problem, how="clusters", size=5)
    for seed in range(20):
        [(_, targets)] = rows.draw(5, np.random.default_rng(seed))
        numbers = targets.numpy() * problem.y_scale + problem.y_mean
        assert np.bincount(np.rint(numbers / 10).astype(int)).tolist() == [2, 2, 1]


def test_the_mean_of_a_batch_strays_less_than_at_random():
    X, y, _ = blobs()
    problem = problem_of(X, y)
    spread = {}
    for how in ("random", "clusters"):
        rows, rng = GroupRows(problem, how=how, size=7), np.random.default_rng(2)
        means = torch.stack([rows.draw(7, rng)[0][0].mean(0) for _ in range(300)])
        spread[how] = float(means.var(0).sum())
    assert spread["clusters"] < spread["random"] / 2


def test_rows_that_are_kept_scaled_are_the_same():
    X, y, _ = blobs()
    problem = problem_of(X, y)
    plain, cached = (
        GroupRows(problem, keeps_scaled=keeps).draw(9, np.random.default_rng(3)) for keeps in (False, True)
    )
    for (first, targets), (second, others) in zip(plain, cached, strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)
        assert targets.tolist() == others.tolist()


def test_a_clock_that_ends_the_clusters_leaves_time_for_an_update():
    X, y, _ = blobs()
    run = Run(random_state=0, max_seconds=0.0)
    assert run.out_of_time()
    GroupRows(problem_of(X, y), how="clusters", size=10, run=run)
    assert run.stopped_by is None
