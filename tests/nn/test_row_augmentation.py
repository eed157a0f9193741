from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from distillkit.exceptions import DataError
from distillkit.nn import Augmentation, Draw, RowAugmentation, make_generator, training_augmentation


@pytest.fixture
def images():
    return torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0)) - 0.5


def numbers(strategy, u=0.5, v=0.5):
    """One row's numbers, with the strategy's place in (crop, scale, rotate)."""
    return torch.tensor([[u, v, 0.0, (("crop", "scale", "rotate").index(strategy) + 0.5) / 3]])


def changed(images, *parts):
    return training_augmentation(1)(images, Draw("each", torch.cat(parts)))


def test_each_row_gets_a_change_of_its_own(images):
    augment = training_augmentation(1)
    draw = augment.draw(6, make_generator(0))
    whole = augment(images, draw)
    mean = images.mean()
    for row in range(6):
        u = draw.numbers[row : row + 1]
        name = augment.strategies[int(u[0, 3] * 3)]
        alone = Augmentation([name], crop=1 / 7, rotate=45)
        if name == "scale":
            u = (1 / (0.8 + 0.4 * u) - 1 / 1.2) / (1.2 - 1 / 1.2)  # the same factors, in the units of the other class
        expected = alone(images[row : row + 1] - mean, Draw(name, u[:, :3])) + mean
        torch.testing.assert_close(whole[row : row + 1], expected)
    assert len({augment.strategies[int(u * 3)] for u in draw.numbers[:, 3]}) > 1


def test_strategies_are_drawn_equally_often():
    draw = training_augmentation(1).draw(6000, make_generator(0))
    share = torch.bincount((draw.numbers[:, 3] * 3).long()) / 6000
    assert (share - 1 / 3).abs().max() < 0.03


def test_middle_numbers_change_nothing(images):
    parts = [numbers(name) for name in ("crop", "scale", "rotate", "rotate", "scale", "crop")]
    torch.testing.assert_close(changed(images, *parts), images, atol=1e-5, rtol=0)


def test_shifts_reach_four_of_28_pixels_and_bring_in_the_mean(images):
    row = changed(images[:1], numbers("crop", 0.0, 0.999))[0, 0].numpy()
    padded = np.pad(images[0, 0].numpy(), 4, constant_values=float(images[0].mean()))
    np.testing.assert_allclose(row, padded[0:28, 8:36], atol=1e-6)


def test_rotation_by_45_degrees_is_scipys():
    x = torch.zeros(1, 1, 29, 29)
    x[0, 0, 8:20, 10:16] = 1
    smooth = ndimage.gaussian_filter(x[0, 0].numpy(), 2)
    ours = changed(torch.tensor(smooth)[None, None], numbers("rotate", 1.0))[0, 0].numpy()
    theirs = ndimage.rotate(smooth, 45, reshape=False, order=1, cval=smooth.mean())
    assert np.abs(ours - theirs)[6:-6, 6:-6].max() < 0.03
    assert np.abs(smooth - theirs)[6:-6, 6:-6].max() > 0.3


@pytest.mark.parametrize(("u", "factor"), [(0.0, 0.8), (1.0, 1.2)])
def test_scaling_is_by_a_fifth_at_most(u, factor):
    across = torch.linspace(-1, 1, 57)[1::2]  # centres of 28 pixels
    x = across.view(1, -1).expand(28, 28)[None, None].clone()
    row = changed(x, numbers("scale", u))[0, 0, 14]
    inside = across.abs() < 0.7
    torch.testing.assert_close(row[inside], across[inside] / factor, atol=1e-5, rtol=0)


def test_gradients_are_those_of_the_change(images):
    x = images[:3, :, :8, :8].double().requires_grad_()
    augment = training_augmentation(1)
    draw = Draw("each", torch.cat([numbers(name, 0.3, 0.7) for name in ("crop", "scale", "rotate")]).double())
    assert torch.autograd.gradcheck(lambda rows: augment(rows, draw), x)


def test_a_shared_draw_is_one_change_for_all(images):
    augment = training_augmentation(1)
    draw = augment.draw(99, make_generator(1), shared=True)
    assert draw.numbers.shape == (1, 4)
    assert len({augment.strategies[int(u * 3)] for u in draw.numbers[:, 3]}) == 1
    assert augment(images, draw).shape == images.shape


def test_colour_images_train_as_they_are_distilled():
    colour = training_augmentation(3)
    assert type(colour) is Augmentation
    assert colour.strategies == Augmentation.for_images(3).strategies
    assert training_augmentation(1).strategies == ("crop", "scale", "rotate")


def test_strategies_that_are_not_there():
    with pytest.raises(DataError, match="'blur' is not known"):
        RowAugmentation(["blur"])
