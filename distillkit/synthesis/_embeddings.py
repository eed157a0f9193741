"""The weights with which the learned embeddings of a network represent a condition."""

from __future__ import annotations

import torch

__all__ = ["embedding_weights"]


def embedding_weights(positions: torch.Tensor, width: int) -> torch.Tensor:
    """Return the weight of each embedding, ``max(0, 1 - |position - k|)`` for embedding k.

    A whole position has the one-hot weights of its embedding; a position between two embeddings is
    a linear mixture of both.

    Parameters
    ----------
    positions : tensor of shape (b,)
    width : int
        Number of embeddings.

    Returns
    -------
    tensor of shape (b, width)
    """
    knots = torch.arange(width, device=positions.device, dtype=positions.dtype)
    return torch.relu(1 - (positions.unsqueeze(1) - knots).abs())
