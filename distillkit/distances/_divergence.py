"""Divergences between probability vectors and histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import rel_entr

from distillkit.distances._samples import as_floats
from distillkit.exceptions import DataError

__all__ = ["js_divergence", "kl_divergence"]


def kl_divergence(p: Any, q: Any) -> Any:
    r"""Kullback-Leibler divergence :math:`\sum_i p_i \ln(p_i / q_i)` in nats.

    Parameters
    ----------
    p, q : array-like of shape (..., k)
        Probability vectors or counts along the last axis; each vector is scaled to sum to 1. The
        other axes broadcast.

    Returns
    -------
    float or ndarray of shape (...)
        The divergence, at least 0. A cell with p = 0 contributes 0, whatever q is; a cell with q =
        0 and p > 0 makes the result infinite. The vectors are not smoothed: add pseudo-counts
        before the call if the result must be finite.

    Raises
    ------
    DataError
        If values are negative or not finite, a vector sums to 0, or the numbers of cells differ.

    Examples
    --------
    >>> round(kl_divergence([1, 1], [1, 3]), 6)
    0.143841
    >>> kl_divergence([1, 1], [1, 0])
    inf
    """
    p, q = _check_vectors(p, q)
    return _scalar(np.maximum(rel_entr(p, q).sum(axis=-1), 0.0))


def js_divergence(p: Any, q: Any) -> Any:
    r"""Jensen-Shannon divergence in nats, the mean divergence of p and q from their mixture.

    With the mixture m = (p + q) / 2,

    .. math:: JS(p, q) = \tfrac12 KL(p \| m) + \tfrac12 KL(q \| m)

    Parameters
    ----------
    p, q : array-like of shape (..., k)
        Probability vectors or counts, as for `kl_divergence`.

    Returns
    -------
    float or ndarray of shape (...)
        Between 0 (equal vectors) and ln 2 (no cell in common), always finite and symmetric in p and
        q. Its square root is the metric that `scipy.spatial.distance.jensenshannon` returns.

    Raises
    ------
    DataError
        Under the same conditions as in `kl_divergence`.

    References
    ----------
    Lin: Divergence measures based on the Shannon entropy. IEEE Trans. Information Theory 37 (1991),
    145-151.

    Examples
    --------
    >>> round(js_divergence([1, 0], [0, 1]), 6)
    0.693147
    """
    p, q = _check_vectors(p, q)
    mixture = (p + q) / 2
    value = (rel_entr(p, mixture).sum(axis=-1) + rel_entr(q, mixture).sum(axis=-1)) / 2
    return _scalar(np.clip(value, 0.0, np.log(2)))


def _check_vectors(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    """Validate and normalize both arguments, which must have equally many cells."""
    p, q = _normalized(p, "p"), _normalized(q, "q")
    if p.shape[-1] != q.shape[-1]:
        raise DataError(f"p has {p.shape[-1]} cells, but q has {q.shape[-1]}: give vectors over the same cells.")
    return p, q


def _normalized(values: Any, name: str) -> np.ndarray:
    """Scale each vector along the last axis to sum to 1, in float64."""
    values = np.asarray(as_floats(values, name), dtype=np.float64)
    if values.ndim == 0 or not np.isfinite(values).all() or (values < 0).any():
        raise DataError(f"{name} must hold vectors of finite probabilities or counts, none negative.")
    largest = values.max(axis=-1, keepdims=True, initial=0.0)
    values = np.ldexp(values, -np.frexp(largest)[1])  # so that the sum cannot overflow
    total = values.sum(axis=-1, keepdims=True)
    if (total <= 0).any():
        raise DataError(f"{name} holds a vector that sums to 0, which cannot be normalized: drop that vector.")
    return np.asarray(values / total)


def _scalar(value: np.ndarray) -> Any:
    """Convert a 0-d array to a float."""
    return float(value) if np.ndim(value) == 0 else value
