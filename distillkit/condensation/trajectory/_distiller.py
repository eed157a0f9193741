"""Dataset condensation by trajectory matching."""

from __future__ import annotations

import functools
from math import log
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval

from distillkit.condensation._base import IterativeCondenser
from distillkit.condensation._constraints import COUNT, DESCENT_CONSTRAINTS, POSITIVE
from distillkit.condensation._parameters import PARAMETERS
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.loop._checkpoint import data_digest, settings_key
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.loop._synthetic_rows import Extra
from distillkit.condensation.trajectory._experts import ExpertPlan
from distillkit.condensation.trajectory._loop import TrajectoryMatchingLoop, TrajectoryMatchingSettings
from distillkit.nn import count_parameters
from distillkit.utils._docstrings import fill_docstring

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["TrajectoryMatchingDistiller"]

_WIDTH = 64
_LR = 0.05
_LARGEST_BATCH = 256  # of an expert
_BATCHES = 16  # of an epoch, where the rows are few
_LARGEST_EPOCH = 8192  # rows
# Parameters that the trajectory of an expert depends on, beside the data and the seed.
_EXPERT_SETTINGS = (
    "network", "width", "depth", "hidden", "norm", "pad", "augment", "precision",
    "expert_epochs", "expert_lr", "expert_batch", "epoch_rows",
)  # fmt: skip


