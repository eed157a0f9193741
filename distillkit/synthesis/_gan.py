"""A class-conditional generative adversarial network as a distiller."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from distillkit.base import BaseDistiller, Outcome, TrainingRows, iterative_constraints
from distillkit.base._outcome import distilled_pair
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn import make_generator, resolve_device
from distillkit.synthesis._adversaries import Adversaries, Settings
from distillkit.synthesis._collapse import diagnose, warn_of_collapse
from distillkit.synthesis._condition import Condition
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._feature_classifier import Recogniser
from distillkit.synthesis._fitted import FittedGenerator
from distillkit.synthesis._held_out import HeldOut, hold_out
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


class GANSynthesizer(BaseDistiller):
    """Rows made by a generator that was trained against a discriminator, for each class or number.

    Hinge loss, spectral norm and a projection head in the discriminator, conditional batch norm in the generator, whose weights
    are averaged over the steps. The networks are convolutional for images and series with sides of at least 8, and layers of
    hidden units for tables and all else. Distilled rows are chosen from a pool of made ones; `sample` makes more.

    Labels are given, never guessed: each made row was asked for by its label, so that class counts are exact, and the target of a
    made row is the very number it was conditioned on.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    selection : {"filter+kmeans", "kmeans", "random"}, default="filter+kmeans"
        "random": the first rows made. "kmeans": of a pool for each class, the medoids of k-means. "filter+kmeans": rows of the
        pool that a small classifier of real rows takes for another class are left out first; images and series are clustered by
        the features of that classifier. The classifier needs two classes; with fewer, or with numbers, it is "kmeans".
    pool : int, default=500
        Rows per class in the pool; twice the rows wanted where that is more.
    latent : int, default=64
        Numbers of noise per row.
    width : int, default=32
        Channels of the widest feature maps; tables have four times as many hidden units.
    batch_size : int or None, default=None
        None: 64 images or series, 256 rows of a table, which are cheap and lose spread with smaller batches.
    generator_lr, discriminator_lr : float, default=1e-3
        Rates of Adam with betas (0, 0.9). The default is for short training; over 20,000 steps, 2e-4 and 4e-4 are usual.
    augment : bool, default=False
        Whether the discriminator sees images shifted at random by up to an eighth. It keeps a discriminator that meets few rows
        very often from learning them by heart, but slows short training down.
    precision : {"auto", "float32", "bfloat16"}, default="float32"
        See `distillkit.nn.mixed_precision`; for networks this small float32 is about as fast.
    check_every : int or None, default=None
        Steps between two scores of the averaged generator on held-out rows, a tenth (at most 1000) that it is not trained on:
        made rows as the training set of a nearest-neighbour model, tested on the held-out ones. The best scored generator is
        kept. None: all rows are trained on and the last generator is kept.
    max_iter : int, default=2000
        Steps of generator and discriminator.
    max_seconds : float or None, default=None
        Wall-clock budget of `fit`, checked after each step; selection takes up to 15 % of it.
    record_every : int, default=50
        Steps whose means make one entry of the history.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    generator_ : FittedGenerator
        What `sample` makes rows with.
    history_ : list of dict
        Each with iter, generator_loss, discriminator_loss, discriminator_accuracy (on real and made rows together, while
        training), seconds; held_out_score where `check_every` is set.
    diagnostics_ : dict
        Signs of collapse: variance_ratio, unique_ratio, recognised, discriminator_loss. A `DistillkitWarning` names those that
        are out of range.
    n_iter_ : int
        Steps done.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    An accuracy of the discriminator near 0.5 is neither necessary nor sufficient for good rows: look at `diagnostics_`, and at
    what a model learns from them.

    Made rows are clipped to the range that each feature had in the training rows. Table columns with at most ten different values
    take no others; neighbouring columns that one-hot encode a category hold exactly one 1; columns of whole numbers are rounded.

    A loss or gradient that is not finite ends the training before its step, with a `DistillkitWarning` that names it.

    References
    ----------
    Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018; Miyato et al., "Spectral normalization for generative
    adversarial networks", ICLR 2018; Lim and Ye, "Geometric GAN", arXiv:1705.02894; Brock et al., "Large scale GAN training
    for high fidelity natural image synthesis", ICLR 2019 (averaged weights).

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
    >>> made, labels = gan.sample(6)
    >>> made.shape, sorted(labels.tolist())
    ((6, 2), ['a', 'a', 'a', 'a', 'b', 'b'])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "selection": [StrOptions(set(SELECTIONS))],
        "pool": [_COUNT],
        "latent": [_COUNT],
        "width": [_COUNT],
        "batch_size": [_COUNT, None],
        "generator_lr": [_RATE],
        "discriminator_lr": [_RATE],
        "augment": ["boolean"],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "check_every": [_COUNT, None],
        "max_iter": [_COUNT],
        "record_every": [_COUNT],
        "device": [str],
    }

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
        max_iter: int = 2000,
        max_seconds: float | None = None,
        record_every: int = 50,
        task: str = "auto",
        device: str = "auto",
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
        self.record_every = record_every
        self.device = device

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        _warn_of_single_rows(rows)
        generator = self._train(rows, run)
        recogniser = self._recogniser(rows, run)
        self.diagnostics_ = diagnose(generator, rows, recogniser, run)
        warn_of_collapse(self.diagnostics_)
        self.generator_, self.task_ = generator, rows.task
        device = "cpu" if resolve_device(self.device).type == "cpu" else "auto"
        return Selection(self.selection, self.pool, generator, recogniser, device).select(rows, run)

    def _train(self, rows: TrainingRows, run: Run) -> FittedGenerator:
        device, codec, condition = resolve_device(self.device), Codec.of(rows.X), Condition.of(rows)
        network, discriminator = make_networks(
            codec, condition.width, latent=self.latent, width=self.width, seed=run.seed()
        )
        noise = make_generator(run.seed())
        players = Adversaries(network, discriminator, self._settings(codec, condition), device, noise)
        fitted = FittedGenerator(players.average.network, codec, condition, self.latent)
        picks, check = np.arange(len(rows.X)), None
        if self.check_every is not None:
            picks, held_out = hold_out(rows, run.rng)
            check = HeldOut.of(fitted, rows, held_out, run.seed())
        kept = train(
            players,
            torch.as_tensor(codec.encode(rows.X[picks]), device=device),
            torch.as_tensor(condition.places(None if rows.y is None else rows.y[picks], len(picks)), device=device),
            run,
            batch_size=self.batch_size or (256 if codec.kind == "table" else 64),
            max_iter=self.max_iter,
            record_every=self.record_every,
            share=_TRAINING_SHARE[self.selection],
            check=check,
            check_every=self.check_every or self.max_iter,
        )
        return replace(fitted, network=kept)

    def _settings(self, codec: Codec, condition: Condition) -> Settings:
        if self.augment and codec.kind != "image":
            raise DataError(
                f"augment=True is for images (n, channels, height, width) of at least 8x8 pixels, but rows have shape "
                f"{codec.shape}: leave it out."
            )
        return Settings(
            latent=self.latent,
            n_conditions=condition.width,
            generator_lr=self.generator_lr,
            discriminator_lr=self.discriminator_lr,
            precision=self.precision,
            translate=self.augment,
        )

    def _recogniser(self, rows: TrainingRows, run: Run) -> Recogniser | None:
        if self.selection != "filter+kmeans" or rows.task != "classification" or len(rows.groups) < 2:
            return None
        seconds = None if self.max_seconds is None else 0.1 * self.max_seconds
        return Recogniser.of(rows, run.rng, max_steps=self.max_iter, max_seconds=seconds, device=self.device)

    def sample(self, n: int | None = None, y: Any = None, *, random_state: Any = None) -> tuple[np.ndarray, Any]:
        """Make rows that were not among the distilled ones.

        Parameters
        ----------
        n : int or None
            Rows; None where `y` says how many.
        y : None, label, array-like of shape (n,), or dict of label to int
            Labels of the rows, in their order. None: classes in the shares of the training rows (exact, by largest
            remainders) in random order, or numbers at quantiles of the training targets.
        random_state : int, RandomState instance or None, default=None
            None: that of the estimator, so that with an int the same call makes the same rows.

        Returns
        -------
        X : ndarray of shape (n, ...)
            In the shape, dtype, units and range of the training rows.
        y : ndarray of shape (n,) or None
            None where the training rows had no labels.

        Raises
        ------
        DataError
            If a label was not trained on, `n` and `y` do not fit each other, or the rows had no labels but `y` is given.
        """
        check_is_fitted(self, "generator_")
        n_rows, labels = self.generator_.condition.resolve(n, y)
        rng = check_random_state(self.random_state if random_state is None else random_state)
        if y is None and labels is not None:
            labels = rng.permutation(labels)
        X = self.generator_.rows(n_rows, labels, int(rng.randint(np.iinfo(np.int32).max)))
        # the base casts made rows as it casts distilled ones
        template = TrainingRows(self.X_distilled_, self.y_distilled_, self.task_, ())
        return distilled_pair(Outcome(X=X, y=labels), self.X_distilled_, template)

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
