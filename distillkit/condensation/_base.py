"""What every iterative condenser shares: its parameters, the start, the network, and the way into and out of its units."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.condensation._checkpoint import Checkpoint, data_digest, settings_key
from distillkit.condensation._defaults import default_depth
from distillkit.condensation._loop import Controls, Loop
from distillkit.condensation._pool import with_fast_pools
from distillkit.condensation._problem import Batch, Problem
from distillkit.condensation._start import STARTS, start_rows
from distillkit.condensation._state import SyntheticRows, Watch
from distillkit.condensation._validation import Validation, hold_out
from distillkit.exceptions import DataError
from distillkit.nn import Augmentation, make_network, resolve_device

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
    """Base: a method writes `_loop`, which returns the loop that moves the rows, and `_needed_bytes`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "network": [str, callable],
        "width": [COUNT, None],
        "depth": [COUNT, None],
        "hidden": ["array-like", None],
        "norm": [StrOptions({"instance", "none"})],
        "pad": ["boolean"],
        "init": [StrOptions(set(STARTS))],
        "lr": [POSITIVE, None],
        "momentum": [SHARE],
        "target_lr": [POSITIVE, None],
        "average": [SHARE],
        "max_norm": [POSITIVE, None],
        "clip": ["boolean"],
        "augment": [StrOptions({"auto"}), "array-like", None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
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
    _normalized_steps: ClassVar[bool] = False  # whether lr is in standard deviations per update, whatever the loss

    @abstractmethod
    def _loop(self, problem: Problem, rows: SyntheticRows, watch: Watch, run: Run, controls: Controls) -> Loop:
        """Return the loop; it may take what is not an argument from the estimator's parameters."""

    @abstractmethod
    def _block(self, problem: Problem) -> int:
        """Return the updates in a block, over which losses are averaged."""

    @abstractmethod
    def _default_rate(self, problem: Problem) -> float:
        """Return the step size of the rows where `lr` is None."""

    def _target_rate(self) -> float | None:
        """Return the step size of continuous targets; None keeps them."""
        return None if self.target_lr is None else float(self.target_lr)

    def _regroup(self, rows: TrainingRows) -> TrainingRows:
        """Return the rows in the groups that the method matches."""
        return rows

    def _extra(self, problem: Problem) -> tuple[torch.Tensor, float] | None:
        """Return one more leaf to learn, with its rate."""
        return None

    def _note(self, loop: Loop) -> None:
        """Take fitted attributes of the method's own from the loop."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        rows = self._regroup(rows)
        device = resolve_device(self.device)
        weight = np.concatenate([np.full(group.size, len(group.rows) / group.size) for group in rows.groups])
        checkpoint, saved = None, None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self.checkpoint, self._key(rows, device))
            saved = checkpoint.read()
        held: TrainingRows | None = None
        split_seed = 0
        if self.validation_fraction is not None:
            split_seed = run.seed() if saved is None else saved.values["split_seed"]
            rows, held = hold_out(rows, self.validation_fraction, split_seed)
        problem = Problem.of(rows, device)
        made = self._network_maker(problem)
        made(0)  # a network that does not fit says so before anything is computed
        validation = None if held is None else self._validation(problem, held, made, split_seed)
        synthetic = self._start(problem, run, blank=saved is not None)
        watch = Watch(self._block(problem), self.tol, self.patience)
        controls = Controls(self.max_iter, self.on_interrupt, checkpoint, validation, split_seed)
        loop = self._loop(problem, synthetic, watch, run, controls)
        if saved is not None:
            loop.restore(saved)
        X, targets = loop.optimise()
        self._note(loop)
        return Outcome(X=problem.in_units(X), y=self._labels(problem, targets), weight=weight)

    def _key(self, rows: TrainingRows, device: torch.device) -> dict[str, Any]:
        cls = type(self)
        params = settings_key(self.get_params(deep=False), _MAY_CHANGE)
        own = {"method": f"{cls.__module__}:{cls.__qualname__}", "data": data_digest(rows), "device": device.type}
        return {**params, **own}

    def _network_maker(self, problem: Problem, n_outputs: int | None = None) -> Callable[[int], nn.Module]:
        """Return what maps a seed to a fresh network on the device; None gives it the outputs of the task."""
        options = {
            "width": self.width or (64 if len(problem.shape) == 3 else None),
            "depth": self.depth or default_depth(self.network, problem.shape),
            "norm": self.norm,
            "hidden": self.hidden,
            "pad": self.pad,
        }
        return functools.partial(_make, self.network, problem, n_outputs or problem.n_outputs, options)

    def _precision(self, problem: Problem) -> str:
        # tables and series are too small to gain from half precision
        return str(self.precision) if len(problem.shape) == 3 or self.precision != "auto" else "float32"

    def _augmentation(self, problem: Problem) -> Augmentation | None:
        return Augmentation.of(self.augment, problem.shape)

    def _validation(
        self, problem: Problem, held: TrainingRows, made: Callable[[int], nn.Module], seed: int
    ) -> Validation:
        parts = [
            problem.targets(number, None if held.y is None else held.y[group.rows], len(group.rows))
            for number, group in enumerate(held.groups)
        ]
        order = np.concatenate([group.rows for group in held.groups])
        batch: Batch = (problem.scaled(held.X[order]), torch.cat(parts))
        return Validation(
            made,
            batch,
            classes=held.task == "classification",
            seed=seed,
            every=self.validation_every,
            patience=self.patience,
        )

    def _start(self, problem: Problem, run: Run, *, blank: bool) -> SyntheticRows:
        """Return the first rows, or with `blank` rows of their shape for a saved state."""
        parts = []
        for number, group in enumerate(problem.rows.groups):
            if blank:
                made: tuple[np.ndarray, np.ndarray | None] = (
                    np.zeros((group.size, *problem.shape)),
                    np.zeros(group.size),
                )
            else:
                made = start_rows(self.init, problem, group, run)
            parts.append((problem.scaled(made[0]), problem.targets(number, made[1], group.size)))
        run.stopped_by = None  # a clock that ended k-means still leaves time for one update
        return SyntheticRows(
            parts,
            lr=self.lr or self._default_rate(problem),
            momentum=self.momentum,
            target_lr=self._target_rate() if problem.rows.task == "regression" else None,
            limits=problem.limits() if self.clip else None,
            max_norm=self.max_norm,
            average=self.average,
            normalize=self._normalized_steps,
            extra=self._extra(problem),
        )

    def _labels(self, problem: Problem, targets: torch.Tensor) -> np.ndarray:
        rows = problem.rows
        assert rows.y is not None
        if rows.task == "regression":
            return np.asarray(targets.cpu().numpy().astype(np.float64) * problem.y_scale + problem.y_mean)
        parts = [np.full(group.size, group.label, dtype=rows.y.dtype) for group in rows.groups]
        return np.concatenate(parts)


def _make(network: Any, problem: Problem, n_outputs: int, options: dict[str, Any], seed: int) -> nn.Module:
    made = make_network(network, problem.shape, n_outputs, seed=seed, **options).to(problem.device)
    if any(isinstance(module, _BATCH_NORMS) for module in made.modules()):
        raise DataError(
            f"network={network!r} has batch norm, through which the gradient of one class depends on which other rows are in the "
            "batch: give a network with instance, group or layer norm, or none."
        )
    return with_fast_pools(made)
