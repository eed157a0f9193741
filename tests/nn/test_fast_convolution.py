"""The fast ways of the convolutional network compute what torch's own layers compute, and so do all their derivatives."""

from __future__ import annotations

import copy
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numba.core.dispatcher import Dispatcher
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F

from distillkit.nn import ConvNet
from distillkit.nn.convolution import _tile_loops
from distillkit.nn.convolution._first_block import conv_relu_pool, patches
from distillkit.nn.convolution._norm_relu_pool import norm_relu_pool
from distillkit.nn.convolution._winograd import winograd_conv
from distillkit.nn.convolution._winograd_matrices import points, transforms
from distillkit.nn.networks._conv_block import ConvBlock
from distillkit.nn.runtime._compiled import can_compile, compiled


def drawn(*shape, seed=0, dtype=torch.float64, requires_grad=True):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return values.requires_grad_(requires_grad)


def test_one_tile_is_filtered_by_the_definition():
    to = transforms(torch.float64)
    tile, taps = drawn(6, 6, requires_grad=False), drawn(3, 3, seed=1, requires_grad=False)
    products = (to.rows @ tile @ to.rows.T) * (to.taps @ taps @ to.taps.T)
    found = to.outputs @ products @ to.outputs.T
    wanted = [[(tile[i : i + 3, j : j + 3] * taps).sum() for j in range(4)] for i in range(4)]
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float64))


@pytest.mark.parametrize(
    "shape", [(1, 4, 4, 1), (2, 8, 8, 3), (2, 7, 5, 3), (3, 1, 2, 2), (40, 8, 8, 2), (5, 30, 31, 2), (2, 6, 4, 131)]
)
def test_convolution_and_its_gradients_are_torchs(shape):
    x, weight = drawn(*shape), drawn(5, shape[3], 3, 3, seed=1)
    found = winograd_conv(x, weight)
    wanted = F.conv2d(x.permute(0, 3, 1, 2), weight, padding=1).permute(0, 2, 3, 1)
    torch.testing.assert_close(found, wanted)
    given = drawn(*wanted.shape, seed=2, requires_grad=False)
    for first, second in zip(
        torch.autograd.grad(found, [x, weight], given), torch.autograd.grad(wanted, [x, weight], given), strict=True
    ):
        torch.testing.assert_close(first, second)


def test_convolution_is_differentiable_twice_by_finite_differences():
    inputs = drawn(2, 3, 5, 2), drawn(3, 2, 3, 3, seed=1)
    assert gradcheck(winograd_conv, inputs)
    assert gradgradcheck(winograd_conv, inputs)


