"""Dataset condensation by kernel ridge regression."""

from __future__ import annotations

import functools
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import Outcome
from distillkit.condensation._base import IterativeCondenser
from distillkit.condensation._constraints import COUNT, LABEL_CONSTRAINTS, POSITIVE, TRAINING_CONSTRAINTS
from distillkit.condensation._parameters import PARAMETERS
from distillkit.condensation._plan import CondensationPlan
from distillkit.condensation.kernel._closed_form import closed_form
from distillkit.condensation.kernel._loop import KernelLoop, KernelSettings
from distillkit.condensation.kernel._network_pool import draw_he_weights
from distillkit.condensation.loop._memory import kernel_bytes, require_memory
from distillkit.condensation.problem._labels import learns_labels, rows_per_label
from distillkit.condensation.problem._problem import CondensationProblem
from distillkit.exceptions import DataError
from distillkit.nn import resolve_device
from distillkit.utils._docstrings import fill_docstring

if TYPE_CHECKING:
    from torch import nn

    from distillkit.base import Run, TrainingRows

__all__ = ["KernelDistiller"]

_WIDTH = 32


@fill_docstring(PARAMETERS, default_width=32, default_hidden="(128, 128)", monitored="smoothed loss")
class KernelDistiller(IterativeCondenser):
    """Dataset condensation by kernel ridge regression on the features of many networks.

    The best linear head on the features of a network has a closed form, through which the synthetic
    rows are optimized: the head fitted on them is to predict a batch of training rows. Networks
    come from a pool of different ages. Each visit of a network updates the rows a few times and
    then trains the network on them for a step; old networks are replaced by fresh ones.

    Choose this method for small images with few rows per class, or with ``feature_map="linear"``
    for linear models, for which the rows are exact.

    Parameters
    ----------
    {budget}
    What is matched
    feature_map : {"network", "linear"}, default="network"
        Features that the ridge regression is fitted on. "network" takes those before the last layer
        of a network. "linear" takes the numbers of a row as they are, for which the rows have a
        closed form: ridge regression (or `RidgeClassifier`) with ``alpha=ridge``, fitted on the
        distilled rows with their `sample_weight_`, equals that on all rows. Of the other parameters
        only `ridge` and `init` count then.
    ridge : float or None, default=None
        Penalty of the ridge regression. For networks it is multiplied by the mean of the kernel's
        diagonal, and None takes 1e-2 for images and 1e-6 for other rows; for
        ``feature_map="linear"`` it holds as it is, and None takes 1. A smaller penalty fits the
        rows more closely to the features of single networks.
    linear_share : float or None, default=None
        Share of the visits that take the numbers of a row in place of a network's features, so that
        linear models learn from the rows, too. None takes 0.5 for tables and 0 for series and
        images.
    real_batch : int, default=256
        Training rows per visit.
    {augment}
        They are applied to the synthetic images, before each comparison and where networks learn
        them. Leave it out for one row per class, which predicts worse when it is changed.
    Network
    {network}
        Its method ``embed`` maps rows to the features before its last layer.
    {width}
        It holds for the first block; the channels double from block to block.
    {depth}
    {hidden}
    {norm}
        The literature's networks for this method have none.
    pool_size : int, default=10
        Networks in the pool.
    max_age : int, default=100
        Visits after which a network is replaced. With 1 all networks are fresh.
    network_steps : int, default=1
        Steps of training on the synthetic rows that a network takes at the end of a visit.
    network_lr : float, default=1e-3
        Learning rate of Adam for the networks.
    Start and rows
    {init}
    {downscale}
    {task}
    {learn_labels}
    {lr_adam}
    {label_lr}
    {average}
    {clip}
    Steps and time
    updates : int, default=8
        Updates of the rows per visit. The features of the training rows, which are most of the work
        where there are few synthetic rows, are computed once per visit.
    {max_iter}
    {max_seconds}
    {tol}
    {patience}
    {record_every}
    Validation
    {validation_fraction}
    {validation_every}
    Resources
    {precision}
        It holds for the features of training rows. Kernels are always float64.
    {checkpoint}
    {on_interrupt}
    {device}
    {verbose}
    {random_state}

    Attributes
    ----------
    soft_labels_ : ndarray of shape (m, n_classes)
        Learned probabilities, only with ``learn_labels=True`` and classes.
    n_iter_ : int
        Updates done; 1 for the closed form.
    history_ : list of dict
        Each entry holds iteration, loss (the squared error of the prediction, summed over the
        classes and averaged over the updates since the last entry), accuracy or r2 on the batches
        of training rows, seconds, and validation where the rows were validated.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows or has no ``embed``,
        labels are to be learned in closed form, or `checkpoint` belongs to another run.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see
        `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance
        says ``stopped_by="not_finite"``. If memory ends: `real_batch` is halved. If a linear
        regression is to be carried by a single row, which takes two.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    BilevelDistiller : Trains networks on the rows by gradient descent in place of the closed form.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest.

    References
    ----------
    Zhou, Nezhadarya and Ba, "Dataset distillation using neural feature regression", NeurIPS 2022.
    With ``max_age=1, network_steps=0``: Loo et al., "Efficient dataset distillation using random
    feature approximation", NeurIPS 2022. The closed form: Chen, Huang and Weng, "Provable and
    efficient dataset distillation for kernel ridge regression", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4))
    >>> y = X @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=200)
    >>> distiller = KernelDistiller(budget=2, feature_map="linear", random_state=0)
    >>> small = distiller.fit(X, y).distilled_
    >>> bool(np.allclose(small.fit(Ridge(1.0)).predict(X), Ridge(1.0).fit(X, y).predict(X)))
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **IterativeCondenser._parameter_constraints,
        **LABEL_CONSTRAINTS,
        **TRAINING_CONSTRAINTS,
        "feature_map": [StrOptions({"network", "linear"})],
        "ridge": [POSITIVE, None],
        "pool_size": [COUNT],
        "max_age": [COUNT],
        "updates": [COUNT],
        "network_steps": [Interval(Integral, 0, None, closed="left")],
        "linear_share": [Interval(Real, 0, 1, closed="both"), None],
        "network_lr": [POSITIVE],
        "real_batch": [COUNT],
    }
    _default_max_iter: ClassVar[int] = 1000
    _default_patience: ClassVar[int] = 500

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        feature_map: str = "network",
        ridge: float | None = None,
        linear_share: float | None = None,
        real_batch: int = 256,
        augment: Any = None,
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        pool_size: int = 10,
        max_age: int = 100,
        network_steps: int = 1,
        network_lr: float = 1e-3,
        init: Any = "kmeans",
        downscale: int = 1,
        task: str = "auto",
        learn_labels: bool | str = "auto",
        lr: float = 0.01,
        label_lr: float = 0.01,
        average: float = 0.99,
        clip: bool = False,
        updates: int = 8,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | str | None = "auto",
        record_every: int = 20,
        validation_fraction: float | None = None,
        validation_every: int = 100,
        precision: str = "auto",
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.feature_map = feature_map
        self.ridge = ridge
        self.linear_share = linear_share
        self.real_batch = real_batch
        self.augment = augment
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.pool_size = pool_size
        self.max_age = max_age
        self.network_steps = network_steps
        self.network_lr = network_lr
        self.init = init
        self.downscale = downscale
        self.learn_labels = learn_labels
        self.lr = lr
        self.label_lr = label_lr
        self.average = average
        self.clip = clip
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

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        if self.feature_map == "linear":
            return self._closed_form(CondensationProblem.of(rows, resolve_device(self.device)), run)
        return self._condense(rows, run, self._plan)

    def _closed_form(self, problem: CondensationProblem, run: Run) -> Outcome:
        if self.downscale > 1:
            raise DataError(
                f"downscale={self.downscale} does not go with feature_map='linear', whose rows are exact only as they "
                "are: leave it at 1, or give feature_map='network'."
            )
        if self.learn_labels is True:
            raise DataError(
                "learn_labels=True does not go with feature_map='linear', whose rows are exact with the labels as they "
                "are: leave it out, or give feature_map='network'."
            )
        X, y = closed_form(problem, self.init, 1.0 if self.ridge is None else self.ridge, run)
        run.n_iter, run.stopped_by = 1, None
        run.out_of_time()
        return Outcome(X=X, y=y, weight=rows_per_label(problem.rows))

    def _plan(self, problem: CondensationProblem) -> CondensationPlan:
        is_image, is_table = len(problem.shape) == 3, len(problem.shape) == 1
        settings = KernelSettings(
            make_network=self._network_maker(
                problem, check=self._with_features, width=self.width or _WIDTH, pad=False, growth=2
            ),
            pool_size=self.pool_size,
            max_age=self.max_age,
            network_lr=self.network_lr,
            network_steps=self.network_steps,
            ridge=(1e-2 if is_image else 1e-6) if self.ridge is None else self.ridge,
            real_batch=self.real_batch,
            updates=self.updates,
            linear_share=(0.5 if is_table else 0.0) if self.linear_share is None else self.linear_share,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
        )
        n_bytes = kernel_bytes(settings.make_network, problem.shape, problem.rows.size, self.real_batch, self.pool_size)
        require_memory(n_bytes, problem.device, "lower real_batch, pool_size, width or budget")
        learn_labels = learns_labels(self.learn_labels, problem.rows.task)
        return CondensationPlan(
            make_network=settings.make_network,
            make_rows=self._row_maker(
                problem, lr=self.lr, target_lr=self.label_lr if learn_labels else None, optimizer="adam"
            ),
            make_loop=functools.partial(KernelLoop, settings=settings),
            block_size=self.record_every,
            learn_labels=learn_labels,
        )

    def _with_features(self, network: nn.Module, seed: int) -> nn.Module:
        """Return a network that has features, with He's weights where its name was given."""
        if not callable(getattr(network, "embed", None)):
            raise DataError(
                f"network={self.network!r} has no method embed, which maps rows to the features before its last layer: "
                "write one, or give the name of a network."
            )
        # the weights that a user's own function gives are the user's choice
        return draw_he_weights(network, seed) if isinstance(self.network, str) else network
