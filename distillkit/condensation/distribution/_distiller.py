"""Dataset condensation by distribution matching."""

from __future__ import annotations

import functools
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.condensation._base import IterativeCondenser
from distillkit.condensation._constraints import COUNT, DESCENT_CONSTRAINTS, POSITIVE
from distillkit.condensation._parameters import PARAMETERS
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.distribution._bins import target_bins
from distillkit.condensation.distribution._comparisons import (
    DISTRIBUTION_LOSSES,
    OUTPUT_LOSSES,
    Embedding,
    make_comparison,
)
from distillkit.condensation.distribution._loop import DistributionMatchingLoop, DistributionMatchingSettings
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.problem._defaults import classes_in_one_pass
from distillkit.condensation.problem._group_rows import REAL_DRAWS
from distillkit.exceptions import DataError
from distillkit.utils._docstrings import fill_docstring

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["DistributionMatchingDistiller"]

_WIDTH = 64
_LR = 0.05
_OUTPUTS = 64  # of networks whose outputs are compared; as few as there are classes would tell little
_REAL_ROWS = {"classification": 64, "regression": 256}  # of each group, per network


@fill_docstring(
    PARAMETERS, default_width=64, default_hidden="(128, 128)", real_rows=64, real_numbers=256, monitored="smoothed loss"
)
class DistributionMatchingDistiller(IterativeCondenser):
    """Dataset condensation by distribution matching, in the embeddings of random networks.

    In each round a network is drawn at random and embeds a batch of training rows of each class,
    without gradients, and the synthetic rows, which then step against the derivative of the
    distance between the two sets of embeddings. No network is trained, so that a step costs little.

    Choose this method among the condensers for many classes, many rows per class or little time.

    Parameters
    ----------
    {budget}
    What is matched
    loss : {"mean", "mmd", "wasserstein", "sinkhorn", "kl", "js"}, default="mean"
        Distance between the embeddings of synthetic and training rows, computed for each class and
        summed over the classes. "mean" is the squared distance between the mean embeddings, which
        is the literature's and the fastest; "mmd" the squared maximum mean discrepancy with
        Gaussian kernels; "wasserstein" the squared 2-Wasserstein distance; "sinkhorn" the Sinkhorn
        divergence; "kl" and "js" the Kullback-Leibler and the Jensen-Shannon divergence between the
        mean output distributions. See `distillkit.distances`. The bandwidth is the median distance
        between real embeddings of a round, the regularization a tenth of its square.
    gradient_weight : float, default=0.0
        Weight of the loss of gradient matching ("layer-cosine", of the same network and the same
        rows), which is added to `loss`. 0 leaves it out.
    n_bins : int, default=1
        Bins between the quantiles of a continuous target, each of which is matched like a class; at
        most as many as there are rows to make. The embedding is matched as it is and multiplied by
        the target, so that one bin suffices to match how the two depend on each other. Give more
        only where the target has little noise: they fit the noise, and slopes become too steep.
    {real_batch}
    {real_draw}
        Bins of a continuous target are divided like classes.
    {augment}
        The same change is applied to training and synthetic rows of an update.
    Network
    {network}
        It must not have batch norm. Its method ``embed``, or else its outputs, are matched.
    {width}
    {depth}
    {hidden}
    {norm}
    {pad}
    Start and rows
    {init}
    {downscale}
    {task}
    {lr_normalized}
    {momentum}
    {schedule}
    target_lr : float, "auto" or None, default="auto"
        Step size for continuous targets, in their standard deviations. "auto" takes that of the
        rows where the loss depends on the targets ("kl" and "js" do not). None keeps the targets of
        the start.
    {clip_rms}
        It is measured in the running root mean square of the gradients of all rows.
    {average}
    {clip}
    Steps and time
    outer_steps : int, default=1
        Updates of the rows per network. Without `augment` the training rows are embedded once for
        all of them.
    {max_iter}
    {max_seconds}
    {tol}
    {patience}
    {record_every}
        Rounded up to whole networks.
    Validation
    {validation_fraction}
    {validation_every}
    Resources
    {precision}
        It holds for the embeddings.
    {checkpoint}
    {on_interrupt}
    {device}
    {processes}
    {verbose}
    {random_state}
    {max_norm}

    Attributes
    ----------
    n_iter_ : int
        Updates done.
    history_ : list of dict
        Each entry holds iteration, loss (the sum over the classes, averaged over the updates since
        the last entry), seconds, with `gradient_weight` also gradient_loss and similarity, and
        validation where the rows were validated.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, the loss cannot learn
        targets, or `checkpoint` belongs to another run; if `processes` are more than the classes,
        or get different data or parameters.
    ProcessGroupError
        In the other processes of the group, if one of them has failed or ended.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see
        `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance
        says ``stopped_by="not_finite"``. If memory ends: `real_batch` is halved.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    GradientMatchingDistiller : Matches gradients; better for few rows per class, slower for many.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single
    losses depend on the network drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one standard
    deviation.

    References
    ----------
    Zhao and Bilen, "Dataset condensation with distribution matching", WACV 2023 ("mean"). Zhang et
    al., "M3D: Dataset condensation by minimizing maximum mean discrepancy", AAAI 2024. Liu et al.,
    "Dataset distillation via the Wasserstein metric", ICCV 2025.

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
        **IterativeCondenser._parameter_constraints,
        **DESCENT_CONSTRAINTS,
        "loss": [StrOptions(set(DISTRIBUTION_LOSSES))],
        "gradient_weight": [Interval(Real, 0, None, closed="left")],
        "n_bins": [COUNT],
        "target_lr": [POSITIVE, StrOptions({"auto"}), None],
        "outer_steps": [COUNT],
        "real_batch": [COUNT, None],
        "real_draw": [StrOptions(set(REAL_DRAWS))],
        "processes": [StrOptions({"auto"}), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        loss: str = "mean",
        gradient_weight: float = 0.0,
        n_bins: int = 1,
        real_batch: int | None = None,
        real_draw: str = "random",
        augment: Any = None,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pad: bool = False,
        init: Any = "kmeans",
        downscale: int = 1,
        task: str = "auto",
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: Any = "auto",
        clip_rms: float | None = 3.0,
        average: float = 0.95,
        clip: bool = False,
        outer_steps: int = 1,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | str | None = "auto",
        record_every: int = 10,
        validation_fraction: float | None = None,
        validation_every: int = 100,
        precision: str = "auto",
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        device: str = "auto",
        processes: str | None = "auto",
        verbose: bool = False,
        random_state: Any = None,
        max_norm: Any = "deprecated",
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.loss = loss
        self.gradient_weight = gradient_weight
        self.n_bins = n_bins
        self.real_batch = real_batch
        self.real_draw = real_draw
        self.augment = augment
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pad = pad
        self.init = init
        self.downscale = downscale
        self.lr = lr
        self.momentum = momentum
        self.schedule = schedule
        self.target_lr = target_lr
        self.clip_rms = clip_rms
        self.average = average
        self.clip = clip
        self.outer_steps = outer_steps
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.tol = tol
        self.patience = patience
        self.record_every = record_every
        self.validation_fraction = validation_fraction
        self.validation_every = validation_every
        self.precision = precision
        self.checkpoint = checkpoint
        self.on_interrupt = on_interrupt
        self.device = device
        self.processes = processes
        self.max_norm = max_norm

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        return self._condense(self._with_bins(rows), run, self._plan)

    def _with_bins(self, rows: TrainingRows) -> TrainingRows:
        """Divide the rows of a continuous target into bins, which are matched like classes."""
        if rows.task != "regression":
            return rows
        if self.target_lr not in (None, "auto") and self.loss in OUTPUT_LOSSES:
            raise DataError(
                f"loss={self.loss!r} compares outputs for rows alone, from which no target can be learned: leave out "
                "target_lr, or give loss='mean'."
            )
        return target_bins(rows, min(self.n_bins, rows.size))

    def _plan(self, problem: CondensationProblem) -> CondensationPlan:
        is_regression, width = problem.rows.task == "regression", self.width or _WIDTH
        make_network = self._network_maker(problem, width=width, pad=self.pad)
        compares_outputs = self.loss in OUTPUT_LOSSES
        make_matched = make_network
        if compares_outputs and not self.gradient_weight:
            # Outputs tell more where there are many; gradients are those of the task's own outputs.
            n_outputs = max(_OUTPUTS, problem.n_outputs)
            make_matched = self._network_maker(problem, n_outputs, width=width, pad=self.pad)
        elif compares_outputs and problem.n_outputs == 1:
            raise DataError(
                f"loss={self.loss!r} needs several outputs, but the gradients of a continuous target are those of one: "
                "give gradient_weight=0, or loss='mean'."
            )
        settings = DistributionMatchingSettings(
            make_network=make_matched,
            comparison=make_comparison(self.loss),
            embedding=Embedding(
                self._precision(problem),
                outputs=compares_outputs,
                joint=is_regression and not compares_outputs,
            ),
            gradient_weight=float(self.gradient_weight),
            outer=self.outer_steps,
            real_batch=self.real_batch or _REAL_ROWS[str(problem.rows.task)],
            real_draw=self.real_draw,
            augment=self._augmentation(problem),
            vectorize=classes_in_one_pass(self.network, problem, width),
        )
        _require_memory(settings, problem)
        return CondensationPlan(
            make_network=make_network,
            make_rows=self._row_maker(
                problem,
                lr=self.lr or _LR,
                momentum=self.momentum,
                target_lr=self._learned_target_lr() if is_regression else None,
                clip_rms=self._clip_rms,
                normalize=True,
            ),
            make_loop=functools.partial(DistributionMatchingLoop, settings=settings),
            block_size=-(-self.record_every // self.outer_steps) * self.outer_steps,
            schedule=self.schedule,
        )

    def _learned_target_lr(self) -> float | None:
        """Return the step size of continuous targets; None keeps them."""
        if self.target_lr != "auto":
            return None if self.target_lr is None else float(self.target_lr)
        return None if self.loss in OUTPUT_LOSSES else float(self.lr or _LR)


def _require_memory(settings: DistributionMatchingSettings, problem: CondensationProblem) -> None:
    """Refuse a run that will not fit into memory: the larger graph, and the scaled rows."""
    rows = problem.rows
    n_real = sum(min(settings.real_batch, len(group.rows)) for group in rows.groups)
    graph = graph_bytes(settings.make_network, problem.shape) * max(1.5 * rows.size, min(n_real, 1024))
    scaled_rows = 4 * rows.X.size + 8 * n_real * rows.X[0].size
    require_memory(graph + scaled_rows, problem.device, "lower real_batch, width or budget")
