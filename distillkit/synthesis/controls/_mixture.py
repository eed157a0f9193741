"""A synthesizer by mixtures of Gaussians, one for each class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils._param_validation import Interval

from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis.controls._group_generator import GroupGenerator
from distillkit.synthesis.controls._row_groups import RowGroups
from distillkit.synthesis.controls._row_space import RowSpace

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["MixtureGenerator", "MixtureSynthesizer"]

_ROWS_PER_COMPONENT = 20
_KEPT_VARIANCE = 0.95


@dataclass(frozen=True, eq=False)
class MixtureGenerator(GroupGenerator):
    """Mixtures of Gaussians on principal axes, with the residuals of training rows.

    Parameters
    ----------
    space : RowSpace
    groups : RowGroups
    parts : dict of str to ndarray
        For group k, the arrays "k.axes" (p, d), "k.center" (d,), "k.shares" (c,), "k.means" (c, p),
        "k.roots" (c, p, p), whose products with their transposes are the covariances, and
        "k.residuals" (n_k, d).
    """

    parts: dict[str, np.ndarray]

    def draw(self, group: int, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return vectors (n_rows, d) of a group."""
        names = ("axes", "center", "shares", "means", "roots", "residuals")
        axes, center, shares, means, roots, residuals = (self.parts[f"{group}.{name}"] for name in names)
        components = rng.choice(len(shares), n_rows, p=shares)
        noise = rng.standard_normal((n_rows, means.shape[1]))
        scores = means[components]
        for component in range(len(shares)):
            rows = components == component
            scores[rows] += noise[rows] @ roots[component].T
        points: np.ndarray = scores @ axes + center
        return points + residuals[rng.integers(0, len(residuals), n_rows)] if len(residuals) else points


class MixtureSynthesizer(BaseSynthesizer):
    """Rows from a mixture of Gaussians for each class: a control for other synthesizers.

    Tables are standardized by column. Series and images are projected onto the principal axes that
    hold 95 % of the variance within their class, and what a random training row of the class has
    beyond these axes is added to a made row. For a continuous target, there is a mixture for each
    of at most ten quantile bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_components : int, default=5
        Gaussians of a class at most; a class with few rows has one for each twenty rows.
    selection : {"auto", "filter+kmeans", "kmeans", "random"}, default="auto"
        See `TreeSynthesizer`.
    pool : int, default=500
        See `TreeSynthesizer`.
    teacher : estimator or None, default=None
        See `TreeSynthesizer`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    generator_ : MixtureGenerator
        The mixtures, from which `sample` draws.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from distillkit import MixtureSynthesizer
    >>> mixture = MixtureSynthesizer(budget=2, random_state=0).fit(*load_iris(return_X_y=True))
    >>> mixture.sample(y={0: 1, 2: 1})[0].shape
    (2, 4)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        n_components: int = 5,
        selection: str = "auto",
        pool: int = 500,
        teacher: Any = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.n_components = n_components
        self.selection = selection
        self.pool = pool
        self.teacher = teacher

    def _learn(self, rows: TrainingRows, run: Run) -> MixtureGenerator:
        space, groups = RowSpace.of(rows.X, self.__dict__.get("encoder_"), rows.weight), RowGroups.of(rows)
        points = space.points(rows.X)
        parts: dict[str, np.ndarray] = {}
        for group, members in groups.resampled(rows, run.rng):
            arrays = _mixture(points[members], self.n_components, run.seed(), projects=rows.X.ndim > 2)
            parts |= {f"{group}.{name}": values for name, values in arrays.items()}
        return MixtureGenerator(space, groups, parts)


def _mixture(points: np.ndarray, n_components: int, seed: int, *, projects: bool) -> dict[str, np.ndarray]:
    """Return the arrays of a mixture fitted to the points of one group."""
    center = points.mean(axis=0)
    axes = _principal_axes(points - center) if projects else np.eye(points.shape[1])
    scores = (points - center) @ axes.T
    residuals = points - center - scores @ axes if projects else np.empty((0, points.shape[1]))
    model = GaussianMixture(
        int(np.clip(len(points) // _ROWS_PER_COMPONENT, 1, n_components)), reg_covar=1e-4, random_state=seed
    )
    if len(points) == 1:  # a single row has no variance
        flat = np.zeros((1, scores.shape[1], scores.shape[1]))
        return _arrays(axes, center, np.ones(1), scores, flat, residuals)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scores)
    return _arrays(axes, center, model.weights_, model.means_, np.linalg.cholesky(model.covariances_), residuals)


def _arrays(
    axes: np.ndarray,
    center: np.ndarray,
    shares: np.ndarray,
    means: np.ndarray,
    roots: np.ndarray,
    residuals: np.ndarray,
) -> dict[str, np.ndarray]:
    return {
        "axes": axes,
        "center": center,
        "shares": shares / shares.sum(),
        "means": means,
        "roots": roots,
        "residuals": residuals,
    }


def _principal_axes(centered: np.ndarray) -> np.ndarray:
    """Return the axes (p, d) with 95 % of the variance, at least one."""
    _, lengths, axes = np.linalg.svd(centered, full_matrices=False)
    variance = np.cumsum(np.square(lengths))
    n_axes = 1 + int(np.searchsorted(variance, _KEPT_VARIANCE * variance[-1]))
    return np.ascontiguousarray(axes[: max(1, min(n_axes, len(axes)))])
