"""The function that returns the best small set for some data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distillkit.auto._auto_distiller import AutoDistiller
from distillkit.distilled import DistilledSet
from distillkit.utils._weights import weight_argument

__all__ = ["distill"]


def distill(
    X: Any,
    y: Any = None,
    budget: Any = 0.1,
    *,
    seconds: float | None = 60.0,
    labels: str = "hard",
    privacy: bool = False,
    estimator: Any = None,
    candidates: Sequence[str] | None = None,
    sample_weight: Any = None,
    task: str = "auto",
    device: str = "auto",
    verbose: bool = False,
    random_state: Any = 0,
) -> DistilledSet:
    """Return the best small set for some data, by the method that proves best on them.

    It fits an `AutoDistiller`, which tries the registered methods on validation rows.

    Parameters
    ----------
    X : array-like of shape (n, ...), or frame of shape (n, d)
        Training rows: a table, series or images.
    y : array-like of shape (n,) or None, default=None
        Labels or numbers.
    budget : int, float or dict, default=0.1
        Rows per class, share of the rows, or rows per class label; see `Budget`.
    seconds : float or None, default=60
        Wall-clock seconds that this may take.
    labels : {"hard", "soft"}, default="hard"
        Whether the labels are those of y, or probabilities.
    privacy : bool, default=False
        Whether the set must not reveal training rows.
    estimator : estimator, str or None, default=None
        The model for which the rows are chosen; None takes two models of different kinds.
    candidates : sequence of str or None, default=None
        Names of methods to choose from; None takes all.
    sample_weight : array-like of shape (n,) or None, default=None
        Weights of the rows.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of target.
    device : str, default="auto"
        Device of networks.
    verbose : bool, default=False
        Whether to show the progress.
    random_state : int, RandomState instance or None, default=0
        Seed of all that is random.

    Returns
    -------
    DistilledSet
        Its attribute ``report_`` is the `AutoReport`: what was tried, at what cost, why this method
        was chosen, and how sure that is. Files that `save` writes have it in the provenance.

    Raises
    ------
    BudgetError
        If there are fewer rows than the budget asks for.
    DataError
        If no method can be used, or a parameter does not suit the data.
    ValueError
        If X or y are invalid; see `BaseDistiller.fit`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> small = distill(X, y, budget=3, candidates=["kmeans", "herding"], seconds=20)
    >>> len(small), small.report_.chosen in ("kmeans", "herding", "random")
    (9, True)
    """
    distiller = AutoDistiller(
        budget,
        max_seconds=seconds,
        labels=labels,
        privacy=privacy,
        estimator=estimator,
        candidates=candidates,
        task=task,
        device=device,
        verbose=verbose,
        random_state=random_state,
    )
    distiller.fit(X, y, **weight_argument(sample_weight))
    small = distiller.distilled_
    small.report_ = distiller.report_  # type: ignore[attr-defined]
    return small
