"""Networks trained on the real rows, with their weights after every epoch, on disk."""

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

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from distillkit.base import Run
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["ExpertPlan", "Experts"]

_ENTRY = "distillkit.expert"
_SHARE = 0.5  # of max_seconds that experts may take
_RETRIES = 3  # of experts that diverge, each at a third of the rate before
_WORSE = 1.1  # times the loss of the start: what ends above has not learned; the rest is noise
_PROBE = 2048  # rows that the losses of start and end are taken on


@dataclass(frozen=True)
class ExpertPlan:
    """How experts are trained: by plain gradient descent at a constant rate, as the student is.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    count, epochs : int
    batch_size : int
    epoch_rows : int
        Rows of an epoch, drawn anew for each where there are more.
    lr : float
    precision : str
    augment : Augmentation or None
    seed : int
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
    """A folder of trajectories: one file for each expert, its weights after each epoch as one matrix (epochs + 1, p).

    Finished experts are written whole, under another name first; whatever ends a fit, they are there for the next one. An expert that
    diverges is trained again at a third of the rate, and so are those after it.

    Parameters
    ----------
    problem : Problem
    plan : ExpertPlan
    folder : path-like or None
        None is a temporary one, which `close` removes.
    key : dict of str to plain values
        Data and settings; experts lie in a folder named by its digest.

    Attributes
    ----------
    names : list of str
        Files of the experts in use.
    rates : list of float
        That they were trained at.
    trained : int
        Experts trained here.
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
        """Rate that the next expert is trained at."""
        return self.plan.lr / float(3**self._lowered)

    @property
    def lowered(self) -> bool:
        """Whether an expert in use was trained at less than the rate asked for."""
        return any(rate < self.plan.lr for rate in self.rates)

    def close(self) -> None:
        """Remove the folder if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def prepare(self, run: Run) -> None:
        """Find finished experts and train the others, within half of `max_seconds`; there is one with an epoch at least.

        Raises
        ------
        ArtefactError
            If the folder cannot be written.
        DataError
            If an expert diverges at a 27th of the rate, too.
        NotEnoughMemoryError
            If memory ends with the fewest rows in a batch.

        Warns
        -----
        DistillkitWarning
            If an expert diverges and is trained again.
        """
        for number in range(self.plan.count):
            name = f"{self._key}/expert-{number:04d}.safetensors"
            if not self._readable(name):
                if self.names and _late(run):
                    return
                weights = self._trained(number, run)
                if len(weights) <= self.plan.epochs:
                    if self.names:  # ended by the clock: the finished ones are enough
                        return
                    name = f"{self._key}/unfinished-{uuid4().hex}.safetensors"
                self._write(name, weights)
            self._take(name)

    def use(self, names: list[str]) -> None:
        """Take those that an earlier part of the run used.

        Raises
        ------
        ArtefactError
            If one is gone.
        """
        for name in names:
            if not self._readable(name):
                raise ArtefactError(
                    f"expert {str(self._root / name)!r} of this checkpoint is gone: bring it back, or remove the checkpoint to start anew."
                )
        self.names, self.rates = [], []
        for name in names:
            self._take(name)

    def epochs(self, number: int) -> int:
        """Return the epochs of an expert."""
        with self._open(number) as file:
            return int(file.get_slice("weights").get_shape()[0]) - 1

    def weights(self, number: int, epoch: int) -> torch.Tensor:
        """Read the weights (p,) of an expert after an epoch; 0 is the start."""
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
        except (OSError, SafetensorError):  # none, or damaged: it is trained again
            return False

    def _take(self, name: str) -> None:
        """Use an expert on disk, and its rate for those that follow."""
        self.names.append(name)
        with self._open(-1) as file:
            self._lowered = int(json.loads((file.metadata() or {}).get(_ENTRY, "{}")).get("lowered", 0))
        self.rates.append(self.lr)

    def _trained(self, number: int, run: Run) -> torch.Tensor:
        """Train an expert, at a third of the rate and with half the batch where that is needed."""
        train = functools.partial(self._train, number, run)
        while True:
            try:
                return self._batch.fit(train, lambda: None, f"the training of expert {number}")
            except DivergedError as exc:
                told = f"expert {number} diverged in epoch {exc.epoch} ({exc}) at expert_lr={self.lr:.3g}"
                if self._lowered == _RETRIES:
                    raise DataError(f"{told}, the last of {_RETRIES + 1} rates: lower expert_lr.") from exc
            self._lowered += 1
            warnings.warn(
                f"{told}: expert_lr={self.lr:.3g} is used from there on.",
                DistillkitWarning,
                stacklevel=2,
            )

    def _train(self, number: int, run: Run) -> torch.Tensor:
        plan, problem = self.plan, self.problem
        network = plan.make_network(plan.seed + number)
        X, targets = problem.rows_scaled, _targets(problem)
        generator = make_generator(plan.seed + number)
        recipe = Recipe(1, self._batch.size, "sgd", self.lr, 0.0, 0.0, "constant", plan.precision)
        weights, first = [flat_weights(network)], self._loss(network, X, targets)
        for epoch in range(plan.epochs):
            if epoch and _late(run):
                break
            some = torch.randperm(len(X), generator=generator)[: plan.epoch_rows]
            loss = problem.row_loss(targets[some])
            try:
                train_network(
                    network,
                    X[some],
                    loss,
                    recipe,
                    generator=generator,
                    augment=plan.augment,
                    should_stop=lambda: _late(run),
                )
            except DivergedError as exc:
                raise DivergedError(str(exc), epoch + 1) from exc
            weights.append(flat_weights(network))
        last = self._loss(network, X, targets)
        if not last <= _WORSE * first:
            raise DivergedError(f"the loss went from {first:.3g} to {last:.3g}", len(weights) - 1)
        self.trained += 1
        return torch.stack(weights).cpu()

    def _loss(self, network: nn.Module, X: torch.Tensor, targets: torch.Tensor) -> float:
        """Mean loss on rows that are spread over the data."""
        picks = torch.arange(0, len(X), -(-len(X) // _PROBE), device=X.device)
        loss = self.problem.row_loss(targets[picks])
        outputs = predict_rows(network, X[picks], batch_size=self._batch.size)
        return float(loss(outputs, torch.arange(len(picks), device=X.device)).mean())

    def _write(self, name: str, weights: torch.Tensor) -> None:
        from safetensors.torch import save

        path = self._root / name
        # one entry, since several come in any order, and the same expert should be the same bytes
        card = {_ENTRY: json.dumps({"lowered": self._lowered, "batch_size": self._batch.size})}
        part = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(save({"weights": weights}, metadata=card))
            part.replace(path)
        except OSError as exc:
            raise ArtefactError(f"expert {str(path)!r} cannot be written: {exc}. Give another experts_dir.") from exc
        finally:
            with suppress(OSError):
                part.unlink()


def _late(run: Run) -> bool:
    return run.max_seconds is not None and run.seconds >= _SHARE * run.max_seconds


def _targets(problem: CondensationProblem) -> torch.Tensor:
    """Targets of all rows, in the order of the rows."""
    y = problem.rows.y
    found = torch.empty(len(problem.rows.X), device=problem.device)
    for number, group in enumerate(problem.rows.groups):
        targets = problem.targets(number, None if y is None else y[group.rows], len(group.rows))
        found = found.to(targets.dtype)
        found[torch.from_numpy(group.rows)] = targets
    return found
