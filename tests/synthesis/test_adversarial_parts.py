from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from distillkit.nn import make_generator
from distillkit.synthesis._adversaries import Adversaries, Settings
from distillkit.synthesis._ema import AveragedNetwork
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, spectrally_normalized
from distillkit.synthesis._losses import discriminator_loss, generator_loss
from distillkit.synthesis._networks import make_networks


def test_hinge_losses_are_the_formulas():
    real, made = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0, 0.5])
    by_hand = (max(0, 1 - 2) + max(0, 1 - 0.5) + max(0, 1 + 1)) / 3 + (max(0, 1 - 3) + max(0, 1 + 0) + max(0, 1.5)) / 3
    assert float(discriminator_loss(real, made)) == pytest.approx(by_hand)
    assert float(generator_loss(made)) == pytest.approx(2.5 / 3)


def test_hinge_gradients_vanish_beyond_the_margin():
    real, made = torch.tensor([2.0, 0.5], requires_grad=True), torch.tensor([-2.0, 0.5], requires_grad=True)
    discriminator_loss(real, made).backward()
    assert real.grad.tolist() == [0, -0.5]
    assert made.grad.tolist() == [0, 0.5]


def test_average_of_weights_is_the_closed_form():
    """On a weight that jumps to values w_t: sum_t (1 - d_t) prod_{s > t} d_s w_t, with what is left on the first."""
    network = nn.Linear(1, 1, bias=False)
    network.register_buffer("count", torch.zeros(1))
    network.weight.data.fill_(5.0)
    average = AveragedNetwork(network, decay=0.1)
    values = [1.0, -2.0, 7.0, 0.5, 3.0, 4.0, -1.0, 2.0]
    for step, value in enumerate(values):
        network.weight.data.fill_(value)
        network.count.fill_(step)
        average.update(network)
    decays = [min(0.1, t / (t + 50)) for t in range(1, len(values) + 1)]
    assert decays[0] < 0.1 == decays[-1]  # both branches of the formula
    expected = 5.0 * math.prod(decays) + sum(
        (1 - decays[t]) * math.prod(decays[t + 1 :]) * value for t, value in enumerate(values)
    )
    assert float(average.network.weight) == pytest.approx(expected, rel=1e-6)
    assert float(average.network.count) == len(values) - 1  # buffers are those of the last step
    assert not any(weight.requires_grad for weight in average.network.parameters())
    assert float(network.weight.detach()) == 2.0


@pytest.mark.parametrize(
    "layer",
    [lambda: nn.Linear(7, 5), lambda: nn.Conv2d(3, 6, 3), lambda: nn.Conv1d(2, 4, 5)],
    ids=["linear", "conv2d", "conv1d"],
)
def test_spectral_norm_makes_the_largest_singular_value_one(layer):
    torch.manual_seed(0)
    made = spectrally_normalized(layer())
    with torch.no_grad():
        made.parametrizations.weight.original.mul_(40)  # whatever the size of the weights
    for _ in range(60):
        _ = made.weight  # in training each use is one step of power iteration
    values = torch.linalg.svdvals(made.weight.detach().flatten(1))
    assert float(values[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 5), (6, 3, 4, 5)])
def test_conditional_batch_norm_is_batch_norm_with_gain_and_bias_per_class(shape):
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(3, 2)
    nn.init.normal_(layer.gain)
    nn.init.normal_(layer.bias)
    x, classes = torch.randn(shape), torch.tensor([0, 1, 1, 0, 1, 0])
    axes = tuple(axis for axis in range(len(shape)) if axis != 1)
    plain = (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True, unbiased=False) + 1e-5).sqrt()
    view = (6, 3, *(1,) * (len(shape) - 2))
    expected = plain * (1 + layer.gain[classes]).view(view) + layer.bias[classes].view(view)
    torch.testing.assert_close(layer(x, torch.eye(2)[classes]), expected, atol=1e-5, rtol=1e-5)


def test_conditional_batch_norm_uses_running_moments_when_evaluating():
    layer = ConditionalBatchNorm(2, 1)
    x = torch.randn(200, 2, generator=make_generator(0)) * 3 + 5
    for _ in range(200):
        layer(x, torch.ones(200, 1))
    layer.eval()
    torch.testing.assert_close(layer.running_mean, x.mean(0), atol=1e-3, rtol=1e-3)
    single = layer(x[:1], torch.ones(1, 1))
    torch.testing.assert_close(single, (x[:1] - layer.running_mean) / (layer.running_var + 1e-5).sqrt())


def test_conditional_batch_norm_takes_a_single_value():
    assert torch.isfinite(ConditionalBatchNorm(4, 1)(torch.randn(1, 4), torch.ones(1, 1))).all()


def test_projection_head_is_linear_in_features_and_condition():
    torch.manual_seed(0)
    head = ProjectionHead(4, 3).eval()
    h, c = torch.randn(5, 4), torch.eye(3)[[0, 2, 1, 1, 0]]
    expected = h @ head.plain.weight[0] + head.plain.bias + (h * (c @ head.embedding.weight.T)).sum(1)
    torch.testing.assert_close(head(h, c), expected)


def players(seed=0, lr=1e-3):
    codec = Codec.of(np.random.RandomState(0).normal(size=(30, 3)))
    pair = make_networks(codec, 2, latent=4, width=4, seed=seed)
    return Adversaries(*pair, Settings(4, 2, lr, lr), torch.device("cpu"), make_generator(seed))


def test_a_step_moves_both_and_updates_the_average():
    game = players()
    before = copy.deepcopy(game.generator.state_dict())
    score = copy.deepcopy(game.discriminator.state_dict())
    value, loss, accuracy = game.step(torch.randn(8, 3), torch.zeros(8))
    assert math.isfinite(value)
    assert loss > 0
    assert 0 <= accuracy <= 1
    assert any((before[key] != value).any() for key, value in game.generator.state_dict().items())
    assert any((score[key] != value).any() for key, value in game.discriminator.state_dict().items())
    assert all(weight.requires_grad for weight in game.discriminator.parameters())
    decay = 1 / 51
    name = "last.weight"
    expected = decay * before[name] + (1 - decay) * game.generator.state_dict()[name]
    torch.testing.assert_close(game.average.network.state_dict()[name], expected)


def test_a_loss_that_is_not_finite_stops_before_the_step():
    game = players()
    before = copy.deepcopy(game.discriminator.state_dict())
    with pytest.raises(FloatingPointError, match="loss of the discriminator is nan"):
        game.step(torch.full((8, 3), torch.nan), torch.zeros(8))
    after = game.discriminator.state_dict()
    weights = [name for name in before if not name.endswith(("._u", "._v"))]  # the power iteration saw the NaN
    assert all(torch.equal(before[name], after[name]) for name in weights)
    assert game.average.steps == 0


def test_a_gradient_that_is_not_finite_stops_before_the_step():
    game = players()
    before = game.generator.last.weight.detach().clone()
    game.generator.last.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(FloatingPointError, match="gradient of the generator"):
        game.step(torch.randn(8, 3), torch.zeros(8))
    assert torch.equal(before, game.generator.last.weight)
