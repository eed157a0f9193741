"""What a loop asks of the processes that share its fit, and the answers of a single process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["Processes"]

_T = TypeVar("_T")


class Processes:
    """The processes that share one fit; this class is that of a fit in one process.

    Attributes
    ----------
    rank : int
        Number of this process; process 0 is called the first one.
    size : int
        Number of processes.
    """

    rank, size = 0, 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that validates, warns and writes files."""
        return self.rank == 0

    @property
    def is_shared(self) -> bool:
        """Whether there are several processes."""
        return self.size > 1

    def share(self, costs: Sequence[float]) -> slice:
        """Return the groups of this process: neighbors, of about equal cost in each process.

        Parameters
        ----------
        costs : sequence of float
            Work of each group, which is positive.

        Raises
        ------
        DataError
            If there are fewer groups than processes.
        """
        if len(costs) < self.size:
            groups = "one group" if len(costs) == 1 else f"{len(costs)} groups"
            raise DataError(
                f"{self.size} processes cannot share {groups} of rows: start at most one process per class (or bin "
                "of a continuous target), or give processes=None, which fits in each process on its own."
            )
        # A group belongs to the process in whose part of the total cost its middle lies, unless a
        # process before it, or one after it, would be left without any.
        total, begin, owner, owners = float(sum(costs)), 0.0, -1, []
        for number, cost in enumerate(costs):
            wanted, begin = int((begin + cost / 2) / total * self.size), begin + cost
            owner = max(owner, self.size - len(costs) + number, min(wanted, owner + 1))
            owners.append(owner)
        return slice(owners.index(self.rank), len(owners) - owners[::-1].index(self.rank))

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Keep the processes together for a fit: an error of one of them ends it in all of them."""
        yield

    @contextmanager
    def keeping_time(self, run: Run) -> Iterator[None]:
        """Let the clock of the first process, read once per update, decide in all processes."""
        yield

    def same(self, key: Mapping[str, Any]) -> None:
        """Check that all processes fit the same data with the same settings."""

    def attempt(self, work: Callable[[], _T], *, retried: bool = False) -> _T:
        """Return the result of work in which a process may fail on its own.

        Parameters
        ----------
        work : callable
        retried : bool, default=False
            Whether the caller does the work again where memory ends in any process.
        """
        return work()

    def first(self, work: Callable[[], _T]) -> _T:
        """Return the result of work that the first process does for all."""
        return work()

    def sum(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the sums of tensors over the processes, which have them in equal shapes."""
        return list(tensors)

    def tick(self) -> None:
        """Read the clock, between two reads that other steps bring with them."""
