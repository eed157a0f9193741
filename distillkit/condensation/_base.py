"""The base class of the condensers: the steps of a fit that are the same for all methods."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.condensation._constraints import SHARED_CONSTRAINTS
from distillkit.condensation._networks import network_maker
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.loop._batch_size import within_memory
from distillkit.condensation.loop._checkpoint import Checkpoint, State, check_state, data_digest, settings_key
from distillkit.condensation.loop._common_judge import CommonJudge
from distillkit.condensation.loop._loop import Loop, LoopContext
from distillkit.condensation.loop._loss_monitor import LossMonitor
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.condensation.loop._validation import Judge, Validation, hold_out
from distillkit.condensation.problem._downscaling import Downscaling
from distillkit.condensation.problem._labels import first_parts, row_labels, rows_per_label
from distillkit.condensation.problem._problem import Batch, CondensationProblem
from distillkit.condensation.processes._open import open_processes
from distillkit.nn import Augmentation, draws_random_numbers, resolve_device
from distillkit.utils._public_names import public_name

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows
    from distillkit.condensation.processes._processes import Processes

__all__ = ["IterativeCondenser"]

# What may differ between a run and the one that resumes it: when it ends, where files lie, and how
# many processes share it.
_MAY_CHANGE = frozenset(
    {"max_iter", "max_seconds", "patience", "checkpoint", "on_interrupt", "experts_dir", "verbose", "processes"}
)

_PlanMaker = Callable[[CondensationProblem], CondensationPlan]


class IterativeCondenser(WeightedDistiller):
    """Base class of the condensers, whose `_condense` follows the plan that a method makes.

    A method turns its parameters into a `CondensationPlan` (in its ``_distiller.py``) and optimizes
    the rows in a `Loop` (in its ``_loop.py``); its `_distill` calls `_condense` with both.

    Training rows with weights are drawn in proportion to them, and scaled by their weighted mean
    and deviation.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        **SHARED_CONSTRAINTS,
    }
    _needs_y: ClassVar[bool] = True
    _default_max_iter: ClassVar[int] = 300
    _default_patience: ClassVar[int] = 200

    def _condense(
        self, rows: TrainingRows, run: Run, make_plan: _PlanMaker, *, always_validate: bool = False
    ) -> Outcome:
        """Optimize synthetic rows by the plan of a method.

        Parameters
        ----------
        rows : TrainingRows
            In the groups that the method matches.
        run : Run
        make_plan : callable
            Maps the problem to the plan. It draws nothing at random.
        always_validate : bool, default=False
            Whether rows are validated on the training rows where none are held out.
        """
        processes = open_processes(getattr(self, "processes", None))
        with processes.fitting():
            # 1. Read the checkpoint, where there is one, and hold out rows for validation.
            device, params = resolve_device(self.device), self._current_params()
            self._require_same(processes, params, rows, run)
            checkpoint, saved = self._open_checkpoint(processes, params, rows, device)
            with nullcontext() if checkpoint is None else checkpoint.restoring():
                training, held_out, split_seed = self._split(rows, run, saved, always_validate=always_validate)
            # 2. Standardize the rows, and let the method plan its networks, its rows and its loop.
            problem = CondensationProblem.of(training, device)
            with within_memory(device):
                plan = make_plan(problem)
                network = plan.make_network(0)  # one that does not fit the rows raises before any work
                judge = self._judge(plan, problem, held_out, split_seed)
                # 3. Make the first rows, or restore those of the checkpoint.
                context = LoopContext(
                    problem=problem,
                    rows=self._first_rows(plan, problem, run, processes, blank=saved is not None),
                    run=run,
                    monitor=LossMonitor(plan.block_size, self.tol, self._patience),
                    max_iter=self._max_iter,
                    schedule=plan.schedule,
                    judge=judge if judge is None or not processes.is_shared else CommonJudge(judge, processes),
                    split_seed=split_seed,
                    checkpoint=checkpoint,
                    on_interrupt=self.on_interrupt,
                    processes=processes,
                )
                loop = plan.make_loop(context)
                loop.random_layers = draws_random_numbers(network)
                if saved is not None:
                    with nullcontext() if checkpoint is None else checkpoint.restoring():
                        check_state(saved, loop.state())
                        loop.restore(saved)
            # 4. Update the rows until updates, time or patience end.
            with processes.keeping_time(run):
                loop.optimize()
            # 5. Return the best rows in the units of the data.
            return self._outcome(loop, problem, rows)

    def _current_params(self) -> dict[str, Any]:
        """Return the parameters under their current names, and warn of a deprecated name."""
        params: dict[str, Any] = self.get_params(deep=False)
        if params.pop("max_norm", "deprecated") != "deprecated":
            warnings.warn(
                f"max_norm was renamed to clip_rms in version 0.2 and will be removed in version 0.3: give "
                f"clip_rms={self.max_norm!r}.",
                FutureWarning,
                stacklevel=6,
            )
            params["clip_rms"] = self.max_norm
        return params

    def _require_same(self, processes: Processes, params: dict[str, Any], rows: TrainingRows, run: Run) -> None:
        """Check that processes share one fit, and let them share its random numbers."""
        if not processes.is_shared:
            return
        # Without a seed, each process has drawn one of its own, so that only seeds are compared.
        without = {"checkpoint", "device", "verbose", "processes"}
        without |= set() if isinstance(self.random_state, Integral) else {"random_state"}
        key = settings_key(params, frozenset(without))
        processes.same({**key, "method": public_name(type(self)), "data": data_digest(rows)})
        run.rng.set_state(processes.first(run.rng.get_state))

    def _open_checkpoint(
        self, processes: Processes, params: dict[str, Any], rows: TrainingRows, device: torch.device
    ) -> tuple[Checkpoint | None, State | None]:
        """Return the file of the run, to the first process, and its state, to all of them."""
        if self.checkpoint is None:
            return None, None
        checkpoint = None
        if processes.is_first:
            settings = settings_key(params, _MAY_CHANGE)
            key = {**settings, "method": public_name(type(self)), "data": data_digest(rows), "device": device.type}
            checkpoint = Checkpoint(self.checkpoint, key)
        return checkpoint, processes.first(lambda: None if checkpoint is None else checkpoint.read())

    def _split(
        self, rows: TrainingRows, run: Run, saved: State | None, *, always_validate: bool
    ) -> tuple[TrainingRows, TrainingRows | None, int]:
        """Return the rows to distill, those to validate on, and the seed that divides them."""
        if not always_validate and self.validation_fraction is None:
            return rows, None, 0
        split_seed = run.seed() if saved is None else saved.values["split_seed"]
        return *hold_out(rows, self.validation_fraction or 0.0, split_seed, or_all=always_validate), split_seed

    def _judge(
        self, plan: CondensationPlan, problem: CondensationProblem, held_out: TrainingRows | None, seed: int
    ) -> Judge | None:
        """Return what validates the rows on those held out."""
        if held_out is None:
            return None
        batch = problem.batch(held_out, seed)
        if plan.make_judge is not None:
            return plan.make_judge(batch, seed)
        return Validation(
            plan.make_network,
            batch,
            classes=problem.rows.task == "classification",
            seed=seed,
            every=self.validation_every,
            patience=self._patience,
        )

    def _first_rows(
        self, plan: CondensationPlan, problem: CondensationProblem, run: Run, processes: Processes, *, blank: bool
    ) -> SyntheticRows:
        """Return the first rows, or zeros of their shape with `blank`, for a saved state."""
        parts = first_parts(self.init, problem, run, learn_labels=plan.learn_labels, blank=blank)
        if processes.is_shared:
            # Each process makes them, so that none waits long; a limit of time may end that apart.
            on_host = processes.first(lambda: [tuple(part.cpu() for part in pair) for pair in parts])
            parts = [(X.to(problem.device), targets.to(problem.device)) for X, targets in on_host]
            run.rng.set_state(processes.first(run.rng.get_state))
        return plan.make_rows(parts)

    def _outcome(self, loop: Loop, problem: CondensationProblem, rows: TrainingRows) -> Outcome:
        for name, value in loop.fitted_attributes().items():
            setattr(self, name, value)
        best = loop.best
        y, soft_labels = row_labels(problem, best.targets)
        return Outcome(
            X=problem.in_units(best.X),
            y=y,
            soft_labels=soft_labels,
            stored=None if best.stored is None else problem.in_units(best.stored),
            weight=rows_per_label(rows),
            notes=loop.notes(),
            error=loop.error,
        )

    @property
    def _clip_rms(self) -> float | None:
        """Limit of gradient clipping, under its current name or its former one."""
        limit = self.clip_rms if self.max_norm == "deprecated" else self.max_norm
        return None if limit is None else float(limit)

    @property
    def _ends_by_time(self) -> bool:
        """Whether `max_seconds` alone ends a fit."""
        return self.max_iter is None and self.max_seconds is not None

    @property
    def _max_iter(self) -> int | None:
        """Updates that end a fit; None for no limit."""
        if self.max_iter is None:
            return None if self._ends_by_time else self._default_max_iter
        return int(self.max_iter)

    @property
    def _patience(self) -> int | None:
        """Updates without progress that end a fit; None for no limit."""
        if self.patience == "auto":
            return None if self._ends_by_time else self._default_patience
        return None if self.patience is None else int(self.patience)

    # The following make the parts of a plan that several methods share.

    def _network_maker(
        self, problem: CondensationProblem, n_outputs: int | None = None, **options: Any
    ) -> Callable[[int], nn.Module]:
        """Return a function from a seed to a fresh network; see `network_maker` for the options."""
        options = {"depth": self.depth, "norm": self.norm, "hidden": self.hidden, **options}
        return network_maker(self.network, problem, n_outputs, **options)

    def _row_maker(self, problem: CondensationProblem, **optimizer: Any) -> Callable[[list[Batch]], SyntheticRows]:
        """Return a function from the first rows of each group to `SyntheticRows`."""
        return functools.partial(
            SyntheticRows,
            limits=problem.limits() if self.clip else None,
            average=self.average,
            downscaling=Downscaling.of(problem.shape, self.downscale, problem.device),
            **optimizer,
        )

    def _precision(self, problem: CondensationProblem) -> str:
        # tables and series are too small to gain from half precision
        return str(self.precision) if len(problem.shape) == 3 or self.precision != "auto" else "float32"

    def _augmentation(self, problem: CondensationProblem) -> Augmentation | None:
        return Augmentation.of(self.augment, problem.shape)
