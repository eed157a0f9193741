"""Dataset condensation by gradient matching."""

from __future__ import annotations

import functools
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.condensation._defaults import default_depth, default_rate, loop_counts
from distillkit.condensation._matching import Matching, Plan
from distillkit.condensation._pool import with_fast_pools
from distillkit.condensation._problem import Problem
from distillkit.condensation._start import STARTS, start_rows
from distillkit.condensation._state import SyntheticRows, Watch
from distillkit.distances import GRADIENT_DISTANCES
from distillkit.exceptions import DataError
from distillkit.nn import Augmentation, make_network, network_name, resolve_device

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["GradientMatchingDistiller"]

_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class GradientMatchingDistiller(BaseDistiller):
    """Rows whose gradients teach a network what the gradients of all rows teach it.

    Synthetic rows are optimised: on a network with random weights, the gradient of the mean loss of a class's synthetic rows
    is compared with that of a batch of its real rows, and the rows step against the derivative of their distance. Between
    steps the network is trained on the synthetic rows (inner loop); after some steps a fresh one is drawn (outer loop). The loss
    is cross-entropy for classes, class by class, and squared error for a continuous target, all rows in one group.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
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
    distance : {"layer-cosine", "cosine", "l2"}, default="layer-cosine"
        See `distillkit.distances.gradient_distance`. The size of its values, and with it the best `lr`, differs between the three.
    init : {"kmeans", "mean", "real", "noise"}, default="kmeans"
        Centroids of k-means in each class (the class mean for one row); means of random parts of a class; random rows; standard
        normal noise. A continuous target is clustered with the features, averaged over parts between its
        quantiles, picked, or set to quantiles.
    outer_steps : int or None, default=None
        Updates of the rows per network. None interpolates the published counts for 1, 10 and 50 rows per class: 1, 10, 50.
    inner_steps : int or None, default=None
        Epochs of the network on the rows between two updates. None interpolates 1, 50, 10. With ten rows and more per class, this is
        most of the work.
    real_batch : int or None, default=None
        Training rows of each class per update. None is 32, or 256 for a continuous target. (The literature's 256 per class cost
        eight times as much; 16 did as well as 32 for MNIST.)
    lr : float or None, default=None
        Step size, in standard deviations of the data. None is 0.2 for rows of 784 numbers, less for shorter rows in proportion.
    momentum : float, default=0.5
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
        differentiated twice is always float32.
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
        over classes and updates) and seconds.

    Raises
    ------
    DataError
        In fit: if y holds one class only, or the network does not fit the rows.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance says ``stopped_by="not_finite"``.

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
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "network": [str, callable],
        "width": [_COUNT, None],
        "depth": [_COUNT, None],
        "hidden": ["array-like", None],
        "norm": [StrOptions({"instance", "none"})],
        "distance": [StrOptions(set(GRADIENT_DISTANCES))],
        "init": [StrOptions(set(STARTS))],
        "outer_steps": [_COUNT, None],
        "inner_steps": [_COUNT, None],
        "real_batch": [_COUNT, None],
        "lr": [_POSITIVE, None],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "target_lr": [_POSITIVE, None],
        "network_lr": [_POSITIVE],
        "average": [Interval(Real, 0, 1, closed="left")],
        "max_norm": [_POSITIVE, None],
        "clip": ["boolean"],
        "augment": [StrOptions({"auto"}), "array-like", None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "max_iter": [_COUNT],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "patience": [_COUNT, None],
        "record_every": [_COUNT],
        "device": [str],
    }
    _needs_y: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        distance: str = "layer-cosine",
        init: str = "kmeans",
        outer_steps: int | None = None,
        inner_steps: int | None = None,
        real_batch: int | None = None,
        lr: float | None = None,
        momentum: float = 0.5,
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
        self.distance = distance
        self.init = init
        self.outer_steps = outer_steps
        self.inner_steps = inner_steps
        self.real_batch = real_batch
        self.lr = lr
        self.momentum = momentum
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
        self.device = device

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        problem = Problem.of(rows, resolve_device(self.device))
        plan = self._plan(problem)
        synthetic = self._start(problem, run)
        # a block holds whole networks, so that the loss of young ones is not compared with that of old ones
        watch = Watch(-(-self.record_every // plan.outer) * plan.outer, self.tol, self.patience)
        X, targets = Matching(problem, plan, synthetic, watch, run).optimise()
        weight = np.concatenate([np.full(group.size, len(group.rows) / group.size) for group in rows.groups])
        return Outcome(X=problem.in_units(X), y=self._labels(problem, targets), weight=weight)

    def _plan(self, problem: Problem) -> Plan:
        groups = problem.rows.groups
        outer, inner = loop_counts(problem.rows.size / len(groups), self.outer_steps, self.inner_steps)
        is_image = len(problem.shape) == 3  # the rest is too small to gain from half precision
        options = {
            "width": self.width or (64 if is_image else None),
            "depth": self.depth or default_depth(self.network, problem.shape),
            "norm": self.norm,
            "hidden": self.hidden,
            "pad": False,  # 28x28 as it is: a quarter less to compute, and the rows serve padded networks as well
        }
        made = functools.partial(_make, self.network, problem, options)
        made(0)  # a network that does not fit says so before anything is computed
        return Plan(
            make_network=made,
            vectorize=isinstance(self.network, str) and network_name(self.network, problem.shape) != "resnet18",
            distance=self.distance,
            outer=outer,
            inner=inner,
            real_batch=self.real_batch or (32 if problem.rows.task == "classification" else 256),
            network_lr=self.network_lr,
            precision=self.precision if is_image or self.precision != "auto" else "float32",
            augment=Augmentation.of(self.augment, problem.shape),
            max_iter=self.max_iter,
        )

    def _start(self, problem: Problem, run: Run) -> SyntheticRows:
        parts = []
        for number, group in enumerate(problem.rows.groups):
            X, y = start_rows(self.init, problem, group, run)
            parts.append((problem.scaled(X), problem.targets(number, y, group.size)))
        run.stopped_by = None  # a clock that ended k-means still leaves time for one update
        return SyntheticRows(
            parts,
            lr=self.lr or default_rate(problem.shape),
            momentum=self.momentum,
            target_lr=self.target_lr if problem.rows.task == "regression" else None,
            limits=problem.limits() if self.clip else None,
            max_norm=self.max_norm,
            average=self.average,
        )

    def _labels(self, problem: Problem, targets: torch.Tensor) -> np.ndarray:
        rows = problem.rows
        assert rows.y is not None
        if rows.task == "regression":
            return np.asarray(targets.cpu().numpy().astype(np.float64) * problem.y_scale + problem.y_mean)
        parts = [np.full(group.size, group.label, dtype=rows.y.dtype) for group in rows.groups]
        return np.concatenate(parts)


def _make(network: Any, problem: Problem, options: dict[str, Any], seed: int) -> nn.Module:
    made = make_network(network, problem.shape, problem.n_outputs, seed=seed, **options).to(problem.device)
    if any(isinstance(module, _BATCH_NORMS) for module in made.modules()):
        raise DataError(
            f"network={network!r} has batch norm, through which the gradient of one class depends on which other rows are in the "
            "batch: give a network with instance, group or layer norm, or none."
        )
    return with_fast_pools(made)
