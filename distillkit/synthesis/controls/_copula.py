"""A synthesizer by copulas: the distribution of each column, and how their ranks go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.utils._param_validation import StrOptions

from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis.controls._group_generator import GroupGenerator
from distillkit.synthesis.controls._row_groups import RowGroups
from distillkit.synthesis.controls._row_space import RowSpace

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["CopulaGenerator", "CopulaSynthesizer"]


@dataclass(frozen=True, eq=False)
class CopulaGenerator(GroupGenerator):
    """Sorted values of each column, and a copula, for each group.

    Parameters
    ----------
    space : RowSpace
    groups : RowGroups
    parts : dict of str to ndarray
        For group k, the array "k.sorted" (n_k, p) of values, and either "k.root" (p, p), whose
        product with its transpose is the correlation of the normal scores, or "k.ranks" (n_k, p).
    """

    parts: dict[str, np.ndarray]

    def draw(self, group: int, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return vectors (n_rows, d) of a group."""
        values = self.parts[f"{group}.sorted"]
        n, p = values.shape
        # 1. Draw dependent numbers, each uniform in (0, 1).
        if f"{group}.root" in self.parts:
            levels = ndtr(rng.standard_normal((n_rows, p)) @ self.parts[f"{group}.root"].T)
        else:  # the empirical beta copula: order statistics of the ranks of a training row
            ranks = self.parts[f"{group}.ranks"][rng.integers(0, n, n_rows)]
            levels = rng.beta(ranks, n + 1 - ranks)
        # 2. Take the quantiles of each column, numbers between two training values.
        V = np.empty((n_rows, p))
        assert self.space.variables is not None
        for position, variable in enumerate(self.space.variables.parts):
            column = values[:, position]
            smooth = variable.is_number and not variable.discrete
            V[:, position] = _quantiles(column, levels[:, position], smooth=smooth)
            if variable.is_number:
                V[:, position] = variable.rounded(V[:, position])
        return self.space.points(self.space.variables.encode(V))


class CopulaSynthesizer(BaseSynthesizer):
    """Rows of a table from a copula for each class: a control for other synthesizers.

    Each column has the distribution of its training values within the class, and the ranks of the
    columns depend on each other as in a normal distribution, or as in the training rows. Gaps and
    the levels of a category are ranked like numbers. For a continuous target, there is a copula for
    each of at most ten quantile bins.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    copula : {"gaussian", "empirical"}, default="gaussian"
        "gaussian" is that of a normal distribution with the correlations of the normal scores.
        "empirical" is the empirical beta copula: the ranks of a random training row, each moved at
        random by the standard error of a rank.
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
    generator_ : CopulaGenerator
        The copulas, from which `sample` draws.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    References
    ----------
    Segers, Sibuya and Tsukahara, "The empirical beta copula", Journal of Multivariate Analysis 155,
    2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from distillkit import CopulaSynthesizer
    >>> copula = CopulaSynthesizer(budget=2, random_state=0).fit(*load_iris(return_X_y=True))
    >>> copula.sample(y={0: 1, 2: 1})[0].shape
    (2, 4)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        "copula": [StrOptions({"gaussian", "empirical"})],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        copula: str = "gaussian",
        selection: str = "auto",
        pool: int = 500,
        teacher: Any = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.copula = copula
        self.selection = selection
        self.pool = pool
        self.teacher = teacher

    def _learn(self, rows: TrainingRows, run: Run) -> CopulaGenerator:
        self._check_table(rows)
        space, groups = RowSpace.of(rows.X, self.__dict__.get("encoder_"), rows.weight), RowGroups.of(rows)
        assert space.variables is not None
        V = space.variables.values(rows.X)
        parts: dict[str, np.ndarray] = {}
        for group, members in groups.resampled(rows, run.rng):
            ranks = _ranks(V[members], np.random.default_rng(run.seed()))
            parts[f"{group}.sorted"] = np.sort(V[members], axis=0)
            if self.copula == "empirical":
                parts[f"{group}.ranks"] = ranks.astype(np.float64)
            else:
                parts[f"{group}.root"] = _root(ndtri(ranks / (len(members) + 1)))
        return CopulaGenerator(space, groups, parts)


def _ranks(V: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the ranks (n, p) of each column from 1, those of equal values in random order."""
    ranks = np.empty(V.shape, dtype=np.int64)
    for position in range(V.shape[1]):
        ranks[np.lexsort((rng.random(len(V)), V[:, position])), position] = np.arange(1, len(V) + 1)
    return ranks


def _root(scores: np.ndarray) -> np.ndarray:
    """Return a square root of the correlation matrix of normal scores (n, p)."""
    scale = np.sqrt(np.mean(np.square(scores), axis=0))
    scaled = scores / np.where(scale > 0, scale, 1.0)
    correlation = scaled.T @ scaled / max(1, len(scores))
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    root: np.ndarray = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _quantiles(values: np.ndarray, levels: np.ndarray, *, smooth: bool) -> np.ndarray:
    """Return the values of a sorted column at given levels, with gaps (NaN) at its end."""
    places = levels * len(values)
    lower = np.minimum(places.astype(np.int64), len(values) - 1)
    quantiles: np.ndarray = values[lower].copy()
    if smooth and len(values) > 1:
        # Half a step below and above each value, except where it is repeated or next to a gap.
        upper = np.clip(lower + np.where(places - lower < 0.5, -1, 1), 0, len(values) - 1)
        steps = np.abs(places - lower - 0.5) * (values[upper] - quantiles)
        quantiles += np.where(np.isnan(steps), 0.0, steps)
    return quantiles
