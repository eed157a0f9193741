"""Dataset condensation by distribution matching."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.condensation._base import COUNT, POSITIVE
from distillkit.condensation._matching_base import MatchingCondenser
from distillkit.condensation.distribution._bins import target_bins
from distillkit.condensation.distribution._comparisons import (
    DISTRIBUTION_LOSSES,
    OUTPUT_LOSSES,
    Embedding,
    make_comparison,
)
from distillkit.condensation.distribution._loop import DistributionMatching, DistributionPlan
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.problem._group_rows import REAL_DRAWS
from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows
    from distillkit.condensation.loop._loop import Controls
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["DistributionMatchingDistiller"]

_RATE = 0.05
_OUTPUTS = 64  # of networks whose outputs are compared: as few as there are classes would tell little
_REAL_ROWS = 64  # per class and network


class DistributionMatchingDistiller(MatchingCondenser):
    """Rows that look to random networks, class by class, as all rows do.

    In each round a network is drawn at random and embeds a batch of real rows of each class, without gradients, and the synthetic rows,
    which then step against the derivative of the distance between both. No network is trained, so that a step costs little: of all
    condensers this is the one for many classes and many rows per class.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"} or callable, default="auto"
        "auto" takes an MLP for tables (and images under 8 pixels), a 1-D ConvNet for series and a ConvNet for images. A callable of
        (shape, n_outputs) returns a module without batch norm; its method ``embed``, or else its outputs, are what is compared.
    width : int or None, default=None
        Channels of a ConvNet; None is 64. Rows made with a narrow network serve a wider one.
    depth : int or None, default=None
        Blocks of a ConvNet. None takes three, or fewer where the rows are small: as many as leave the last norm 4x4 pixels, or
        16 steps of time.
    hidden : sequence of int or None, default=None
        Hidden layers of an MLP; None is (128, 128).
    norm : {"instance", "none"}, default="instance"
    pad : bool, default=False
        Whether a ConvNet pads images of 28x28 to 32x32, as in the literature. Not to costs a quarter less, and the rows serve networks
        that do as well.
    loss : {"mean", "mmd", "wasserstein", "sinkhorn", "kl", "js"}, default="mean"
        Of each class, summed over the classes: the squared distance between the mean embeddings (the literature's; fastest); the
        squared maximum mean discrepancy with Gaussian kernels; the squared 2-Wasserstein distance; the Sinkhorn divergence; the
        Kullback-Leibler or the Jensen-Shannon divergence between the mean output distributions. See `distillkit.distances`. The
        bandwidth is the median distance between real embeddings of a round, the regularisation a tenth of its square.
    gradient_weight : float, default=0.0
        Weight of the loss of gradient matching ("layer-cosine", of the same network and the same rows), added to it.
    n_bins : int, default=1
        Of a continuous target: bins between its quantiles, each of which is matched like a class; not more than rows to distil to. The
        embedding is matched as it is and multiplied with the target, so that one bin tells how both go together; where the target
        is noisy, more bins take the noise for what the rows tell, and slopes come out too steep.
    init : {"kmeans", "mean", "real", "noise"}, name of a method or distiller, default="kmeans"
        Centroids of k-means in each class or bin (the class mean for one row); means of random parts of a class; random rows; standard
        normal noise.
        Or the rows of another method; see `GradientMatchingDistiller`.
    downscale : int, default=1
        Factor that the sides of images or series are divided by to store them; see `GradientMatchingDistiller`.
    outer_steps : int, default=1
        Updates of the rows per network. Without `augment` the real rows are embedded once for all of them.
    real_batch : int or None, default=None
        Training rows of each class per network. None is 64, or 256 for a continuous target. (The literature's 256 per class cost
        four times as much.)
    real_draw : {"random", "clusters"}, default="random"
        "clusters" divides each class or bin by k-means, once, and takes the same share of every cluster for each batch, so that the mean over
        a batch strays less from that over all rows.
    lr : float or None, default=None
        Step size in standard deviations of the data. Gradients are divided by their running root mean square over all rows, so
        that it does not depend on the loss: an update moves the rows by about ``lr / (1 - momentum)`` at most. None is 0.05.
    momentum : float, default=0.5
    schedule : {"constant", "linear"}, default="constant"
        "linear" lets the rates of the rows fall to zero by the update `max_iter`; where `max_seconds` will end before it, from half of the
        time on.
    target_lr : float, "auto" or None, default="auto"
        Step size for continuous targets, in their standard deviations; "auto" is that of the rows, where the loss sees
        targets ("kl" and "js" do not). None keeps those of the start.
    average : float, default=0.95
        Decay of a running mean of the rows over the updates, which is then what is returned; 0 returns the rows themselves.
    max_norm : float or None, default=3.0
        Largest root mean square of the gradient of one row, in those of all rows. None does not clip.
    clip : bool, default=False
        Whether rows are held in the range of the training rows: of each column of a table, of all values of images and series.
        Where X holds integers, they are rounded and held within the integer type at the end in any case.
    augment : "auto", sequence of str or None, default=None
        The same random change of real and synthetic images in each update; see `distillkit.nn.Augmentation`. "auto" takes the
        literature's for images and none otherwise.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the embedding. "auto" is bfloat16 for images where the processor has it.
    max_iter : int, default=300
        Updates of the rows at most.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each update; at least one update is done.
    tol : float, default=1e-3
        Smallest relative fall of the smoothed loss that counts as one.
    patience : int or None, default=200
        Updates without such a fall after which the rows have converged; None never stops early.
    record_every : int, default=10
        Updates per entry of `history_`, rounded up to whole networks.
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
    n_iter_ : int
        Updates done.
    history_ : list of dict
        iteration, loss (sum over the classes, mean over the updates since the last entry), seconds, with `gradient_weight` gradient_loss
        and similarity, and now and then validation.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, the loss cannot learn targets, or `checkpoint`
        belongs to another run.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance says ``stopped_by="not_finite"``.
        If memory ends: `real_batch` is halved.

    See Also
    --------
    GradientMatchingDistiller : Matches gradients; better for few rows per class, slower for many.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single losses depend on the network
    drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one spread.

    References
    ----------
    Zhao and Bilen, "Dataset condensation with distribution matching", WACV 2023 ("mean"). Zhang et al., "M3D: Dataset condensation by
    minimizing maximum mean discrepancy", AAAI 2024. Liu et al., "Dataset distillation via the Wasserstein metric", ICCV 2025.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog"], 20)
    >>> X = rng.normal(size=(40, 4)) + (y == "dog")[:, None] * 5
    >>> small = DistributionMatchingDistiller(budget=2, max_iter=5, random_state=0).fit(X, y)
    >>> small.X_distilled_.shape, small.y_distilled_.tolist(), small.n_iter_
    ((4, 4), ['cat', 'cat', 'dog', 'dog'], 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MatchingCondenser._parameter_constraints,
        "loss": [StrOptions(set(DISTRIBUTION_LOSSES))],
        "gradient_weight": [Interval(Real, 0, None, closed="left")],
        "n_bins": [COUNT],
        "target_lr": [POSITIVE, StrOptions({"auto"}), None],
        "outer_steps": [COUNT],
        "real_batch": [COUNT, None],
        "real_draw": [StrOptions(set(REAL_DRAWS))],
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
        loss: str = "mean",
        gradient_weight: float = 0.0,
        n_bins: int = 1,
        init: Any = "kmeans",
        downscale: int = 1,
        outer_steps: int = 1,
        real_batch: int | None = None,
        real_draw: str = "random",
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: Any = "auto",
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
        self.loss = loss
        self.gradient_weight = gradient_weight
        self.n_bins = n_bins
        self.init = init
        self.downscale = downscale
        self.outer_steps = outer_steps
        self.real_batch = real_batch
        self.real_draw = real_draw
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

    def _target_rate(self) -> float | None:
        if self.target_lr == "auto":
            return None if self.loss in OUTPUT_LOSSES else float(self.lr or _RATE)
        return super()._target_rate()

    def _regroup(self, rows: TrainingRows) -> TrainingRows:
        if rows.task != "regression":
            return rows
        if self.target_lr not in (None, "auto") and self.loss in OUTPUT_LOSSES:
            raise DataError(
                f"loss={self.loss!r} compares outputs for rows alone, from which no target can be learned: leave out "
                "target_lr, or give loss='mean'."
            )
        return target_bins(rows, min(self.n_bins, rows.size))

    def _loop(
        self, problem: CondensationProblem, rows: SyntheticRows, monitor: LossMonitor, run: Run, controls: Controls
    ) -> DistributionMatching:
        plan = self._plan(problem)
        sizes = [min(plan.real_batch, len(group.rows)) for group in problem.rows.groups]
        kept = graph_bytes(plan.make_network, problem.shape) * max(1.5 * len(rows.X), min(sum(sizes), 1024))
        own = 4 * problem.rows.X.size + 8 * sum(sizes) * problem.rows.X[0].size
        require_memory(kept + own, problem.device, "lower real_batch, width or budget")
        return DistributionMatching(problem, plan, rows, monitor, run, controls)

    def _block(self, problem: CondensationProblem) -> int:
        return -(-self.record_every // self.outer_steps) * self.outer_steps

    def _default_rate(self, problem: CondensationProblem) -> float:
        return _RATE

    def _plan(self, problem: CondensationProblem) -> DistributionPlan:
        outputs = self.loss in OUTPUT_LOSSES
        # gradients are those of the task's own loss, which wants its own outputs
        many = outputs and not self.gradient_weight
        if outputs and self.gradient_weight and problem.n_outputs == 1:
            raise DataError(
                f"loss={self.loss!r} needs several outputs, but the gradients of a continuous target are those of one: give "
                "gradient_weight=0, or loss='mean'."
            )
        return DistributionPlan(
            make_network=self._network_maker(problem, max(_OUTPUTS, problem.n_outputs) if many else None),
            comparison=make_comparison(self.loss),
            embedding=Embedding(
                self._precision(problem),
                outputs=outputs,
                joint=problem.rows.task == "regression" and not outputs,
            ),
            gradient_weight=float(self.gradient_weight),
            outer=self.outer_steps,
            real_batch=self.real_batch or (_REAL_ROWS if problem.rows.task == "classification" else 4 * _REAL_ROWS),
            real_draw=self.real_draw,
            augment=self._augmentation(problem),
            vectorize=self._goes_together(problem),
        )
