"""The influence of distilled rows on a model, by leaving out one of them at a time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._sides import Sides, sides_of
from distillkit.metrics.models._scaled import require_targets, row_scaling, target_matrix
from distillkit.metrics.reference import shares_reference
from distillkit.utils._soft_labels import expand_soft_labels

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["influence", "influences", "ridge_influences"]

_PROXIES = ("ridge", "logistic")
_MOST_REFITS = 200
_BLOCK_ROWS = 8192


@shares_reference
def influence(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, proxy: str = "ridge", alpha: float = 1.0
) -> float | None:
    """Return the mean influence of a distilled row on a model, by leaving out one row at a time.

    The influence of a row is the loss on the training rows of a model that is trained on all other
    distilled rows, minus that of the model that is trained on all of them. It is positive for a row
    that helps, about 0 for a row that repeats others, and negative for a row that misleads. The
    mean becomes smaller as sets grow; compare it with that of random rows of equal number.

    Parameters
    ----------
    X : array-like of shape (n, ...), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels or numbers.
    distilled : DistilledSet
        Its soft labels are learned if it has any, and its weights count, scaled to mean 1.
    random_state : int, default=0
        Seeds the choice of the rows that "logistic" leaves out, if there are more than 200.
    proxy : {"ridge", "logistic"}, default="ridge"
        "ridge" is ridge regression of the class indicators or of the standardized target, whose
        loss is the squared error, summed over the classes. Its influence is exact: leaving a row
        out changes the coefficients in closed form. "logistic" is multinomial logistic regression,
        which is trained anew without each row; its loss is the log loss, and it is for classes
        only.
    alpha : float, default=1.0
        Penalty of the squared coefficients. The rows are standardized by the training rows: each
        column of a table, and all values together of images and series.

    Returns
    -------
    float or None
        In units of the loss; None for a set of a single row.

    Raises
    ------
    DataError
        If there are no targets, the rows cannot be compared, or the proxy is unknown or does not
        suit the targets.

    References
    ----------
    Cook: Detection of influential observation in linear regression. Technometrics 19 (1977), for
    the closed form.
    """
    sides = sides_of(X, y, distilled)
    if len(sides.small) < 2:
        return None
    values = _influences(sides, random_state, proxy, alpha)
    chosen = len(values) < len(sides.small)
    note = f"the mean over {len(values)} of {len(sides.small)} distilled rows." if chosen else ""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if chosen else None
    return Measured(float(values.mean()), error=error, note=note)


def influences(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, proxy: str = "ridge", alpha: float = 1.0
) -> np.ndarray:
    """Return the influence of each distilled row; see `influence`.

    Parameters
    ----------
    X, y, distilled, random_state, proxy, alpha
        As for `influence`.

    Returns
    -------
    ndarray of shape (m,)
        In the order of the distilled rows of positive weight; for "logistic", at most 200 drawn
        ones.

    Raises
    ------
    DataError
        As for `influence`, or if the set has a single row.
    """
    sides = sides_of(X, y, distilled)
    if len(sides.small) < 2:
        raise DataError("a single distilled row cannot be left out: give a set of at least two rows.")
    return _influences(sides, random_state, proxy, alpha)


def _influences(sides: Sides, random_state: int, proxy: str, alpha: float) -> np.ndarray:
    require_targets(sides, "influence")
    if proxy not in _PROXIES:
        raise DataError(f"proxy={proxy!r} is not known: give one of {', '.join(map(repr, _PROXIES))}.")
    if not alpha > 0:
        raise DataError(f"alpha={alpha} must be positive.")
    weight = sides.weight / sides.weight.mean()
    targets, small_targets = target_matrix(sides)
    small, basis = _reduced(row_scaling(sides)(sides.small.reshape(len(sides.small), -1)))
    if proxy == "ridge":
        moments = _moments(sides, basis, targets)
        return ridge_influences(small, small_targets, weight, alpha, *moments)
    if sides.classes is None:
        raise DataError("proxy='logistic' needs class labels: give proxy='ridge' for numbers.")
    places = np.sort(sides.draw_small(np.arange(len(small)), _MOST_REFITS, random_state))
    training = _with_one(_projected(sides, slice(None), basis))
    return _logistic_influences(_with_one(small), small_targets, weight, alpha, training, targets, places)


def _reduced(small: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the distilled rows in a basis of their span, if that has fewer dimensions.

    The coefficients of all models lie in this span, so the models are the same.
    """
    if len(small) >= small.shape[1]:
        return small, None
    left, values, right = np.linalg.svd(small, full_matrices=False)
    return left * values, right.T