def test_loops_over_tiles_are_the_matrices():
    a, b = points(torch.float64)
    to = transforms(torch.float64)
    image, inner, outer = drawn(1, 4, 4, 3, requires_grad=False), np.empty((36, 1, 3)), np.empty((36, 1, 3))
    padded = F.pad(image[0], (0, 0, 1, 1, 1, 1))
    _tile_loops.cut_inputs(image.numpy(), 1, 1, a, b, inner)
    _tile_loops.cut_gradients(image.numpy(), 1, 1, a, b, outer)
    tiles, seen, given = drawn(36, 1, 3, seed=1, requires_grad=False), np.empty((1, 4, 4, 3)), np.empty((1, 4, 4, 3))
    _tile_loops.place_outputs(tiles.numpy(), 1, 1, a, b, seen)
    _tile_loops.add_inputs(tiles.numpy(), 1, 1, a, b, given)
    for c in range(3):
        products = tiles[:, 0, c].view(6, 6)
        for found, wanted in (
            (inner[:, 0, c].reshape(6, 6), to.rows @ padded[..., c] @ to.rows.T),
            (outer[:, 0, c].reshape(6, 6), to.outputs.T @ image[0, ..., c] @ to.outputs),
            (seen[0, ..., c], to.outputs @ products @ to.outputs.T),
            (given[0, ..., c], (to.rows.T @ products @ to.rows)[1:5, 1:5]),
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_float32_loses_few_digits():
    x, weight = drawn(4, 16, 16, 128, requires_grad=False), drawn(128, 128, 3, 3, seed=1, requires_grad=False)
    exact = F.conv2d(x.permute(0, 3, 1, 2), weight, padding=1).permute(0, 2, 3, 1)
    found = winograd_conv(x.float(), weight.float())
    assert (found - exact).norm() / exact.norm() < 3e-6


def test_an_image_has_the_same_outputs_whatever_others_were_there_before():
    x, weight = drawn(3, 8, 8, 32, requires_grad=False), drawn(32, 32, 3, 3, seed=1, requires_grad=False)
    alone = winograd_conv(x, weight)
    winograd_conv(drawn(50, 12, 12, 32, seed=3, requires_grad=False), weight)  # leaves much in the scratch memory
    assert torch.equal(winograd_conv(x, weight), alone)


@pytest.mark.parametrize("shape", [(2, 4, 6, 3), (2, 5, 7, 3), (1, 3, 2, 1)])
def test_norm_relu_and_pooling_are_torchs_layers(shape):
    x, weight, bias = drawn(*shape), drawn(shape[3], seed=1), drawn(shape[3], seed=2)
    found = norm_relu_pool(x, weight, bias, 1e-5)
    plain = F.group_norm(x.permute(0, 3, 1, 2), shape[3], weight, bias)
    wanted = F.avg_pool2d(F.relu(plain), 2).permute(0, 2, 3, 1)
    torch.testing.assert_close(found, wanted)
    given = drawn(*wanted.shape, seed=3, requires_grad=False)
    leaves = [x, weight, bias]
    for first, second in zip(
        torch.autograd.grad(found, leaves, given), torch.autograd.grad(wanted, leaves, given), strict=True
    ):
        torch.testing.assert_close(first, second)
    assert gradcheck(lambda *inputs: norm_relu_pool(*inputs, 1e-5), leaves)
    assert gradgradcheck(lambda *inputs: norm_relu_pool(*inputs, 1e-5), leaves)


@pytest.mark.parametrize("padding", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_patches_times_kernel_is_a_convolution_pooled(channels, padding):
    x, weight = drawn(2, channels, 4, 6), drawn(5, channels, 3, 3, seed=1)

    def by_patches(x, weight):
        seen, kernel = patches(x, padding), weight.view(5, -1).T
        # as with the shift of a norm, which makes ten numbers of nine: the loops for grey images
        seen, kernel = F.pad(seen, (0, 1), value=1.0), F.pad(kernel, (0, 0, 0, 1))
        return conv_relu_pool(seen, kernel.expand(len(seen), -1, -1))

    wanted = F.avg_pool2d(F.relu(F.conv2d(x, weight, padding=padding)), 2)
    torch.testing.assert_close(by_patches(x, weight).view(2, wanted.shape[2], -1, 5).permute(0, 3, 1, 2), wanted)
    assert gradcheck(by_patches, (x, weight))
    assert gradcheck(by_patches, (x.detach(), weight))
    assert gradgradcheck(by_patches, (x, weight))


@pytest.mark.parametrize("width", [32, 160])
def test_losses_that_are_not_numbers_stay_so(width):
    network = ConvNet((1, 12, 12), 3, width=width, depth=2)
    x = drawn(12, 1, 12, 12, dtype=torch.float32, requires_grad=False)
    x[3, 0, 5, 5] = torch.nan
    found = network(x)
    assert torch.isnan(found[3]).all()
    assert torch.isfinite(found[[0, 1, 2, *range(4, 12)]]).all()
    found.sum().backward()
    assert all(torch.isnan(block.conv.weight.grad).any() for block in network.features)


class Plain(nn.Module):
    """The network's layers one after another, sharing its weights."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        for block in self.network.features:
            x = F.avg_pool2d(F.relu(block.norm(block.conv(x))), 2)
        return self.network.head(x.flatten(1))


@pytest.mark.parametrize("norm", ["instance", "none", "batch"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 13, 18), (4, 9, 8), (6, 8, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_network_is_its_layers_up_to_second_derivatives(norm, shape, dtype):
    torch.manual_seed(0)
    network = ConvNet(shape, 3, width=32, norm=norm).to(dtype)
    x, targets = drawn(10, *shape, dtype=dtype), torch.arange(10) % 3
    leaves = [x, *network.parameters()]
    found = []
    for model in (network, Plain(network)):
        outputs = model(x)
        first = torch.autograd.grad(F.cross_entropy(outputs, targets), leaves, create_graph=True)
        second = torch.autograd.grad(sum(part.sin().sum() for part in first), leaves, allow_unused=True)
        second = [part if part is not None else torch.zeros(1) for part in second]
        found.append([[part.detach() for part in parts] for parts in ([outputs], first, second)])
    for ours, theirs in zip(*found, strict=True):
        largest = max(part.abs().max() for part in theirs)  # rounding is what the biases get that a norm takes out
        for part, wanted in zip(ours, theirs, strict=True):
            assert (part - wanted).abs().max() < (1e-4 if dtype == torch.float32 else 1e-10) * largest


def test_every_weight_has_a_gradient():
    network = ConvNet((1, 28, 28), 3, width=32)
    network(torch.randn(10, 1, 28, 28)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert not network.features[0].conv.bias.grad.any()  # the norm takes it out


def test_fast_ways_are_taken_where_they_pay(monkeypatch):
    taken = []
    for way in ("_of_patches", "_of_tiles"):
        plain = getattr(ConvBlock, way)
        monkeypatch.setattr(
            ConvBlock, way, lambda self, x, way=way, plain=plain: (taken.append(way), plain(self, x))[1]
        )
    network = ConvNet((1, 28, 28), 10, width=64)
    network(torch.randn(10, 1, 28, 28))
    assert taken == ["_of_patches", "_of_tiles", "_of_tiles"]
    taken.clear()
    network(torch.randn(1, 1, 28, 28))  # one image: the calls would take longer than what they save
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network(torch.randn(10, 1, 28, 28))
    ConvNet((1, 28, 28), 10, width=64, norm="batch")(torch.randn(10, 1, 28, 28))
    assert taken == []


def test_without_numba_layers_follow_one_another(monkeypatch):
    network, x = ConvNet((1, 28, 28), 10, width=64), torch.randn(10, 1, 28, 28)
    wanted = network(x)
    monkeypatch.setitem(sys.modules, "numba", None)
    for way in ("_of_patches", "_of_tiles"):
        monkeypatch.setattr(ConvBlock, way, None)
    can_compile.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="pip install --upgrade numba"):
            found = network(x)
        with warnings.catch_warnings(action="error"):  # once
            network(x)
    finally:
        can_compile.cache_clear()
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


def test_loops_are_compiled_where_nothing_can_be_kept(monkeypatch):
    def nowhere(_self):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(Dispatcher, "enable_caching", nowhere)
    assert compiled(_add_one)(np.float32(2)) == 3


def _add_one(number):
    return number + 1


def test_maps_of_torch_func_go_through_the_layers():
    network = ConvNet((1, 8, 8), 3, width=32, depth=2)
    x, targets = torch.randn(4, 10, 1, 8, 8), torch.arange(40).view(4, 10) % 3
    weights = {name: weight.detach() for name, weight in network.named_parameters()}

    def loss(weights, rows, targets):
        return F.cross_entropy(functional_call(network, weights, (rows,)), targets)

    found = vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, targets)
    for group in range(4):
        wanted = torch.autograd.grad(F.cross_entropy(network(x[group]), targets[group]), list(network.parameters()))
        for part, (name, _) in zip(wanted, network.named_parameters(), strict=True):
            torch.testing.assert_close(found[name][group], part, atol=1e-5, rtol=1e-4)


def test_threads_do_not_disturb_each_other():
    network = ConvNet((1, 28, 28), 3, width=32)
    batches = [torch.randn(10 + n, 1, 28, 28, generator=torch.Generator().manual_seed(n)) for n in range(8)]
    with torch.no_grad():
        wanted = [network(batch) for batch in batches]

    def run(batch):
        with torch.no_grad():
            return network(batch)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, batches * 5))
    assert all(torch.equal(first, second) for first, second in zip(found, wanted * 5, strict=True))


def test_a_pass_in_inference_mode_leaves_training_possible():
    def outputs():
        network = ConvNet((1, 28, 28), 3, width=32)
        with torch.inference_mode():
            network(torch.randn(10, 1, 28, 28))
        network(torch.randn(10, 1, 28, 28)).sum().backward()
        return network

    with ThreadPoolExecutor(1) as pool:  # a thread that has no scratch memory yet
        network = pool.submit(outputs).result()
    twin = copy.deepcopy(network)
    assert np.isfinite(twin(torch.randn(10, 1, 28, 28)).detach().numpy()).all()
