"""Dataset distillation by bilevel optimization."""

from __future__ import annotations

import functools
import inspect
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from sklearn.base import BaseEstimator
from torch import nn
from torch.func import functional_call

from distillkit.condensation._base import IterativeCondenser
from distillkit.condensation._constraints import CLIPPING_CONSTRAINTS, COUNT, LABEL_CONSTRAINTS, POSITIVE
from distillkit.condensation._parameters import PARAMETERS
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.bilevel._loop import BilevelLoop, BilevelSettings
from distillkit.condensation.bilevel._validation import MetaValidation
from distillkit.condensation.loop._batch_size import out_of_memory
from distillkit.condensation.loop._memory import require_memory, unrolled_bytes
from distillkit.condensation.loop._synthetic_rows import Extra
from distillkit.condensation.problem._labels import learns_labels
from distillkit.exceptions import DataError
from distillkit.nn import seeded_layers, unroll
from distillkit.utils._docstrings import fill_docstring

if TYPE_CHECKING:
    from distillkit.base import Outcome, Run, TrainingRows
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["BilevelDistiller"]

_WIDTH = 32
_HIDDEN = (64,)
_NETWORK_LR = {"classification": 0.3, "regression": 0.05}
_LOG_RANGE = log(100.0)  # the inner rate stays within a factor of 100 of the first
_NOT_DIFFERENTIABLE = ("tree", "forest", "boosting", "knn")


