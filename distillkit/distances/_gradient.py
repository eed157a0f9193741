"""Distances between the gradients of two batches, for gradient matching and as metrics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from distillkit.distances._torch_squares import as_float_tensors, refuse_not_finite
from distillkit.exceptions import DataError

__all__ = ["GRADIENT_DISTANCES", "gradient_distance", "gradient_similarity"]

GRADIENT_DISTANCES = ("layer-cosine", "cosine", "l1", "l2")
"""Names of the distances that `gradient_distance` computes."""

_CLOSE = 1e-3  # one minus the cosine, below which it is computed from differences
_SMALLEST = 1e-24  # squared norm below which, and above whose inverse, vectors are scaled


def gradient_distance(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    kind: str = "layer-cosine",
    *,
    stacked: bool = False,
) -> torch.Tensor:
    r"""Distance between two gradients of one network, each given as one tensor per parameter.

    "layer-cosine" treats each parameter with two or more axes as a matrix with one row per output
    unit (a convolution kernel (out, in, k, k) is read as (out, in k k)), and sums over all rows of
    all these matrices the cosine distance

    .. math:: 1 - \frac{\langle g_i, h_i \rangle}{\|g_i\| \|h_i\|}.

    Parameters with one axis, such as biases and the scales of normalization layers, are ignored.
    "cosine" is one minus the cosine between the two gradients, each flattened to one vector. "l1"
    is the sum of the absolute differences, and "l2" the squared Euclidean distance.

    The direction of a zero vector is not defined, as for a unit that is inactive for a whole batch.
    The two cosine distances therefore define it as 1 to any other vector and as 0 to another zero
    vector; in both cases no gradient flows back.

    Parameters
    ----------
    first, second : sequence of tensors, of equal shapes in pairs
        The gradients; the distance is differentiable in both.
    kind : {"layer-cosine", "cosine", "l1", "l2"}, default="layer-cosine"
    stacked : bool, default=False
        Whether each tensor has an extra leading axis that stacks several gradients, for example one
        per class.

    Returns
    -------
    tensor of shape (), or (n_stacked,) with `stacked`

    Raises
    ------
    DataError
        If `kind` is not known, if the tensors of the two gradients do not have equal shapes, or if
        the distance is not finite.

    References
    ----------
    "layer-cosine": Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR
    2021, equation 10. "l1", for gray-scale images, and "l2", for others: Kim et al., "Dataset
    condensation via efficient synthetic-data parameterization", ICML 2022.

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
    converted = [as_float_tensors(a, b) for a, b in zip(first, second, strict=True)]
    pairs = [(a, b) for a, b in converted]
    if not stacked:
        pairs = [(a.unsqueeze(0), b.unsqueeze(0)) for a, b in pairs]
    zeros = pairs[0][0].new_zeros(len(pairs[0][0]))
    if kind == "layer-cosine":
        # With the stacking axis, parameters of fewer than 3 axes are biases and scales: skip them.
        pairs = [(a.flatten(2), b.flatten(2)) for a, b in pairs if a.ndim > 2]
        total = sum((_one_minus_cosine(a, b).sum(dim=1) for a, b in pairs), start=zeros)
    elif kind == "cosine":
        total = _one_minus_cosine(*_concatenated(pairs))
    elif kind == "l1":
        total = sum(((a - b).flatten(1).abs().sum(dim=1) for a, b in pairs), start=zeros)
    else:
        total = sum(((a - b).flatten(1).square().sum(dim=1) for a, b in pairs), start=zeros)
    refuse_not_finite(total, first=first, second=second)
    return total if stacked else total[0]


def gradient_similarity(
    first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], *, stacked: bool = False
) -> torch.Tensor:
    """Cosine similarity between two gradients, each flattened to one vector.

    Parameters
    ----------
    first, second, stacked
        The gradients and their layout, as for `gradient_distance`.

    Returns
    -------
    tensor of shape (), or (n_stacked,) with `stacked`
        One minus the "cosine" distance of `gradient_distance`, in [-1, 1]. It is 0 if exactly one
        of the gradients is zero, and 1 if both are.
    """
    return 1 - gradient_distance(first, second, "cosine", stacked=stacked)


def _check(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], kind: str) -> None:
    """Check the name of the distance, and that the tensors pair up."""
    if kind not in GRADIENT_DISTANCES:
        raise DataError(f"distance={kind!r} is not known: give one of {', '.join(map(repr, GRADIENT_DISTANCES))}.")
    shapes = [[tuple(part.shape) for part in gradient] for gradient in (first, second)]
    if not shapes[0] or shapes[0] != shapes[1]:
        raise DataError(
            f"the two gradients have shapes {shapes[0]} and {shapes[1]}: give gradients of the same network, "
            "one tensor per parameter."
        )


def _concatenated(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Flatten each gradient and concatenate its tensors to shape (n_stacked, n_numbers)."""
    first, second = zip(*pairs, strict=True)
    return torch.cat([part.flatten(1) for part in first], dim=1), torch.cat([part.flatten(1) for part in second], dim=1)


def _one_minus_cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One minus the cosine along the last axis."""
    a, b = _within_range(a), _within_range(b)
    dot, a_square, b_square = (a * b).sum(dim=-1), a.square().sum(dim=-1), b.square().sum(dim=-1)
    a_zero, b_zero = a_square == 0, b_square == 0
    # Replace zeros by ones before taking the inverse root: its derivative at zero is infinite, and
    # backpropagation would multiply that by zero and return NaN.
    inverse_norms = a_square.masked_fill(a_zero, 1).rsqrt() * b_square.masked_fill(b_zero, 1).rsqrt()
    value = (1 - dot * inverse_norms).masked_fill(a_zero | b_zero, 1).masked_fill(a_zero & b_zero, 0)
    close = torch.nonzero((value.detach() < _CLOSE) & ~(a_zero | b_zero), as_tuple=True)
    if not len(close[0]):
        return value
    # The cosine of nearly parallel vectors cancels against one; the difference of their directions
    # does not.
    wide = a.dtype if a.device.type == "mps" else torch.float64
    first, second = (functional.normalize(rows[close].to(wide), dim=-1, eps=0) for rows in (a, b))
    return value.index_put(close, ((first - second).square().sum(dim=-1) / 2).to(value.dtype))


def _within_range(a: torch.Tensor) -> torch.Tensor:
    """Scale vectors along the last axis by powers of two if their squares would leave the range."""
    squares = a.detach().square().sum(dim=-1, keepdim=True)
    if bool(((squares > _SMALLEST) & (squares < 1 / _SMALLEST)).all()):
        return a
    largest = a.detach().abs().amax(dim=-1, keepdim=True)
    exponent = torch.frexp(largest)[1]
    scaled = torch.ldexp(torch.ldexp(a, -(exponent // 2)), -(exponent - exponent // 2))
    return torch.where((largest > 0) & torch.isfinite(largest), scaled, a)
