"""Losses that compare the embeddings of real and synthetic rows, group by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import nn

from distillkit.condensation.distribution._embedded_rows import EmbeddedRows
from distillkit.condensation.loop._batch_size import out_of_memory
from distillkit.distances import (
    js_loss,
    kl_loss,
    mean_loss,
    median_bandwidth,
    mmd_loss,
    sinkhorn_loss,
    wasserstein_loss,
)
from distillkit.exceptions import NotEnoughMemoryError
from distillkit.nn import Threads, map_rows, mixed_precision

__all__ = ["DISTRIBUTION_LOSSES", "OUTPUT_LOSSES", "Comparison", "Embedding", "make_comparison"]

OUTPUT_LOSSES = ("kl", "js")
"""Losses that compare the outputs of a network; the others compare its embeddings."""

DISTRIBUTION_LOSSES = ("mean", "mmd", "wasserstein", "sinkhorn", *OUTPUT_LOSSES)
"""Names of losses that `make_comparison` knows."""

Sample = tuple[torch.Tensor, torch.Tensor, Sequence[int]]
"""Rows (n, ...) and targets (n,) in the order of the groups, and the rows of each group."""

_CHUNK = 1024  # real rows embedded at a time; only their embeddings are kept
_SCALE_ROWS = 500  # rows from which the scale of the embeddings is computed


class Embedding:
    """Maps rows to the features of a network, or to its outputs.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    outputs : bool, default=False
        Whether to take the outputs instead of the features before the head. Networks without a
        method ``embed`` give their outputs in any case.
    joint : bool, default=False
        Whether to append the features multiplied by the target, so that the mean embedding also
        describes the dependence between features and target.
    """

    def __init__(self, precision: str, *, outputs: bool = False, joint: bool = False) -> None:
        self.precision, self.outputs, self.joint = precision, outputs, joint
        self._chunk = _CHUNK

    def __call__(
        self, network: nn.Module, rows: torch.Tensor, targets: torch.Tensor, threads: Threads | None = None
    ) -> torch.Tensor:
        """Return embeddings of shape (n, d), in the dtype of the rows."""

        def embed(piece: torch.Tensor) -> torch.Tensor:
            with mixed_precision(piece.device, self.precision):
                features: torch.Tensor = (network if self.outputs else getattr(network, "embed", network))(piece)
            return features.to(piece.dtype).flatten(1)

        embeddings = map_rows(embed, network, rows, threads or Threads(allowed=False))
        return torch.cat([embeddings, embeddings * targets[:, None]], dim=1) if self.joint else embeddings

    @torch.no_grad()
    def observe(
        self, network: nn.Module, rows: torch.Tensor, targets: torch.Tensor, threads: Threads | None = None
    ) -> torch.Tensor:
        """Embed many rows without gradients, in chunks that are halved when memory runs out.

        Raises
        ------
        NotEnoughMemoryError
            If memory runs out for a single row.
        """
        parts: list[torch.Tensor] = []
        n_done = 0
        while n_done < len(rows):
            chunk = slice(n_done, n_done + self._chunk)
            try:
                parts.append(self(network, rows[chunk], targets[chunk], threads))
            except (RuntimeError, MemoryError) as exc:
                if not out_of_memory(exc):
                    raise
                if self._chunk == 1:
                    raise NotEnoughMemoryError("memory ran out for a single row: lower width.") from exc
                self._chunk //= 2
                continue
            n_done += self._chunk
        return torch.cat(parts)


class Comparison(Protocol):
    """Interface of a loss between embeddings, in two steps.

    Real rows are observed once, and the result serves several updates of the synthetic rows.
    """

    def observe(self, rows: EmbeddedRows, sizes: Sequence[int]) -> Any:
        """Summarize the embeddings of real rows, which are in the order of the groups."""

    def loss(self, observed: Any, embeddings: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        """Return the sum of the distances of all groups, with synthetic embeddings (m, d)."""


def make_comparison(loss: str) -> Comparison:
    """Return the comparison for a name in `DISTRIBUTION_LOSSES`."""
    if loss == "mean":
        return _Means()
    if loss in OUTPUT_LOSSES:
        return _Outputs(kl_loss if loss == "kl" else js_loss)
    losses: dict[str, Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]] = {
        "mmd": mmd_loss,
        "wasserstein": lambda X, Y, _: wasserstein_loss(X, Y),
        "sinkhorn": lambda X, Y, scale: sinkhorn_loss(X, Y, scale**2 / 10),
    }
    return _Samples(losses[loss])


class _Means:
    """Squared distance between the mean embeddings."""

    def observe(self, rows: EmbeddedRows, sizes: Sequence[int]) -> torch.Tensor:
        return _group_means(rows.own, sizes)

    def loss(self, observed: torch.Tensor, embeddings: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        parts = torch.split(embeddings, list(sizes))
        return torch.stack([mean_loss(mean[None], part) for mean, part in zip(observed, parts, strict=True)]).sum()


class _Outputs:
    """Divergence between the mean output distributions of real and synthetic rows.

    The outputs are standardized by their mean and standard deviation over the real rows before the
    softmax. Otherwise the outputs of networks with random weights would hardly differ, and every
    distribution would be close to uniform.
    """

    def __init__(self, divergence: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        self._divergence = divergence

    def observe(self, rows: EmbeddedRows, sizes: Sequence[int]) -> tuple[torch.Tensor, ...]:
        mean, scale = rows.moments()
        scale = scale.clamp_min(1e-6)
        return _group_means(((rows.own - mean) / scale).softmax(dim=1), sizes), mean, scale

    def loss(self, observed: tuple[torch.Tensor, ...], embeddings: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        real, mean, scale = observed
        return self._divergence(real, _group_means(((embeddings - mean) / scale).softmax(dim=1), sizes))


class _Samples:
    """Distance between the samples of embeddings of each group.

    Its scale parameter is the median bandwidth of the real embeddings.
    """

    def __init__(self, distance: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]) -> None:
        self._distance = distance

    def observe(self, rows: EmbeddedRows, sizes: Sequence[int]) -> tuple[list[torch.Tensor], float]:
        sample = rows.sample(_SCALE_ROWS).double().cpu().numpy()
        return list(torch.split(rows.own, list(sizes))), median_bandwidth(sample)

    def loss(
        self, observed: tuple[list[torch.Tensor], float], embeddings: torch.Tensor, sizes: Sequence[int]
    ) -> torch.Tensor:
        pairs = zip(observed[0], torch.split(embeddings, list(sizes)), strict=True)
        return torch.stack([self._distance(real, synthetic, observed[1]) for real, synthetic in pairs]).sum()


def _group_means(embeddings: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Return the mean embedding of each group (n_groups, d).

    The means are computed as one matrix product, which is reproducible to the bit on a GPU, unlike
    sums by index.
    """
    device, dtype = embeddings.device, embeddings.dtype
    counts = torch.tensor(sizes, device=device)
    group = torch.repeat_interleave(torch.arange(len(sizes), device=device), counts)
    weights = torch.zeros(len(sizes), len(embeddings), dtype=dtype, device=device)
    weights[group, torch.arange(len(embeddings), device=device)] = 1 / counts.to(dtype)[group]
    return weights @ embeddings
