from __future__ import annotations

import pytest
import torch
from torch import nn

from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.kernel._ridge import ridge_prediction
from distillkit.condensation.loop import _memory
from distillkit.condensation.loop._memory import (
    available_bytes,
    graph_bytes,
    kernel_bytes,
    require_memory,
    unrolled_bytes,
)
from distillkit.exceptions import NotEnoughMemoryError
from distillkit.nn import count_parameters, make_network, unroll


def test_what_a_network_keeps_per_row_is_counted():
    def make(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))

    # the input of the first layer, the output of the ReLU (the input of the last layer), and the
    # outputs, in float32
    assert graph_bytes(make, (100,)) == 4 * (100 + 50 + 10)
    assert graph_bytes(make, (4, 25)) == 4 * (100 + 50 + 10)


class Kept:
    """Bytes of the storages that autograd keeps within the block, each once."""

    def __enter__(self):
        self.storages = {}
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self.pack, lambda tensor: tensor)
        self.hooks.__enter__()
        return self

    def pack(self, tensor):
        self.storages[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no other takes its place
        return tensor

    def __exit__(self, *error):
        self.hooks.__exit__(*error)

    @property
    def total(self):
        return sum(tensor.untyped_storage().nbytes() for tensor in self.storages.values())


NETWORKS = {"mlp": ((6,), {"hidden": (32, 32)}), "convnet": ((1, 16, 16), {"width": 8, "depth": 2})}


def maker(name):
    shape, options = NETWORKS[name]
    return shape, lambda seed: make_network(name, shape, 3, seed=seed, **options)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("window", [1, 5])
def test_the_estimate_of_an_unrolled_training_against_what_one_keeps(name, window):
    shape, make = maker(name)
    rows = torch.randn(40, *shape).requires_grad_()
    network = make(0)
    with Kept() as saved:
        weights = unroll(network, rows, torch.arange(40) % 3, nn.functional.cross_entropy, steps=window, rate=0.1)
        torch.func.functional_call(network, weights, (torch.randn(100, *shape),))
    assert saved.total < unrolled_bytes(make, shape, 40, 100, window) < 3 * saved.total


@pytest.mark.parametrize("name", NETWORKS)
def test_the_estimate_of_kernel_matching_against_what_is_kept(name):
    shape, make = maker(name)
    rows, network = torch.randn(40, *shape).requires_grad_(), make(0)
    others = network.embed(torch.randn(300, *shape)).detach().double()
    with Kept() as saved:
        ridge_prediction(network.embed(rows), torch.eye(40), others)
    pool = 16 * count_parameters(network) * 4
    estimate = kernel_bytes(make, shape, 40, 300, 4)
    assert saved.total + pool < estimate < 8 * saved.total + pool


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
        (KernelDistiller, "lower real_batch, pool_size, width or budget"),
        (BilevelDistiller, r"lower window \(now 20\), real_batch, width or budget"),
    ],
)
def test_runs_are_refused_before_they_start(cls, remedy, images, monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda _: 1000)
    with pytest.raises(NotEnoughMemoryError, match=remedy):
        cls(1, width=4, device="cpu").fit(*images)
