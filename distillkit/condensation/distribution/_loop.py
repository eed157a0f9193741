"""The loop of distribution matching, which compares embeddings of random networks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from distillkit.condensation.distribution._comparisons import Comparison, Embedding
from distillkit.condensation.distribution._embedded_rows import EmbeddedRows
from distillkit.condensation.gradient._gradients import (
    Change,
    Gradient,
    batch_gradients,
    match_gradients,
    matched_weights,
    shared_change,
)
from distillkit.condensation.loop._loop import LoopContext
from distillkit.condensation.loop._matching_loop import MatchingLoop
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.nn import Augmentation, Threads, takes_threads
from distillkit.nn.runtime._seeding import seeded_or_not

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import Batch

__all__ = ["DistributionMatchingLoop", "DistributionMatchingSettings"]


@dataclass(frozen=True)
class DistributionMatchingSettings:
    """Settings of the loop of distribution matching.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    comparison : Comparison
    embedding : Embedding
    gradient_weight : float
        Weight of the loss of gradient matching in the sum; 0 leaves it out.
    outer : int
        Updates of the rows per network.
    real_batch : int
        Training rows of each group per network.
    real_draw : {"random", "clusters"}
        See `GroupRows`.
    augment : Augmentation or None
    vectorize : bool
        Whether gradients of all classes are taken in one pass; see `match_gradients`.
    """

    make_network: Callable[[int], nn.Module]
    comparison: Comparison
    embedding: Embedding
    gradient_weight: float
    outer: int
    real_batch: int
    real_draw: str
    augment: Augmentation | None
    vectorize: bool


class DistributionMatchingLoop(MatchingLoop):
    """One fit of distribution matching in progress.

    Parameters
    ----------
    context : LoopContext
    settings : DistributionMatchingSettings
    """

    name = "distribution matching"

    def __init__(self, context: LoopContext, settings: DistributionMatchingSettings) -> None:
        super().__init__(context, min(settings.real_batch, context.problem.largest_group))
        self.settings = settings
        self._real = GroupRows(
            self.problem, how=settings.real_draw, size=self.batch.size, keeps_scaled=True, run=self.run, own=self.own
        )
        self._threads = Threads(allowed=False)  # replaced in each round

    def _round(self) -> bool:
        settings = self.settings
        network = settings.make_network(self.run.seed()).requires_grad_(settings.gradient_weight > 0)
        real: _RealEmbeddings | None = None
        with Threads(allowed=takes_threads(network)) as self._threads:
            for update in range(settings.outer):
                real, own, figures = self._within_memory(functools.partial(self._match, network, real))
                gradients, figures = self.summed(own, figures)
                if self._update(gradients, **figures):
                    return update + 1 == settings.outer
        return True

    def _match(
        self, network: nn.Module, real: _RealEmbeddings | None
    ) -> tuple[_RealEmbeddings, Sequence[torch.Tensor], Mapping[str, float]]:
        """Embed training rows, unless that is done, and compare the synthetic rows with them."""
        size = self.batch.size
        # 1. Draw training rows once per network, and again where memory has made the batch smaller.
        batches = self._real.draw(size, self._draws) if real is None or real.size != size else real.batches
        # 2. Draw a random change, which training and synthetic rows share, so that the training
        # rows must be embedded again.
        change = shared_change(self.settings.augment, self._generator)
        if real is None or real.size != size or change is not None:
            real = self._embed_real(network, batches, change)
        # 3. Compare, and differentiate the distance by the synthetic rows.
        return real, *self._compare(network, real, change)

    def _embed_real(self, network: nn.Module, drawn: list[Batch], change: Change | None) -> _RealEmbeddings:
        settings, batches = self.settings, drawn
        if change is not None:
            batches = [(change(rows), targets) for rows, targets in drawn]
        X, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
        sizes, seeds = [len(rows) for rows, _ in batches], self.group_seeds(network, "real")
        embeddings = _by_group(
            lambda X, targets: settings.embedding.observe(network, X, targets, self._threads), X, targets, sizes, seeds
        )
        observed = settings.comparison.observe(EmbeddedRows(embeddings, self.processes), sizes)
        gradients = []
        if settings.gradient_weight:
            weights = matched_weights(network, "layer-cosine")
            precision = settings.embedding.precision

            def of_real(seed_and_batch: tuple[int | None, Batch]) -> Gradient:
                seed, batch = seed_and_batch
                with seeded_or_not(seed):
                    return batch_gradients(network, weights, batch, self.problem.loss, precision=precision)

            gradients = self._threads.map(of_real, zip(seeds, batches, strict=True))
        return _RealEmbeddings(observed, gradients, self.batch.size, drawn if change is not None else [])

    def _compare(
        self, network: nn.Module, real: _RealEmbeddings, change: Change | None
    ) -> tuple[list[torch.Tensor], dict[str, float]]:
        settings, rows = self.settings, self.rows
        sizes = rows.sizes[self.own]
        begin = sum(rows.sizes[: self.own.start or 0])
        part = slice(begin, begin + sum(sizes))
        X = rows.X[part] if change is None else change(rows.X[part])
        seeds = self.group_seeds(network, "synthetic")
        embeddings = _by_group(
            lambda X, targets: settings.embedding(network, X, targets, self._threads),
            X,
            rows.targets[part],
            sizes,
            seeds,
        )
        loss = settings.comparison.loss(real.observed, embeddings, sizes)
        gradients = list(torch.autograd.grad(loss, rows.leaves))
        figures = {"loss": float(loss.detach())}
        if settings.gradient_weight:
            match = match_gradients(
                network,
                matched_weights(network, "layer-cosine"),
                real.gradients,
                rows.batches()[self.own],
                self.problem.loss,
                "layer-cosine",
                rows.leaves,
                vectorize=settings.vectorize,
                change=change,
                threads=self._threads,
                seeds=seeds,
            )
            gradients = [a + settings.gradient_weight * b for a, b in zip(gradients, match.gradients, strict=True)]
            figures["loss"] += settings.gradient_weight * match.loss
            figures |= {"gradient_loss": match.loss, "similarity": match.similarity}
        return gradients, figures


def _by_group(
    embed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    X: torch.Tensor,
    targets: torch.Tensor,
    sizes: Sequence[int],
    seeds: Sequence[int | None],
) -> torch.Tensor:
    """Embed the rows at once, or those of one group at a time where groups have seeds."""
    if None in seeds:
        return embed(X, targets)
    groups, parts = zip(torch.split(X, list(sizes)), torch.split(targets, list(sizes)), strict=True), []
    for seed, group in zip(seeds, groups, strict=True):
        with seeded_or_not(seed):
            parts.append(embed(*group))
    return torch.cat(parts)


@dataclass(frozen=True)
class _RealEmbeddings:
    """What a network computed of training rows.

    Parameters
    ----------
    observed : Any
        For the comparison of embeddings.
    gradients : list of Gradient
        Of each group, with `gradient_weight`.
    size : int
        Rows per group that were asked for.
    batches : list of Batch
        The rows themselves, where they are to be embedded again.
    """

    observed: Any
    gradients: list[Gradient]
    size: int
    batches: list[Batch]
