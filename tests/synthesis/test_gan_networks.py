from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._networks import make_networks
from distillkit.synthesis._tables import Snap

SHAPES = {
    "image": [(1, 28, 28), (3, 32, 32), (1, 8, 8), (1, 9, 13), (2, 30, 17), (1, 64, 64)],
    "series": [(1, 24), (2, 84), (1, 150), (6, 8), (1, 31)],
    "table": [(1,), (2,), (20,), (1, 7, 28), (3, 5)],
}
CASES = [(kind, shape) for kind, shapes in SHAPES.items() for shape in shapes]


@pytest.mark.parametrize(("kind", "shape"), CASES, ids=str)
def test_networks_fit_the_rows(kind, shape):
    X = np.random.RandomState(0).normal(size=(12, *shape))
    codec = Codec.of(X)
    assert codec.kind == kind
    generator, discriminator = make_networks(codec, 3, latent=4, width=2, seed=0)
    c = torch.eye(3)[[0, 1, 2, 0]]
    made = generator(torch.randn(4, 4), c)
    assert made.shape == (4, *codec.network_shape)
    assert discriminator(made, c).shape == (4,)
    assert codec.decode(made.detach().numpy()).shape == (4, *shape)


def test_the_crop_is_even():
    """30 pixels come from a base of 8 doubled twice: one too many on each side."""
    X = np.random.RandomState(0).normal(size=(12, 1, 30, 30))
    generator, _ = make_networks(Codec.of(X), 1, latent=4, width=2, seed=0)
    assert generator.base == [8, 8]
    whole = torch.arange(32.0 * 32).view(1, 1, 32, 32)
    assert torch.equal(generator._cropped(whole), whole[:, :, 1:31, 1:31])


def test_weights_depend_on_the_seed_alone():
    codec = Codec.of(np.random.RandomState(0).normal(size=(12, 3)))
    state = torch.random.get_rng_state()
    first, again, other = (make_networks(codec, 2, latent=4, width=2, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first.last.weight, again.last.weight)
    assert not torch.equal(first.last.weight, other.last.weight)
    assert torch.equal(state, torch.random.get_rng_state())


def test_images_are_within_their_range_and_classes_differ_once_trained():
    X = np.random.RandomState(0).uniform(0, 255, size=(12, 1, 8, 8))
    generator, _ = make_networks(Codec.of(X), 2, latent=4, width=2, seed=0)
    noise = torch.randn(1, 4).expand(2, 4)
    made = generator.eval()(noise, torch.eye(2))
    assert made.abs().max() <= 1
    assert not torch.allclose(made[0], made[1])  # the label is an input as well


class TestSnap:
    def rows(self):
        rng = np.random.RandomState(0)
        category = np.eye(3)[rng.randint(3, size=40)]
        return np.column_stack([rng.normal(size=40), rng.choice([1, 2, 5], size=40), category])

    def test_values_are_levels_and_codes(self):
        codec = Codec.of(self.rows())
        snap = Snap(codec)
        x = torch.randn(50, 5, generator=torch.Generator().manual_seed(0)) * 2
        out = snap(x)
        assert torch.equal(out[:, 0], x[:, 0])
        levels = (np.array([1, 2, 5]) - 3) / 2
        nearest = levels[np.abs(x[:, 1].numpy()[:, None] - levels).argmin(axis=1)]
        np.testing.assert_allclose(out[:, 1], nearest, atol=1e-6)
        codes = torch.nn.functional.one_hot(x[:, 2:].argmax(dim=1), 3) * 2 - 1
        torch.testing.assert_close(out[:, 2:], codes.float())
        np.testing.assert_allclose(codec.encode(codec.decode(out.numpy()))[:, 1:], out[:, 1:], atol=1e-6)

    def test_gradients_pass(self):
        x = torch.randn(6, 5, requires_grad=True)
        weights = torch.arange(1.0, 6.0)
        (Snap(Codec.of(self.rows()))(x) * weights).sum().backward()
        torch.testing.assert_close(x.grad[:, :2], weights[:2].expand(6, 2))
        soft = x.detach()[:, 2:].requires_grad_()
        (2 * torch.softmax(soft, dim=1) * weights[2:]).sum().backward()
        torch.testing.assert_close(x.grad[:, 2:], soft.grad)
