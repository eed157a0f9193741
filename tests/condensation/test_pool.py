from __future__ import annotations

import pytest
import torch
from torch import nn

from distillkit.nn import ConvNet, seeded
from distillkit.nn.convolution._halving_pool import HalvingPool, with_fast_pools


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 7, 9), (1, 1, 2, 3)])
def test_it_is_average_pooling_by_two(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(HalvingPool()(x), nn.AvgPool2d(2)(x))


def test_a_network_computes_the_same_with_it():
    with seeded(0):
        network = ConvNet((1, 28, 28), 3, width=4, pad=False).double()
    x = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, names = network(x), [name for name, _ in network.named_parameters()]
    after = with_fast_pools(network)(x)
    assert sum(isinstance(module, HalvingPool) for module in network.modules()) == 3
    torch.testing.assert_close(after, before)
    assert [name for name, _ in network.named_parameters()] == names


@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(3),
        nn.AvgPool2d(2, stride=1),
        nn.AvgPool2d(2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.MaxPool2d(2),
    ],
)
def test_other_pools_stay(pool):
    network = nn.Sequential(nn.Identity(), nn.Sequential(pool))
    assert with_fast_pools(network)[1][0] is pool
