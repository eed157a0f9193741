"""Dataset condensation by trajectory matching."""

from __future__ import annotations

from math import log
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval

from distillkit.condensation._base import COUNT, POSITIVE
from distillkit.condensation._matching_base import MatchingCondenser
from distillkit.condensation.loop._checkpoint import data_digest, settings_key
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.loop._synthetic_rows import Extra
from distillkit.condensation.trajectory._experts import ExpertPlan, Experts
from distillkit.condensation.trajectory._loop import TrajectoryMatching, TrajectoryPlan
from distillkit.nn import count_parameters

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.loop._loop import Controls, Loop
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["TrajectoryMatchingDistiller"]

_LARGEST_BATCH = 256  # of an expert
_BATCHES = 16  # of an epoch, where the rows are few
_LARGEST_EPOCH = 8192  # rows
# what the way of an expert depends on, beside the data and the seed
_EXPERT_SETTINGS = (
    "network", "width", "depth", "hidden", "norm", "pad", "augment", "precision", "expert_epochs", "expert_lr", "expert_batch", "epoch_rows",
)  # fmt: skip


class TrajectoryMatchingDistiller(MatchingCondenser):
    """Rows on which a network learns what experts learned on all rows: its weights go where theirs went.

    Experts, networks trained on the real rows, leave their weights after every epoch. In each update a student sets out from an expert's
    weights after some epoch and takes a few steps on the synthetic rows; these and the logarithm of the student's rate then step
    against the derivative of how far it ends from where the expert was some epochs later. For cross-entropy on classes, and for
    squared error on a continuous target.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"} or callable, default="auto"
        Of experts and students. "auto" takes an MLP for tables (and images under 8 pixels), a 1-D ConvNet for series and a ConvNet
        for images. A callable of (shape, n_outputs) returns a module without batch norm.
    width : int or None, default=None
        Channels of a ConvNet; None is 64.
    depth : int or None, default=None
        Blocks of a ConvNet. None takes three, or fewer where the rows are small: as many as leave the last norm 4x4 pixels, or
        16 steps of time.
    hidden : sequence of int or None, default=None
        Hidden layers of an MLP; None is (128, 128).
    norm : {"instance", "none"}, default="instance"
    pad : bool, default=False
        Whether a ConvNet pads images of 28x28 to 32x32, as in the literature. Not to costs a quarter less, and the rows serve networks
        that do as well.
    init : {"kmeans", "mean", "real", "noise"}, name of a method or distiller, default="kmeans"
        Centroids of k-means in each class (the class mean for one row); means of random parts of a class; random rows; standard
        normal noise. A continuous target is clustered with the features, averaged over parts between its
        quantiles, picked, or set to quantiles.
        Or the rows of another method; see `GradientMatchingDistiller`.
    downscale : int, default=1
        Factor that the sides of images or series are divided by to store them; see `GradientMatchingDistiller`.
    n_experts : int, default=3
    expert_epochs : int, default=20
    expert_lr : float, default=0.05
        Rate of the experts' plain gradient descent. An expert that diverges (its loss is not finite, or ends a tenth above that of the
        start) is trained again at a third of it, three times at most, and those after it at the same.
    expert_batch : int or None, default=None
        None takes a sixteenth of the rows, 16 at least and 256 at most.
    epoch_rows : int or None, default=None
        Rows of an expert's epoch, drawn anew for each. None takes all, 8192 at most.
    experts_dir : path-like or None, default=None
        Folder for the experts' weights, one file each (safetensors), below a name that is the digest of data, settings and seed:
        finished experts are used again by later fits, also where this one is interrupted. None puts them beside `checkpoint`, or
        into a temporary folder.
    student_steps : int, default=20
        Steps of the student.
    student_batch : int, default=256
        Synthetic rows per step. Memory grows with it, not with `student_steps`: the derivative is taken step by step, each computed again
        on the way back.
    student_lr : float or None, default=None
        First rate of the student, which is learned. None takes that at which students come nearest to the goal on the first rows,
        between 1/256 of `expert_lr` and 16 times as much.
    rate_lr : float, default=0.02
        Step size of the logarithm of the student's rate.
    match_epochs : int, default=2
        Epochs of the expert between the start and the goal.
    max_start_epoch : int or None, default=None
        Last epoch to set out from; None is half of `expert_epochs`.
    lr : float or None, default=None
        Step size in standard deviations of the data. Gradients are divided by their running root mean square over all rows: an update
        moves the rows by about ``lr / (1 - momentum)`` at most. None is 0.05.
    momentum : float, default=0.5
    schedule : {"constant", "linear"}, default="constant"
        "linear" lets the rates of the rows fall to zero by the update `max_iter`; where `max_seconds` will end before it, from half of the
        time on.
    target_lr : float or None, default=None
        Step size for continuous targets, in their standard deviations; None keeps those of the start.
    average : float, default=0.95
        Decay of a running mean of the rows over the updates, which is then what is returned; 0 returns the rows themselves.
    max_norm : float or None, default=3.0
        Largest root mean square of the gradient of one row, in those of all rows. None does not clip.
    clip : bool, default=False
        Whether rows are held in the range of the training rows: of each column of a table, of all values of images and series.
        Where X holds integers, they are rounded and held within the integer type at the end in any case.
    augment : "auto", sequence of str or None, default=None
        Random changes of images, of experts and students; see `distillkit.nn.Augmentation`. "auto" takes the literature's for
        images and none otherwise.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the experts' training. "auto" is bfloat16 for images where the processor has it. Students are float32.
    max_iter : int, default=300
        Updates of the rows at most.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each update; at least one update is done. Experts take half of it at most: the one
        under way is then left where it is, and used only where there is no other.
    tol : float, default=1e-3
        Smallest relative fall of the smoothed loss that counts as one.
    patience : int or None, default=200
        Updates without such a fall after which the rows have converged; None never stops early.
    record_every : int, default=10
        Updates per entry of `history_`.
    validation_fraction : float or None, default=None
        Share of the training rows that is held out for early stopping: every `validation_every` updates a network is trained on the
        rows and scored on those held out (accuracy, or R2), the rows of the best score are returned, and `patience` counts
        the updates since then. None holds out nothing and goes by the matching loss.
    validation_every : int, default=100
        Rounded up to whole entries of `history_`.
    checkpoint : path-like or None, default=None
        File that the run is written to, now and then and at its end, and resumed from where it exists: with the same data and
        settings the result equals that of an uninterrupted run. Seconds and steps of earlier runs count; raise
        `max_iter` or `max_seconds` to go on with a run that has ended.
    on_interrupt : {"raise", "return"}, default="raise"
        Whether Ctrl-C ends the fit with the best rows so far (``stopped_by="interrupted"``).
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    student_lr_ : float
        The rate learned last: what gradient descent on the rows should use.
    expert_lr_ : float
        The lowest rate that experts in use were trained at; all of them are in the provenance, where one is below `expert_lr`.
    n_experts_trained_ : int
        Experts trained by this fit, the others having been found.
    n_iter_ : int
        Updates done.
    history_ : list of dict
        iteration, loss (squared distance from the goal over that of the start, mean over the updates since the last entry: 1 is
        no progress), student_lr, seconds, expert_lr where it had to be lowered, and now and then validation.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, an expert diverges at all rates tried, or `checkpoint` belongs to another
        run.
    ArtefactError
        If `checkpoint` or `experts_dir` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance says ``stopped_by="not_finite"``.
        If memory ends: `student_batch` is halved. If an expert diverges and is trained again.

    See Also
    --------
    GradientMatchingDistiller : Matches single steps, without experts.
    DistributionMatchingDistiller : Matches embeddings; the fastest of the three.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single losses depend on the expert and
    the epoch drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one spread.

    References
    ----------
    Cazenavette, Wang, Torralba, Efros and Zhu, "Dataset distillation by matching training trajectories", CVPR 2022. That memory need not
    grow with the steps: Cui et al., "Scaling up dataset distillation to ImageNet-1K with constant memory", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog"], 20)
    >>> X = rng.normal(size=(40, 4)) + (y == "dog")[:, None] * 5
    >>> distiller = TrajectoryMatchingDistiller(budget=1, max_iter=5, n_experts=1, expert_epochs=4, random_state=0)
    >>> small = distiller.fit(X, y)
    >>> small.X_distilled_.shape, small.y_distilled_.tolist(), small.n_iter_
    ((2, 4), ['cat', 'dog'], 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MatchingCondenser._parameter_constraints,
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
    _normalized_steps: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pad: bool = False,
        init: Any = "kmeans",
        downscale: int = 1,
        n_experts: int = 3,
        expert_epochs: int = 20,
        expert_lr: float = 0.05,
        expert_batch: int | None = None,
        epoch_rows: int | None = None,
        experts_dir: Any = None,
        student_steps: int = 20,
        student_batch: int = 256,
        student_lr: float | None = None,
        rate_lr: float = 0.02,
        match_epochs: int = 2,
        max_start_epoch: int | None = None,
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: float | None = None,
        average: float = 0.95,
        max_norm: float | None = 3.0,
        clip: bool = False,
        augment: Any = None,
        precision: str = "auto",
        max_iter: int = 300,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | None = 200,
        record_every: int = 10,
        validation_fraction: float | None = None,
        validation_every: int = 100,
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        task: str = "auto",
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pad = pad
        self.init = init
        self.downscale = downscale
        self.n_experts = n_experts
        self.expert_epochs = expert_epochs
        self.expert_lr = expert_lr
        self.expert_batch = expert_batch
        self.epoch_rows = epoch_rows
        self.experts_dir = experts_dir
        self.student_steps = student_steps
        self.student_batch = student_batch
        self.student_lr = student_lr
        self.rate_lr = rate_lr
        self.match_epochs = match_epochs
        self.max_start_epoch = max_start_epoch
        self.lr = lr
        self.momentum = momentum
        self.schedule = schedule
        self.target_lr = target_lr
        self.average = average
        self.max_norm = max_norm
        self.clip = clip
        self.augment = augment
        self.precision = precision
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.tol = tol
        self.patience = patience
        self.record_every = record_every
        self.validation_fraction = validation_fraction
        self.validation_every = validation_every
        self.checkpoint = checkpoint
        self.on_interrupt = on_interrupt
        self.device = device

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        self._seed = run.seed()  # drawn first, so that fits with other budgets and starts find the same experts
        return super()._distill(rows, run)

    def _note(self, loop: Loop) -> None:
        assert isinstance(loop, TrajectoryMatching)
        self.student_lr_, self.n_experts_trained_ = loop.student_lr, loop.experts.trained
        self.expert_lr_ = min(loop.experts.rates, default=loop.experts.lr)

    def _loop(
        self, problem: CondensationProblem, rows: SyntheticRows, monitor: LossMonitor, run: Run, controls: Controls
    ) -> TrajectoryMatching:
        made = self._network_maker(problem)
        batch = min(self.student_batch, len(rows.X))
        weights = 4 * count_parameters(made(0))
        # three times what a step keeps: its gradient is differentiated, and that is kept as well
        kept = max(3 * batch, self._expert_batch(problem)) * graph_bytes(made, problem.shape)
        needed = kept + weights * (self.student_steps + self.expert_epochs + 6) + 4 * problem.rows.X.size
        require_memory(needed, problem.device, "lower student_batch, student_steps, width or budget")
        plan = TrajectoryPlan(
            steps=self.student_steps,
            batch_size=self.student_batch,
            ahead=self.match_epochs,
            max_start=self.expert_epochs // 2 if self.max_start_epoch is None else self.max_start_epoch,
            augment=self._augmentation(problem),
            find_rate=self.student_lr is None,
        )
        return TrajectoryMatching(problem, plan, self._experts(problem), rows, monitor, run, controls)

    def _experts(self, problem: CondensationProblem) -> Experts:
        plan = ExpertPlan(
            make_network=self._network_maker(problem),
            count=self.n_experts,
            epochs=self.expert_epochs,
            batch_size=self._expert_batch(problem),
            epoch_rows=self._epoch_rows(problem),
            lr=self.expert_lr,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
            seed=self._seed,
        )
        folder = self.experts_dir
        if folder is None and self.checkpoint is not None:
            folder = f"{Path(self.checkpoint)}.experts"
        settings = settings_key({name: getattr(self, name) for name in _EXPERT_SETTINGS}, frozenset())
        key = {**settings, "data": data_digest(problem.rows), "device": problem.device.type}
        return Experts(problem, plan, folder, key)

    def _default_rate(self, problem: CondensationProblem) -> float:
        return 0.05

    def _extra(self, problem: CondensationProblem) -> Extra:
        return Extra(torch.tensor([log(self.student_lr or self.expert_lr)], device=problem.device), self.rate_lr)

    def _expert_batch(self, problem: CondensationProblem) -> int:
        own = min(_LARGEST_BATCH, max(_BATCHES, len(problem.rows.X) // _BATCHES))
        return min(self.expert_batch or own, self._epoch_rows(problem))

    def _epoch_rows(self, problem: CondensationProblem) -> int:
        return min(self.epoch_rows or _LARGEST_EPOCH, len(problem.rows.X))
