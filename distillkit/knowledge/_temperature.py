"""Conversions between class probabilities, logits and soft labels at a temperature, in NumPy."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

__all__ = ["EPS", "TINY", "apply_temperature", "logits_of", "mixed_labels", "softmax", "with_floor"]

TINY = 1e-300
"""Smallest probability before the logarithm, since forests and neighbors give exact zeros.

It stays negligible when it is raised to the power 1/T: with 1e-7, the other 99 classes of a certain
row would together get most of the probability at a temperature of 4.
"""
EPS = 1e-7
"""Smallest probability where logits themselves are learned, which have to be of moderate size."""


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Return ``log(clip(p, TINY, 1))``, the logits whose softmax gives the probabilities back."""
    return np.log(np.clip(np.asarray(probabilities, dtype=np.float64), TINY, 1.0))


def with_floor(logits: np.ndarray) -> np.ndarray:
    """Return normalized logits, whose exponentials sum to one, of at least ``log(EPS)``."""
    normalized = logits - logsumexp(logits, axis=-1, keepdims=True)
    return np.maximum(normalized, np.log(EPS))  # type: ignore[no-any-return]


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return ``softmax(logits / temperature)`` along the last axis."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    odds = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return ``p^(1/T) / sum p^(1/T)``, which is ``softmax(z / T)`` for any logits z of p.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
    temperature : float > 0
        1 leaves the probabilities unchanged; larger values bring them closer to each other.

    Returns
    -------
    ndarray of shape (n, n_classes), float64

    Examples
    --------
    >>> import numpy as np
    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    return softmax(logits_of(probabilities), temperature)


def mixed_labels(
    codes: np.ndarray | None,
    logits: np.ndarray | None,
    n_classes: int,
    temperature: float,
    alpha: float | np.ndarray,
) -> np.ndarray:
    """Return the mixture ``alpha 1[k = y] + (1 - alpha) softmax(z / T)_k`` of hard and soft labels.

    Parameters
    ----------
    codes : ndarray of int of shape (n,) or None
        Class numbers; may be None with ``alpha=0``.
    logits : ndarray of shape (n, n_classes) or None
        The teacher's logits z; may be None with ``alpha=1``.
    n_classes : int
    temperature : float > 0
    alpha : float in [0, 1], or ndarray of shape (n,)
        Weight of the hard labels, for all rows or for each row.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
    """
    share = np.reshape(alpha, (-1, 1))
    hard = 0.0 if codes is None else np.eye(n_classes)[codes]
    soft = 0.0 if logits is None else softmax(logits, temperature)
    return np.asarray(share * hard + (1 - share) * soft)
