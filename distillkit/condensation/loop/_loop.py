"""The loop around every iterative condenser: blocks, the best state, what ends a run, checkpoints and Ctrl-C."""

from __future__ import annotations

import math
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch

from distillkit.condensation.loop._batch_size import BatchSize, out_of_memory
from distillkit.condensation.loop._checkpoint import Checkpoint, State
from distillkit.condensation.loop._synthetic_rows import Snapshot
from distillkit.exceptions import DistillkitWarning, NotEnoughMemoryError
from distillkit.nn import Progress, make_generator, seeded

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.loop._validation import Judge
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["Controls", "Loop"]

_T = TypeVar("_T")

_SECONDS_BETWEEN_WRITES = 15


@dataclass(frozen=True)
class Controls:
    """What ends a run, and what is kept of it.

    Parameters
    ----------
    max_iter : int
        Updates of the rows at most.
    on_interrupt : {"raise", "return"}
        What Ctrl-C does.
    checkpoint : Checkpoint or None
    validation : Judge or None
    split_seed : int
        That the rows held out were drawn by.
    schedule : {"constant", "linear"}
        Of the rates of the rows: "linear" falls to zero at the end of the updates, or of the time where that comes first.
    """

    max_iter: int
    on_interrupt: str = "raise"
    checkpoint: Checkpoint | None = None
    validation: Judge | None = None
    split_seed: int = 0
    schedule: str = "constant"


