"""The training loop of a GAN: batches, history, time limit and choice of the final generator."""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from distillkit.exceptions import DistillkitWarning
from distillkit.synthesis._adversaries import Adversaries
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["GeneratorScore", "endless_batches", "train"]

GeneratorScore = Callable[[nn.Module], float]
"""A score of a generator on held-out rows; higher is better."""


def train(
    adversaries: Adversaries,
    rows: torch.Tensor,
    positions: torch.Tensor,
    run: Run,
    *,
    batch_size: int,
    max_iter: int | None,
    record_every: int,
    share: float = 1.0,
    score: GeneratorScore | None = None,
    score_every: int | None = None,
    weight: np.ndarray | None = None,
) -> nn.Module:
    """Train until `max_iter` or the time limit, and return the averaged generator.

    Parameters
    ----------
    adversaries : Adversaries
    rows : tensor of shape (n, ...)
        Encoded training rows, on the device of the networks.
    positions : tensor of shape (n,)
        Conditions of the rows; see `Condition.positions`.
    run : Run
        Gives the seed for the order of the rows, and takes the history.
    batch_size, record_every : int
    max_iter : int or None
        Steps at most. None sets no limit, so that the time limit ends the training.
    share : float
        Share of ``run.max_seconds`` that may be spent on training.
    score : callable or None
        Scores the averaged generator every `score_every` steps and at the end; the generator with
        the best score is returned. None returns the last generator.
    score_every : int or None
        None scores at the end only.
    weight : ndarray of shape (n,) or None
        Weights of the rows, in proportion to which they are drawn.

    Returns
    -------
    Module

    Warns
    -----
    DistillkitWarning
        If a loss, a gradient or a generated row is not finite. Training ends before that step, and
        the last generator that makes finite rows is returned.
    """
    batches = endless_batches(len(rows), batch_size, np.random.RandomState(run.seed()), weight)
    snapshots, losses = GeneratorSnapshots(adversaries, score), list[tuple[float, float, float]]()
    run.stopped_by, trouble = "max_iter", None
    for step in itertools.count(1) if max_iter is None else range(1, max_iter + 1):
        # 1. Take one step of both networks.
        picks = torch.as_tensor(next(batches), device=rows.device)
        try:
            losses.append(adversaries.step(rows[picks], positions[picks]))
        except FloatingPointError as exc:
            trouble = f"{exc} in step {step}"
            break
        run.n_iter = step
        run.progress.update(step, max_iter, generator_loss=losses[-1][0], discriminator_loss=losses[-1][1])
        # 2. Score the generator, and write the history, at their intervals and at the end.
        out_of_time = _is_out_of_time(run, share)
        is_last = out_of_time or step == max_iter
        is_due = is_last or (score_every is not None and step % score_every == 0)
        held_out_score = snapshots.score(step) if is_due else None
        if is_last or step % record_every == 0 or held_out_score is not None:
            _record(run, step, losses, held_out_score)
            snapshots.save_if_finite(step)
        if out_of_time:
            run.stopped_by = "max_seconds"
            break
    # 3. Choose the generator to return.
    if trouble is None and not snapshots.is_finite():
        trouble = f"a generated row is not finite after step {run.n_iter}"
    network, network_step = snapshots.choose(run.n_iter)
    if trouble is not None:
        run.stopped_by = "not_finite"
        _warn(trouble, network_step)
    return network


def _warn(trouble: str, network_step: int) -> None:
    warnings.warn(
        f"{trouble}: the generator of step {network_step} is kept; lower generator_lr and discriminator_lr, or scale "
        "X.",
        DistillkitWarning,
        stacklevel=3,
    )


def endless_batches(
    n_rows: int, size: int, rng: np.random.RandomState, weight: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield batches of row positions forever: all rows in random order, then in another order.

    With weights, as many rows as there are in all are drawn in proportion to them instead.
    """
    queue: np.ndarray = np.empty(0, dtype=np.int64)
    while True:
        while len(queue) < size:
            rows = n_rows if weight is None else weighted_draw(weight, n_rows, rng)
            queue = np.concatenate([queue, rng.permutation(rows)])
        yield queue[:size]
        queue = queue[size:]


def _is_out_of_time(run: Run, share: float) -> bool:
    return run.max_seconds is not None and run.seconds >= share * run.max_seconds


def _record(run: Run, step: int, losses: list[tuple[float, float, float]], held_out_score: float | None) -> None:
    """Write the mean losses since the last record into the history, and empty `losses`."""
    names = ("generator_loss", "discriminator_loss", "discriminator_accuracy")
    means = dict(zip(names, np.mean(losses, axis=0).tolist(), strict=True)) if losses else {}
    run.record(iter=step, **means, **({} if held_out_score is None else {"held_out_score": held_out_score}))
    losses.clear()


class GeneratorSnapshots:
    """Copies of the averaged generator: the one with the best score and the last finite one.

    A generator counts as finite if the rows that it makes are. Weights can be finite and still too
    large to make finite rows, and the losses show that only in the step after.

    Parameters
    ----------
    adversaries : Adversaries
    score : callable or None
        Scores a generator; higher is better.
    """

    def __init__(self, adversaries: Adversaries, score: GeneratorScore | None) -> None:
        self._adversaries, self._score = adversaries, score
        self._current = adversaries.average.network
        self._last_finite, self._last_finite_step = copy.deepcopy(self._current), 0
        self._best: tuple[nn.Module, int] | None = None
        self._best_score = -np.inf

    def is_finite(self) -> bool:
        """Return whether the current generator makes finite rows."""
        return self._adversaries.makes_finite_rows(self._current)

    def save_if_finite(self, step: int) -> None:
        """Copy the current generator, as a fallback, if it makes finite rows."""
        if self.is_finite():
            self._last_finite, self._last_finite_step = copy.deepcopy(self._current), step

    def score(self, step: int) -> float | None:
        """Score the current generator, and copy it if its score is the best so far.

        Returns
        -------
        float or None
            None without a score function, and for a generator that makes rows that are not finite.
        """
        if self._score is None or not self.is_finite():
            return None
        score = self._score(self._current)
        if score > self._best_score:
            self._best_score, self._best = score, (copy.deepcopy(self._current), step)
        return score

    def choose(self, step: int) -> tuple[nn.Module, int]:
        """Return the generator to use, and the step that it is from.

        It is the generator with the best score; without scores the current generator if it is
        finite, or else the last finite one.

        Parameters
        ----------
        step : int
            The current step.
        """
        if self._best is not None:
            return self._best
        return (self._current, step) if self.is_finite() else (self._last_finite, self._last_finite_step)
