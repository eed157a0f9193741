"""A synthesizer that draws rows from the leaves of an adversarial random forest."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from distillkit.base import TrainingRows, iterative_constraints
from distillkit.exceptions import DataError
from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis.forest._forest_generator import ForestGenerator
from distillkit.synthesis.forest._growing import Growth
from distillkit.synthesis.forest._imputation import Imputation
from distillkit.synthesis.forest._unknown_values import filled_like, read_rows
from distillkit.synthesis.tabular._column_scales import column_scales

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["ForestSynthesizer"]

_COUNT = Interval(Integral, 1, None, closed="left")


class ForestSynthesizer(BaseSynthesizer):
    """Rows of a table from an adversarial random forest, which is a density of rows and labels.

    Each tree is grown against rows that are made from its own leaves: in a leaf, every column is
    drawn independently of the others from the training rows in it. Where a decision tree can tell
    such rows from training rows, its splits divide the leaf further, until the made rows are like
    the training rows. The leaves of all trees, weighted by their training rows, are then a mixture
    in each part of which the columns are independent. Rows under conditions (`sample`), the density
    of rows (`log_prob`) and values in place of gaps (`impute`) are therefore computed exactly.

    The label is a column of this density. Each row is generated for a given label, so class counts
    are exact. Gaps are values of their column.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    selection : {"auto", "filter+kmeans", "kmeans", "random"}, default="auto"
        How distilled rows are selected; see `TreeSynthesizer`.
    pool : int, default=500
        Rows per class in the pool, or twice the distilled rows of the class if that is more.
    n_trees : int, default=5
        More trees make the density smoother, in proportionally more time.
    min_leaf : int, default=5
        Training rows in a leaf at least. More of them are more private and less like the training
        rows.
    tolerance : float, default=0.0
        A leaf is divided if the accuracy with which a tree tells its training rows from made ones,
        among rows that it was not fitted on, is more than this above one half.
    smoothing : float, default=0.5
        Weight, in rows, of the values of the whole table that the values of each leaf are mixed
        with, as far as the splits leave them to the leaf. With 0, a leaf knows the values of its
        own training rows only, and the density of most new rows is zero.
    teacher : estimator or None, default=None
        A model that labels generated rows in place of the label for which they were made; see
        `TreeSynthesizer`.
    max_seconds : float or None, default=None
        Time limit of `fit` in seconds, checked before each leaf is divided. None sets no limit.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    generator_ : ForestGenerator
        The splits, and the values of each column in each leaf, from which `sample` draws.
    history_ : list of dict
        For each tree, iter (its number), leaves, seconds, and accuracy: how well its first splits
        tell training rows from rows whose columns are independent, among rows left out from them.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    TreeSynthesizer : Draws one column after another, and trains faster.

    Notes
    -----
    Columns are divided into cells: levels, numbers that at least five training rows share, and
    intervals between these, within which numbers are uniform. `log_prob` refers to the counting
    measure for labels, levels, gaps, single numbers and numbers that are multiples of a step, such
    as whole numbers, and to the length of intervals for all others.

    In the published method, a whole forest is grown anew against rows from the leaves of the one
    before. Here, each tree is grown further within its own leaves, which keeps what its first
    splits have found.

    A leaf holds the training values of each column, in no order that would tell whose they are. No
    privacy is guaranteed, however: see the privacy metrics.

    References
    ----------
    Watson, Blesch, Kapar and Wright, "Adversarial random forests for density estimation and
    generative modeling", AISTATS 2023, arXiv:2205.09435.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from distillkit import ForestSynthesizer
    >>> rng = np.random.default_rng(0)
    >>> age = rng.integers(18, 90, 500)
    >>> frame = pd.DataFrame({"age": age, "city": np.where(age > 60, "Rome", "Oslo")})
    >>> forest = ForestSynthesizer(budget=5, random_state=0).fit(frame)
    >>> rows, _ = forest.sample(4, given={"age": ">=70"})
    >>> rows["city"].tolist()
    ['Rome', 'Rome', 'Rome', 'Rome']
    >>> people = pd.DataFrame({"age": [80, 80], "city": ["Rome", "Oslo"]})
    >>> bool(np.diff(forest.log_prob(people))[0] < 0)
    True
    >>> with_gaps = pd.DataFrame({"age": [20, 80], "city": [None, None]})
    >>> forest.impute(with_gaps, how="mean")["city"].tolist()
    ['Oslo', 'Rome']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        **iterative_constraints(),
        "n_trees": [_COUNT],
        "min_leaf": [_COUNT],
        "tolerance": [Interval(Real, 0, 0.5, closed="both")],
        "smoothing": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        selection: str = "auto",
        pool: int = 500,
        n_trees: int = 5,
        min_leaf: int = 5,
        tolerance: float = 0.0,
        smoothing: float = 0.5,
        teacher: Any = None,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.selection = selection
        self.pool = pool
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.tolerance = tolerance
        self.smoothing = smoothing
        self.teacher = teacher
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _learn(self, rows: TrainingRows, run: Run) -> ForestGenerator:
        self._check_table(rows)
        growth = Growth(self.n_trees, self.min_leaf, self.tolerance, self.smoothing)
        scale = column_scales(rows.X, rows.weight)
        return ForestGenerator.learn(rows, self.__dict__.get("encoder_"), scale, growth, run)

    def log_prob(self, X: Any, y: Any = None) -> np.ndarray:
        """Return the logarithm of the learned density of rows.

        Parameters
        ----------
        X : array-like or frame of shape (n, d)
            In the columns and units of the training rows. Gaps are values of their column. Rare
            levels that share one encoded column count as one level, and identifiers do not count.
        y : array-like of shape (n,) or None, default=None
            Labels, for the density of rows and labels together. None sums over all labels.

        Returns
        -------
        ndarray of shape (n,)
            Natural logarithms; minus infinity for values that the density has no place for, such as
            levels and gaps that no training row has.

        Raises
        ------
        DataError
            If X has other columns than the training rows, or if y is given and the training rows
            had no labels, or holds a class that was not trained on.
        """
        check_is_fitted(self, "generator_")
        values, missing, impossible = read_rows(self, X)
        labels = self._labels(y, len(values))
        density = self.generator_.density
        log_prob = density.log_prob(values, labels, np.zeros(values.shape, dtype=bool))
        lacks_gaps = density.gaps[int(density.has_label) :] < 0
        return np.where((missing & lacks_gaps).any(axis=1) | impossible, -np.inf, log_prob)

    def impute(self, X: Any, y: Any = None, *, how: str = "draw", random_state: Any = None) -> Any:
        """Return rows with values in place of gaps, drawn given all that is known of a row.

        Parameters
        ----------
        X : array-like or frame of shape (n, d)
            In the columns and units of the training rows, with gaps (NaN in an array).
        y : array-like of shape (n,) or None, default=None
            Labels of the rows, if they are known.
        how : {"draw", "mean"}, default="draw"
            "draw" draws the values of a row jointly, so that several calls with different seeds are
            multiple imputations. "mean" takes the mean of numbers, and the most probable level.
        random_state : int, RandomState instance or None, default=None
            None is that of the estimator.

        Returns
        -------
        ndarray or frame of shape (n, d)
            A frame in the container and types of the training rows, with the index of X. Gaps of
            identifiers, and of columns without any value in the training rows, stay.

        Raises
        ------
        DataError
            If X has other columns than the training rows, `how` is unknown, or `log_prob` would
            refuse y.
        """
        check_is_fitted(self, "generator_")
        if how not in ("draw", "mean"):
            raise DataError(f"how={how!r} is unknown: give 'draw' or 'mean'.")
        values, missing, _ = read_rows(self, X)
        rng = check_random_state(self.random_state if random_state is None else random_state)
        generator = np.random.default_rng(int(rng.randint(np.iinfo(np.int32).max)))
        imputation = Imputation.of(self.generator_.density, values, self._labels(y, len(values)), missing)
        filled = imputation.expected() if how == "mean" else imputation.drawn(generator)
        return filled_like(self, X, filled, missing, generator)

    def _labels(self, y: Any, n_rows: int) -> np.ndarray | None:
        """Return class numbers or targets of labels that were given."""
        if y is None:
            return None
        condition = self.generator_.condition
        _, labels = condition.resolve(n_rows, np.asarray(y))
        codes: np.ndarray | None = condition.codes(labels, n_rows)
        return codes
