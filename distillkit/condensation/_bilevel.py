"""Dataset distillation as a bilevel problem: train on the rows, and differentiate through the training."""

from __future__ import annotations

import functools
import inspect
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn
from torch.func import functional_call

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.condensation._defaults import default_depth
from distillkit.condensation._labels import first_parts, learns_labels, row_labels, rows_per_label
from distillkit.condensation._meta_fit import MetaFit, MetaPlan
from distillkit.condensation._meta_validation import MetaValidation
from distillkit.condensation._pool import with_fast_pools
from distillkit.condensation._problem import Problem
from distillkit.condensation._real_rows import RealRows, split_rows
from distillkit.condensation._start import STARTS
from distillkit.condensation._state import SyntheticRows
from distillkit.exceptions import DataError
from distillkit.nn import make_network, resolve_device, unroll

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["BilevelDistiller"]

_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")
_NOT_DIFFERENTIABLE = ("tree", "forest", "boosting", "knn")
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class BilevelDistiller(BaseDistiller):
    """Rows such that a network trained on them by gradient descent does well on real rows.

    The definition of the problem, taken at its word: a network with random weights is trained on the synthetic rows for some
    steps (inner loop), its loss on a batch of real rows is the meta-loss, and its gradient flows back through every step of the
    training, or the last ones, into the rows, their labels and the rate of the training (outer loop). Some training rows are set apart,
    on which the rows are judged from time to time: the best are returned.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"}, callable or Module, default="auto"
        "auto" takes an MLP for tables (and images under 8 pixels), a 1-D ConvNet for series and a ConvNet for images. A callable of
        (shape, n_outputs) returns a module without batch norm; a module is copied with the weights it has. Models that are not trained by
        gradient descent in torch (trees, neighbours, scikit-learn's) cannot be differentiated through and are refused.
    width : int or None, default=None
        Channels of a ConvNet; None is 32.
    depth : int or None, default=None
        Blocks of a ConvNet; see `GradientMatchingDistiller`.
    hidden : sequence of int or None, default=None
        Hidden layers of an MLP; None is (64,), an empty sequence makes it a linear model.
    norm : {"instance", "none"}, default="instance"
    inner_steps : int, default=20
        Steps of gradient descent on all synthetic rows.
    window : int or None, default=None
        Last steps of the inner loop that are differentiated through (truncated backpropagation); None is all. Memory and time grow with it.
    random_end : bool, default=False
        Whether inner loops end after a random number of steps from `window` to `inner_steps`, so that the window moves over the training.
    network_lr : float or None, default=None
        First rate of the inner loop. None is 0.3 for classes and 0.05 for numbers, whose squared errors have steeper slopes.
    rate_lr : float or None, default=0.01
        Rate at which the logarithm of `network_lr` is learned; None keeps it.
    init : {"kmeans", "mean", "real", "noise"}, default="kmeans"
        See `GradientMatchingDistiller`.
    learn_labels : {"auto"} or bool, default="auto"
        Whether targets are optimised with the rows: class labels become probabilities in ``soft_labels_``, beside the labels they started
        from. "auto" learns numbers, which take no more room for it, and leaves class labels as they are.
    real_batch : int, default=256
        Training rows per update.
    lr : float, default=0.01
        Rate of Adam for the rows, in standard deviations of the data.
    label_lr : float, default=0.01
        Rate of Adam for learned targets: logits, or numbers in standard deviations.
    max_norm : float or None, default=0.1
        Gradient clipping: the largest root mean square of the meta-gradient of one row, and of its label. Training that is close to unstable
        has gradients that are larger by orders of magnitude. None does not clip.
    average : float, default=0.0
        Decay of a running mean of the rows over the updates, which is then what is validated and returned.
    clip : bool, default=False
        Whether rows are held in the range of the training rows; see `GradientMatchingDistiller`.
    validation : float, default=0.1
        Share of the training rows of each class that is set apart, at most so many that as many rows are left as are distilled. Where
        classes are too small for any, the rows are validated on those of the meta-loss.
    max_iter : int, default=300
        Updates of the rows at most.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each update; at least one update is done.
    tol : float, default=1e-3
        Smallest relative fall of the validation loss that counts as one.
    patience : int or None, default=100
        Updates without such a fall after which the rows have converged; None never stops early.
    record_every : int, default=10
        Updates between two validations, each of which is an entry of `history_`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    network_lr_ : float
        Rate that was learned for training on the distilled rows.
    soft_labels_ : ndarray of shape (m, n_classes)
        Learned probabilities, only with ``learn_labels=True`` and classes.
    n_iter_ : int
        Updates done.
    history_ : list of dict
        iteration, loss (the meta-loss, mean over the updates since the last entry), validation_loss, validation_accuracy or validation_r2,
        network_lr and seconds.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, or no gradient flows through its training.

    Warns
    -----
    DistillkitWarning
        If a loss, a gradient or the rows become infinite: the best finite rows are kept, and the provenance says
        ``stopped_by="not_finite"``.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    KernelDistiller : The same with the inner training in closed form.

    References
    ----------
    Wang et al., "Dataset distillation", arXiv:1811.10959. With `random_end`: Feng, Vedantam and Kempe, "Embarrassingly simple dataset
    distillation", ICLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog"], 20)
    >>> X = rng.normal(size=(40, 4)) + (y == "dog")[:, None] * 5
    >>> small = BilevelDistiller(budget=1, max_iter=5, random_state=0).fit(X, y)
    >>> small.X_distilled_.shape, small.y_distilled_.tolist(), small.n_iter_
    ((2, 4), ['cat', 'dog'], 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "network": "no_validation",  # refused in fit, with the reason and a remedy
        "width": [_COUNT, None],
        "depth": [_COUNT, None],
        "hidden": ["array-like", None],
        "norm": [StrOptions({"instance", "none"})],
        "inner_steps": [_COUNT],
        "window": [_COUNT, None],
        "random_end": ["boolean"],
        "network_lr": [_POSITIVE, None],
        "rate_lr": [_POSITIVE, None],
        "init": [StrOptions(set(STARTS))],
        "learn_labels": [StrOptions({"auto"}), "boolean"],
        "real_batch": [_COUNT],
        "lr": [_POSITIVE],
        "label_lr": [_POSITIVE],
        "max_norm": [_POSITIVE, None],
        "average": [Interval(Real, 0, 1, closed="left")],
        "clip": ["boolean"],
        "validation": [Interval(Real, 0, 1, closed="left")],
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
        inner_steps: int = 20,
        window: int | None = None,
        random_end: bool = False,
        network_lr: float | None = None,
        rate_lr: float | None = 0.01,
        init: str = "kmeans",
        learn_labels: bool | str = "auto",
        real_batch: int = 256,
        lr: float = 0.01,
        label_lr: float = 0.01,
        max_norm: float | None = 0.1,
        average: float = 0.0,
        clip: bool = False,
        validation: float = 0.1,
        max_iter: int = 300,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | None = 100,
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
        self.inner_steps = inner_steps
        self.window = window
        self.random_end = random_end
        self.network_lr = network_lr
        self.rate_lr = rate_lr
        self.init = init
        self.learn_labels = learn_labels
        self.real_batch = real_batch
        self.lr = lr
        self.label_lr = label_lr
        self.max_norm = max_norm
        self.average = average
        self.clip = clip
        self.validation = validation
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.tol = tol
        self.patience = patience
        self.record_every = record_every
        self.device = device

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        refuse_models(self.network)
        weight = rows_per_label(rows)
        rest, apart = split_rows(rows, self.validation, run.rng)
        problem = Problem.of(rest, resolve_device(self.device))
        plan = self._plan(problem)
        synthetic = self._start(problem, run)
        draws = np.random.default_rng(run.seed())
        validation = MetaValidation(problem, RealRows(problem, apart), plan.make_network, plan.steps, draws)
        best = MetaFit(problem, plan, synthetic, RealRows(problem), validation, run).optimise()
        self.network_lr_ = best.rate
        y, soft = row_labels(problem, best.targets)
        return Outcome(X=problem.in_units(best.rows), y=y, soft_labels=soft, weight=weight)

    def _plan(self, problem: Problem) -> MetaPlan:
        options = {
            "width": self.width or 32,
            "depth": self.depth or default_depth(self.network, problem.shape),
            "norm": self.norm,
            "hidden": (64,) if self.hidden is None else self.hidden,
            "pad": False,  # 28x28 as it is: a quarter less to compute, and the rows serve padded networks as well
        }
        made = functools.partial(_make, self.network, problem, options)
        _check_gradient(self.network, made(0), problem)
        return MetaPlan(
            make_network=made,
            steps=self.inner_steps,
            window=min(self.inner_steps, self.window or self.inner_steps),
            random_end=self.random_end,
            real_batch=self.real_batch,
            network_lr=self.network_lr or (0.3 if problem.rows.task == "classification" else 0.05),
            rate_lr=self.rate_lr,
            max_iter=self.max_iter,
            record_every=self.record_every,
            tol=self.tol,
            patience=self.patience,
        )

    def _start(self, problem: Problem, run: Run) -> SyntheticRows:
        learned = learns_labels(self.learn_labels, problem.rows.task)
        return SyntheticRows(
            first_parts(self.init, problem, run, learn_labels=learned),
            lr=self.lr,
            target_lr=self.label_lr if learned else None,
            limits=problem.limits() if self.clip else None,
            max_norm=self.max_norm,
            average=self.average,
            optimizer="adam",
        )


def refuse_models(network: Any) -> None:
    """Refuse models whose training has no gradient.

    Raises
    ------
    DataError
        If `network` is a scikit-learn model, the name of a model that is none, or nothing that makes a network.
    """
    remedy = (
        "give a network by name ('mlp', with hidden=() for a linear model), a function that makes a torch module, or distil without "
        "gradients: KMeansCoreset and KCenterCoreset serve every model."
    )
    is_model = inspect.isclass(network) and issubclass(network, BaseEstimator)
    name = network.__name__ if is_model else network if isinstance(network, str) else type(network).__name__
    if is_model or isinstance(network, BaseEstimator) or name in _NOT_DIFFERENTIABLE:
        raise DataError(
            f"network={name!r} cannot be distilled for by bilevel optimisation, which differentiates through the training of a model: "
            f"this one is not trained by gradient descent in torch, so that no gradient reaches the rows; {remedy}"
        )
    if not (isinstance(network, str) or callable(network)):
        raise DataError(f"network={network!r} is no network: {remedy}")


def _make(network: Any, problem: Problem, options: dict[str, Any], seed: int) -> nn.Module:
    made = make_network(network, problem.shape, problem.n_outputs, seed=seed, **options).to(problem.device)
    if any(isinstance(module, _BATCH_NORMS) for module in made.modules()):
        raise DataError(
            f"network={network!r} has batch norm, whose running averages are no part of what is differentiated: give a network with "
            "instance, group or layer norm, or none."
        )
    return with_fast_pools(made)


def _check_gradient(network: Any, made: nn.Module, problem: Problem) -> None:
    """Take one step on two rows, and refuse where no gradient comes back from the step after."""
    rows = torch.ones(2, *problem.shape, device=problem.device).requires_grad_()
    targets = torch.zeros(2, device=problem.device, dtype=torch.long if problem.rows.task == "classification" else None)
    try:
        weights = unroll(made, rows, targets, problem.loss, steps=1, rate=0.1)
        value = problem.loss(functional_call(made, weights, (rows.detach(),)), targets)
        torch.autograd.grad(value, rows)
    except RuntimeError as exc:
        raise DataError(
            f"network={network!r} cannot be differentiated through its training, which bilevel distillation needs ({exc}): give a network "
            "of differentiable layers, or use GradientMatchingDistiller or KernelDistiller, which need a gradient in fewer places."
        ) from exc
