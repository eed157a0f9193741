from __future__ import annotations

import pytest
import torch

from distillkit.condensation.loop._loss_monitor import LossMonitor
from distillkit.condensation.loop._synthetic_rows import SyntheticRows


def rows_of(**options):
    parts = [(torch.zeros(1, 2), torch.tensor([0.0])), (torch.ones(2, 2), torch.tensor([1.0, 1.0]))]
    return SyntheticRows(parts, **{"lr": 0.5, "momentum": 0.0, **options})


def test_batches_are_the_groups_and_gradients_flow_back():
    rows = rows_of()
    batches = rows.batches()
    assert [len(part) for part, _ in batches] == [1, 2]
    batches[1][0].sum().backward()
    assert rows.X.grad.tolist() == [[0, 0], [1, 1], [1, 1]]


def test_momentum_is_that_of_gradient_descent():
    rows = rows_of(momentum=0.5)
    gradient = torch.ones(3, 2)
    rows.update([gradient])
    rows.update([gradient])
    assert rows.snapshot()[0][0].tolist() == [-0.5 - 0.75, -0.5 - 0.75]


def test_a_step_at_a_share_of_the_rates_leaves_the_next_its_own():
    rows = rows_of(target_lr=0.1)
    gradients = [torch.ones(3, 2), torch.ones(3)]
    rows.update(gradients, 0.5)
    assert rows.snapshot()[0][0].tolist() == [-0.25, -0.25]
    assert rows.snapshot()[1].tolist() == pytest.approx([-0.05, 0.95, 0.95])
    rows.update(gradients)
    assert rows.snapshot()[0][0].tolist() == [-0.75, -0.75]


def test_the_gradient_of_each_row_is_shortened_on_its_own():
    rows = rows_of(lr=1.0, clip_rms=2.0)
    before = rows.snapshot()[0]
    rows.update([torch.tensor([[300.0, 400.0], [0.3, 0.4], [0.0, 0.0]])])
    moved = (before - rows.snapshot()[0]).tolist()
    assert moved[0] == pytest.approx([300 / 500 * 8**0.5, 400 / 500 * 8**0.5])  # root mean square 2, same direction
    assert moved[1] == pytest.approx([0.3, 0.4])
    assert moved[2] == [0.0, 0.0]


def test_limits_hold():
    rows = rows_of(lr=10.0, limits=(torch.tensor([[-1.0, 0.0]]), torch.tensor([[1.0, 2.0]])))
    rows.update([torch.tensor([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]])])
    assert rows.snapshot()[0].tolist() == [[-1.0, 0.0], [1.0, 2.0], [1.0, 1.0]]


def test_targets_move_only_where_they_are_learned():
    fixed, learned = rows_of(), rows_of(target_lr=0.1)
    assert len(fixed.leaves) == 1
    learned.update([torch.zeros(3, 2), torch.tensor([1.0, 2.0, 0.0])])
    assert learned.snapshot()[1].tolist() == pytest.approx([-0.1, 0.8, 1.0])


def test_the_running_mean_trails_the_rows_and_meets_them():
    rows = rows_of(average=0.9, lr=1.0)
    rows.update([torch.full((3, 2), -11.0)])  # decay 1/11 after the first update
    assert rows.snapshot()[0][0, 0] == pytest.approx(10.0)
    for _ in range(200):
        rows.update([torch.zeros(3, 2)])
    assert rows.snapshot()[0][0, 0] == pytest.approx(11.0, abs=1e-4)


def test_rows_that_are_not_finite_are_told():
    assert rows_of().update([torch.zeros(3, 2)])
    assert not rows_of().update([torch.full((3, 2), float("inf"))])


def feed(monitor, losses):
    records, as_good = [], []
    for loss in losses:
        if monitor.add({"loss": loss, "similarity": loss / 10}):
            records.append(monitor.close())
            as_good.append(monitor.as_good)
    return records, as_good


def test_records_are_means_of_blocks():
    monitor = LossMonitor(2, 0.0, None)
    records, _ = feed(monitor, [4.0, 2.0, 1.0, 3.0, 9.0])
    assert records == [{"loss": 3.0, "similarity": pytest.approx(0.3)}, {"loss": 2.0, "similarity": pytest.approx(0.2)}]
    assert monitor.close()["loss"] == 9.0
    assert monitor.close() is None


def test_patience_counts_updates_without_a_fall():
    monitor = LossMonitor(5, 0.01, 20)
    feed(monitor, [10.0 - step / 10 for step in range(50)])
    assert not monitor.converged
    feed(monitor, [50.0] * 15)
    assert not monitor.converged
    feed(monitor, [50.0] * 5)
    assert monitor.converged
    endless = LossMonitor(5, 0.01, None)
    feed(endless, [1.0] * 500)
    assert not endless.converged


def test_rows_are_kept_while_the_loss_is_low_and_not_when_it_rises():
    _, as_good = feed(LossMonitor(1, 0.0, None), [10.0, 9.0, 8.0, 30.0, 40.0])
    assert as_good == [True, True, True, False, False]
