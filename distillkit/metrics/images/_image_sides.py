"""Training images and distilled images on one scale, and their largest similarities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._sides import Sides, class_codes, require_axes
from distillkit.metrics.images._structural_similarity import ImageMoments, pair_similarities, structure_features

__all__ = ["ImageSides", "Images"]


@dataclass(frozen=True)
class Images:
    """Images with what shortlists them.

    Parameters
    ----------
    images : ndarray of shape (n, channels, height, width)
        In the units of the data.
    codes : ndarray of shape (n,) or None
        Positions of their classes.
    features : ndarray of shape (n, p) or None
        See `structure_features`; None if there are so few images that all are compared.
    """

    images: np.ndarray
    codes: np.ndarray | None
    features: np.ndarray | None


@dataclass(frozen=True)
class ImageSides:
    """Training images and distilled images, of which the lowest training value counts as 0.

    Parameters
    ----------
    sides : Sides
    low, span : float
        Lowest value of the training images, and their range.
    """

    sides: Sides
    low: float
    span: float

    @classmethod
    def of(cls, sides: Sides, metric: str) -> ImageSides:
        """Check that the rows are images, and find their range of values."""
        require_axes(sides, 3, metric)
        if min(sides.X.shape[2:]) < 3:
            raise DataError(f"{metric} needs images of at least 3x3 pixels, but they have shape {sides.X.shape[1:]}.")
        root = sides.reference.root
        low, high = root.cached("range of values", lambda: (float(root.X.min()), float(root.X.max())))
        if low == high:
            raise DataError(f"{metric} needs images that differ, but all training images hold the value {low} alone.")
        return cls(sides, low, high - low)

    def moments(self, images: np.ndarray) -> ImageMoments:
        """Return the moments of images in the units of the data, scaled to [0, 1]."""
        return ImageMoments.of((np.asarray(images, dtype=np.float64) - self.low) / self.span)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the features that shortlist images, in blocks, which bounds the memory."""
        blocks = [structure_features(self.moments(images[start : start + 512])) for start in range(0, len(images), 512)]
        return np.concatenate(blocks)

    def training(self, rows: np.ndarray | None, candidates: int) -> Images:
        """Return the training images, or those at some positions."""
        reference, sides = self.sides.reference, self.sides
        rows = np.arange(len(sides.X)) if rows is None else rows
        features = None
        if len(rows) > candidates:
            root = reference.root
            whole = root.cached("structure features", lambda: self.features(root.X))
            features = whole[reference.kept[rows]]
        return Images(sides.X[rows], None if sides.classes is None or sides.y is None else sides.y[rows], features)

    def held_out(self, holdout: Any, y_holdout: Any) -> Images:
        """Check held-out images, and return them without features.

        Raises
        ------
        DataError
            If there are none, or if they have another shape or unknown labels.
        """
        shape, classes = self.sides.X.shape[1:], self.sides.classes
        images = np.empty((0, *shape)) if holdout is None else np.asarray(holdout)
        if not len(images) or images.shape[1:] != shape or not np.isfinite(images).all():
            raise DataError(
                f"held-out images of shape {images.shape} cannot be compared: give as holdout at least one finite "
                f"image of shape {shape} that the method has not seen."
            )
        if classes is None:
            return Images(images, None, None)
        if y_holdout is None or len(y_holdout) != len(images):
            raise DataError("the held-out images need one class label each: give y_holdout.")
        return Images(images, class_codes(np.asarray(y_holdout), classes, "held-out"), None)

    def largest(self, others: Images, candidates: int) -> np.ndarray:
        """Return the similarity of each distilled image to the most similar image of its class.

        Parameters
        ----------
        others : Images
        candidates : int
            Number of images that are compared exactly with each distilled one.

        Returns
        -------
        ndarray of shape (m,)

        Raises
        ------
        DataError
            If there is no image of the class of a distilled one.
        """
        sides = self.sides
        values = np.zeros(len(sides.small))
        codes = np.zeros(len(values), dtype=int) if others.codes is None else np.asarray(sides.y_small)
        for code in np.unique(codes):
            small = np.flatnonzero(codes == code)
            same = np.arange(len(others.images)) if others.codes is None else np.flatnonzero(others.codes == code)
            if not len(same):
                raise DataError(
                    f"there is no image of class {sides.label(int(code))!r} to compare distilled images with: give "
                    "some."
                )
            values[small] = self._largest(sides.small[small], others, same, candidates)
        return values

    def _largest(self, small: np.ndarray, others: Images, same: np.ndarray, candidates: int) -> np.ndarray:
        """Return the largest similarity of each image to those at the positions `same`."""
        one = self.moments(small)
        if len(same) <= candidates:
            return np.asarray(pair_similarities(one, self.moments(others.images[same]), 1.0).max(axis=1))
        features = self.features(others.images[same]) if others.features is None else others.features[same]
        products = structure_features(one) @ features.T
        near = np.argpartition(-products, candidates, axis=1)[:, :candidates]
        # Compute the moments of each shortlisted image once.
        chosen, places = np.unique(near, return_inverse=True)
        moments = self.moments(others.images[same[chosen]])
        return np.asarray(pair_similarities(one, moments, 1.0, places.reshape(near.shape)).max(axis=1))
