"""The loop: batches, history, the clock, the best snapshot, and the guard against losses that are not finite."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from distillkit.exceptions import DistillkitWarning
from distillkit.synthesis._adversaries import Adversaries

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["Check", "endless_batches", "train"]

Check = Callable[[nn.Module], float]
"""How good a generator is on held-out rows; higher is better."""


def train(
    players: Adversaries,
    rows: torch.Tensor,
    places: torch.Tensor,
    run: Run,
    *,
    batch_size: int,
    max_iter: int,
    record_every: int,
    share: float = 1.0,
    check: Check | None = None,
    check_every: int = 500,
) -> nn.Module:
    """Train until `max_iter` or the clock ends it, and return the averaged generator.

    Parameters
    ----------
    players : Adversaries
    rows : tensor of shape (n, ...)
        Encoded training rows, on the device of the players.
    places : tensor of shape (n,)
    run : Run
        Gives the order of the rows, takes the history.
    batch_size, max_iter, record_every : int
    share : float
        Share of ``run.max_seconds`` that may be spent here.
    check : callable or None
        Scores the averaged generator every `check_every` steps and at the end; the best scored is returned. None: the last.
    check_every : int

    Warns
    -----
    DistillkitWarning
        If a loss, a gradient or what is made is not finite. Training ends before that step, with the last generator that makes
        finite rows.
    """
    batches = endless_batches(len(rows), batch_size, np.random.RandomState(run.seed()))
    kept, block = Kept(players, check), list[tuple[float, float, float]]()
    run.stopped_by, trouble = "max_iter", None
    for step in range(1, max_iter + 1):
        picks = torch.as_tensor(next(batches), device=rows.device)
        try:
            block.append(players.step(rows[picks], places[picks]))
        except FloatingPointError as exc:
            trouble = f"{exc} in step {step}"
            break
        run.n_iter = step
        over = _is_over(run, share)
        last = over or step == max_iter
        held_out = kept.score(step) if last or step % check_every == 0 else None
        if last or step % record_every == 0 or held_out is not None:
            _record(run, step, block, held_out)
            kept.take(step)
        if over:
            run.stopped_by = "max_seconds"
            break
    if trouble is None and not kept.is_finite():
        trouble = f"what the generator makes is not finite after step {run.n_iter}"
    network, of_step = kept.choose(run.n_iter)
    if trouble is not None:
        run.stopped_by = "not_finite"
        _warn(trouble, of_step)
    return network


def _warn(trouble: str, of_step: int) -> None:
    warnings.warn(
        f"{trouble}: the generator of step {of_step} is kept; lower generator_lr and discriminator_lr, or scale X.",
        DistillkitWarning,
        stacklevel=3,
    )


def endless_batches(n_rows: int, size: int, rng: np.random.RandomState) -> Iterator[np.ndarray]:
    """Yield positions of `size` rows for ever: all rows in random order, then all again in another."""
    left: np.ndarray = np.empty(0, dtype=np.int64)
    while True:
        while len(left) < size:
            left = np.concatenate([left, rng.permutation(n_rows)])
        yield left[:size]
        left = left[size:]


def _is_over(run: Run, share: float) -> bool:
    return run.max_seconds is not None and run.seconds >= share * run.max_seconds


def _record(run: Run, step: int, block: list[tuple[float, float, float]], held_out: float | None) -> None:
    """Write the means since the last record into the history."""
    names = ("generator_loss", "discriminator_loss", "discriminator_accuracy")
    means = dict(zip(names, np.mean(block, axis=0).tolist(), strict=True)) if block else {}
    run.record(iter=step, **means, **({} if held_out is None else {"held_out_score": held_out}))
    block.clear()


class Kept:
    """Which averaged generator is kept: the best scored, else the newest that makes finite rows.

    Weights can be finite and still too large to make finite rows, which shows only in the step after the one that made them so.

    Parameters
    ----------
    players : Adversaries
    check : callable or None
    """

    def __init__(self, players: Adversaries, check: Check | None) -> None:
        self._players, self._check = players, check
        self._live = players.average.network
        self._safe, self._safe_step = copy.deepcopy(self._live), 0
        self._best: tuple[nn.Module, int] | None = None
        self._score = -np.inf

    def is_finite(self) -> bool:
        """Whether the generator of now makes finite rows."""
        return self._players.makes_finite_rows(self._live)

    def take(self, step: int) -> None:
        """Copy the generator of now, to fall back to, if it makes finite rows."""
        if self.is_finite():
            self._safe, self._safe_step = copy.deepcopy(self._live), step

    def score(self, step: int) -> float | None:
        """Score the generator of now, and copy it if it is the best; None where nothing is scored, or not finite."""
        if self._check is None or not self.is_finite():
            return None
        score = self._check(self._live)
        if score > self._score:
            self._score, self._best = score, (copy.deepcopy(self._live), step)
        return score

    def choose(self, step: int) -> tuple[nn.Module, int]:
        """Return the generator that is kept and its step; `step` is that of now."""
        if self._best is not None:
            return self._best
        return (self._live, step) if self.is_finite() else (self._safe, self._safe_step)
