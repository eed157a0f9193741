"""Surrogate series: training series cut into blocks, or with random phases."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.exceptions import DataError
from distillkit.synthesis._base import SELECTED, BaseSynthesizer
from distillkit.synthesis.controls._group_generator import GroupGenerator
from distillkit.synthesis.controls._row_groups import RowGroups
from distillkit.synthesis.controls._row_space import RowSpace

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["SurrogateGenerator", "SurrogateSynthesizer"]


@dataclass(frozen=True, eq=False)
class SurrogateGenerator(GroupGenerator):
    """The training series of each group, and how surrogates are made of them.

    Parameters
    ----------
    space : RowSpace
    groups : RowGroups
    parts : dict of str to ndarray
        For group k, the arrays "k.points" (n_k, d) and "k.ends" (n_k,), the cumulative weights of
        the series.
    n_blocks : ndarray of shape (1,), int64
        Number of blocks of a series; 0 for random phases.
    """

    parts: dict[str, np.ndarray]
    n_blocks: np.ndarray

    def draw(self, group: int, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return flattened series (n_rows, d) of a group."""
        channels = self.space.shape[0] if len(self.space.shape) > 1 else 1
        series = self.parts[f"{group}.points"]
        series = series.reshape(len(series), channels, -1)
        n_blocks = int(self.n_blocks[0])
        if n_blocks:
            return self._by_blocks(series, group, n_rows, n_blocks, rng)
        picks = self.picks(self.parts[f"{group}.ends"], n_rows, rng)
        return _random_phases(series[picks], rng).reshape(n_rows, -1)

    def _by_blocks(
        self, series: np.ndarray, group: int, n_rows: int, n_blocks: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return series whose blocks of time steps each come from a random series."""
        length = series.shape[-1]
        surrogates = np.empty((n_rows, *series.shape[1:]))
        # The first block ends at a random step, so that the joints of the series differ.
        size = -(-length // n_blocks)
        ends = self.parts[f"{group}.ends"]
        owners = np.stack([self.picks(ends, n_rows, rng) for _ in range(n_blocks + 1)], axis=1)
        blocks = (np.arange(length) + rng.integers(0, size, (n_rows, 1))) // size
        rows = np.take_along_axis(owners, blocks, axis=1)
        for channel in range(series.shape[1]):
            surrogates[:, channel] = series[rows, channel, np.arange(length)]
        return surrogates.reshape(n_rows, -1)


class SurrogateSynthesizer(BaseSynthesizer):
    """Surrogates of training series: a control for generators of series.

    Rows of shape (n, time) are series of one channel.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    method : {"blocks", "phases"}, default="blocks"
        "blocks" is a block bootstrap: each block of time steps comes from the same steps of a
        random training series of the class. "phases" takes a random training series of the class
        and gives all its frequencies random phases, the same ones in each channel, so that its
        power spectrum, its autocorrelation and the correlations of its channels stay as they are.
    n_blocks : int, default=4
        Number of blocks of a series.
    selection : {"auto", "filter+kmeans", "kmeans", "random"}, default="auto"
        See `TreeSynthesizer`.
    pool : int, default=500
        See `TreeSynthesizer`.
    teacher : estimator or None, default=None
        See `TreeSynthesizer`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    generator_ : SurrogateGenerator
        The training series, of which `sample` makes surrogates.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    References
    ----------
    Theiler, Eubank, Longtin, Galdrikian and Farmer, "Testing for nonlinearity in time series: the
    method of surrogate data", Physica D 58, 1992; Künsch, "The jackknife and the bootstrap for
    general stationary observations", Annals of Statistics 17, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from distillkit import SurrogateSynthesizer
    >>> series = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> surrogates = SurrogateSynthesizer(budget=2, random_state=0).fit(series, np.arange(20) % 2)
    >>> surrogates.sample(y={0: 1, 1: 1})[0].shape
    (2, 1, 30)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SELECTED,
        "method": [StrOptions({"blocks", "phases"})],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        method: str = "blocks",
        n_blocks: int = 4,
        selection: str = "auto",
        pool: int = 500,
        teacher: Any = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.method = method
        self.n_blocks = n_blocks
        self.selection = selection
        self.pool = pool
        self.teacher = teacher

    def _learn(self, rows: TrainingRows, run: Run) -> SurrogateGenerator:
        if rows.X.ndim > 3:
            raise DataError(
                f"SurrogateSynthesizer makes series (n, channels, time), but X has shape {rows.X.shape}: use "
                "MixtureSynthesizer or GANSynthesizer for images."
            )
        space, groups = RowSpace.of(rows.X, None, rows.weight, is_table=False), RowGroups.of(rows)
        points = space.points(rows.X)
        parts: dict[str, np.ndarray] = {}
        for group, members in groups.members(rows):
            weight = np.ones(len(members)) if rows.weight is None else rows.weight[members]
            parts |= {f"{group}.points": points[members], f"{group}.ends": np.cumsum(weight)}
        n_blocks = min(self.n_blocks, rows.X.shape[-1]) if self.method == "blocks" else 0
        return SurrogateGenerator(space, groups, parts, np.array([n_blocks], dtype=np.int64))


def _random_phases(series: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return series (n, channels, time) whose Fourier coefficients are turned by random phases."""
    length = series.shape[-1]
    spectrum = np.fft.rfft(series, axis=-1)
    turns = np.exp(2j * np.pi * rng.random((len(series), 1, spectrum.shape[-1])))
    turns[..., 0] = 1.0  # the mean
    if length % 2 == 0:
        turns[..., -1] = np.sign(rng.random((len(series), 1)) - 0.5)  # a real coefficient
    surrogates: np.ndarray = np.fft.irfft(spectrum * turns, n=length, axis=-1)
    return surrogates