@fill_docstring(PARAMETERS, default_width=64, default_hidden="(128, 128)", monitored="smoothed loss")
class TrajectoryMatchingDistiller(IterativeCondenser):
    """Dataset distillation by matching the training trajectories of expert networks.

    Experts are networks trained on the training rows, whose weights are saved after every epoch. In
    each update a student starts from the weights of an expert after some epoch and takes a few
    steps on the synthetic rows. The rows, and the logarithm of the student's learning rate, then
    step against the derivative of the distance between the student's last weights and those that
    the expert reached some epochs later. The loss is the cross-entropy for classes and the squared
    error for a continuous target.

    Choose this method where there is time to train the experts; several fits on the same data can
    share them through `experts_dir`.

    Parameters
    ----------
    {budget}
    What is matched
    n_experts : int, default=3
        Number of experts.
    expert_epochs : int, default=20
        Epochs that each expert is trained for.
    expert_lr : float, default=0.05
        Learning rate of the experts' plain gradient descent. An expert that diverges (its loss is
        not finite, or ends a tenth above that of the start) is trained again at a third of the
        rate, three times at most, and so are the experts after it.
    expert_batch : int or None, default=None
        Rows in a batch of the experts. None takes a sixteenth of the training rows, 16 at least and
        256 at most.
    epoch_rows : int or None, default=None
        Rows of an expert's epoch, drawn anew for each epoch. None takes all, 8192 at most.
    match_epochs : int, default=2
        Epochs of the expert between the start of a student and its goal.
    max_start_epoch : int or None, default=None
        Last epoch that a student may start from. None takes half of `expert_epochs`.
    {augment}
        They are applied in the training of experts and students.
    Network
    {network}
        It must not have batch norm. Experts and students have the same.
    {width}
    {depth}
    {hidden}
    {norm}
    {pad}
    student_steps : int, default=20
        Steps of gradient descent of a student.
    student_batch : int, default=256
        Synthetic rows per step of a student. Memory grows with it, but not with `student_steps`,
        since the derivative is taken step by step and each step is computed again for it.
    student_lr : float or None, default=None
        First learning rate of the student, which is learned with the rows. None takes the rate, of
        those between 1/256 of `expert_lr` and 16 times as much, at which students come nearest to
        the goal on the first rows.
    rate_lr : float, default=0.02
        Step size of the logarithm of the student's learning rate.
    Start and rows
    {init}
    {downscale}
    {task}
    {lr_normalized}
    {momentum}
    {schedule}
    {target_lr}
    {clip_rms}
        It is measured in the running root mean square of the gradients of all rows.
    {average}
    {clip}
    Steps and time
    {max_iter}
    {max_seconds}
        Experts take half of it at most: the one that is being trained then is left unfinished, and
        used only where there is no other.
    {tol}
    {patience}
    {record_every}
    Validation
    {validation_fraction}
    {validation_every}
    Resources
    experts_dir : path-like or None, default=None
        Folder for the weights of the experts, one file each (safetensors), in a subfolder that is
        named by the digest of data, settings and seed. Later fits use finished experts again, also
        where this fit is interrupted. None puts them beside `checkpoint`, or into a temporary
        folder.
    {precision}
        It holds for the training of the experts. Students are always float32.
    {checkpoint}
    {on_interrupt}
    {device}
    {verbose}
    {random_state}
    {max_norm}

    Attributes
    ----------
    student_lr_ : float
        Learning rate that was learned last, and that gradient descent on the rows should use.
    expert_lr_ : float
        The lowest learning rate that experts in use were trained at. The provenance holds the rates
        of all experts, where one is below `expert_lr`.
    n_experts_trained_ : int
        Experts that this fit trained; the others were read from `experts_dir`.
    n_iter_ : int
        Updates done.
    history_ : list of dict
        Each entry holds iteration, loss (the squared distance from the goal over that of the start,
        averaged over the updates since the last entry; 1 means no progress), student_lr, seconds,
        expert_lr where it had to be lowered, and validation where the rows were validated.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, an expert diverges at
        all rates tried, or `checkpoint` belongs to another run.
    ArtefactError
        If `checkpoint` or `experts_dir` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see
        `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance
        says ``stopped_by="not_finite"``. If memory ends: `student_batch` is halved. If an expert
        diverges and is trained again.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    GradientMatchingDistiller : Matches single steps, without experts.
    DistributionMatchingDistiller : Matches embeddings; the fastest of the three.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single
    losses depend on the expert and the epoch drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one standard
    deviation.

    References
    ----------
    Cazenavette, Wang, Torralba, Efros and Zhu, "Dataset distillation by matching training
    trajectories", CVPR 2022. Memory that does not grow with the steps: Cui et al., "Scaling up
    dataset distillation to ImageNet-1K with constant memory", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog"], 20)
    >>> X = rng.normal(size=(40, 4)) + (y == "dog")[:, None] * 5
    >>> distiller = TrajectoryMatchingDistiller(
    ...     budget=1, max_iter=5, n_experts=1, expert_epochs=4, random_state=0
    ... )
    >>> small = distiller.fit(X, y)
    >>> small.X_distilled_.shape, small.y_distilled_.tolist(), small.n_iter_
    ((2, 4), ['cat', 'dog'], 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **IterativeCondenser._parameter_constraints,
        **DESCENT_CONSTRAINTS,
        "n_experts": [COUNT],
        "expert_epochs": [COUNT],
        "expert_lr": [POSITIVE],
        "expert_batch": [COUNT, None],
        "epoch_rows": [COUNT, None],
        "experts_dir": [str, PathLike, None],
        "student_steps": [COUNT],
        "student_batch": [COUNT],
        "student_lr": [POSITIVE, None],
        "rate_lr": [POSITIVE],
        "match_epochs": [COUNT],
        "max_start_epoch": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        n_experts: int = 3,
        expert_epochs: int = 20,
        expert_lr: float = 0.05,
        expert_batch: int | None = None,
        epoch_rows: int | None = None,
        match_epochs: int = 2,
        max_start_epoch: int | None = None,
        augment: Any = None,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pad: bool = False,
        student_steps: int = 20,
        student_batch: int = 256,
        student_lr: float | None = None,
        rate_lr: float = 0.02,
        init: Any = "kmeans",
        downscale: int = 1,
        task: str = "auto",
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: float | None = None,
        clip_rms: float | None = 3.0,
        average: float = 0.95,
        clip: bool = False,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | str | None = "auto",
        record_every: int = 10,
        validation_fraction: float | None = None,
        validation_every: int = 100,
        experts_dir: Any = None,
        precision: str = "auto",
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
        max_norm: Any = "deprecated",
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.n_experts = n_experts
        self.expert_epochs = expert_epochs
        self.expert_lr = expert_lr
        self.expert_batch = expert_batch
        self.epoch_rows = epoch_rows
        self.match_epochs = match_epochs
        self.max_start_epoch = max_start_epoch
        self.augment = augment
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pad = pad
        self.student_steps = student_steps
        self.student_batch = student_batch
        self.student_lr = student_lr
        self.rate_lr = rate_lr
        self.init = init
        self.downscale = downscale
        self.lr = lr
        self.momentum = momentum
        self.schedule = schedule
        self.target_lr = target_lr
        self.clip_rms = clip_rms
        self.average = average
        self.clip = clip
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.tol = tol
        self.patience = patience
        self.record_every = record_every
        self.validation_fraction = validation_fraction
        self.validation_every = validation_every
        self.experts_dir = experts_dir
        self.precision = precision
        self.checkpoint = checkpoint
        self.on_interrupt = on_interrupt
        self.device = device
        self.max_norm = max_norm

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # The seed of the experts is drawn first, so that fits with other budgets and starts, which
        # draw differently, find the same experts.
        seed = run.seed()
        return self._condense(rows, run, functools.partial(self._plan, expert_seed=seed))

    def _plan(self, problem: CondensationProblem, expert_seed: int) -> CondensationPlan:
        is_regression = problem.rows.task == "regression"
        experts = self._expert_plan(problem, expert_seed)
        settings = TrajectoryMatchingSettings(
            experts=experts,
            experts_dir=self._experts_folder(),
            experts_key={
                **settings_key({name: getattr(self, name) for name in _EXPERT_SETTINGS}, frozenset()),
                "data": data_digest(problem.rows),
                "device": problem.device.type,
            },
            steps=self.student_steps,
            batch_size=self.student_batch,
            ahead=self.match_epochs,
            max_start=self.expert_epochs // 2 if self.max_start_epoch is None else self.max_start_epoch,
            augment=experts.augment,
            find_rate=self.student_lr is None,
        )
        _require_memory(settings, problem)
        log_rate = torch.tensor([log(self.student_lr or self.expert_lr)], device=problem.device)
        return CondensationPlan(
            make_network=experts.make_network,
            make_rows=self._row_maker(
                problem,
                lr=self.lr or _LR,
                momentum=self.momentum,
                target_lr=self.target_lr if is_regression else None,
                clip_rms=self._clip_rms,
                normalize=True,
                extra=Extra(log_rate, self.rate_lr),
            ),
            make_loop=functools.partial(TrajectoryMatchingLoop, settings=settings),
            block_size=self.record_every,
            schedule=self.schedule,
        )

    def _expert_plan(self, problem: CondensationProblem, seed: int) -> ExpertPlan:
        n_rows = len(problem.rows.X)
        epoch_rows = min(self.epoch_rows or _LARGEST_EPOCH, n_rows)
        default_batch = min(_LARGEST_BATCH, max(_BATCHES, n_rows // _BATCHES))
        return ExpertPlan(
            make_network=self._network_maker(problem, width=self.width or _WIDTH, pad=self.pad),
            count=self.n_experts,
            epochs=self.expert_epochs,
            batch_size=min(self.expert_batch or default_batch, epoch_rows),
            epoch_rows=epoch_rows,
            lr=self.expert_lr,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
            seed=seed,
        )

    def _experts_folder(self) -> Any:
        if self.experts_dir is None and self.checkpoint is not None:
            return f"{Path(self.checkpoint)}.experts"
        return self.experts_dir


def _require_memory(settings: TrajectoryMatchingSettings, problem: CondensationProblem) -> None:
    """Refuse a run that will not fit into memory: a graph, weights of all steps, and the rows."""
    experts = settings.experts
    student_batch = min(settings.batch_size, problem.rows.size)
    # The gradient of a student's step is differentiated, so that its graph, which is twice as large
    # as that of the step, is kept, too.
    graph = max(3 * student_batch, experts.batch_size) * graph_bytes(experts.make_network, problem.shape)
    weights = 4 * count_parameters(experts.make_network(0)) * (settings.steps + experts.epochs + 6)
    n_bytes = graph + weights + 4 * problem.rows.X.size
    require_memory(n_bytes, problem.device, "lower student_batch, student_steps, width or budget")
