"""Dataset condensation by gradient matching."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from distillkit.condensation._base import IterativeCondenser
from distillkit.condensation._constraints import COUNT, DESCENT_CONSTRAINTS, POSITIVE
from distillkit.condensation._parameters import PARAMETERS
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.gradient._gradients import fits_one_vmap
from distillkit.condensation.gradient._loop import DERIVATIVES, TRAIN_ON, GradientMatchingLoop, GradientMatchingSettings
from distillkit.condensation.gradient._presets import PRESETS, preset_params
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.problem._defaults import classes_in_one_pass, default_rate, loop_counts
from distillkit.condensation.problem._group_rows import REAL_DRAWS
from distillkit.distances import GRADIENT_DISTANCES
from distillkit.nn import network_name
from distillkit.utils._docstrings import fill_docstring

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["GradientMatchingDistiller"]

_WIDTH = 64
_REAL_ROWS = {"classification": 32, "regression": 256}  # of each group, per visit of a network


@fill_docstring(
    PARAMETERS,
    default_width=64,
    default_hidden="(128, 128)",
    real_rows=32,
    real_numbers=256,
    monitored="smoothed matching loss",
)
class GradientMatchingDistiller(IterativeCondenser):
    """Dataset condensation by gradient matching, on networks that learn from the rows meanwhile.

    Synthetic rows are optimized until the gradients that they give a network resemble those of the
    training rows. On a network with random weights, the gradient of the mean loss of the synthetic
    rows of a class is compared with that of a batch of its training rows, and the synthetic rows
    step against the derivative of the distance between the two. Between two steps the network is
    trained on the synthetic rows (the inner loop); after some steps a fresh network is drawn (the
    outer loop). The loss is the cross-entropy for classes, compared class by class, and the squared
    error for a continuous target, whose rows form one group.

    Choose this method for few rows per class. For many classes or many rows per class,
    `DistributionMatchingDistiller` takes cheaper steps.

    Parameters
    ----------
    {budget}
    What is matched
    preset : {"dc", "dsa", "fast"} or None, default=None
        Settings by name. "dc" and "dsa" are the published settings of the two papers below: width
        128, `pad`, 256 training rows, step size 0.1 (0.01 for an MLP) without clipping, float32,
        and 1000 networks without early stopping, or as many as `max_seconds` allows. "dc" starts
        from noise, "dsa" from training rows and with ``augment="auto"``. "fast" is the defaults,
        which serve fits of minutes on a CPU best.
        A parameter whose value differs from its default wins over the preset. One that equals its
        default counts as not given, so that ``preset="dc", init="kmeans"`` starts from noise. None
        takes every parameter as it is.
    distance : {"layer-cosine", "cosine", "l1", "l2"}, default="layer-cosine"
        Distance between two gradients; see `distillkit.distances.gradient_distance`. The size of
        its values, and with it the best `lr`, differs between the distances.
    derivative : {"exact", "differences"}, default="exact"
        How the distance is differentiated by the rows. "exact" differentiates the gradients once
        more, as the literature does. The gradient of a ReLU network is discontinuous where units
        switch, and exact derivatives miss these jumps. "differences" subtracts the gradients of
        the rows at weights a little to both sides of the network's own, which captures them. It
        needs no graph of the gradients, and so less memory, and comes closer to the real gradients
        in as many steps (figures are in `benchmarks/results/notes.md`). Choose it for many rows per
        class.
    {real_batch}
    {real_draw}
    {augment}
        The same change is applied to training and synthetic rows of an update, and others in the
        inner loop.
    Network
    {network}
        It must not have batch norm.
    {width}
    {depth}
    {hidden}
    {norm}
    {pad}
    train_on : {"synthetic", "real"}, default="synthetic"
        Rows that the network learns from in the inner loop. The network soon fits a few synthetic
        rows perfectly, after which its gradients vanish; on training rows it keeps learning. Choose
        "real" for ten rows per class and more, with a `network_lr` of about 0.1.
    inner_steps : int or None, default=None
        Epochs of the network on the synthetic rows between two visits, or batches of 64 training
        rows with ``train_on="real"``. None interpolates the published counts for 1, 10 and 50 rows
        per class: 1, 50, 10. With ten rows per class and more, they are most of the work.
    network_lr : float, default=0.01
        Learning rate of the network in the inner loop.
    Start and rows
    {init}
    {downscale}
    {task}
    lr : float or None, default=None
        Step size, in standard deviations of the data. None takes 0.2 for rows of 784 numbers or
        more, and less for shorter rows in proportion.
    {momentum}
    {schedule}
    {target_lr}
    {clip_rms}
        A step moves a row by at most ``lr * clip_rms`` standard deviations, or
        ``lr * clip_rms / (1 - momentum)`` with momentum.
    {average}
    {clip}
    Steps and time
    outer_steps : int or None, default=None
        Visits of a network. None interpolates the published counts for 1, 10 and 50 rows per class:
        1, 10, 50.
    updates : int, default=1
        Updates of the rows per visit of a network, by the gradients of the same training rows. The
        literature does one. With more, updates share the work of the inner loop and of the real
        gradients.
    {max_iter}
    {max_seconds}
        It is checked after each epoch of the inner loop, too.
    {tol}
    {patience}
    {record_every}
        Rounded up to whole networks.
    Validation
    {validation_fraction}
    {validation_every}
    Resources
    {precision}
        It holds for the gradients of training rows and for the inner loop. What is differentiated
        twice, or by differences, is always float32.
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
        the last entry), similarity (the cosine between the gradients, averaged over classes and
        updates), seconds, and validation where the rows were validated.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, or `checkpoint`
        belongs to another run; if `processes` are more than the classes, or get different data or
        parameters.
    ProcessGroupError
        In the other processes of the group, if one of them has failed or ended.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends although the batch
        of training rows is as small as it may be. After at least one update, the best rows so far
        are then in the fitted attributes (``stopped_by="out_of_memory"``).

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance
        says ``stopped_by="not_finite"``. If memory ends: `real_batch` is halved, down to 8, and the
        update is repeated (the provenance says with how many rows the fit went on).

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    DistributionMatchingDistiller : Matches embeddings; cheaper per step.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single
    losses depend on the network drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one standard
    deviation.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021. With
    `augment`: Zhao and Bilen, "Dataset condensation with differentiable Siamese augmentation", ICML
    2021.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog"], 20)
    >>> X = rng.normal(size=(40, 4)) + (y == "dog")[:, None] * 5
    >>> small = GradientMatchingDistiller(budget=1, max_iter=5, random_state=0).fit(X, y)
    >>> small.X_distilled_.shape, small.y_distilled_.tolist(), small.n_iter_
    ((2, 4), ['cat', 'dog'], 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **IterativeCondenser._parameter_constraints,
        **DESCENT_CONSTRAINTS,
        "preset": [StrOptions(set(PRESETS)), None],
        "distance": [StrOptions(set(GRADIENT_DISTANCES))],
        "derivative": [StrOptions(set(DERIVATIVES))],
        "outer_steps": [COUNT, None],
        "inner_steps": [COUNT, None],
        "train_on": [StrOptions(set(TRAIN_ON))],
        "updates": [COUNT],
        "real_batch": [COUNT, None],
        "real_draw": [StrOptions(set(REAL_DRAWS))],
        "processes": [StrOptions({"auto"}), None],
        "network_lr": [POSITIVE],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        preset: str | None = None,
        distance: str = "layer-cosine",
        derivative: str = "exact",
        real_batch: int | None = None,
        real_draw: str = "random",
        augment: Any = None,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pad: bool = False,
        train_on: str = "synthetic",
        inner_steps: int | None = None,
        network_lr: float = 0.01,
        init: Any = "kmeans",
        downscale: int = 1,
        task: str = "auto",
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: float | None = None,
        clip_rms: float | None = 0.5,
        average: float = 0.0,
        clip: bool = False,
        outer_steps: int | None = None,
        updates: int = 1,
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
        self.preset = preset
        self.distance = distance
        self.derivative = derivative
        self.real_batch = real_batch
        self.real_draw = real_draw
        self.augment = augment
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pad = pad
        self.train_on = train_on
        self.inner_steps = inner_steps
        self.network_lr = network_lr
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
        self.updates = updates
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
        if self.preset is None:
            return self._condense(rows, run, self._plan)
        # An estimator with the parameters of the preset written out does the work.
        network = network_name(self.network, rows.X.shape[1:]) if isinstance(self.network, str) else ""
        cls, params = type(self), self._current_params()
        params = preset_params(cls, params, network, rows.size / len(rows.groups))
        return cls._distill(cls(**params), rows, run)

    def _plan(self, problem: CondensationProblem) -> CondensationPlan:
        rows, width = problem.rows, self.width or _WIDTH
        outer, inner = loop_counts(rows.size / len(rows.groups), self.outer_steps, self.inner_steps)
        settings = GradientMatchingSettings(
            make_network=self._network_maker(problem, width=width, pad=self.pad),
            vectorize=classes_in_one_pass(self.network, problem, width),
            distance=self.distance,
            derivative=self.derivative,
            outer=outer,
            inner=inner,
            train_on=self.train_on,
            updates=self.updates,
            real_batch=self.real_batch or _REAL_ROWS[str(rows.task)],
            real_draw=self.real_draw,
            network_lr=self.network_lr,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
        )
        _require_memory(settings, problem)
        # A block holds whole networks, since losses on young and on old networks do not compare.
        updates_per_network = outer * self.updates
        return CondensationPlan(
            make_network=settings.make_network,
            make_rows=self._row_maker(
                problem,
                lr=self.lr or default_rate(problem.shape),
                momentum=self.momentum,
                target_lr=self.target_lr if rows.task == "regression" else None,
                clip_rms=self._clip_rms,
            ),
            make_loop=functools.partial(GradientMatchingLoop, settings=settings),
            block_size=-(-self.record_every // updates_per_network) * updates_per_network,
            schedule=self.schedule,
        )


def _require_memory(settings: GradientMatchingSettings, problem: CondensationProblem) -> None:
    """Refuse a run that will not fit into memory: the graph of synthetic or of training rows."""
    sizes = [group.size for group in problem.rows.groups]
    rows_at_once = sum(sizes) if settings.vectorize and fits_one_vmap(sizes) else max(sizes)
    # An exact derivative keeps the graph of the gradient, too, which is twice as large.
    graphs = 3 if settings.derivative == "exact" else 1
    n_bytes = graph_bytes(settings.make_network, problem.shape) * max(graphs * rows_at_once, settings.real_batch)
    require_memory(n_bytes, problem.device, "lower real_batch, width or budget")
