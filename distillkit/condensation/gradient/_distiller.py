"""Dataset condensation by gradient matching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from distillkit.condensation._base import COUNT, POSITIVE
from distillkit.condensation._matching_base import MatchingCondenser
from distillkit.condensation.gradient._gradients import fits_one_vmap
from distillkit.condensation.gradient._loop import DERIVATIVES, TRAIN_ON, GradientMatchingLoop, GradientMatchingSettings
from distillkit.condensation.gradient._presets import PRESETS, preset_params
from distillkit.condensation.loop._memory import graph_bytes, require_memory
from distillkit.condensation.problem._defaults import default_rate, loop_counts
from distillkit.condensation.problem._group_rows import REAL_DRAWS
from distillkit.distances import GRADIENT_DISTANCES
from distillkit.nn import network_name

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.loop._loop import Controls
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["GradientMatchingDistiller"]


class GradientMatchingDistiller(MatchingCondenser):
    """Rows whose gradients teach a network what the gradients of all rows teach it.

    Synthetic rows are optimised: on a network with random weights, the gradient of the mean loss of a class's synthetic rows
    is compared with that of a batch of its real rows, and the rows step against the derivative of their distance. Between
    steps the network is trained on the synthetic rows (inner loop); after some steps a fresh one is drawn (outer loop). The loss
    is cross-entropy for classes, class by class, and squared error for a continuous target, all rows in one group.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    preset : {"dc", "dsa", "fast"} or None, default=None
        "dc" and "dsa" are the published settings of both papers: width 128, `pad`, 256 real rows, rate 0.1 (0.01 for an MLP) without
        clipping, float32, 1000 networks without early stopping; "dc" starts from noise, "dsa" from real rows and with
        ``augment="auto"``. "fast" is the defaults, which were measured to be best within minutes on two cores. A parameter whose value
        differs from its default wins over the preset; one that equals it counts as not given, so that
        ``preset="dc", init="kmeans"`` starts from noise. None takes every parameter as it is.
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"} or callable, default="auto"
        "auto" takes an MLP for tables (and images under 8 pixels), a 1-D ConvNet for series and a ConvNet for images. A callable of
        (shape, n_outputs) returns a module without batch norm.
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
    distance : {"layer-cosine", "cosine", "l1", "l2"}, default="layer-cosine"
        See `distillkit.distances.gradient_distance`. The size of its values, and with it the best `lr`, differs between them.
    derivative : {"exact", "differences"}, default="exact"
        How the distance is differentiated by the rows. "exact" differentiates the gradients once more, as the literature does. Where a
        network has ReLUs, gradients jump as units switch, which a derivative does not see. "differences" subtracts the rows' gradients
        at weights a little to both sides of the network's own, which does see it: it comes closer to the real gradients with rows moved
        less (figures in `docs/methods.md`), and holds no graph of gradients; with fifty rows of a class it takes .7 of the time.
    init : {"kmeans", "mean", "real", "noise"}, name of a method or distiller, default="kmeans"
        Centroids of k-means in each class (the class mean for one row); means of random parts of a class; random rows; standard
        normal noise. A continuous target is clustered with the features, averaged over parts between its
        quantiles, picked, or set to quantiles.
        Or the rows of another method at the same budget: its registered name, as ``init="uncertainty:hard-fifth"``, or a distiller, as
        ``init=KMeansCoreset(representative="member")``, which is cloned; each `random_state` of its own that is None is seeded from this one's.
    downscale : int, default=1
        Factor that the sides of the stored images or series are divided by; the rows returned are interpolated from them. With 2, four images take
        the bytes of one (the literature's multi-formation with factor 2, which counts those four as one): ``budget=40, downscale=2``
        takes the bytes of ``budget=10``.
    outer_steps : int or None, default=None
        Visits of a network, each of which ends with an update of the rows. None interpolates the published counts for 1, 10 and 50 rows per
        class: 1, 10, 50.
    inner_steps : int or None, default=None
        Epochs of the network on the rows between two visits, or batches of 64 training rows with ``train_on="real"``. None interpolates
        1, 50, 10. With ten rows and more per class, this is most of the work.
    train_on : {"synthetic", "real"}, default="synthetic"
        Rows that the network learns from between two visits. On ten synthetic rows of a class it soon knows all there is, and its gradients
        fade; on real ones it keeps learning, at a `network_lr` of 0.1 say. Measured on MNIST in `docs/methods.md`.
    updates : int, default=1
        Updates of the rows per visit of a network, by the gradients of the same real rows; the literature does one. More share the work of
        the inner epochs and of the real gradients.
    real_batch : int or None, default=None
        Training rows of each class per visit. None is 32, or 256 for a continuous target. (The literature's 256 per class cost
        eight times as much; 16 did as well as 32 for MNIST.)
    real_draw : {"random", "clusters"}, default="random"
        "clusters" divides each class by k-means, once, and takes the same share of every cluster for each batch: its mean gradient then strays
        less from that of the class (32 rows of MNIST: 0.79 of the error of random rows for fresh networks, 0.91 for trained ones; twice
        as many random rows, at twice the cost, have 0.50 and 0.60).
    lr : float or None, default=None
        Step size, in standard deviations of the data. None is 0.2 for rows of 784 numbers, less for shorter rows in proportion.
    momentum : float, default=0.5
    schedule : {"constant", "linear"}, default="constant"
        "linear" lets the rates of the rows fall to zero by the update `max_iter`; where `max_seconds` will end before it, from half of the
        time on.
    target_lr : float or None, default=None
        Step size for continuous targets, in their standard deviations; None keeps those of the start.
    network_lr : float, default=0.01
        Rate of the inner loop.
    average : float, default=0.0
        Decay of a running mean of the rows over the updates, which is then what is returned; 0 returns the rows themselves.
    max_norm : float or None, default=0.5
        Gradient clipping: the largest root mean square of the gradient of one row. A step moves a row by at most ``lr * max_norm``
        standard deviations (twice as much with the default momentum). None does not clip.
    clip : bool, default=False
        Whether rows are held in the range of the training rows: of each column of a table, of all values of images and series. By
        default they are free, as in the literature, and rows may leave the range; where X holds integers, they are
        rounded and held within the integer type at the end in any case.
    augment : "auto", sequence of str or None, default=None
        The same random change of real and synthetic images in each update, and changes in the inner loop; see
        `distillkit.nn.Augmentation`. "auto" takes the literature's for images and none otherwise.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the gradients of real rows and of the inner loop. "auto" is bfloat16 for images where the processor has it. What is
        differentiated twice, or by differences, is always float32.
    max_iter : int, default=300
        Updates of the rows at most.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each update and each epoch of the inner loop; at least one update is done.
    tol : float, default=1e-3
        Smallest relative fall of the smoothed matching loss that counts as one.
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
        iteration, loss (sum over the classes, mean over the updates since the last entry), similarity (cosine between the gradients, mean
        over classes and updates), seconds, and now and then validation.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, or `checkpoint` belongs to another run.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends with the fewest rows in a batch: the best rows so far
        are then in the fitted attributes (``stopped_by="out_of_memory"``), if there was an update.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance says ``stopped_by="not_finite"``.
        If memory ends: `real_batch` is halved, down to 8, and the update is repeated (the provenance says with how many rows it went on).

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest: single losses depend on the network
    drawn and do not compare.

    Inside, tables are standardized column by column, images and series by one mean and one spread.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021. With `augment`: Zhao and Bilen, "Dataset condensation
    with differentiable Siamese augmentation", ICML 2021.

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
        **MatchingCondenser._parameter_constraints,
        "preset": [StrOptions(set(PRESETS)), None],
        "distance": [StrOptions(set(GRADIENT_DISTANCES))],
        "derivative": [StrOptions(set(DERIVATIVES))],
        "outer_steps": [COUNT, None],
        "inner_steps": [COUNT, None],
        "train_on": [StrOptions(set(TRAIN_ON))],
        "updates": [COUNT],
        "real_batch": [COUNT, None],
        "real_draw": [StrOptions(set(REAL_DRAWS))],
        "network_lr": [POSITIVE],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        preset: str | None = None,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pad: bool = False,
        distance: str = "layer-cosine",
        derivative: str = "exact",
        init: Any = "kmeans",
        downscale: int = 1,
        outer_steps: int | None = None,
        inner_steps: int | None = None,
        train_on: str = "synthetic",
        updates: int = 1,
        real_batch: int | None = None,
        real_draw: str = "random",
        lr: float | None = None,
        momentum: float = 0.5,
        schedule: str = "constant",
        target_lr: float | None = None,
        network_lr: float = 0.01,
        average: float = 0.0,
        max_norm: float | None = 0.5,
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
        self.preset = preset
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pad = pad
        self.distance = distance
        self.derivative = derivative
        self.init = init
        self.downscale = downscale
        self.outer_steps = outer_steps
        self.inner_steps = inner_steps
        self.train_on = train_on
        self.updates = updates
        self.real_batch = real_batch
        self.real_draw = real_draw
        self.lr = lr
        self.momentum = momentum
        self.schedule = schedule
        self.target_lr = target_lr
        self.network_lr = network_lr
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
        if self.preset is None:
            return super()._distill(rows, run)
        name = network_name(self.network, rows.X.shape[1:]) if isinstance(self.network, str) else ""
        cls, given = type(self), self.get_params(deep=False)
        params = preset_params(cls, given, name, rows.size / len(rows.groups))
        return cls._distill(cls(**params), rows, run)

    def _loop(
        self, problem: CondensationProblem, rows: SyntheticRows, monitor: LossMonitor, run: Run, controls: Controls
    ) -> GradientMatchingLoop:
        plan = self._plan(problem)
        bytes_per_row = graph_bytes(plan.make_network, problem.shape)
        sizes = [group.size for group in problem.rows.groups]
        # the graph of the rows of one class, or of all, with that of its gradient where there is one, or one real batch
        at_once = sum(sizes) if plan.vectorize and fits_one_vmap(sizes) else max(sizes)
        needed = bytes_per_row * max((3 if self.derivative == "exact" else 1) * at_once, plan.real_batch)
        require_memory(needed, problem.device, "lower real_batch, width or budget")
        return GradientMatchingLoop(problem, plan, rows, monitor, run, controls)

    def _block(self, problem: CondensationProblem) -> int:
        # a block holds whole networks, so that the loss of young ones is not compared with that of old ones
        outer, _ = self._counts(problem)
        whole = outer * self.updates
        return -(-self.record_every // whole) * whole

    def _default_rate(self, problem: CondensationProblem) -> float:
        return default_rate(problem.shape)

    def _counts(self, problem: CondensationProblem) -> tuple[int, int]:
        rows = problem.rows
        return loop_counts(rows.size / len(rows.groups), self.outer_steps, self.inner_steps)

    def _plan(self, problem: CondensationProblem) -> GradientMatchingSettings:
        outer, inner = self._counts(problem)
        return GradientMatchingSettings(
            make_network=self._network_maker(problem),
            vectorize=self._goes_together(problem),
            distance=self.distance,
            derivative=self.derivative,
            outer=outer,
            inner=inner,
            train_on=self.train_on,
            updates=self.updates,
            real_batch=self.real_batch or (32 if problem.rows.task == "classification" else 256),
            real_draw=self.real_draw,
            network_lr=self.network_lr,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
        )
