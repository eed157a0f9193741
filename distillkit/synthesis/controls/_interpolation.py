"""A synthesizer by interpolation between a training row and one of its neighbors."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.neighbors import nearest
from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis.controls._group_generator import GroupGenerator
from distillkit.synthesis.controls._row_groups import RowGroups
from distillkit.synthesis.controls._row_space import RowSpace

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["InterpolationGenerator", "InterpolationSynthesizer"]


@dataclass(frozen=True, eq=False)
class InterpolationGenerator(GroupGenerator):
    """Training rows with their neighbors within their group.

    Parameters
    ----------
    space : RowSpace
    groups : RowGroups
    parts : dict of str to ndarray
        For group k, the arrays "k.points" (n_k, d), "k.neighbors" (n_k, n_neighbors) and "k.ends"
        (n_k,), the cumulative weights of the rows.
    """

    parts: dict[str, np.ndarray]

    def draw(self, group: int, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return vectors (n_rows, d) of a group, each between a row and one of its neighbors."""
        points, neighbors, ends = (self.parts[f"{group}.{name}"] for name in ("points", "neighbors", "ends"))
        starts = self.picks(ends, n_rows, rng)
        targets = neighbors[starts, rng.integers(0, neighbors.shape[1], n_rows)]
        between: np.ndarray = points[starts] + rng.random((n_rows, 1)) * (points[targets] - points[starts])
        return between


class InterpolationSynthesizer(BaseSynthesizer):
    """Rows between a training row and one of its nearest neighbors of the class, as in SMOTE.

    A control for other synthesizers: its rows train models well, but they lie near training rows,
    and are copies of them where all columns are categories. A category is that of the nearer of the
    two rows. For a continuous target, neighbors have a target in the same of at most ten quantile
    bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_neighbors : int, default=5
        Number of nearest neighbors of which one is drawn.
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
    generator_ : InterpolationGenerator
        The training rows and their neighbors, between which `sample` draws.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    References
    ----------
    Chawla, Bowyer, Hall and Kegelmeyer, "SMOTE: synthetic minority over-sampling technique",
    Journal of Artificial Intelligence Research 16, 2002.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from distillkit import InterpolationSynthesizer
    >>> X, y = load_iris(return_X_y=True)
    >>> between = InterpolationSynthesizer(budget=2, random_state=0).fit(X, y)
    >>> between.sample(y={0: 1, 2: 1})[0].shape
    (2, 4)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        n_neighbors: int = 5,
        selection: str = "auto",
        pool: int = 500,
        teacher: Any = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.n_neighbors = n_neighbors
        self.selection = selection
        self.pool = pool
        self.teacher = teacher

    def _learn(self, rows: TrainingRows, run: Run) -> InterpolationGenerator:
        space, groups = RowSpace.of(rows.X, self.__dict__.get("encoder_"), rows.weight), RowGroups.of(rows)
        points = space.points(rows.X)
        parts: dict[str, np.ndarray] = {}
        for group, members in groups.members(rows):
            weight = np.ones(len(members)) if rows.weight is None else rows.weight[members]
            parts |= {
                f"{group}.points": points[members],
                f"{group}.neighbors": _neighbors(points[members], self.n_neighbors),
                f"{group}.ends": np.cumsum(weight),
            }
        return InterpolationGenerator(space, groups, parts)


def _neighbors(points: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Return the nearest other rows (n, k) of each row; a single row is its own neighbor."""
    if len(points) == 1:
        return np.zeros((1, 1), dtype=np.int64)
    size = min(n_neighbors + 1, len(points))
    _, indices = nearest(points, points, size, device="cpu")
    # The row itself is left out; among equal rows, it need not be the first.
    is_self = indices == np.arange(len(points))[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return np.ascontiguousarray(indices[~is_self].reshape(len(points), size - 1).astype(np.int64))
