"""What the comparisons of embeddings need to know of the training rows of all processes."""

from __future__ import annotations

import torch

from distillkit.condensation.processes._processes import Processes

__all__ = ["EmbeddedRows"]


class EmbeddedRows:
    """Embeddings of the training rows of a round, a part of them in each process.

    Parameters
    ----------
    own : tensor of shape (n, d)
        Embeddings of the rows of the groups of this process.
    processes : Processes or None, default=None
        None for one process, which has all rows.
    """

    def __init__(self, own: torch.Tensor, processes: Processes | None = None) -> None:
        self.own, self._processes = own, processes or Processes()

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and the standard deviation (d,) of all rows."""
        if not self._processes.is_shared:
            return self.own.mean(dim=0), self.own.std(dim=0, unbiased=False)
        count = torch.full_like(self.own[:1, :1], len(self.own))
        total, count = self._processes.sum([self.own.sum(dim=0, keepdim=True), count])
        mean = total[0] / count[0]
        (squares,) = self._processes.sum([(self.own - mean).square().sum(dim=0)])
        return mean, (squares / count[0]).sqrt()

    def sample(self, size: int) -> torch.Tensor:
        """Return every k-th of all rows, in the order of the groups, for at most `size` rows."""
        begin, total = 0, len(self.own)
        if self._processes.is_shared:
            counts = torch.zeros(self._processes.size, dtype=torch.int64)
            counts[self._processes.rank] = total
            (counts,) = self._processes.sum([counts])
            begin, total = int(counts[: self._processes.rank].sum()), int(counts.sum())
        every = -(-total // size)
        picked = self.own[-begin % every :: every]
        if not self._processes.is_shared:
            return picked
        # Each process fills in its own rows; the sum with the zeros of the others is exact.
        sample = torch.zeros(-(-total // every), self.own.shape[1], dtype=self.own.dtype, device=self.own.device)
        first = -(-begin // every)
        sample[first : first + len(picked)] = picked
        return self._processes.sum([sample])[0]
