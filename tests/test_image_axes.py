"""Images with the channels last are noticed wherever images enter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from distillkit import (
    DistilledSet,
    DistributionMatchingDistiller,
    GANSynthesizer,
    GradientMatchingDistiller,
    RandomSubset,
    SoftLabels,
    TeacherStudentDistiller,
    evaluate,
    plot_rows,
)
from distillkit.datasets import Dataset, load_dataset
from distillkit.exceptions import DataError, DatasetError, DistillkitWarning
from distillkit.nn import NetworkClassifier
from distillkit.utils._image_axes import check_image_axes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 16, 16, 3)).astype(np.float32)
Y = np.arange(40) % 2
REMEDY = r"channels come before height and width, so give X\.transpose\(0, 3, 1, 2\)"


@pytest.mark.parametrize("shape", [(16, 16, 3), (8, 8, 1), (224, 224, 4)])
def test_square_images_with_the_channels_last_are_refused(shape):
    with pytest.raises(DataError, match=REMEDY):
        check_image_axes(shape)


@pytest.mark.parametrize("shape", [(16, 24, 3), (24, 16, 1)])
def test_other_images_with_the_channels_last_are_a_warning(shape):
    with pytest.warns(DistillkitWarning, match=REMEDY):
        check_image_axes(shape)


@pytest.mark.parametrize(
    "shape",
    [
        (3, 16, 16),
        (1, 8, 8),
        (3, 3, 3),
        (1, 5, 3),
        (64, 4, 4),
        (64, 1, 1),
        (13, 8, 8),
        (2, 3, 4),
        (2, 9, 1),
        (5, 3),
        (7,),
    ],
)
def test_other_shapes_are_left_alone(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_image_axes(shape)


def npz(tmp_path):
    np.savez(tmp_path / "x.npz", X=X, y=Y)
    return load_dataset(tmp_path / "x.npz")


WAYS = {
    "condenser": lambda _: GradientMatchingDistiller(budget=1, max_iter=1).fit(X, Y),
    "condenser of embeddings": lambda _: DistributionMatchingDistiller(budget=1, max_iter=1).fit(X, Y),
    "GAN": lambda _: GANSynthesizer(budget=1, max_iter=1).fit(X, Y),
    "teacher by name": lambda _: SoftLabels(RandomSubset(budget=1), teacher="convnet").fit(X, Y),
    "student": lambda _: TeacherStudentDistiller(teacher="linear", student="convnet", epochs=1).fit(X, Y),
    "network": lambda _: NetworkClassifier(network="resnet18", epochs=1).fit(X, Y),
    "evaluate": lambda _: evaluate(DistilledSet(X, Y), X, Y, evaluators=["convnet"], task="classification"),
    "picture": lambda _: plot_rows(DistilledSet(X, Y)),
    "dataset": lambda _: Dataset("d", "classification", "image", X, Y, X, Y, classes=("a", "b")),
    "file of arrays": npz,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_noticed_wherever_images_enter(way, tmp_path):
    with pytest.raises((DataError, DatasetError), match="channels") as raised:
        WAYS[way](tmp_path)
    assert "(0, 3, 1, 2)" in str(raised.value) or "moveaxis" in str(raised.value)


def test_methods_for_which_axes_do_not_matter_take_any():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert RandomSubset(budget=1).fit(X, Y).X_distilled_.shape == (2, 16, 16, 3)
