"""SSIM between unpaired sets of images: nearest images, diversity and memorization."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances._samples import row_keys
from distillkit.metrics._measured import Measured
from distillkit.metrics._sides import drawn, sides_of
from distillkit.metrics.images._image_sides import Images, ImageSides
from distillkit.metrics.images._structural_similarity import pair_similarities
from distillkit.metrics.reference import shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["ssim_diversity", "ssim_memorisation", "ssim_nearest"]

_PER_CLASS = 64  # images of each class whose pairs are compared for the diversity


@shares_reference
def ssim_nearest(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, candidates: int = 64) -> float:  # noqa: ARG001 (part of the call of a metric)
    """Return the mean similarity (SSIM) of distilled images to their most similar training images.

    Each distilled image is compared with the training images of its class, and the largest
    similarity counts; the mean over the distilled images heeds their weights. Without classes, all
    training images are compared. The windows are those inside the image, with Gaussian weights of
    11x11 pixels (fewer in smaller images) and a standard deviation of 1.5 pixels, as in
    scikit-image with ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``. The range
    of values is that of all training images, whose lowest value counts as 0, so that the units of
    the images do not matter.

    A high value means that the images look like training images, which copies do best of all. See
    `ssim_memorisation` for copying.

    Parameters
    ----------
    X : array-like of shape (n, channels, height, width), or Reference
        Training images as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet
    random_state : int, default=0
        Has no effect: nothing is drawn.
    candidates : int, default=64
        Number of training images that are compared exactly with each distilled one: those whose
        values, standardized within the windows around each pixel, have the largest inner product
        with those of the distilled image. Classes of no more images are compared completely.

    Returns
    -------
    float
        In [-1, 1]; 1 if all distilled images are training images of their class.

    Raises
    ------
    DataError
        If the rows are no images or cannot be compared.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural
    similarity. IEEE Transactions on Image Processing 13 (2004).
    """
    images = ImageSides.of(sides_of(X, y, distilled), "ssim-nearest")
    values = images.largest(images.training(None, candidates), candidates)
    return float(np.average(values, weights=images.sides.weight))


@shares_reference
def ssim_diversity(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:
    r"""Return the diversity of the distilled images of each class, relative to training images.

    It is the weighted mean over the classes of

    .. math:: \frac{1 - \bar s_\text{distilled}}{1 - \bar s_\text{training}}

    where :math:`\bar s` is the mean similarity (SSIM, as for `ssim_nearest`) of two different
    images of the class. At most 64 images of each class and side are compared, drawn regardless of
    their order. Weights of distilled images have no effect, except that those of weight 0 are left
    out.

    Parameters
    ----------
    X, y, distilled
        As for `ssim_nearest`.
    random_state : int, default=0
        Seeds the draws.

    Returns
    -------
    float or None
        At least 0: 1 is as diverse as training images, 0 is one image that repeats, and noise is
        above 1. A note names the classes that are left out for want of two distilled images; None
        if these are all classes.

    Raises
    ------
    DataError
        If the rows are no images or cannot be compared.
    """
    sides = sides_of(X, y, distilled)
    images = ImageSides.of(sides, "ssim-diversity")
    values, shares, skipped = [], [], []
    for group in sides.groups():
        key = ("ssim-diversity", group.code, random_state)
        rows = sides.draw(group.rows, _PER_CLASS, random_state)
        real = sides.reference.cached(key, partial(_mean_similarity, images, sides.X[rows]))
        small = sides.draw_small(group.small, 0 if group.stand_in else _PER_CLASS, random_state)
        own = _mean_similarity(images, sides.small[small])
        if own is None or real is None or real == 1:
            skipped.append(sides.label(group.code))
        else:
            values.append((1 - own) / (1 - real))
            shares.append(len(group.rows))
    if not values:
        return None
    note = f"classes without two distilled and two different training images are left out: {skipped}."
    return Measured(float(np.average(values, weights=shares)), note=note if skipped else "")


def _mean_similarity(sides: ImageSides, images: np.ndarray) -> float | None:
    """Return the mean similarity of two different images, or None if there are not two."""
    n = len(images)
    if n < 2:
        return None
    moments = sides.moments(images)
    similarities = pair_similarities(moments, moments, 1.0)
    return float((similarities.sum() - np.trace(similarities)) / (n * (n - 1)))


@shares_reference
def ssim_memorisation(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    random_state: int = 0,
    *,
    holdout: Any = None,
    y_holdout: Any = None,
    candidates: int = 64,
) -> float:
    """Return how much more the distilled images resemble training images than held-out images.

    It is `ssim_nearest` to training images minus `ssim_nearest` to held-out images of the same
    distribution, which the method has not seen. Both sides have equally many images of each class:
    the larger one is drawn from, regardless of its order.

    Parameters
    ----------
    X, y, distilled, random_state, candidates
        As for `ssim_nearest`; `random_state` seeds the draws.
    holdout : array-like of shape (h, channels, height, width)
        Held-out images.
    y_holdout : array-like of shape (h,) or None
        Their class labels; needed if `y` holds class labels.

    Returns
    -------
    float
        In [-2, 2], about 0 for images that resemble both sides alike; clearly above 0 if training
        images were copied. The standard error is that over the distilled images.

    Raises
    ------
    DataError
        If there are no held-out images, if they have other classes or another shape, or if the rows
        are no images.
    """
    sides = sides_of(X, y, distilled)
    images = ImageSides.of(sides, "ssim-memorisation")
    others = images.held_out(holdout, y_holdout)
    # 1. Draw as many training images as held-out ones of each class, and the other way round.
    rows, chosen = [], []
    keys = row_keys(others.images.reshape(len(others.images), -1), np.zeros(len(others.images)), "reference")
    for group in sides.groups():
        same = np.arange(len(keys)) if others.codes is None else np.flatnonzero(others.codes == group.code)
        size = min(len(same), len(group.rows))
        rows.append(sides.draw(group.rows, size, random_state))
        chosen.append(drawn(keys, same, size, random_state))
    # 2. Compare the distilled images with both sides.
    places = np.concatenate(chosen)
    codes = None if others.codes is None else others.codes[places]
    to_training = images.largest(images.training(np.concatenate(rows), candidates), candidates)
    to_others = images.largest(Images(others.images[places], codes, None), candidates)
    # 3. The standard error is that of the weighted mean over the distilled images.
    differences, weight = to_training - to_others, sides.weight / sides.weight.sum()
    value = float(differences @ weight)
    error = float(np.sqrt(np.sum((weight * (differences - value)) ** 2))) if len(weight) > 1 else None
    return Measured(value, error=error)
