from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from distillkit.exceptions import DataError
from distillkit.nn import (
    NETWORKS,
    ConvNet,
    ConvNet1d,
    LeNet,
    Mlp,
    ResNet18,
    check_fit,
    count_parameters,
    evaluating,
    make_network,
    network_name,
)


def test_the_standard_convnet_has_the_published_size():
    # convolutions 3->128->128->128 of 3x3, three affine norms, a head from 128 channels of 4x4
    parts = [3 * 128 * 9 + 128, 128 * 128 * 9 + 128, 128 * 128 * 9 + 128, 3 * 2 * 128, 2048 * 10 + 10]
    assert count_parameters(ConvNet((3, 32, 32), 10)) == sum(parts) == 320_010


def test_mnist_is_padded_to_2048_features():
    network = ConvNet((1, 28, 28), 10)
    assert network.embed(torch.zeros(2, 1, 28, 28)).shape == (2, 2048)
    assert ConvNet((1, 28, 28), 10, pad=False).embed(torch.zeros(2, 1, 28, 28)).shape == (2, 128 * 9)


def test_lenet_has_the_classic_size():
    assert count_parameters(LeNet((1, 28, 28), 10)) == 61_706


def test_resnet18_has_the_published_size_for_small_images():
    assert count_parameters(ResNet18((3, 32, 32), 10)) == 11_173_962


def test_mlp_and_series_sizes():
    assert count_parameters(Mlp((2, 3), 4, hidden=(5,))) == 6 * 5 + 5 + 5 * 4 + 4
    assert count_parameters(Mlp((6,), 4, hidden=())) == 6 * 4 + 4
    network = ConvNet1d((2, 40), 3, width=8)
    assert count_parameters(network) == (2 * 8 * 7 + 8) + 2 * (8 * 8 * 7 + 8) + 3 * 16 + (8 * 5) * 3 + 3


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mlp", (5,)), ("mlp", (1, 8, 8)), ("convnet", (2, 8, 12)), ("convnet1d", (2, 9)), ("lenet", (1, 12, 13))],
)
def test_outputs_are_the_head_of_the_embedding(name, shape):
    network = make_network(name, shape, 3, seed=0, width=4).eval()
    x = torch.randn(5, *shape, generator=torch.Generator().manual_seed(1))
    assert network(x).shape == (5, 3)
    torch.testing.assert_close(network(x), network.head(network.embed(x)))


def test_resnet18_runs_and_pickles():
    network = pickle.loads(pickle.dumps(make_network("resnet18", (1, 9, 9), 3, seed=0))).eval()
    x = torch.randn(2, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(x), network.head(network.embed(x)))
    assert network(x).std(dim=0).min() > 0


def test_the_block_of_the_convnet_by_hand():
    network = ConvNet((1, 8, 8), 2, width=3, depth=1)
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    filtered = F.conv2d(x, network.features[0].conv.weight, network.features[0].conv.bias, padding=1)
    mean, spread = filtered.mean((2, 3), keepdim=True), filtered.var((2, 3), unbiased=False, keepdim=True)
    block = F.avg_pool2d(F.relu((filtered - mean) / torch.sqrt(spread + 1e-5)), 2)
    torch.testing.assert_close(network.embed(x), block.flatten(1))


@pytest.mark.parametrize(
    ("shape", "chosen"),
    [
        ((4,), "mlp"),
        ((3, 24), "convnet1d"),
        ((3, 7), "mlp"),
        ((1, 28, 28), "convnet"),
        ((1, 8, 7), "mlp"),
        ((2, 2, 2, 2), "mlp"),
    ],
)
def test_auto_follows_the_shape(shape, chosen):
    assert network_name("auto", shape) == chosen
    check_fit(make_network("auto", shape, 2, seed=0, width=4), shape, 2)


@pytest.mark.parametrize("side", [8, 9, 15, 16, 33])
def test_auto_pools_as_often_as_images_allow(side):
    network = make_network("auto", (1, side, side), 2, seed=0, width=4)
    assert sum(isinstance(layer, nn.AvgPool2d) for layer in network.modules()) == 3
    assert network(torch.zeros(1, 1, side, side)).shape == (1, 2)


def test_options_that_a_network_lacks_are_ignored():
    assert count_parameters(make_network("mlp", (4,), 2, seed=0, width=9, norm="batch", hidden=(3,))) == 4 * 3 + 3 + 8
    assert not any(
        isinstance(m, nn.GroupNorm) for m in make_network("convnet", (1, 8, 8), 2, seed=0, norm="none").modules()
    )
    assert any(
        isinstance(m, nn.BatchNorm1d) for m in make_network("convnet1d", (1, 8), 2, seed=0, norm="batch").modules()
    )


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("transformer", (4,), {}, "'transformer' is not known"),
        ("convnet", (4,), {}, r"takes images .* but rows have shape \(4,\)"),
        ("convnet1d", (1, 8, 8), {}, "takes series"),
        ("convnet", (1, 4, 4), {}, "too small for 3 poolings.*depth=2"),
        ("convnet1d", (1, 4), {"depth": 3}, "too short for 3 poolings"),
        ("lenet", (1, 8, 8), {}, "too small for LeNet"),
        ("resnet18", (1, 8, 8), {}, "too small for ResNet-18"),
        ("resnet18", (1, 32, 32), {"norm": "none"}, "norm='none' does not go with 'resnet18'"),
        ("convnet", (1, 8, 8), {"norm": "layer"}, "norm='layer' is not known"),
    ],
)
def test_networks_that_do_not_fit(name, shape, options, message):
    with pytest.raises(DataError, match=message):
        make_network(name, shape, 2, seed=0, **options)


def test_a_network_of_ones_own():
    made = make_network(lambda shape, n: nn.Sequential(nn.Flatten(), nn.Linear(shape[0], n)), (4,), 3, seed=5)
    again = make_network(lambda shape, n: nn.Sequential(nn.Flatten(), nn.Linear(shape[0], n)), (4,), 3, seed=5)
    torch.testing.assert_close(made[1].weight, again[1].weight, rtol=0, atol=0)
    copied = make_network(made, (4,), 3, seed=9)
    assert copied is not made
    torch.testing.assert_close(copied[1].weight, made[1].weight, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(5, 3), r"does not take rows of shape \(4,\)"),
        (nn.Linear(4, 2), r"returns \(2,\) for a row, but 3 outputs"),
        (lambda *_: "no network", "must return a torch.nn.Module, but returned str"),
        (lambda shape, n: nn.LSTM(shape[0], n), "returns tuple for a row"),
    ],
)
def test_a_network_of_ones_own_that_does_not_fit(network, message):
    with pytest.raises(DataError, match=message):
        make_network(network, (4,), 3, seed=0)


def test_weights_come_from_the_seed():
    first, same, other = (make_network("mlp", (4,), 3, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_frozen_parts_are_not_counted_and_keep_their_mode():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network[0].requires_grad_(requires_grad=False)
    assert count_parameters(network) == 4
    network[1].eval()
    with evaluating(network):
        assert not network.training
    assert (network.training, network[0].training, network[1].training) == (True, True, False)


def test_every_name_makes_a_network():
    shapes = {None: (4,), 2: (1, 16), 3: (1, 16, 16)}
    for name, (cls, axes) in NETWORKS.items():
        assert isinstance(make_network(name, shapes[axes], 2, seed=0), cls)
