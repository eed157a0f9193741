"""Distances between the gradients of two batches: the loss of gradient matching, and a metric."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from distillkit.exceptions import DataError

__all__ = ["GRADIENT_DISTANCES", "gradient_distance", "gradient_similarity"]

GRADIENT_DISTANCES = ("layer-cosine", "cosine", "l1", "l2")
"""Names that `gradient_distance` knows."""


def gradient_distance(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    kind: str = "layer-cosine",
    *,
    stacked: bool = False,
) -> torch.Tensor:
    r"""Distance between two gradients of one network, each a sequence with one tensor per parameter.

    "layer-cosine" is the sum over the parameters with two or more axes, and over the rows of each (its first axis, one
    row per output unit; a convolution (out, in, k, k) is read as (out, in k k)), of

    .. math:: 1 - \frac{\langle g_i, h_i \rangle}{\|g_i\| \|h_i\|},

    where biases and scales of norms, with one axis, count nothing. "cosine" is one minus the cosine of all numbers as
    one vector, "l1" the sum of the absolute differences, "l2" the squared Euclidean distance. A row of zeros is at distance 1 from any other and at distance 0
    from a row of zeros, and passes no gradient on: its direction is not defined (units that are off for a batch).

    Parameters
    ----------
    first, second : sequence of tensors, of equal shapes in pairs
        Differentiable in both.
    kind : {"layer-cosine", "cosine", "l1", "l2"}
    stacked : bool, default=False
        Whether each tensor has one more axis in front, for several gradients at once (one per class).

    Returns
    -------
    tensor of shape (), or (n_stacked,) with `stacked`

    Raises
    ------
    DataError
        If the kind is not known or the tensors do not pair up.

    References
    ----------
    "layer-cosine": Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021, equation 10. "l1", for grey images, and "l2",
    for others: Kim et al., "Dataset condensation via efficient synthetic-data parameterization", ICML 2022.

    Examples
    --------
    >>> import torch
    >>> weight, bias = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([1.0, 1.0])
    >>> turned = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    >>> round(float(gradient_distance([weight, bias], [turned, bias])), 6)
    1.0
    >>> float(gradient_distance([weight, bias], [turned, bias], "l2"))
    5.0
    """
    _check(first, second, kind)
    pairs = list(zip(first, second, strict=True))
    if not stacked:
        pairs = [(a.unsqueeze(0), b.unsqueeze(0)) for a, b in pairs]
    if kind == "layer-cosine":
        # under 3 axes (the stack included) there is one axis or none per gradient
        pairs = [(a.flatten(2), b.flatten(2)) for a, b in pairs if a.ndim > 2]
        total = sum((_one_minus_cosine(a, b).sum(dim=1) for a, b in pairs), start=_zeros(first, stacked))
    elif kind == "cosine":
        total = _one_minus_cosine(*_joined(pairs))
    elif kind == "l1":
        total = sum(((a - b).flatten(1).abs().sum(dim=1) for a, b in pairs), start=_zeros(first, stacked))
    else:
        total = sum(((a - b).flatten(1).square().sum(dim=1) for a, b in pairs), start=_zeros(first, stacked))
    return total if stacked else total[0]


def gradient_similarity(
    first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], *, stacked: bool = False
) -> torch.Tensor:
    """Cosine between two gradients as vectors of all their numbers: one minus the "cosine" of `gradient_distance`.

    Parameters
    ----------
    first, second, stacked
        As for `gradient_distance`.

    Returns
    -------
    tensor of shape (), or (n_stacked,) with `stacked`
        In [-1, 1]; 0 where one gradient is zero.
    """
    return 1 - gradient_distance(first, second, "cosine", stacked=stacked)


def _check(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], kind: str) -> None:
    if kind not in GRADIENT_DISTANCES:
        raise DataError(f"distance={kind!r} is not known: give one of {', '.join(map(repr, GRADIENT_DISTANCES))}.")
    shapes = [[tuple(part.shape) for part in gradient] for gradient in (first, second)]
    if not shapes[0] or shapes[0] != shapes[1]:
        raise DataError(
            f"gradients of one network are needed, but their parts have shapes {shapes[0]} and {shapes[1]}."
        )


def _zeros(gradient: Sequence[torch.Tensor], stacked: bool) -> torch.Tensor:
    return gradient[0].new_zeros(len(gradient[0]) if stacked else 1)


def _joined(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = zip(*pairs, strict=True)
    return torch.cat([part.flatten(1) for part in first], dim=1), torch.cat([part.flatten(1) for part in second], dim=1)


def _one_minus_cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One minus the cosine along the last axis."""
    dot, a_square, b_square = (a * b).sum(dim=-1), a.square().sum(dim=-1), b.square().sum(dim=-1)
    a_zero, b_zero = a_square == 0, b_square == 0
    # ones in place of zeros before the root, not after it, so that no infinite derivative is multiplied by zero
    root = a_square.masked_fill(a_zero, 1).rsqrt() * b_square.masked_fill(b_zero, 1).rsqrt()
    return (1 - dot * root).masked_fill(a_zero | b_zero, 1).masked_fill(a_zero & b_zero, 0)
