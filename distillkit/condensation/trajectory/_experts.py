"""Expert trajectories: weights of networks trained on real rows, saved after every epoch."""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import torch

from distillkit.condensation.loop._batch_size import BatchSize
from distillkit.condensation.trajectory._unrolled import flat_weights
from distillkit.exceptions import ArtefactError, DataError, DistillkitWarning
from distillkit.nn import (
    Augmentation,
    DivergedError,
    Recipe,
    make_generator,
    predict_rows,
    train_network,
)
from distillkit.utils._progress import progress_task
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from distillkit.base import Run
    from distillkit.condensation.problem._problem import CondensationProblem
    from distillkit.utils._progress_task import Task

__all__ = ["ExpertPlan", "Experts"]

_ENTRY = "distillkit.expert"
_EXPERT_TIME = 0.5  # fraction of max_seconds that the training of experts may take
_RETRIES = 3  # of experts that diverge, each at a third of the previous learning rate
# An expert whose loss ends above this many times its first loss has diverged; smaller increases are
# attributed to noise.
_MAX_LOSS_RATIO = 1.1
_PROBE_ROWS = 2048  # on which the first and the last loss of an expert are computed


@dataclass(frozen=True)
class ExpertPlan:
    """Settings of the training of experts.

    Like the student, experts are trained by plain gradient descent at a constant learning rate.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    count, epochs : int
        Number of experts, and epochs of each.
    batch_size : int
    epoch_rows : int
        Largest number of rows in an epoch. Each epoch draws this many if there are more.
    lr : float
        Learning rate of the first attempt.
    precision : {"float32", "bfloat16", "auto"}
    augment : Augmentation or None
    seed : int
        Seed of the first expert; the others use the numbers after it.
    """

    make_network: Callable[[int], nn.Module]
    count: int
    epochs: int
    batch_size: int
    epoch_rows: int
    lr: float
    precision: str
    augment: Augmentation | None
    seed: int


