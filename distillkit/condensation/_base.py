"""What every iterative condenser shares: its parameters, the network, the run, and the way into and out of its units."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from torch import nn

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.condensation.loop._batch_size import within_memory
from distillkit.condensation.loop._checkpoint import Checkpoint, data_digest, settings_key
from distillkit.condensation.loop._loop import Controls, Loop
from distillkit.condensation.loop._loss_monitor import LossMonitor
from distillkit.condensation.loop._synthetic_rows import Extra, SyntheticRows
from distillkit.condensation.loop._validation import Judge, Validation, hold_out
from distillkit.condensation.problem._defaults import default_depth
from distillkit.condensation.problem._downscaling import Downscaling
from distillkit.condensation.problem._labels import row_labels, rows_per_label
from distillkit.condensation.problem._problem import Batch, CondensationProblem
from distillkit.exceptions import DataError
from distillkit.nn import Augmentation, make_network, resolve_device, with_fast_pools
from distillkit.utils._public_names import public_name

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["COUNT", "POSITIVE", "SHARE", "IterativeCondenser"]

POSITIVE = Interval(Real, 0, None, closed="neither")
COUNT = Interval(Integral, 1, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
# what may differ between a run and the one that goes on with it: when to end, and where files lie
_MAY_CHANGE = frozenset({"max_iter", "max_seconds", "patience", "checkpoint", "on_interrupt", "experts_dir"})


class IterativeCondenser(BaseDistiller):
    """Base: a method writes `_start`, which makes the first rows, and `_loop`, which returns the loop that moves them."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "network": [str, callable],
        "width": [COUNT, None],
        "depth": [COUNT, None],
        "hidden": ["array-like", None],
        "norm": [StrOptions({"instance", "none"})],
        "init": [str, HasMethods(["fit_resample", "get_params"])],  # a name is looked up in fit
        "downscale": [COUNT],
        "lr": [POSITIVE, None],
        "average": [SHARE],
        "clip": ["boolean"],
        "max_iter": [COUNT],
        "tol": [SHARE],
        "patience": [COUNT, None],
        "record_every": [COUNT],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "validation_every": [COUNT],
        "checkpoint": [str, PathLike, None],
        "on_interrupt": [StrOptions({"raise", "return"})],
        "device": [str],
    }
    _needs_y: ClassVar[bool] = True
    _always_validates: ClassVar[bool] = False  # whether rows are judged even where none are held out

    @abstractmethod
    def _loop(
        self, problem: CondensationProblem, rows: SyntheticRows, monitor: LossMonitor, run: Run, controls: Controls
    ) -> Loop:
        """Return the loop; it may take what is not an argument from the estimator's parameters."""

    @abstractmethod
    def _start(self, problem: CondensationProblem, run: Run, *, blank: bool) -> SyntheticRows:
        """Return the first rows, or with `blank` rows of their shape for a saved state."""

    def _block(self, problem: CondensationProblem) -> int:
        """Return the updates in a block, over which losses are averaged."""
        return int(self.record_every)

    def _regroup(self, rows: TrainingRows) -> TrainingRows:
        """Return the rows in the groups that the method matches."""
        return rows

    def _extra(self, problem: CondensationProblem) -> Extra | None:
        """Return one more leaf to learn."""
        return None

    def _schedule_of_rates(self) -> str:
        """Return how the rates of the rows change over a run; see `Controls`."""
        return "constant"

    def _note(self, loop: Loop) -> None:
        """Take fitted attributes of the method's own from the loop."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        rows = self._regroup(rows)
        device = resolve_device(self.device)
        weight = rows_per_label(rows)
        checkpoint, saved = None, None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self.checkpoint, self._key(rows, device))
            saved = checkpoint.read()
        held: TrainingRows | None = None
        split_seed = 0
        if self._always_validates or self.validation_fraction is not None:
            split_seed = run.seed() if saved is None else saved.values["split_seed"]
            rows, held = hold_out(rows, self.validation_fraction or 0.0, split_seed, or_all=self._always_validates)
        problem = CondensationProblem.of(rows, device)
        with within_memory(device):
            made = self._network_maker(problem)
            made(0)  # a network that does not fit says so before anything is computed
            self._downscaling(problem)  # and so do rows that cannot be made smaller
            validation = None if held is None else self._validation(problem, problem.batch(held), made, split_seed)
            synthetic = self._start(problem, run, blank=saved is not None)
            monitor = LossMonitor(self._block(problem), self.tol, self.patience)
            controls = Controls(
                self.max_iter, self.on_interrupt, checkpoint, validation, split_seed, self._schedule_of_rates()
            )
            loop = self._loop(problem, synthetic, monitor, run, controls)
            if saved is not None:
                loop.restore(saved)
        best = loop.optimise()
        self._note(loop)
        y, soft = row_labels(problem, best.targets)
        return Outcome(
            X=problem.in_units(best.X),
            y=y,
            soft_labels=soft,
            stored=None if best.stored is None else problem.in_units(best.stored),
            weight=weight,
            notes=loop.notes(),
            error=loop.error,
        )

    def _key(self, rows: TrainingRows, device: torch.device) -> dict[str, Any]:
        params = settings_key(self.get_params(deep=False), _MAY_CHANGE)
        own = {"method": public_name(type(self)), "data": data_digest(rows), "device": device.type}
        return {**params, **own}

    def _network_maker(self, problem: CondensationProblem, n_outputs: int | None = None) -> Callable[[int], nn.Module]:
        """Return what maps a seed to a fresh network on the device; None gives it the outputs of the task."""
        options = {
            "depth": self.depth or default_depth(self.network, problem.shape),
            "norm": self.norm,
            **self._network_options(problem),
        }
        return functools.partial(self._make, problem, n_outputs or problem.n_outputs, options)

    def _network_options(self, problem: CondensationProblem) -> dict[str, Any]:
        """Return what `make_network` takes beside depth and norm; 28x28 is not padded, which costs a quarter less."""
        return {"width": self.width or 32, "hidden": self.hidden, "pad": False}

    def _make(self, problem: CondensationProblem, n_outputs: int, options: dict[str, Any], seed: int) -> nn.Module:
        made = make_network(self.network, problem.shape, n_outputs, seed=seed, **options).to(problem.device)
        return with_fast_pools(self._checked(made, seed))

    def _checked(self, network: nn.Module, seed: int) -> nn.Module:
        """Return a fresh network, or refuse it."""
        if any(isinstance(module, _BATCH_NORMS) for module in network.modules()):
            raise DataError(
                f"network={self.network!r} has batch norm, through which the gradient of one class depends on which other rows are in "
                "the batch, and whose averages no gradient reaches: give a network with instance, group or layer norm, or none."
            )
        return network

    def _precision(self, problem: CondensationProblem) -> str:
        # tables and series are too small to gain from half precision
        return str(self.precision) if len(problem.shape) == 3 or self.precision != "auto" else "float32"

    def _augmentation(self, problem: CondensationProblem) -> Augmentation | None:
        return Augmentation.of(self.augment, problem.shape)

    def _downscaling(self, problem: CondensationProblem) -> Downscaling | None:
        return Downscaling.of(problem.shape, self.downscale, problem.device)

    def _limits(self, problem: CondensationProblem) -> tuple[torch.Tensor, torch.Tensor] | None:
        return problem.limits() if self.clip else None

    def _validation(
        self, problem: CondensationProblem, held: Batch, made: Callable[[int], nn.Module], seed: int
    ) -> Judge:
        """Return what judges the rows by those held out."""
        return Validation(
            made,
            held,
            classes=problem.rows.task == "classification",
            seed=seed,
            every=self.validation_every,
            patience=self.patience,
        )
