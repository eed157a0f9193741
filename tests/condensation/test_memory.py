from __future__ import annotations

import pytest
import torch
from torch import nn

from distillkit.condensation import (
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    TrajectoryMatchingDistiller,
    _memory,
)
from distillkit.condensation._memory import available_bytes, graph_bytes, require_memory
from distillkit.exceptions import NotEnoughMemoryError


def test_what_a_network_keeps_per_row_is_counted():
    def make(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))

    # the input of the first layer, the output of the ReLU (that of the last layer's input), and the outputs, in float32
    assert graph_bytes(make, (100,)) == 4 * (100 + 50 + 10)
    assert graph_bytes(make, (4, 25)) == 4 * (100 + 50 + 10)


def test_free_memory_is_some_and_no_more_than_the_container_has(tmp_path, monkeypatch):
    cpu = torch.device("cpu")
    assert 1e6 < available_bytes(cpu) < 1e14
    (tmp_path / "max").write_text("5000")
    (tmp_path / "now").write_text("4000")
    monkeypatch.setattr(_memory, "_CGROUPS", ((tmp_path / "max", tmp_path / "now"),))
    assert available_bytes(cpu) == 1000
    (tmp_path / "max").write_text("max")
    assert available_bytes(cpu) > 1e6


def test_too_little_is_an_error_that_names_the_remedy(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(_memory, "available_bytes", lambda _: 2**30)
    require_memory(2**30, cpu, "lower it")
    with pytest.raises(NotEnoughMemoryError, match=r"about 2\.0 GiB .*1\.0 GiB are free on cpu: lower it\.") as caught:
        require_memory(2**31, cpu, "lower it")
    assert isinstance(caught.value, MemoryError)  # which the bench reads as its own status


@pytest.mark.parametrize(
    ("cls", "remedy"),
    [
        (GradientMatchingDistiller, "lower real_batch, width or budget"),
        (DistributionMatchingDistiller, "lower real_batch, width or budget"),
        (TrajectoryMatchingDistiller, "lower student_batch, student_steps, width or budget"),
    ],
)
def test_runs_are_refused_before_they_start(cls, remedy, images, monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda _: 1000)
    with pytest.raises(NotEnoughMemoryError, match=remedy):
        cls(1, width=4, device="cpu").fit(*images)
