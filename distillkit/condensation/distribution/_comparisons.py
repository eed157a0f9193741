"""How the embeddings of real and of synthetic rows are compared, group by group: one class for each kind of loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import nn

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
"""Losses that look at the outputs of the network; the others look at its embedding."""

DISTRIBUTION_LOSSES = ("mean", "mmd", "wasserstein", "sinkhorn", *OUTPUT_LOSSES)
"""Names that `make_comparison` knows."""

Sample = tuple[torch.Tensor, torch.Tensor, Sequence[int]]
"""Rows (n, ...) and targets (n,) in the order of the groups, and the rows of each group."""

_CHUNK = 1024  # real rows at a time: nothing of them is kept but the embedding
_SCALE_ROWS = 500  # that the scale of the embeddings is taken from


class Embedding:
    """Maps rows to what a network sees in them.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    outputs : bool
        Whether the outputs are taken instead of the features before the head. (Networks without a method ``embed`` give their
        outputs in any case.)
    joint : bool
        Whether the features come once as they are and once multiplied with the target, so that means of them hold
        how both go together.
    """

    def __init__(self, precision: str, *, outputs: bool = False, joint: bool = False) -> None:
        self.precision, self.outputs, self.joint = precision, outputs, joint
        self._chunk = _CHUNK

    def __call__(
        self, network: nn.Module, rows: torch.Tensor, targets: torch.Tensor, threads: Threads | None = None
    ) -> torch.Tensor:
        """Return (n, d) in float32, or in the precision of rows that are not float32."""

        def embed(some: torch.Tensor) -> torch.Tensor:
            with mixed_precision(some.device, self.precision):
                found: torch.Tensor = (network if self.outputs else getattr(network, "embed", network))(some)
            return found.to(some.dtype).flatten(1)

        found = map_rows(embed, network, rows, threads or Threads(allowed=False))
        return torch.cat([found, found * targets[:, None]], dim=1) if self.joint else found

    @torch.no_grad()
    def observe(
        self, network: nn.Module, rows: torch.Tensor, targets: torch.Tensor, threads: Threads | None = None
    ) -> torch.Tensor:
        """Embed many rows without gradients, in chunks, which are halved where memory ends.

        Raises
        ------
        NotEnoughMemoryError
            If it ends for a single row.
        """
        parts: list[torch.Tensor] = []
        done = 0
        while done < len(rows):
            some = slice(done, done + self._chunk)
            try:
                parts.append(self(network, rows[some], targets[some], threads))
            except (RuntimeError, MemoryError) as exc:
                if not out_of_memory(exc):
                    raise
                if self._chunk == 1:
                    raise NotEnoughMemoryError("memory ended for a single row: lower width.") from exc
                self._chunk //= 2
                continue
            done += self._chunk
        return torch.cat(parts)


class Comparison(Protocol):
    """Two steps, since what is seen of the real rows serves several updates."""

    def observe(self, found: torch.Tensor, sizes: Sequence[int]) -> Any:
        """Take what is needed of the embeddings (n, d) of real rows, which are in the order of the groups."""

    def loss(self, observed: Any, found: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        """Return the sum over the groups of the distance between what was observed and the embeddings (m, d)."""


def make_comparison(loss: str) -> Comparison:
    """Return the comparison of a name in `DISTRIBUTION_LOSSES`."""
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

    def observe(self, found: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        return _means(found, sizes)

    def loss(self, observed: torch.Tensor, found: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        parts = torch.split(found, list(sizes))
        return torch.stack([mean_loss(mean[None], part) for mean, part in zip(observed, parts, strict=True)]).sum()


class _Outputs:
    """Divergence between the mean output distributions: softmax of outputs that the real rows standardize.

    Networks with random weights give outputs that hardly differ; as they are, every distribution would be near the uniform one.
    """

    def __init__(self, divergence: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        self._divergence = divergence

    def observe(self, found: torch.Tensor, sizes: Sequence[int]) -> tuple[torch.Tensor, ...]:
        mean, spread = found.mean(dim=0), found.std(dim=0, unbiased=False).clamp_min(1e-6)
        return _means(((found - mean) / spread).softmax(dim=1), sizes), mean, spread

    def loss(self, observed: tuple[torch.Tensor, ...], found: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        real, mean, spread = observed
        return self._divergence(real, _means(((found - mean) / spread).softmax(dim=1), sizes))


class _Samples:
    """A distance between the embeddings of a group as a whole, at the scale of the real ones."""

    def __init__(self, distance: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]) -> None:
        self._distance = distance

    def observe(self, found: torch.Tensor, sizes: Sequence[int]) -> tuple[list[torch.Tensor], float]:
        some = found[:: -(-len(found) // _SCALE_ROWS)].double().cpu().numpy()
        return list(torch.split(found, list(sizes))), median_bandwidth(some)

    def loss(
        self, observed: tuple[list[torch.Tensor], float], found: torch.Tensor, sizes: Sequence[int]
    ) -> torch.Tensor:
        pairs = zip(observed[0], torch.split(found, list(sizes)), strict=True)
        return torch.stack([self._distance(real, made, observed[1]) for real, made in pairs]).sum()


def _means(found: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Mean of each group (n_groups, d), as one product: unlike sums by index it gives the same bits on a GPU, too."""
    counts = torch.tensor(sizes, device=found.device)
    group = torch.repeat_interleave(torch.arange(len(sizes), device=found.device), counts)
    share = torch.zeros(len(sizes), len(found), dtype=found.dtype, device=found.device)
    share[group, torch.arange(len(found), device=found.device)] = 1 / counts.to(found.dtype)[group]
    return share @ found
