"""A synthesizer that draws one column after another from the leaves of decision trees."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval

from distillkit.base import TrainingRows, iterative_constraints
from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis._condition import Condition
from distillkit.synthesis.tabular._column_scales import column_scales
from distillkit.synthesis.tabular._variables import Variables
from distillkit.synthesis.trees._sequential_trees import learn_trees
from distillkit.synthesis.trees._tree_generator import TreeGenerator

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["TreeSynthesizer"]

_COUNT = Interval(Integral, 1, None, closed="left")
_LEAF = 20
_SMALL_LEAF = 5


class TreeSynthesizer(BaseSynthesizer):
    """Rows of a table from sequential decision trees, one tree for each column.

    The label comes first, and each column is drawn given the label and the columns before it: a
    decision tree finds the training rows that are alike in these, and the new value is drawn from
    those in its leaf. Numbers that few training rows share are moved a little, so that they are no
    copies. Gaps are drawn like values. This is fast, needs no tuning, and suits tables of any mix
    of columns.

    Each row is generated for a given label, so class counts are exact.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    selection : {"auto", "filter+kmeans", "kmeans", "random"}, default="auto"
        How distilled rows are selected. "random" takes the first generated rows, which have the
        distribution of the training rows. "kmeans" generates a pool for each class and takes the
        medoids of its k-means clusters, which represent the class by few rows. "filter+kmeans"
        first leaves out the rows of the pool that a gradient-boosted classifier of the training
        rows assigns to another class. "auto" is "kmeans" for at most 100 rows of a class, and
        "random" for more.
    pool : int, default=500
        Rows per class in the pool, or twice the distilled rows of the class if that is more.
    min_leaf : int or None, default=None
        Training rows in a leaf at least. More of them are more private and less like the training
        rows. None is 20 from 2000 rows on, and a hundredth of fewer rows, at least 5.
    max_predictors : int, default=64
        Columns that a tree sees at most, beside the label: those before its own that are most
        correlated with it.
    teacher : estimator or None, default=None
        A model that labels generated rows in place of the condition for which they were made. A
        fitted one is used as it is, and gets frames where the training rows were a mixed table; an
        unfitted one is fitted on the (encoded) training rows. Where labels are asked for, as for
        distilled rows, rows of another class in the eyes of the teacher are left out.
    max_seconds : float or None, default=None
        Time limit of `fit` in seconds, checked before each column. The columns that are left when
        it is over depend on the label alone. None sets no limit.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    generator_ : TreeGenerator
        The trees and the training values in their leaves, from which `sample` draws.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    A leaf holds the training values of one column, in no order that would tell whose they are. No
    privacy is guaranteed, however: see the privacy metrics.

    References
    ----------
    Reiter, "Using CART to generate partially synthetic public use microdata", Journal of Official
    Statistics 21, 2005; Nowok, Raab and Dibben, "synthpop: bespoke creation of synthetic data in
    R", Journal of Statistical Software 74, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from distillkit import TreeSynthesizer
    >>> rng = np.random.default_rng(0)
    >>> age = rng.integers(18, 90, 500)
    >>> frame = pd.DataFrame({"age": age, "city": rng.choice(["Rome", "Oslo"], 500)})
    >>> y = np.where(age > 60, "old", "young")
    >>> trees = TreeSynthesizer(budget=2, random_state=0).fit(frame, y)
    >>> rows, labels = trees.sample(4, "old", given={"city": ["Oslo"]})
    >>> rows["city"].tolist(), bool((rows["age"] > 55).all())
    (['Oslo', 'Oslo', 'Oslo', 'Oslo'], True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        **iterative_constraints(),
        "min_leaf": [_COUNT, None],
        "max_predictors": [_COUNT],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        selection: str = "auto",
        pool: int = 500,
        min_leaf: int | None = None,
        max_predictors: int = 64,
        teacher: Any = None,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.selection = selection
        self.pool = pool
        self.min_leaf = min_leaf
        self.max_predictors = max_predictors
        self.teacher = teacher
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _learn(self, rows: TrainingRows, run: Run) -> TreeGenerator:
        self._check_table(rows)
        variables, condition = Variables.of(rows.X, self.__dict__.get("encoder_")), Condition.of(rows)
        model = learn_trees(
            variables,
            variables.values(rows.X),
            condition.codes(rows.y, len(rows.X)),
            run,
            is_class=rows.task == "classification",
            weight=rows.weight,
            min_leaf=self.min_leaf or min(_LEAF, max(_SMALL_LEAF, len(rows.X) // 100)),
            max_predictors=self.max_predictors,
        )
        return TreeGenerator(model, condition, column_scales(rows.X, rows.weight))
