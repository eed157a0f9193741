from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.exceptions import DataError
from distillkit.nn import Augmentation, Draw, make_generator
from distillkit.nn.augmentation._augment import STRATEGIES


@pytest.fixture
def images():
    return torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def identity(strategy):
    """Numbers for which a change of default ranges changes nothing."""
    low = 1 / 1.2
    return {
        "color": 0.5,
        "brightness": 0.5,
        "saturation": 0.5,
        "contrast": 0.5,
        "crop": 0.5,
        "cutout": None,
        "flip": 0.7,
        "scale": (1 - low) / (1.2 - low),
        "rotate": 0.5,
    }[strategy]


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if identity(name) is not None])
def test_the_middle_of_each_range_changes_nothing(strategy, images):
    changed = Augmentation([strategy])(images, Draw(strategy, torch.full((5, 3), identity(strategy))))
    torch.testing.assert_close(changed, images, atol=2e-6, rtol=0)


def test_a_hole_of_no_size_changes_nothing(images):
    assert torch.equal(Augmentation(["cutout"], cutout=0)(images, Draw("cutout", torch.rand(5, 2))), images)


def test_crop_is_a_shift_with_zeros_from_outside(images):
    augment = Augmentation(["crop"], crop=0.25)
    numbers = torch.tensor([[0.0, 0.0], [0.99, 0.0], [0.5, 0.99], [0.3, 0.7], [0.45, 0.1]])
    changed = augment(images, Draw("crop", numbers)).numpy()
    for image, row, (u, v) in zip(images.numpy(), changed, numbers.numpy(), strict=True):
        down, right = int(u * 5) - 2, int(v * 5) - 2  # up to a quarter of 8 pixels either way
        padded = np.pad(image, ((0, 0), (2, 2), (2, 2)))
        np.testing.assert_array_equal(row, np.roll(padded, (-down, -right), axis=(1, 2))[:, 2:-2, 2:-2])


def test_every_shift_is_drawn_equally_often():
    augment = Augmentation(["crop"], crop=0.25)
    x = torch.zeros(4000, 1, 8, 8)
    x[:, :, 4, 4] = 1
    moved = augment(x, augment.draw(4000, make_generator(0)))
    rows = torch.bincount(moved.sum(dim=(1, 3)).argmax(dim=1), minlength=8)
    assert rows[[0, 1, 7]].sum() == 0
    assert (rows[2:7] / 4000 - 0.2).abs().max() < 0.03


def test_cutout_is_a_square_of_zeros():
    x = torch.ones(1, 2, 8, 8)
    changed = Augmentation(["cutout"])(x, Draw("cutout", torch.tensor([[0.45, 0.55]])))
    expected = torch.ones(8, 8)
    expected[2:6, 3:7] = 0  # centre (3.6, 4.4), half of 8 pixels wide
    assert torch.equal(changed[0, 0], expected)
    assert torch.equal(changed[0, 1], expected)


def test_colours_by_formula(images):
    u = torch.tensor([[0.0, 0], [0.2, 0], [0.4, 0], [0.6, 0], [0.9, 0]])
    share = u[:, 0].view(-1, 1, 1, 1)
    augment = Augmentation(STRATEGIES)
    grey, mean = images.mean(1, keepdim=True), images.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(augment(images, Draw("brightness", u)), images + share - 0.5)
    torch.testing.assert_close(augment(images, Draw("saturation", u)), grey + 2 * share * (images - grey))
    torch.testing.assert_close(augment(images, Draw("contrast", u)), mean + (share + 0.5) * (images - mean))


def test_color_is_all_three_in_turn(images):
    u = torch.rand(5, 3, generator=make_generator(0))
    augment = Augmentation(["color"])
    expected = images
    for place, name in enumerate(("brightness", "saturation", "contrast")):
        expected = augment(expected, Draw(name, u[:, place : place + 1]))
    assert torch.equal(augment(images, Draw("color", u)), expected)


def test_flip_mirrors_where_the_number_is_low(images):
    changed = Augmentation(["flip"])(images, Draw("flip", torch.tensor([[0.1, 0], [0.9, 0]] * 2 + [[0.49, 0]])))
    np.testing.assert_array_equal(changed[[0, 2, 4]], images[[0, 2, 4]].numpy()[..., ::-1])
    assert torch.equal(changed[[1, 3]], images[[1, 3]])


def test_a_quarter_turn_is_numpys(images):
    changed = Augmentation(["rotate"], rotate=90)(images, Draw("rotate", torch.ones(5, 2)))
    np.testing.assert_allclose(changed, np.rot90(images.numpy(), 1, axes=(2, 3)), atol=1e-5)


def test_scaling_by_two_is_every_second_pixel():
    x = torch.arange(64.0).view(1, 1, 8, 8)
    changed = Augmentation(["scale"], scale=2)(x, Draw("scale", torch.ones(1, 2)))  # the image at half its size
    expected = torch.zeros(8, 8)
    expected[2:6, 2:6] = torch.nn.functional.avg_pool2d(x, 2)[0, 0]
    torch.testing.assert_close(changed[0, 0], expected)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gradients_are_those_of_the_change(strategy, images):
    x = images[:2].double().requires_grad_()
    draw = Draw(strategy, torch.tensor([[0.3, 0.6, 0.8], [0.7, 0.2, 0.1]], dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda rows: Augmentation([strategy])(rows, draw), x)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_shared_draw_changes_batches_of_any_size_alike(strategy, images):
    augment = Augmentation([strategy])
    draw = augment.draw(99, make_generator(3), shared=True)
    whole = augment(images, draw)
    assert torch.equal(augment(images[2:3], draw), whole[2:3])
    assert torch.equal(augment(images[:4], draw), whole[:4])


def test_a_draw_for_other_rows_is_refused(images):
    augment = Augmentation(["flip"])
    with pytest.raises(DataError, match="drawn for 3 rows, not 5: draw it with shared=True"):
        augment(images, augment.draw(3, make_generator(0)))


def test_draws_come_from_the_generator_alone():
    augment, state = Augmentation(STRATEGIES), torch.get_rng_state()
    first, same = ([augment.draw(4, g) for _ in range(20)] for g in (make_generator(1), make_generator(1)))
    assert all(a.strategy == b.strategy and torch.equal(a.numbers, b.numbers) for a, b in zip(first, same, strict=True))
    assert {draw.strategy for draw in first} > {"crop"}
    assert torch.equal(torch.get_rng_state(), state)


def test_digits_are_not_mirrored():
    assert Augmentation.for_images(1).strategies == ("color", "crop", "cutout", "scale", "rotate")
    assert Augmentation.for_images(3).strategies == ("color", "crop", "cutout", "flip", "scale", "rotate")
    assert "flip" in Augmentation.for_images(1, flip=True).strategies
    assert "flip" not in Augmentation.for_images(3, flip=False).strategies


@pytest.mark.parametrize(("strategies", "message"), [(["blur"], "'blur' is not known"), ([], "names no change")])
def test_changes_that_are_not_there(strategies, message):
    with pytest.raises(DataError, match=message):
        Augmentation(strategies)
