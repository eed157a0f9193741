"""The base class of distillers whose rows may have weights."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sklearn.base import _fit_context

from distillkit.base._distiller import BaseDistiller

__all__ = ["WeightedDistiller"]


class WeightedDistiller(BaseDistiller):
    """Base class of the distillers whose `fit` takes the weights of the training rows.

    A row of weight k counts as k rows, and a row of weight zero as none; weights need not be whole
    numbers. ``rows.weight`` holds the weights in `_distill`. The weights of the distilled rows sum
    to the weights of the training rows. Budgets stay numbers, or shares, of the rows themselves:
    those of positive weight.

    A distiller that cannot use weights derives from `BaseDistiller`. Its `fit` has no parameter
    `sample_weight`, so that scikit-learn's `has_fit_parameter` tells the two apart.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        See `BaseDistiller`.
    """

    _weighs_rows: ClassVar[bool] = True

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Distill (X, y) and set the fitted attributes.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            See `BaseDistiller.fit`.
        y : array-like of shape (n,) or None
            Class labels or numbers.
        sample_weight : array-like of shape (n,), number or None, default=None
            Weights of the rows: a row of weight k counts as k rows.

        Returns
        -------
        self

        Raises
        ------
        BudgetError
            If there are fewer rows of positive weight than the budget asks for.
        DataError
            If the weights are not one finite number for each row, none negative and not all zero.
        ValueError
            If X or y are invalid; see `BaseDistiller.fit`.
        """
        return self._fit(X, y, sample_weight)

    def fit_resample(self, X: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, Any]:
        """Distill (X, y) and return the distilled rows and labels; their weights are an attribute.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,) or None
        sample_weight : array-like of shape (n,), number or None, default=None
            See `fit`.

        Returns
        -------
        X_distilled, y_distilled
            See `BaseDistiller.fit_resample`.
        """
        return self._fit_resample(X, y, sample_weight)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Distill (X, y) and return the distilled rows alone, never a tuple.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,) or None
        sample_weight : array-like of shape (n,), number or None, default=None
            See `fit`.

        Returns
        -------
        array of shape (m, ...)
            In the container of X.
        """
        return self._fit_transform(X, y, sample_weight)