class Experts:
    """A folder of expert trajectories, with one safetensors file per expert.

    A file holds the weights at the start and after each epoch as one matrix (epochs + 1, p). Each
    finished expert is written to a temporary file that is then renamed, so that the next fit can
    use it however this one ends. An expert that diverges is trained again at a third of the
    learning rate, and so are the experts after it.

    Parameters
    ----------
    problem : CondensationProblem
    plan : ExpertPlan
    folder : path-like or None
        None creates a temporary folder, which `close` removes.
    key : dict of str to plain values
        Data and settings of the experts. Their files are in a subfolder named by its digest.

    Attributes
    ----------
    names : list of str
        Files of the experts in use, relative to the folder.
    rates : list of float
        Learning rate of each expert in use.
    trained : int
        Number of experts that were trained rather than read.
    """

    def __init__(self, problem: CondensationProblem, plan: ExpertPlan, folder: Any, key: Mapping[str, Any]) -> None:
        self.problem, self.plan = problem, plan
        self._temporary = TemporaryDirectory(prefix="distillkit-experts-") if folder is None else None
        self._root = Path(folder if self._temporary is None else self._temporary.name)
        text = json.dumps({**key, "seed": plan.seed}, sort_keys=True)
        self._key = hashlib.sha256(text.encode()).hexdigest()[:24]
        self._batch = BatchSize("expert_batch", plan.batch_size, "lower width or depth")
        self.names: list[str] = []
        self.rates: list[float] = []
        self.trained = 0
        self._lowered = 0

    @property
    def lr(self) -> float:
        """Learning rate of the next expert."""
        return self.plan.lr / float(3**self._lowered)

    @property
    def lowered(self) -> bool:
        """Whether an expert in use was trained at a lower learning rate than `plan` asks for."""
        return any(rate < self.plan.lr for rate in self.rates)

    def close(self) -> None:
        """Remove the folder if it is temporary."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def prepare(self, run: Run) -> None:
        """Read the finished experts, and train the others within half of `max_seconds`.

        At least one expert with at least one epoch is available afterwards.

        Raises
        ------
        ArtefactError
            If the folder cannot be written to.
        DataError
            If an expert still diverges at a 27th of the learning rate.
        NotEnoughMemoryError
            If memory runs out with the smallest batch.

        Warns
        -----
        DistillkitWarning
            If an expert diverges and is trained again.
        """
        for number in range(self.plan.count):
            name = f"{self._key}/expert-{number:04d}.safetensors"
            if not self._readable(name):
                if self.names and _expert_time_is_over(run):
                    return
                weights = self._train_with_retries(number, run)
                if len(weights) <= self.plan.epochs:
                    # The clock ended the training. The expert is used only if no other is finished.
                    if self.names:
                        return
                    name = f"{self._key}/unfinished-{uuid4().hex}.safetensors"
                self._write(name, weights)
            self._add(name)

    def use(self, names: list[str]) -> None:
        """Use the experts that an earlier part of a resumed run used.

        Raises
        ------
        ArtefactError
            If a file is missing or damaged.
        """
        for name in names:
            # The name comes from a file, which must not lead out of the folder.
            if Path(name).is_absolute() or ".." in Path(name).parts or not self._readable(name):
                raise ArtefactError(
                    f"expert {str(self._root / name)!r} of this checkpoint is missing or damaged: restore the file, "
                    "or remove the checkpoint to start a new run."
                )
        self.names, self.rates = [], []
        for name in names:
            self._add(name)

    def epochs(self, number: int) -> int:
        """Return the number of epochs of an expert."""
        with self._open(number) as file:
            return int(file.get_slice("weights").get_shape()[0]) - 1

    def weights(self, number: int, epoch: int) -> torch.Tensor:
        """Read the weights (p,) of an expert after some epochs; 0 gives the first weights."""
        with self._open(number) as file:
            row: torch.Tensor = file.get_slice("weights")[epoch : epoch + 1]
        return row[0].to(self.problem.device)

    def _open(self, number: int) -> Any:
        from safetensors import safe_open

        return safe_open(self._root / self.names[number], "pt")

    def _readable(self, name: str) -> bool:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._root / name, "pt") as file:
                return len(file.get_slice("weights").get_shape()) == 2
        except (OSError, SafetensorError):  # a missing or damaged expert is trained again
            return False

    def _add(self, name: str) -> None:
        """Add a saved expert to those in use, and adopt its learning rate for the next ones."""
        self.names.append(name)
        with self._open(-1) as file:
            self._lowered = int(json.loads((file.metadata() or {}).get(_ENTRY, "{}")).get("lowered", 0))
        self.rates.append(self.lr)

    def _train_with_retries(self, number: int, run: Run) -> torch.Tensor:
        """Train an expert; a failure is retried with smaller batches or a lower learning rate."""
        train = functools.partial(self._train, number, run)
        while True:
            try:
                return self._batch.fit(train, lambda: None, f"the training of expert {number}")
            except DivergedError as exc:
                message = f"expert {number} diverged in epoch {exc.epoch} ({exc}) at expert_lr={self.lr:.3g}"
                if self._lowered == _RETRIES:
                    raise DataError(
                        f"{message}, the last of {_RETRIES + 1} learning rates tried: lower expert_lr."
                    ) from exc
            self._lowered += 1
            warnings.warn(
                f"{message}; it and the following experts are trained at expert_lr={self.lr:.3g} instead.",
                DistillkitWarning,
                stacklevel=2,
            )

    def _train(self, number: int, run: Run) -> torch.Tensor:
        """Train an expert once, and return its weights at the start and after each epoch.

        Raises
        ------
        DivergedError
            If a loss is not finite, or the last loss clearly exceeds the first.
        """
        with progress_task(f"expert {number}", "epoch") as task:
            return self._run_epochs(number, run, task)

    def _run_epochs(self, number: int, run: Run, task: Task) -> torch.Tensor:
        plan, problem = self.plan, self.problem
        network = plan.make_network(plan.seed + number)
        X, targets = problem.rows_scaled, _all_targets(problem)
        generator = make_generator(plan.seed + number)
        recipe = Recipe(1, self._batch.size, "sgd", self.lr, 0.0, 0.0, "constant", plan.precision)
        weights, first_loss = [flat_weights(network)], self._loss(network, X, targets)
        for epoch in range(plan.epochs):
            if epoch and _expert_time_is_over(run):
                break
            # Train one epoch on randomly drawn rows, and keep the weights after it.
            picks = self._epoch_picks(generator)
            loss = problem.row_loss(targets[picks])
            try:
                train_network(
                    network,
                    X[picks],
                    loss,
                    recipe,
                    generator=generator,
                    augment=plan.augment,
                    should_stop=lambda: _expert_time_is_over(run),
                )
            except DivergedError as exc:
                raise DivergedError(str(exc), epoch + 1) from exc
            weights.append(flat_weights(network))
            task.update(epoch + 1, plan.epochs)
        # An expert whose loss rose has diverged, too, even if all numbers are finite.
        last_loss = self._loss(network, X, targets)
        if not last_loss <= _MAX_LOSS_RATIO * first_loss:
            raise DivergedError(f"the loss went from {first_loss:.3g} to {last_loss:.3g}", len(weights) - 1)
        self.trained += 1
        return torch.stack(weights).cpu()

    def _epoch_picks(self, generator: torch.Generator) -> torch.Tensor:
        """Draw the rows of an epoch: without replacement, or in proportion to their weights."""
        rows = self.problem.rows
        if rows.weight is None:
            return torch.randperm(len(rows.X), generator=generator)[: self.plan.epoch_rows]
        rng = np.random.default_rng(int(torch.randint(2**31 - 1, (), generator=generator)))
        return torch.from_numpy(rng.permutation(weighted_draw(rows.weight, self.plan.epoch_rows, rng)))

    def _loss(self, network: nn.Module, X: torch.Tensor, targets: torch.Tensor) -> float:
        """Return the mean loss on rows that are evenly spaced in the data."""
        picks = torch.arange(0, len(X), -(-len(X) // _PROBE_ROWS), device=X.device)
        loss = self.problem.row_loss(targets[picks])
        outputs = predict_rows(network, X[picks], batch_size=self._batch.size)
        return float(loss(outputs, torch.arange(len(picks), device=X.device)).mean())

    def _write(self, name: str, weights: torch.Tensor) -> None:
        """Write an expert to a temporary file that is then renamed."""
        from safetensors.torch import save

        path = self._root / name
        # The metadata is a single entry, because the order of several entries is not defined, and
        # the files of equal experts should be equal to the byte.
        card = {_ENTRY: json.dumps({"lowered": self._lowered, "batch_size": self._batch.size})}
        temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(save({"weights": weights}, metadata=card))
            temporary.replace(path)
        except OSError as exc:
            raise ArtefactError(f"expert {str(path)!r} cannot be written: {exc}. Give another experts_dir.") from exc
        finally:
            with suppress(OSError):
                temporary.unlink()


def _expert_time_is_over(run: Run) -> bool:
    return run.max_seconds is not None and run.seconds >= _EXPERT_TIME * run.max_seconds


def _all_targets(problem: CondensationProblem) -> torch.Tensor:
    """Return the targets (n,) of all rows, in the order of the rows."""
    y = problem.rows.y
    targets = torch.empty(len(problem.rows.X), device=problem.device)
    for number, group in enumerate(problem.rows.groups):
        group_targets = problem.targets(number, None if y is None else y[group.rows], len(group.rows))
        targets = targets.to(group_targets.dtype)
        targets[torch.from_numpy(group.rows)] = group_targets
    return targets