def _projected(sides: Sides, part: slice, basis: np.ndarray | None) -> np.ndarray:
    rows = sides.X[part]
    scaled = row_scaling(sides)(rows.reshape(len(rows), -1))
    return scaled if basis is None else scaled @ basis


def _with_one(rows: np.ndarray) -> np.ndarray:
    return np.column_stack([rows, np.ones(len(rows))])


def _moments(sides: Sides, basis: np.ndarray | None, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the second moments of the training rows, and their products with the targets."""
    square: Any = 0.0
    products: Any = 0.0
    for start in range(0, len(targets), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        rows = _with_one(_projected(sides, part, basis))
        square, products = square + rows.T @ rows, products + rows.T @ targets[part]
    return square / len(targets), products / len(targets)


def ridge_influences(
    small: np.ndarray,
    small_targets: np.ndarray,
    weight: np.ndarray,
    alpha: float,
    square: np.ndarray,
    products: np.ndarray,
) -> np.ndarray:
    r"""Return the influence of each row on ridge regression with an intercept, in closed form.

    With :math:`A = \sum_i w_i x_i x_i^T + \alpha I` (no penalty of the intercept) and the residuals
    :math:`e_i`, leaving out row i changes the coefficients by
    :math:`-d_i e_i^T` with :math:`d_i = A^{-1} x_i\, w_i / (1 - w_i x_i^T A^{-1} x_i)`. The mean
    squared error on the training rows is a quadratic function of the coefficients, given by their
    moments.

    Parameters
    ----------
    small : ndarray of shape (m, r)
    small_targets : ndarray of shape (m, k)
    weight : ndarray of shape (m,)
    alpha : float
    square : ndarray of shape (r + 1, r + 1)
        Mean of the outer products of the training rows, each with a 1 at its end.
    products : ndarray of shape (r + 1, k)
        Mean of their products with their targets.

    Returns
    -------
    ndarray of shape (m,)
    """
    rows = _with_one(small)
    penalty = np.full(rows.shape[1], alpha)
    penalty[-1] = 0.0
    matrix = rows.T @ (weight[:, None] * rows) + np.diag(penalty)
    solved = np.linalg.solve(matrix, rows.T).T
    coefficients = np.linalg.solve(matrix, rows.T @ (weight[:, None] * small_targets))
    residuals = small_targets - rows @ coefficients
    leverage = weight * np.sum(rows * solved, axis=1)
    steps = solved * (weight / (1 - leverage))[:, None]
    # The loss is tr(B^T G B) - 2 tr(B^T C) + constant; insert B - d e^T.
    gradient = square @ coefficients - products
    linear = np.sum((steps @ gradient) * residuals, axis=1)
    curved = np.sum((steps @ square) * steps, axis=1) * np.square(residuals).sum(axis=1)
    return np.asarray(curved - 2 * linear)


def _logistic_influences(
    small: np.ndarray,
    small_targets: np.ndarray,
    weight: np.ndarray,
    alpha: float,
    training: np.ndarray,
    targets: np.ndarray,
    places: np.ndarray,
) -> np.ndarray:
    """Return the influence of some rows on logistic regression, which is trained without each."""
    present = np.flatnonzero(small_targets.sum(axis=0) > 0)
    if len(present) < 2:
        raise DataError("proxy='logistic' needs distilled rows of at least two classes: give proxy='ridge'.")
    truth = targets.argmax(axis=1)
    seen = np.isin(truth, present)  # the loss of rows of other classes is the same for all models

    model = LogisticRegression(C=1 / alpha, fit_intercept=False, tol=1e-6, max_iter=300, warm_start=True)

    def loss(weights: np.ndarray) -> float:
        X, y, expanded = expand_soft_labels(small, small_targets, np.arange(targets.shape[1]), weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the loss hardly changes by then
            model.fit(X, y, expanded)
        logs = model.predict_log_proba(training[seen])
        columns = np.searchsorted(model.classes_, truth[seen])
        return float(-logs[np.arange(len(columns)), columns].sum() / len(targets))

    # A row of weight 0 keeps its class in the model, although no row may be left in it. Each fit
    # starts from the coefficients of the one before, which are close to its own.
    whole = loss(weight)
    return np.array([loss(np.where(np.arange(len(weight)) == place, 0.0, weight)) - whole for place in places])
