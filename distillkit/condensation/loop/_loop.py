"""The loop around the updates of every method: the best rows, stopping, checkpoints and Ctrl-C."""

from __future__ import annotations

import functools
import math
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch

from distillkit.condensation.loop._batch_size import BatchSize, out_of_memory
from distillkit.condensation.loop._checkpoint import Checkpoint, State
from distillkit.condensation.loop._divergence import has_diverged
from distillkit.condensation.loop._synthetic_rows import Snapshot
from distillkit.condensation.processes._processes import Processes
from distillkit.exceptions import DistillkitWarning, NotEnoughMemoryError
from distillkit.nn import Progress, make_generator, seeded

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.loop._validation import Judge
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["Loop", "LoopContext"]

_T = TypeVar("_T")

_SECONDS_BETWEEN_WRITES = 15


@dataclass(frozen=True)
class LoopContext:
    """Everything that a loop works on and stops by, whatever the method.

    Parameters
    ----------
    problem : CondensationProblem
    rows : SyntheticRows
        The first rows, which the loop updates in place.
    run : Run
        Clock, history and randomness of the fit.
    monitor : LossMonitor
        Tells whether the smoothed loss has converged.
    max_iter : int or None
        Updates of the rows at most. None sets no limit, so that the time of `run` ends the loop.
    schedule : {"constant", "linear"}, default="constant"
        How the learning rates of the rows change. "linear" lets them fall to zero at the end of the
        updates, or of the time where that comes first; without `max_iter` it follows the clock.
    judge : Judge or None, default=None
        Validates the rows; the best and the end of patience then go by it, and not by the monitor.
    split_seed : int, default=0
        Seed that the validation rows were drawn with.
    checkpoint : Checkpoint or None, default=None
    on_interrupt : {"raise", "return"}, default="raise"
        What Ctrl-C does.
    processes : Processes, default=Processes()
        The processes that share the fit.
    """

    problem: CondensationProblem
    rows: SyntheticRows
    run: Run
    monitor: LossMonitor
    max_iter: int | None
    schedule: str = "constant"
    judge: Judge | None = None
    split_seed: int = 0
    checkpoint: Checkpoint | None = None
    on_interrupt: str = "raise"
    processes: Processes = field(default_factory=Processes)


