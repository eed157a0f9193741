"""A class-conditional generative adversarial network as a distiller."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, TrainingRows, iterative_constraints
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn import make_generator, resolve_device
from distillkit.synthesis._adversaries import Adversaries, Settings
from distillkit.synthesis._base import BaseSynthesizer
from distillkit.synthesis._collapse import diagnose, warn_of_collapse
from distillkit.synthesis._condition import Condition
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._feature_classifier import FeatureClassifier
from distillkit.synthesis._fitted import FittedGenerator
from distillkit.synthesis._held_out import HeldOutScore, hold_out
from distillkit.synthesis._networks import make_networks
from distillkit.synthesis._selection import SELECTIONS, Selection
from distillkit.synthesis._training import train
from distillkit.utils._json import to_jsonable

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["GANSynthesizer"]

_COUNT = Interval(Integral, 1, None, closed="left")
_RATE = Interval(Real, 0, None, closed="neither")
_TRAINING_SHARE = {"random": 1.0, "kmeans": 0.95, "filter+kmeans": 0.85}


class GANSynthesizer(BaseSynthesizer):
    """Rows from a conditional generative adversarial network (GAN), for classes or numbers.

    The GAN has the hinge loss, a discriminator with spectral normalization and a projection head,
    and a generator with conditional batch normalization whose weights are averaged over the steps.
    The networks are convolutional for images and series with sides of at least 8, and fully
    connected for tables and all other rows. Distilled rows are selected from a pool of generated
    rows; `sample` generates more.

    Each row is generated for a given label, so class counts are exact, and the target of a
    generated row is the number that the generator was conditioned on. Training rows with weights
    are drawn in proportion to them, and so are the labels of generated rows.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    selection : {"filter+kmeans", "kmeans", "random"}, default="filter+kmeans"
        How distilled rows are selected. "random" takes the first generated rows. "kmeans" generates
        a pool for each class and takes the medoids of its k-means clusters. "filter+kmeans" first
        leaves out the rows of the pool that a small classifier of real rows assigns to another
        class, and clusters images and series by the features of that classifier. The classifier
        needs two classes; with fewer, or with numbers, the selection is that of "kmeans".
    pool : int, default=500
        Rows per class in the pool, or twice the distilled rows of the class if that is more.
    latent : int, default=64
        Size of the noise vector of a row.
    width : int, default=32
        Channels of the feature maps at full size; tables have four times as many hidden units.
    batch_size : int or None, default=None
        None is 64 for images and series and 256 for tables, whose generated rows lose variance with
        smaller batches.
    generator_lr, discriminator_lr : float, default=1e-3
        Learning rates of Adam with betas (0, 0.9). The default is for short training; over 20,000
        steps, 2e-4 and 4e-4 are usual.
    augment : bool, default=False
        Whether the discriminator sees real and generated images shifted at random by up to an
        eighth of their size. This keeps it from memorizing a small training set, but slows down
        short training.
    precision : {"auto", "float32", "bfloat16"}, default="float32"
        See `distillkit.nn.mixed_precision`; networks this small gain little from bfloat16.
    check_every : int or None, default=None
        Steps between two scores of the averaged generator on held-out rows, of which the best
        scored generator is used. A tenth of the rows (at most 1000) is held out from training, and
        the score is that of a nearest-neighbor model trained on generated rows. None trains on all
        rows and uses the last generator.
    max_iter : int or None, default=None
        Steps of generator and discriminator at most. None takes 2000, or no limit where
        `max_seconds` is given, which then ends the training alone. Of two limits, the one that is
        reached first ends it.
    max_seconds : float or None, default=None
        Time limit of `fit` in seconds, checked after each step. The selection takes up to 15 % of
        it. None sets no limit.
    record_every : int, default=50
        Steps between two entries of the history, each of which holds means over these steps.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
        Device of the networks.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    generator_ : FittedGenerator
        The trained generator that `sample` uses.
    history_ : list of dict
        Entries with iter, generator_loss, discriminator_loss, discriminator_accuracy (on real and
        generated training batches together) and seconds, and with held_out_score if `check_every`
        is set.
    diagnostics_ : dict
        Signs of a collapsed generator: variance_ratio and unique_ratio compare the variance and the
        share of distinct rows with those of real rows, recognised is the share of generated rows
        that a classifier of real rows assigns to their own class, and discriminator_loss is its
        mean late in training. A `DistillkitWarning` names those that are out of range.
    n_iter_ : int
        Number of steps taken.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    An accuracy of the discriminator near 0.5 is neither necessary nor sufficient for good rows:
    check `diagnostics_`, and the accuracy of a model trained on the generated rows.

    Generated rows are clipped to the range that each feature has in the training rows. Table
    columns with at most ten different values take no other values, adjacent columns that one-hot
    encode a category have exactly one 1, and columns of whole numbers are rounded.

    A loss or gradient that is not finite ends the training before the step that would use it, with
    a `DistillkitWarning` that names the loss or gradient and the step.

    References
    ----------
    Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018; Miyato et al., "Spectral
    normalization for generative adversarial networks", ICLR 2018; Lim and Ye, "Geometric GAN",
    arXiv:1705.02894; Brock et al., "Large scale GAN training for high fidelity natural image
    synthesis", ICLR 2019 (averaged weights).

    Examples
    --------
    >>> import numpy as np
    >>> from distillkit.synthesis import GANSynthesizer
    >>> rng = np.random.RandomState(0)
    >>> X = np.concatenate([rng.normal(0, 1, (100, 2)), rng.normal(5, 1, (50, 2))])
    >>> y = np.repeat(["a", "b"], [100, 50])
    >>> gan = GANSynthesizer(budget=2, max_iter=200, random_state=0).fit(X, y)
    >>> gan.X_distilled_.shape, gan.y_distilled_.tolist()
    ((4, 2), ['a', 'a', 'b', 'b'])
    >>> new_rows, labels = gan.sample(6)
    >>> new_rows.shape, sorted(labels.tolist())
    ((6, 2), ['a', 'a', 'a', 'a', 'b', 'b'])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "selection": [StrOptions(set(SELECTIONS) - {"auto"})],
        "pool": [_COUNT],
        "latent": [_COUNT],
        "width": [_COUNT],
        "batch_size": [_COUNT, None],
        "generator_lr": [_RATE],
        "discriminator_lr": [_RATE],
        "augment": ["boolean"],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "check_every": [_COUNT, None],
        "max_iter": [_COUNT, None],
        "record_every": [_COUNT],
        "device": [str],
    }

    _default_max_iter: ClassVar[int] = 2000

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        selection: str = "filter+kmeans",
        pool: int = 500,
        latent: int = 64,
        width: int = 32,
        batch_size: int | None = None,
        generator_lr: float = 1e-3,
        discriminator_lr: float = 1e-3,
        augment: bool = False,
        precision: str = "float32",
        check_every: int | None = None,
        max_iter: int | None = None,
        max_seconds: float | None = None,
        record_every: int = 50,
        task: str = "auto",
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.selection = selection
        self.pool = pool
        self.latent = latent
        self.width = width
        self.batch_size = batch_size
        self.generator_lr = generator_lr
        self.discriminator_lr = discriminator_lr
        self.augment = augment
        self.precision = precision
        self.check_every = check_every
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.record_every = record_every
        self.device = device

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        _warn_of_single_rows(rows)
        generator = self._learn(rows, run)
        classifier = self._feature_classifier(rows, run)
        self.diagnostics_ = diagnose(generator, rows, classifier, run)
        warn_of_collapse(self.diagnostics_)
        self.generator_, self.task_ = generator, rows.task
        device = "cpu" if resolve_device(self.device).type == "cpu" else "auto"
        embeds = generator.codec.kind != "table"
        return Selection(self.selection, self.pool, generator, classifier, device, embeds=embeds).select(rows, run)

    def _learn(self, rows: TrainingRows, run: Run) -> FittedGenerator:
        device, codec, condition = resolve_device(self.device), Codec.of(rows.X, rows.weight), Condition.of(rows)
        network, discriminator = make_networks(
            codec, condition.width, latent=self.latent, width=self.width, seed=run.seed()
        )
        noise = make_generator(run.seed())
        adversaries = Adversaries(network, discriminator, self._settings(codec, condition), device, noise)
        fitted = FittedGenerator(adversaries.average.network, codec, condition, self.latent, self.width)
        # Hold rows out only if generators are scored on them.
        picks, score = np.arange(len(rows.X)), None
        if self.check_every is not None:
            picks, held_out = hold_out(rows, run.rng)
            score = HeldOutScore.of(fitted, rows, held_out, run.seed())
        trained = train(
            adversaries,
            torch.as_tensor(codec.encode(rows.X[picks]), device=device),
            torch.as_tensor(condition.positions(None if rows.y is None else rows.y[picks], len(picks)), device=device),
            run,
            batch_size=self.batch_size or (256 if codec.kind == "table" else 64),
            max_iter=None if self.max_iter is None and self.max_seconds is not None else self._step_limit,
            record_every=self.record_every,
            share=_TRAINING_SHARE[self.selection],
            score=score,
            score_every=self.check_every,
            weight=None if rows.weight is None else rows.weight[picks],
        )
        return replace(fitted, network=trained)

    @property
    def _step_limit(self) -> int:
        """The most steps of training, where time does not end it alone."""
        return self._default_max_iter if self.max_iter is None else int(self.max_iter)

    def _settings(self, codec: Codec, condition: Condition) -> Settings:
        if self.augment and codec.kind != "image":
            raise DataError(
                "augment=True is for images (n, channels, height, width) of at least 8x8 pixels, but rows have shape "
                f"{codec.shape}: leave augment out."
            )
        return Settings(
            latent=self.latent,
            n_conditions=condition.width,
            generator_lr=self.generator_lr,
            discriminator_lr=self.discriminator_lr,
            precision=self.precision,
            translate=self.augment,
        )

    def _feature_classifier(self, rows: TrainingRows, run: Run) -> FeatureClassifier | None:
        if self.selection != "filter+kmeans" or rows.task != "classification" or len(rows.groups) < 2:
            return None
        seconds = None if self.max_seconds is None else 0.1 * self.max_seconds
        return FeatureClassifier.of(rows, run.rng, max_steps=self._step_limit, max_seconds=seconds, device=self.device)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the generator on the CPU, so that a machine without a GPU can load it."""
        state = dict(super().__getstate__())
        if "generator_" in state:
            state["generator_"] = state["generator_"].on_cpu()
        return state


def _warn_of_single_rows(rows: TrainingRows) -> None:
    single = [
        repr(to_jsonable(group.label))
        for group in rows.groups
        if len(group.rows) == 1 and rows.task == "classification"
    ]
    if single:
        warnings.warn(
            f"y has one row of class {', '.join(single[:5])}: the generator can only learn to repeat it.",
            DistillkitWarning,
            stacklevel=5,
        )