class Loop(ABC):
    """One fit under way; a method writes `_round`.

    Parameters
    ----------
    problem : Problem
    rows : SyntheticRows
    monitor : LossMonitor
    run : Run
    controls : Controls
    batch : int
        Rows per update that are halved where memory ends.

    Attributes
    ----------
    best : Snapshot
        The best rows so far.
    error : NotEnoughMemoryError or None
        That memory has ended, after updates whose best rows are worth keeping.
    """

    name: ClassVar[str]
    """What the method is called in warnings."""
    remedy: ClassVar[str] = "lower lr, or give max_norm"
    """What helps where it diverges."""
    batch_name: ClassVar[str] = "real_batch"
    """Parameter whose rows are halved where memory ends."""
    memory_remedy: ClassVar[str] = "lower width or budget"
    """What helps where that is not enough."""

    def __init__(
        self,
        problem: CondensationProblem,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
        batch: int,
    ) -> None:
        self.problem, self.rows, self.monitor, self.run, self.controls = problem, rows, monitor, run, controls
        self._draws = np.random.default_rng(run.seed())
        self._generator = make_generator(run.seed())
        self.batch = BatchSize(self.batch_name, batch, self.memory_remedy)
        self.error: NotEnoughMemoryError | None = None
        self.best, self.best_iter = rows.snapshot(), 0
        self._state: State | None = None
        limit = run.max_seconds
        self._progress = Progress(None if limit is None else lambda: run.seconds / limit)
        self._written = time.perf_counter()

    @abstractmethod
    def _round(self) -> bool:
        """Do the updates from one point where a run can be resumed to the next; return whether that was reached.

        Each update ends with `_update`, after which True means to return.
        """

    def optimise(self) -> Snapshot:
        """Run until steps, seconds or patience end; return the best rows and targets, in the units of the network.

        Raises
        ------
        NotEnoughMemoryError
            If memory ends before the first update; later it is noted in `error`.

        Warns
        -----
        DistillkitWarning
            If a loss or the rows are not finite: the best finite state is kept. If memory ends: the batch is halved.
        """
        try:
            self._rounds()
            self._finish()
        except FloatingPointError as exc:
            self.run.stopped_by = "not_finite"
            self._warn(str(exc))
        except (RuntimeError, MemoryError) as exc:
            if not out_of_memory(exc):
                raise
            self._end_of_memory(exc)
        except KeyboardInterrupt:
            if self.controls.on_interrupt != "return":
                raise
            self.run.stopped_by = "interrupted"
        finally:
            self._write()
        return self.best

    def _rounds(self) -> None:
        if self.run.n_iter and self._stops():
            return
        validation = self.controls.validation
        if validation is not None and validation.judges_start and not self.run.n_iter:
            validation.judge(self.best, 0)
        keeps = self.controls.checkpoint is not None
        if keeps:
            self._state = self.state()
        while self.run.stopped_by is None:
            # for layers that are random themselves (dropout)
            with seeded(self._generator.initial_seed() + self.run.n_iter):
                complete = self._round()
            if complete and keeps:
                self._state = self.state()
                if time.perf_counter() - self._written > _SECONDS_BETWEEN_WRITES:
                    self._write()

    def _within_memory(self, work: Callable[[], _T]) -> _T:
        """Do a part of an update that changes nothing but the random states, with smaller batches where memory ends."""
        before = self._random_states()
        where = f"iteration {self.run.n_iter + 1} of {self.name}"
        return self.batch.fit(work, lambda: self._set_random_states(before), where)

    def _random_states(self) -> tuple[Any, Any, torch.Tensor]:
        return self.run.rng.get_state(), self._draws.bit_generator.state, self._generator.get_state()

    def _set_random_states(self, states: tuple[Any, Any, torch.Tensor]) -> None:
        self.run.rng.set_state(states[0])
        self._draws.bit_generator.state = states[1]
        self._generator.set_state(states[2])

    def _end_of_memory(self, exc: Exception) -> None:
        where = f"iteration {self.run.n_iter + 1} of {self.name}"
        known = isinstance(exc, NotEnoughMemoryError)
        told = str(exc) if known else f"memory ran out in {where}: {self.memory_remedy}."
        self.run.stopped_by = "out_of_memory"
        if not self.run.n_iter:
            raise NotEnoughMemoryError(told) from exc
        self.error = NotEnoughMemoryError(f"{told} The rows of iteration {self.best_iter} are kept in distilled_.")
        self.error.__cause__ = exc.with_traceback(None)

    def notes(self) -> dict[str, Any]:
        """What the provenance should tell of the run."""
        return {self.batch.name: self.batch.size} if self.batch.size < self.batch.first else {}

    def _update(self, gradients: Sequence[torch.Tensor], **figures: float) -> bool:
        """Move the rows, note the figures (with "loss" among them), and return whether the run ends."""
        self.run.n_iter += 1
        if not (math.isfinite(figures["loss"]) and self.rows.update(gradients, self._share_of_rate())):
            raise FloatingPointError("the matching loss or the rows are not finite")
        if self.monitor.add(figures):
            self._close_block()
        return self._stops()

    def _share_of_rate(self) -> float:
        if self.controls.schedule == "constant":
            return 1.0
        return 1 - self._progress((self.run.n_iter - 0.5) / self.controls.max_iter)

    def _close_block(self) -> None:
        means = self.monitor.close()
        if means is None:
            return
        validation, good = self.controls.validation, self.monitor.as_good
        if validation is not None:
            good = False
            if validation.due(self.run.n_iter):
                figures, good = validation.judge(self.rows.snapshot(), self.run.n_iter)
                means |= figures
        self.run.record(iteration=self.run.n_iter, **means)
        if good:
            self.best, self.best_iter = self.rows.snapshot(), self.run.n_iter

    def _finish(self) -> None:
        """End the last block, and judge the last rows; a run that is resumed does neither."""
        self._close_block()
        validation = self.controls.validation
        if validation is not None and validation.last != self.run.n_iter:
            figures, good = validation.judge(self.rows.snapshot(), self.run.n_iter)
            self.run.history[-1] |= figures
            if good:
                self.best, self.best_iter = self.rows.snapshot(), self.run.n_iter

    def _stops(self) -> bool:
        validation = self.controls.validation
        converged = self.monitor.converged if validation is None else validation.exhausted(self.run.n_iter)
        if self.run.n_iter >= self.controls.max_iter:
            self.run.stopped_by = "max_iter"
        elif converged:
            self.run.stopped_by = "converged"
        else:
            # the rows that a run ends with are judged, too
            self.run.out_of_time(0.0 if validation is None or validation.last == self.run.n_iter else validation.took)
        return self.run.stopped_by is not None

    def _warn(self, cause: str) -> None:
        warnings.warn(
            f"{cause.rstrip('.')}, at iteration {self.run.n_iter} of {self.name}: the rows of iteration {self.best_iter} are "
            f"kept; {self.remedy}.",
            DistillkitWarning,
            stacklevel=6,
        )

    def _write(self) -> None:
        if self.controls.checkpoint is not None and self._state is not None:
            self.controls.checkpoint.write(self._state)
            self._state, self._written = None, time.perf_counter()

    def state(self) -> State:
        """All that the next round depends on."""
        algorithm, keys, *rest = tuple(self.run.rng.get_state())
        tensors = {f"rows.{name}": part for name, part in self.rows.state().items()}
        tensors |= {f"best.{name}": part.cpu().clone() for name, part in self.best.parts().items()}
        tensors |= {
            "rng": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "generator": self._generator.get_state(),
        }
        values = {
            "watch": self.monitor.state(),
            "validation": None if self.controls.validation is None else self.controls.validation.state(),
            "split_seed": self.controls.split_seed,
            "batch": self.batch.size,
            "n_iter": self.run.n_iter,
            "best_iter": self.best_iter,
            "history": [dict(record) for record in self.run.history],
            "seconds": self.run.seconds,
            "rng": [algorithm, *rest],
            "draws": self._draws.bit_generator.state,
        }
        return State(tensors, values)

    def restore(self, state: State) -> None:
        """Go on from what `state` returned; the seconds it took count."""
        tensors, values = state.tensors, state.values
        self.rows.restore(
            {name.removeprefix("rows."): part for name, part in tensors.items() if name.startswith("rows.")}
        )
        device = self.problem.device
        best = {name.removeprefix("best."): part for name, part in tensors.items() if name.startswith("best.")}
        self.best = Snapshot(**{name: part.to(device) for name, part in best.items()})
        self.best_iter = values["best_iter"]
        self.monitor.restore(values["watch"])
        self.batch.size = values["batch"]
        if self.controls.validation is not None:
            self.controls.validation.restore(values["validation"])
        self.run.n_iter, self.run.history = values["n_iter"], list(values["history"])
        self.run.started -= values["seconds"]
        algorithm, *rest = values["rng"]
        self.run.rng.set_state((algorithm, tensors["rng"].numpy().astype(np.uint32), *rest))
        self._generator.set_state(tensors["generator"])
        self._draws.bit_generator.state = values["draws"]
