"""Dataset condensation by kernel ridge regression."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import Outcome
from distillkit.condensation._base import COUNT, POSITIVE
from distillkit.condensation._label_base import LabelCondenser
from distillkit.condensation.kernel._closed_form import closed_form
from distillkit.condensation.kernel._loop import KernelLoop, KernelPlan
from distillkit.condensation.kernel._network_pool import NetworkPool, draw_he_weights
from distillkit.condensation.loop._memory import kernel_bytes, require_memory
from distillkit.condensation.problem._labels import rows_per_label
from distillkit.condensation.problem._problem import CondensationProblem
from distillkit.exceptions import DataError
from distillkit.nn import resolve_device

if TYPE_CHECKING:
    from torch import nn

    from distillkit.base import Run, TrainingRows
    from distillkit.condensation.loop._loop import Controls
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows

__all__ = ["KernelDistiller"]


class KernelDistiller(LabelCondenser):
    """Rows on which ridge regression, in the features of many networks, predicts all rows.

    A network needs no training to be judged here: the best linear head on its features has a closed form. The rows are optimised
    through it, so that the head fitted on them predicts a batch of real rows. Networks come from a pool of different ages: each
    visit compares a few times and then teaches the network the rows as they are, and old networks are replaced by fresh ones.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    feature_map : {"network", "linear"}, default="network"
        "linear" is the features as they are, for which rows have a closed form: ridge regression (or `RidgeClassifier`) with
        ``alpha=ridge``, fitted on the distilled rows with their `sample_weight_`, equals that on all rows. Of the other parameters only `init`
        counts then.
    network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"} or callable, default="auto"
        "auto" takes an MLP for tables (and images under 8 pixels), a 1-D ConvNet for series and a ConvNet for images. A callable of
        (shape, n_outputs) returns a module with a method ``embed``, which maps rows to the features before its last layer.
    width : int or None, default=None
        Channels of the first block of a ConvNet, which double from block to block; None is 32.
    depth : int or None, default=None
        Blocks of a ConvNet; see `GradientMatchingDistiller`.
    hidden : sequence of int or None, default=None
        Hidden layers of an MLP; None is (128, 128).
    norm : {"instance", "none"}, default="instance"
        The literature's networks for this method have none; rows made with the norm of the network that will learn them serve it best.
    ridge : float or None, default=None
        Penalty: for networks times the mean of the kernel's diagonal (None is 1e-2 for images and 1e-6 for other rows), for
        ``feature_map="linear"`` as it stands (None is 1). With less, rows lean on what one network's features tell of them.
    init : {"kmeans", "mean", "real", "noise"}, name of a method or distiller, default="kmeans"
        See `GradientMatchingDistiller`.
    downscale : int, default=1
        Factor that the sides of images or series are divided by to store them; see `GradientMatchingDistiller`.
    learn_labels : {"auto"} or bool, default="auto"
        Whether targets are optimised with the rows: class labels become probabilities in ``soft_labels_``, beside the labels they started
        from. "auto" learns numbers, which take no more room for it, and leaves class labels as they are.
    pool_size : int, default=10
        Networks in the pool.
    max_age : int, default=100
        Visits after which a network is replaced; 1 compares fresh networks only.
    updates : int, default=8
        Updates of the rows per visit. The features of the real rows, most of the work with few rows, are computed once per visit.
    network_steps : int, default=1
        Steps of the network on the rows, at the end of a visit.
    linear_share : float or None, default=None
        Share of the visits that compare by the rows themselves in place of a network's features, so that linear models learn from them
        too. None is 0.5 for tables and 0 for series and images.
    network_lr : float, default=1e-3
        Rate of Adam for the networks.
    real_batch : int, default=256
        Training rows per visit.
    lr : float, default=0.01
        Rate of Adam for the rows, in standard deviations of the data.
    label_lr : float, default=0.01
        Rate of Adam for learned targets: logits, or numbers in standard deviations.
    average : float, default=0.99
        Decay of a running mean of the rows over the updates, which is what is returned; 0 returns the rows themselves.
    clip : bool, default=False
        Whether rows are held in the range of the training rows; see `GradientMatchingDistiller`.
    augment : "auto", sequence of str or None, default=None
        Random changes of the synthetic images before each comparison and where networks learn them; see
        `distillkit.nn.Augmentation`. "auto" takes the literature's for images and none otherwise. With one row a class they cost more
        than they give: a row that is shifted or turned at random predicts worse.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the features of real rows. "auto" is bfloat16 for images where the processor has it. Kernels are float64 always.
    max_iter : int, default=1000
        Updates of the rows at most.
    max_seconds : float or None, default=None
        Wall-clock budget, checked after each update; at least one update is done.
    tol : float, default=1e-3
        Smallest relative fall of the smoothed loss that counts as one.
    patience : int or None, default=500
        Updates without such a fall after which the rows have converged; None never stops early.
    record_every : int, default=20
        Updates per entry of `history_`.
    validation_fraction : float or None, default=None
        Share of the training rows held out for early stopping, each `validation_every` updates; see `GradientMatchingDistiller`.
    validation_every : int, default=100
        Rounded up to whole entries of `history_`.
    checkpoint : path-like or None, default=None
        File that the run is written to and resumed from; see `GradientMatchingDistiller`.
    on_interrupt : {"raise", "return"}, default="raise"
        Whether Ctrl-C ends the fit with the best rows so far (``stopped_by="interrupted"``).
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    soft_labels_ : ndarray of shape (m, n_classes)
        Learned probabilities, only with ``learn_labels=True`` and classes.
    n_iter_ : int
        Updates done; 1 for the closed form.
    history_ : list of dict
        iteration, loss (squared error of the prediction, summed over the classes; means over the updates since the last entry),
        accuracy or r2 on the real batches, seconds, and now and then validation.

    Raises
    ------
    DataError
        In fit: if y holds one class only, the network does not fit the rows or has no ``embed``, labels are to be learned in closed form,
        or `checkpoint` belongs to another run.
    ArtefactError
        If `checkpoint` cannot be read or written.
    NotEnoughMemoryError
        If the run will not fit into memory, before it starts; or if memory ends: see `GradientMatchingDistiller`.

    Warns
    -----
    DistillkitWarning
        If a loss or the rows become infinite: the best finite rows are kept, and the provenance says ``stopped_by="not_finite"``. And if
        one row in all is to carry the slopes of a linear regression, which takes two.
        If memory ends: `real_batch` is halved.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    The rows returned are the newest whose smoothed loss is within one percent of the lowest.

    References
    ----------
    Zhou, Nezhadarya and Ba, "Dataset distillation using neural feature regression", NeurIPS 2022. With ``max_age=1, network_steps=0``:
    Loo et al., "Efficient dataset distillation using random feature approximation", NeurIPS 2022. The closed form: Chen, Huang and
    Weng, "Provable and efficient dataset distillation for kernel ridge regression", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4))
    >>> y = X @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=200)
    >>> small = KernelDistiller(budget=2, feature_map="linear", random_state=0).fit(X, y).distilled_
    >>> bool(np.allclose(small.fit(Ridge(1.0)).predict(X), Ridge(1.0).fit(X, y).predict(X)))
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **LabelCondenser._parameter_constraints,
        "feature_map": [StrOptions({"network", "linear"})],
        "ridge": [POSITIVE, None],
        "pool_size": [COUNT],
        "max_age": [COUNT],
        "updates": [COUNT],
        "network_steps": [Interval(Integral, 0, None, closed="left")],
        "linear_share": [Interval(Real, 0, 1, closed="both"), None],
        "network_lr": [POSITIVE],
        "real_batch": [COUNT],
        "augment": [StrOptions({"auto"}), "array-like", None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        feature_map: str = "network",
        network: Any = "auto",
        width: int | None = None,
        depth: int | None = None,
        hidden: Any = None,
        norm: str = "instance",
        ridge: float | None = None,
        init: Any = "kmeans",
        downscale: int = 1,
        learn_labels: bool | str = "auto",
        pool_size: int = 10,
        max_age: int = 100,
        updates: int = 8,
        network_steps: int = 1,
        linear_share: float | None = None,
        network_lr: float = 1e-3,
        real_batch: int = 256,
        lr: float = 0.01,
        label_lr: float = 0.01,
        average: float = 0.99,
        clip: bool = False,
        augment: Any = None,
        precision: str = "auto",
        max_iter: int = 1000,
        max_seconds: float | None = None,
        tol: float = 1e-3,
        patience: int | None = 500,
        record_every: int = 20,
        validation_fraction: float | None = None,
        validation_every: int = 100,
        checkpoint: Any = None,
        on_interrupt: str = "raise",
        task: str = "auto",
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.feature_map = feature_map
        self.network = network
        self.width = width
        self.depth = depth
        self.hidden = hidden
        self.norm = norm
        self.ridge = ridge
        self.init = init
        self.downscale = downscale
        self.learn_labels = learn_labels
        self.pool_size = pool_size
        self.max_age = max_age
        self.updates = updates
        self.network_steps = network_steps
        self.linear_share = linear_share
        self.network_lr = network_lr
        self.real_batch = real_batch
        self.lr = lr
        self.label_lr = label_lr
        self.average = average
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
        if self.feature_map == "linear":
            return self._closed_form(CondensationProblem.of(rows, resolve_device(self.device)), run)
        return super()._distill(rows, run)

    def _closed_form(self, problem: CondensationProblem, run: Run) -> Outcome:
        if self.downscale > 1:
            raise DataError(
                "downscale does not go with feature_map='linear', whose rows carry all there is to learn only as they are: leave it at 1, or "
                "give feature_map='network'."
            )
        if self.learn_labels is True:
            raise DataError(
                "learn_labels=True does not go with feature_map='linear', whose rows carry all there is to learn with the labels as they "
                "are: leave it out, or give feature_map='network'."
            )
        X, y = closed_form(problem, self.init, 1.0 if self.ridge is None else self.ridge, run)
        run.n_iter, run.stopped_by = 1, None
        run.out_of_time()
        return Outcome(X=X, y=y, weight=rows_per_label(problem.rows))

    def _loop(
        self, problem: CondensationProblem, rows: SyntheticRows, monitor: LossMonitor, run: Run, controls: Controls
    ) -> KernelLoop:
        made = self._network_maker(problem)
        needed = kernel_bytes(made, problem.shape, len(rows.X), self.real_batch, self.pool_size)
        require_memory(needed, problem.device, "lower real_batch, pool_size, width or budget")
        pool = NetworkPool(made, run.seed, size=self.pool_size, max_age=self.max_age, lr=self.network_lr)
        return KernelLoop(problem, self._plan(problem), pool, rows, monitor, run, controls)

    def _plan(self, problem: CondensationProblem) -> KernelPlan:
        is_image = len(problem.shape) == 3
        return KernelPlan(
            ridge=(1e-2 if is_image else 1e-6) if self.ridge is None else self.ridge,
            real_batch=self.real_batch,
            updates=self.updates,
            network_steps=self.network_steps,
            linear_share=(0.5 if len(problem.shape) == 1 else 0.0) if self.linear_share is None else self.linear_share,
            precision=self._precision(problem),
            augment=self._augmentation(problem),
        )

    def _network_options(self, problem: CondensationProblem) -> dict[str, Any]:
        return {**super()._network_options(problem), "growth": 2}

    def _checked(self, network: nn.Module, seed: int) -> nn.Module:
        if not callable(getattr(network, "embed", None)):
            raise DataError(
                f"network={self.network!r} has no method embed, which maps rows to the features before its last layer: write one, or give "
                "the name of a network."
            )
        # the weights that a user's own function gives are the user's choice
        return draw_he_weights(network, seed) if isinstance(self.network, str) else network
