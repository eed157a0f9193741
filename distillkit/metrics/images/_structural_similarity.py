"""The structural similarity (SSIM) of all pairs of two sets of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

__all__ = ["ImageMoments", "pair_similarities", "structure_features", "window_weights"]

_SIDE, _SIGMA = 11, 1.5  # of the Gaussian window of the paper
_K1, _K2 = 0.01, 0.03  # its constants, as shares of the range of values
_BLOCK_VALUES = 4_000_000  # pixels of products in memory at a time, 32 MB


def window_weights(side: int) -> np.ndarray:
    """Return the weights, of sum 1, of the Gaussian window of an odd side along one axis.

    Parameters
    ----------
    side : int
        Length of the image along this axis.

    Returns
    -------
    ndarray of shape (k,)
        k is 11, or the largest odd number that fits a shorter side.
    """
    radius = (min(_SIDE, side) - 1) // 2
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / _SIGMA) ** 2)
    return np.asarray(weights / weights.sum())


def _filter_matrix(side: int) -> np.ndarray:
    """Return the matrix (side - k + 1, side) that averages over each window inside the image."""
    weights = window_weights(side)
    positions = side - len(weights) + 1
    matrix = np.zeros((positions, side))
    for position in range(positions):
        matrix[position, position : position + len(weights)] = weights
    return matrix


@dataclass(frozen=True)
class ImageMoments:
    """Images with their local means and variances, computed once for any number of pairs.

    Parameters
    ----------
    images : ndarray of shape (channels, height, width, n)
        Values in float64; the images are the last axis, so that products of many pairs are
        averaged by a few large matrix products.
    means, variances : ndarray of shape (channels, h, w, n)
        At the positions of the window inside the images.
    """

    images: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray) -> Self:
        """Compute the moments of images of shape (n, channels, height, width)."""
        last = np.ascontiguousarray(np.moveaxis(np.asarray(images, dtype=np.float64), 0, -1))
        means = _averaged(last)
        return cls(last, means, np.maximum(_averaged(last * last) - means * means, 0.0))

    def __len__(self) -> int:
        return int(self.images.shape[-1])

    def take(self, rows: np.ndarray | slice) -> Self:
        """Return the moments of some of the images."""
        return type(self)(self.images[..., rows], self.means[..., rows], self.variances[..., rows])


def _averaged(images: np.ndarray) -> np.ndarray:
    """Average images (channels, height, width, n) over the windows inside them."""
    channels, height, width, n = images.shape
    rows = _filter_matrix(height) @ images.reshape(channels, height, width * n)
    return np.asarray(_filter_matrix(width) @ rows.reshape(channels, -1, width, n))


def pair_similarities(
    first: ImageMoments, second: ImageMoments, data_range: float, pairs: np.ndarray | None = None
) -> np.ndarray:
    r"""Return the structural similarity of pairs of images.

    .. math::

        \frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}
             {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)}

    is averaged over all positions of the window inside the images and over the channels, with
    :math:`c_1 = (0.01\, r)^2` and :math:`c_2 = (0.03\, r)^2` for the range r of values.

    Parameters
    ----------
    first, second : ImageMoments
        a and b images.
    data_range : float
        Range of values, positive.
    pairs : ndarray of shape (a, k) or None
        Positions in `second` to compare each image of `first` with; None compares all pairs.

    Returns
    -------
    ndarray of shape (a, k) or (a, b)
        In [-1, 1].

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural
    similarity. IEEE Transactions on Image Processing 13 (2004).
    """
    block = max(1, _BLOCK_VALUES // max(1, int(np.prod(first.images.shape[:-1]))))
    values = np.empty((len(first), len(second) if pairs is None else pairs.shape[1]))
    for row in range(len(first)):
        one = first.take(slice(row, row + 1))
        for start in range(0, values.shape[1], block):
            part = slice(start, start + block)
            others = second.take(part if pairs is None else pairs[row, part])
            values[row, part] = _similarities(one, others, data_range)
    return values


def _similarities(one: ImageMoments, others: ImageMoments, data_range: float) -> np.ndarray:
    """Return the similarities of one image to others."""
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    products = one.means * others.means
    covariances = _averaged(one.images * others.images)
    covariances -= products
    # Name the two factors of the formula: similarity of the means, and of the deviations.
    above = (2 * products + c1) * (2 * covariances + c2)
    below = (one.means**2 + others.means**2 + c1) * (one.variances + others.variances + c2)
    return np.asarray((above / below).mean(axis=(0, 1, 2)))


def structure_features(moments: ImageMoments) -> np.ndarray:
    """Return pixels standardized by the mean and deviation of the window around each of them.

    The inner product of the features of two images is large if their structures agree, so it
    shortlists the pairs with a large similarity.

    Parameters
    ----------
    moments : ImageMoments
        n images, with values in a range of 1.

    Returns
    -------
    ndarray of shape (n, p), float32
        p is the number of positions of the window inside the image, times the channels.
    """
    _, height, width, n = moments.images.shape
    _, inner_height, inner_width, _ = moments.means.shape
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    centers = moments.images[:, top : top + inner_height, left : left + inner_width]
    features = (centers - moments.means) / np.sqrt(moments.variances + _K2**2)
    return np.ascontiguousarray(features.reshape(-1, n).T, dtype=np.float32)