class Loop(ABC):
    """One fit in progress; a method writes `_round`.

    Parameters
    ----------
    context : LoopContext
    batch : int
        Rows per update, which are halved where memory ends.

    Attributes
    ----------
    best : Snapshot
        The best rows so far.
    error : NotEnoughMemoryError or None
        Says that memory has ended after updates whose best rows are worth keeping.
    """

    name: ClassVar[str]
    """Name of the method in warnings."""
    remedy: ClassVar[str] = "lower lr, or give clip_rms"
    """Remedy that the warning of divergence names."""
    batch_name: ClassVar[str] = "real_batch"
    """Parameter whose rows are halved where memory ends."""
    memory_remedy: ClassVar[str] = "lower width or budget"
    """Remedy that is named where memory does not suffice for the smallest batch either."""
    random_layers: bool = True
    """Whether networks may draw random numbers, as dropout does, so that rounds set a seed."""

    def __init__(self, context: LoopContext, batch: int) -> None:
        self.context = context
        self.problem, self.rows, self.run = context.problem, context.rows, context.run
        self.processes = context.processes
        self._draws = np.random.default_rng(self.run.seed())
        self._generator = make_generator(self.run.seed())
        self.batch = BatchSize(self.batch_name, batch, self.memory_remedy)
        self.error: NotEnoughMemoryError | None = None
        self.best, self.best_iter = self.rows.snapshot(), 0
        self._start, self._first_loss = self.best, math.inf
        self._state: State | None = None
        limit = self.run.max_seconds
        self._progress = Progress(None if limit is None else lambda: self.run.seconds / limit)
        self._written = time.perf_counter()

    @abstractmethod
    def _round(self) -> bool:
        """Do the updates between two points where a run can be resumed.

        Each update ends with `_update`; where that returns True, the round returns.

        Returns
        -------
        bool
            Whether the second point was reached.
        """

    def optimize(self) -> Snapshot:
        """Update the rows until updates, seconds or patience end, and return the best rows.

        Raises
        ------
        NotEnoughMemoryError
            If memory ends before the first update; later it is noted in `error`.

        Warns
        -----
        DistillkitWarning
            If a loss or the rows are not finite: the best finite rows are kept. If the optimization
            has diverged otherwise, see `has_diverged`: the first rows are kept. If memory ends: the
            batch is halved.
        """
        try:
            self.processes.attempt(self._all_updates)
            if self._returns_to_start():
                self._warn("the rows have diverged: the best ones lie far outside of the range of the training rows")
        except FloatingPointError as exc:
            self.run.stopped_by = "not_finite"
            self._returns_to_start()
            self._warn(str(exc))
        except (RuntimeError, MemoryError) as exc:
            if not out_of_memory(exc):
                raise
            self._end_of_memory(exc)
        except KeyboardInterrupt:
            if self.context.on_interrupt != "return":
                raise
            self.run.stopped_by = "interrupted"
        finally:
            self._write()
        return self.best

    def _all_updates(self) -> None:
        self._rounds()
        self._finish()

    def _rounds(self) -> None:
        if self.run.n_iter and self._stops():
            return
        judge = self.context.judge
        if judge is not None and judge.judges_start and not self.run.n_iter:
            judge.judge(self.best, 0)
        writes = self.context.checkpoint is not None
        if writes:
            self._state = self.state()
        while self.run.stopped_by is None:
            # The seed serves layers that are random themselves, such as dropout.
            seed = self._generator.initial_seed() + self.run.n_iter
            with seeded(seed) if self.random_layers else nullcontext():
                complete = self._round()
            if complete and writes:
                self._state = self.state()
                if time.perf_counter() - self._written > _SECONDS_BETWEEN_WRITES:
                    self._write()

    def _within_memory(self, work: Callable[[], _T]) -> _T:
        """Do a part of an update, again with half the batch where memory ends.

        The part may change only the random states, which are restored before a repetition.
        """
        before = self._random_states()
        where = f"iteration {self.run.n_iter + 1} of {self.name}"
        attempt = functools.partial(self.processes.attempt, work, retried=True)
        return self.batch.fit(attempt, lambda: self._set_random_states(before), where)

    def _out_of_time(self) -> bool:
        """Return whether the time is over, between two updates."""
        if self.run.max_seconds is not None:
            self.processes.tick()
        return self.run.out_of_time()

    def _random_states(self) -> tuple[Any, Any, torch.Tensor]:
        return self.run.rng.get_state(), self._draws.bit_generator.state, self._generator.get_state()

    def _set_random_states(self, states: tuple[Any, Any, torch.Tensor]) -> None:
        self.run.rng.set_state(states[0])
        self._draws.bit_generator.state = states[1]
        self._generator.set_state(states[2])

    def _end_of_memory(self, exc: Exception) -> None:
        where = f"iteration {self.run.n_iter + 1} of {self.name}"
        is_explained = isinstance(exc, NotEnoughMemoryError)
        message = str(exc) if is_explained else f"memory ran out in {where}: {self.memory_remedy}."
        self.run.stopped_by = "out_of_memory"
        if not self.run.n_iter:
            raise NotEnoughMemoryError(message) from exc
        self.error = NotEnoughMemoryError(f"{message} The rows of iteration {self.best_iter} are kept in distilled_.")
        self.error.__cause__ = exc.with_traceback(None)

    def notes(self) -> dict[str, Any]:
        """Return notes for the provenance: the batch size, where memory made it smaller."""
        return {self.batch.name: self.batch.size} if self.batch.size < self.batch.first else {}

    def fitted_attributes(self) -> dict[str, Any]:
        """Return the fitted attributes of the condenser that only this method has, by name."""
        return {}

    def _update(self, gradients: Sequence[torch.Tensor], **figures: float) -> bool:
        """Update the rows, record the figures (one is "loss"), and return whether the run ends."""
        # 1. Take a step, unless the loss is infinite.
        self.run.n_iter += 1
        if not (math.isfinite(figures["loss"]) and self.rows.update(gradients, self._share_of_rate())):
            raise FloatingPointError("the matching loss or the rows are not finite")
        if self.run.n_iter == 1:
            self._first_loss = figures["loss"]
        # 2. At the end of a block, decide whether these rows are the best so far.
        if self.context.monitor.add(figures):
            self._close_block()
        self.run.progress.update(
            self.run.n_iter,
            self.context.max_iter,
            steps_left=self._patience_left(),
            seconds=self.run.seconds,
            loss=figures["loss"],
        )
        return self._stops()

    def _patience_left(self) -> int | None:
        """Return the updates after which patience ends, if none of them improves the rows."""
        judge, monitor = self.context.judge, self.context.monitor
        if judge is not None:
            return None if judge.patience is None else judge.patience - (self.run.n_iter - judge.at)
        return None if monitor.patience is None else monitor.patience - monitor.waited

    def _share_of_rate(self) -> float:
        if self.context.schedule == "constant":
            return 1.0
        if self.context.max_iter is None:
            return 1 - min(self.run.seconds / self.run.max_seconds, 1.0) if self.run.max_seconds else 1.0
        return 1 - self._progress((self.run.n_iter - 0.5) / self.context.max_iter)

    def _close_block(self) -> None:
        means = self.context.monitor.close()
        if means is None:
            return
        judge, good = self.context.judge, self.context.monitor.as_good
        if judge is not None:
            good = False
            if judge.due(self.run.n_iter):
                figures, good = judge.judge(self.rows.snapshot(), self.run.n_iter)
                means |= figures
        self.run.record(iteration=self.run.n_iter, **means)
        if good:
            self.best, self.best_iter = self.rows.snapshot(), self.run.n_iter

    def _finish(self) -> None:
        """End the last block, and validate the last rows. A run that is resumed does neither."""
        self._close_block()
        judge = self.context.judge
        if judge is not None and judge.last != self.run.n_iter:
            figures, good = judge.judge(self.rows.snapshot(), self.run.n_iter)
            self.run.history[-1] |= figures
            if good:
                self.best, self.best_iter = self.rows.snapshot(), self.run.n_iter

    def _returns_to_start(self) -> bool:
        """Make the first rows the best ones if the run has diverged, and return whether it has."""
        losses = {"first_loss": self._first_loss, "lowest_loss": self.context.monitor.lowest}
        if not self.best_iter or not has_diverged(self.best, self._start, **losses, limits=self.problem.limits()):
            return False
        self.best, self.best_iter = self._start, 0
        return True

    def _stops(self) -> bool:
        judge = self.context.judge
        converged = self.context.monitor.converged if judge is None else judge.exhausted(self.run.n_iter)
        if self.context.max_iter is not None and self.run.n_iter >= self.context.max_iter:
            self.run.stopped_by = "max_iter"
        elif converged:
            self.run.stopped_by = "converged"
        else:
            # The last rows are validated, too, so that time must be left for it.
            self.run.out_of_time(0.0 if judge is None or judge.last == self.run.n_iter else judge.took)
        return self.run.stopped_by is not None

    def _warn(self, cause: str) -> None:
        warnings.warn(
            f"{cause.rstrip('.')}, at iteration {self.run.n_iter} of {self.name}: the rows of iteration "
            f"{self.best_iter} are kept; {self.remedy}.",
            DistillkitWarning,
            stacklevel=7,
        )

    def _write(self) -> None:
        if self.context.checkpoint is not None and self._state is not None:
            self.context.checkpoint.write(self._state)
            self._state, self._written = None, time.perf_counter()

    def state(self) -> State:
        """Return everything that the next round depends on."""
        algorithm, keys, *rest = tuple(self.run.rng.get_state())
        tensors = {f"rows.{name}": part for name, part in self.rows.state().items()}
        tensors |= {f"best.{name}": part.cpu().clone() for name, part in self.best.parts().items()}
        tensors |= {f"start.{name}": part.cpu().clone() for name, part in self._start.parts().items()}
        tensors |= {
            "rng": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "generator": self._generator.get_state(),
        }
        values = {
            "watch": self.context.monitor.state(),
            "validation": None if self.context.judge is None else self.context.judge.state(),
            "split_seed": self.context.split_seed,
            "batch": self.batch.size,
            "n_iter": self.run.n_iter,
            "best_iter": self.best_iter,
            "first_loss": self._first_loss if math.isfinite(self._first_loss) else None,
            "history": [dict(record) for record in self.run.history],
            "seconds": self.run.seconds,
            "rng": [algorithm, *rest],
            "draws": self._draws.bit_generator.state,
        }
        return State(tensors, values)

    def restore(self, state: State) -> None:
        """Continue from what `state` returned; the seconds until then count."""
        tensors, values = state.tensors, state.values
        self.rows.restore(
            {name.removeprefix("rows."): part for name, part in tensors.items() if name.startswith("rows.")}
        )
        device = self.problem.device
        self.best = _snapshot(tensors, "best.", device)
        self.best_iter = values["best_iter"]
        # Checkpoints of earlier versions lack the first rows; such a run is not compared with them.
        self._start = _snapshot(tensors, "start.", device) if "start.X" in tensors else self.best
        first_loss = values.get("first_loss")
        self._first_loss = math.inf if first_loss is None else float(first_loss)
        self.context.monitor.restore(values["watch"])
        self.batch.size = values["batch"]
        if self.context.judge is not None:
            self.context.judge.restore(values["validation"])
        self.run.n_iter, self.run.history = values["n_iter"], list(values["history"])
        self.run.started -= values["seconds"]
        algorithm, *rest = values["rng"]
        self.run.rng.set_state((algorithm, tensors["rng"].numpy().astype(np.uint32), *rest))
        self._generator.set_state(tensors["generator"])
        self._draws.bit_generator.state = values["draws"]


def _snapshot(tensors: Mapping[str, torch.Tensor], prefix: str, device: torch.device) -> Snapshot:
    """Return the snapshot whose parts have names with a prefix."""
    parts = {name.removeprefix(prefix): part for name, part in tensors.items() if name.startswith(prefix)}
    return Snapshot(**{name: part.to(device) for name, part in parts.items()})