@fill_docstring(PARAMETERS, default_width=32, default_hidden="(64,)", monitored="validation loss")
class BilevelDistiller(IterativeCondenser):
    """Dataset distillation by bilevel optimization through the unrolled training of networks.

    A network with random weights is trained on the synthetic rows for some steps (the inner loop).
    Its loss on a batch of training rows is the meta-loss, whose gradient flows back through every
    step of the training, or the last ones, into the rows, their labels and the learning rate of the
    inner loop (the outer loop). Some training rows are held out, on which the synthetic rows are
    validated from time to time: the best are returned.

    Choose this method for few rows and small networks trained by plain gradient descent; time and
    memory grow with the steps of the inner loop.

    Parameters
    ----------
    {budget}
    What is matched
    inner_steps : int, default=20
        Steps of gradient descent on all synthetic rows.
    window : int or None, default=None
        Last steps of the inner loop that are differentiated through (truncated backpropagation).
        None takes all. Memory and time grow with it.
    random_end : bool, default=False
        Whether inner loops end after a random number of steps from `window` to `inner_steps`, so
        that the window covers every part of the training over the updates.
    real_batch : int, default=256
        Training rows per update, on which the meta-loss is computed.
    Network
    {network}
        It must not have batch norm. A torch module is copied with the weights it has. Models that
        are not trained by gradient descent in torch (trees, neighbors, scikit-learn's) cannot be
        differentiated through and are refused.
    {width}
    {depth}
    {hidden}
        An empty sequence makes the MLP a linear model.
    {norm}
    network_lr : float or None, default=None
        First learning rate of the inner loop. None takes 0.3 for classes and 0.05 for a continuous
        target, whose squared errors have steeper slopes.
    rate_lr : float or None, default=0.01
        Learning rate of the logarithm of `network_lr`. None keeps `network_lr` as it is.
    Start and rows
    {init}
    {downscale}
    {task}
    {learn_labels}
    {lr_adam}
    {label_lr}
    {clip_rms}
        It holds for the gradient of a row's learned label, too. Where the inner loop is close to
        unstable, gradients are larger by orders of magnitude, so that clipping is advisable.
    {average}
    {clip}
    Steps and time
    {max_iter}
    {max_seconds}
    {tol}
    {patience}
    {record_every}
    Validation
    validation_fraction : float or None, default=0.1
        Share of the training rows of each class that is held out, as long as no fewer rows are left
        than are distilled. Every `validation_every` updates networks are trained on the synthetic
        rows as in the inner loop, and the rows of the lowest loss on those held out are returned.
        With None, and where classes are too small for any, they are validated on the training rows
        that the meta-loss is computed on.
    {validation_every}
    Resources
    {checkpoint}
    {on_interrupt}
    {device}
    {verbose}
    {random_state}
    {max_norm}

    Attributes
    ----------
    network_lr_ : float
        Learning rate that was learned for training on the distilled rows.
    soft_labels_ : ndarray of shape (m, n_classes)
        Learned probabilities, only with ``learn_labels=True`` and classes.
    n_iter_ : int
        Updates done.
    history_ : list of dict
        Each entry holds iteration, loss (the meta-loss) and network_lr (both averaged over the
        updates since the last entry), seconds, and, where the rows were validated, validation_loss
        and validation (accuracy or R2).

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows, no gradient flows
        through its training, or `checkpoint` belongs to another run.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see
        `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss, a gradient or the rows become infinite: the best finite rows are kept, and the
        provenance says ``stopped_by="not_finite"``. If memory ends: `real_batch` is halved.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    KernelDistiller : Fits the last layer of networks in closed form in place of the inner loop.

    References
    ----------
    Wang et al., "Dataset distillation", arXiv:1811.10959. With `random_end`: Feng, Vedantam and
    Kempe, "Embarrassingly simple dataset distillation", ICLR 2024.

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
        **IterativeCondenser._parameter_constraints,
        **LABEL_CONSTRAINTS,
        **CLIPPING_CONSTRAINTS,
        "network": "no_validation",  # refused in fit, with the reason and a remedy
        "inner_steps": [COUNT],
        "window": [COUNT, None],
        "random_end": ["boolean"],
        "network_lr": [POSITIVE, None],
        "rate_lr": [POSITIVE, None],
        "real_batch": [COUNT],
    }
    _default_patience: ClassVar[int] = 100

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        inner_steps: int = 20,
        window: int | None = None,
        random_end: bool = False,
        real_batch: int = 256,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        network_lr: float | None = None,
        rate_lr: float | None = 0.01,
        init: Any = "kmeans",
        downscale: int = 1,
        task: str = "auto",
        learn_labels: bool | str = "auto",
        lr: float = 0.01,
        label_lr: float = 0.01,
        clip_rms: float | None = 0.1,
        average: float = 0.0,
        clip: bool = False,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | str | None = "auto",
        record_every: int = 10,
        validation_fraction: float | None = 0.1,
        validation_every: int = 10,
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
        max_norm: Any = "deprecated",
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.inner_steps = inner_steps
        self.window = window
        self.random_end = random_end
        self.real_batch = real_batch
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.network_lr = network_lr
        self.rate_lr = rate_lr
        self.init = init
        self.downscale = downscale
        self.learn_labels = learn_labels
        self.lr = lr
        self.label_lr = label_lr
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
        self.checkpoint = checkpoint
        self.on_interrupt = on_interrupt
        self.device = device
        self.max_norm = max_norm

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        refuse_models(self.network)
        return self._condense(rows, run, self._plan, always_validate=True)

    def _plan(self, problem: CondensationProblem) -> CondensationPlan:
        hidden = _HIDDEN if self.hidden is None else self.hidden
        window = min(self.inner_steps, self.window or self.inner_steps)
        settings = BilevelSettings(
            make_network=self._network_maker(problem, width=self.width or _WIDTH, hidden=hidden, pad=False),
            steps=self.inner_steps,
            window=window,
            random_end=self.random_end,
            real_batch=self.real_batch,
        )
        _check_gradient(self.network, settings.make_network(0), problem)
        n_bytes = unrolled_bytes(settings.make_network, problem.shape, problem.rows.size, self.real_batch, window)
        require_memory(n_bytes, problem.device, f"lower window (now {window}), real_batch, width or budget")
        learn_labels = learns_labels(self.learn_labels, problem.rows.task)
        return CondensationPlan(
            make_network=settings.make_network,
            make_rows=self._row_maker(
                problem,
                lr=self.lr,
                target_lr=self.label_lr if learn_labels else None,
                clip_rms=self._clip_rms,
                extra=self._log_rate(problem),
                optimizer="adam",
            ),
            make_loop=functools.partial(BilevelLoop, settings=settings),
            block_size=self.record_every,
            learn_labels=learn_labels,
            make_judge=functools.partial(self._make_judge, problem, settings),
        )

    def _log_rate(self, problem: CondensationProblem) -> Extra:
        """Return the logarithm of the inner learning rate, as a leaf to learn with the rows."""
        first = log(self.network_lr or _NETWORK_LR[str(problem.rows.task)])
        limits = first - _LOG_RANGE, first + _LOG_RANGE
        return Extra(torch.tensor(first, device=problem.device), self.rate_lr or 0.0, limits, shortened=False)

    def _make_judge(
        self, problem: CondensationProblem, settings: BilevelSettings, held_out: Batch, seed: int
    ) -> MetaValidation:
        return MetaValidation(
            problem,
            held_out,
            settings.make_network,
            steps=settings.steps,
            seed=seed,
            every=self.validation_every,
            patience=self._patience,
            tol=self.tol,
        )


def refuse_models(network: Any) -> None:
    """Refuse models whose training has no gradient.

    Raises
    ------
    DataError
        If `network` is a scikit-learn model, the name of such a model, or nothing that makes a
        network.
    """
    remedy = (
        "give a network by name ('mlp', with hidden=() for a linear model), a function that makes a torch module, "
        "or distill without gradients: KMeansCoreset and KCenterCoreset serve every model."
    )
    is_model = inspect.isclass(network) and issubclass(network, BaseEstimator)
    name = network.__name__ if is_model else network if isinstance(network, str) else type(network).__name__
    if is_model or isinstance(network, BaseEstimator) or name in _NOT_DIFFERENTIABLE:
        raise DataError(
            f"network={name!r} cannot be distilled for by bilevel optimization, which differentiates through the "
            "training of a model: this one is not trained by gradient descent in torch, so that no gradient reaches "
            f"the rows; {remedy}"
        )
    if not (isinstance(network, str) or callable(network)):
        raise DataError(f"network={network!r} is no network: {remedy}")


def _check_gradient(network: Any, module: nn.Module, problem: CondensationProblem) -> None:
    """Take one step on two rows, and refuse a network through whose training no gradient flows."""
    rows = torch.ones(2, *problem.shape, device=problem.device).requires_grad_()
    targets = torch.zeros(2, device=problem.device, dtype=torch.long if problem.rows.task == "classification" else None)
    try:
        with seeded_layers(module, 0):
            weights = unroll(module, rows, targets, problem.loss, steps=1, rate=0.1)
            value = problem.loss(functional_call(module, weights, (rows.detach(),)), targets)
            torch.autograd.grad(value, rows)
    except RuntimeError as exc:
        if out_of_memory(exc):
            raise
        raise DataError(
            f"network={network!r} cannot be differentiated through its training, which bilevel distillation needs "
            f"({exc}): give a network of differentiable layers, or use GradientMatchingDistiller or KernelDistiller, "
            "which need a gradient in fewer places."
        ) from exc
