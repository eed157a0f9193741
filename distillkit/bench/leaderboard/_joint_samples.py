"""The joint sampling error of the methods of a comparison, over splits or over seeds and rows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["CrossedSample", "Estimate", "JointSample", "SplitSample"]

_DRAWS = 1000


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of two means, with its standard error and degrees of freedom."""

    value: float
    error: float
    dof: float


class JointSample(ABC):
    """The means of several methods that were measured on the same test rows.

    Parameters
    ----------
    methods : sequence of str
        Names of the methods, in the order of all results.
    """

    basis = ""
    """What the standard errors are computed from, in words."""

    def __init__(self, methods: Sequence[str]) -> None:
        self.methods = list(methods)

    @abstractmethod
    def mean(self, method: str) -> Estimate | None:
        """Return the mean of a method; None if its standard error is not known."""

    @abstractmethod
    def comparable(self, method: str) -> bool:
        """Return whether all parts of the standard error are known, so that tests are valid."""

    @abstractmethod
    def difference(self, method: str, other: str) -> Estimate | None:
        """Return the paired difference of two means; None if its standard error is not known."""

    @abstractmethod
    def deviations(self, methods: Sequence[str]) -> np.ndarray:
        """Return bootstrap draws of the means less their mean, of shape (draws, methods)."""


class SplitSample(JointSample):
    """Means over several splits into training and test rows.

    The splits of one dataset overlap, so that the variance of a mean over J splits is larger than
    ``s**2 / J``, where s is the standard deviation between splits. It is estimated as ``s**2 / J +
    n_test / n_train * (s**2 - w**2)`` with J - 1 degrees of freedom. Here ``w**2`` is the variance
    that the distillation seeds add to the value of a split, estimated from the seeds within splits;
    it is independent between splits, and 0 is taken for methods without randomness and for those
    with one seed a split. In the latter case this is the variance of Nadeau and Bengio.

    Parameters
    ----------
    values : mapping of str to mapping of int to mapping of int to float
        For each method, split and distillation seed, the value averaged over evaluation seeds.
    n_test, n_train : int
        Numbers of test and training rows of a split.
    one_row : float
        Smallest standard deviation between splits: what one test row contributes to the metric.
        0 if the metric has no such unit; it is then the standard deviation of the method itself
        divided by the square root of the number of test rows.

    References
    ----------
    C. Nadeau, Y. Bengio, Inference for the generalization error, Machine Learning 52, 2003.
    """

    basis = "splits"

    def __init__(
        self, values: Mapping[str, Mapping[int, Mapping[int, float]]], n_test: int, n_train: int, one_row: float = 0.0
    ) -> None:
        super().__init__(list(values))
        self.values = values
        self.means = {
            method: {split: float(np.mean(list(seeds.values()))) for split, seeds in splits.items()}
            for method, splits in values.items()
        }
        self.n_test = n_test
        self.test_share = n_test / n_train
        self.one_row = one_row

    def mean(self, method: str) -> Estimate | None:
        means = np.array(list(self.means[method].values()))
        return self._estimate(means, _seed_variance(self.values[method].values()), self._floor(method))

    def comparable(self, method: str) -> bool:
        return len(self.means[method]) > 1

    def difference(self, method: str, other: str) -> Estimate | None:
        first, second = self.values[method], self.values[other]
        shared = sorted(first.keys() & second.keys())
        means = np.array([self.means[method][split] - self.means[other][split] for split in shared])
        if all(first[split].keys() == second[split].keys() for split in shared):
            pairs = [{seed: first[split][seed] - second[split][seed] for seed in first[split]} for split in shared]
            of_seeds = _seed_variance(pairs)
        else:
            of_seeds = sum(_seed_variance([values[split] for split in shared]) for values in (first, second))
        return self._estimate(means, of_seeds, max(self._floor(method), self._floor(other)))

    def _floor(self, method: str) -> float:
        means = list(self.means[method].values())
        return self.one_row or (float(np.std(means, ddof=1)) / math.sqrt(self.n_test) if len(means) > 1 else 0.0)

    def _estimate(self, means: np.ndarray, of_seeds: float, floor: float) -> Estimate | None:
        n = len(means)
        if n < 2:
            return None
        between = float(means.var(ddof=1))
        variance = max(between, floor**2) / n + self.test_share * max(between - of_seeds, floor**2)
        return Estimate(float(means.mean()), math.sqrt(variance), n - 1) if variance > 0 else None

    def deviations(self, methods: Sequence[str]) -> np.ndarray:
        shared = sorted(set.intersection(*(set(self.means[method]) for method in methods)))
        table = np.array([[self.means[method][split] for method in methods] for split in shared])
        rng = np.random.default_rng(len(shared))
        counts = rng.multinomial(len(shared), np.full(len(shared), 1 / len(shared)), _DRAWS)
        return np.asarray(counts / len(shared) @ (table - table.mean(axis=0)))


def _seed_variance(splits: Iterable[Mapping[int, float]]) -> float:
    """Return the variance that the seeds add to the mean of a split; 0 unless all have several."""
    groups = [np.array(list(seeds.values())) for seeds in splits]
    if not groups or any(len(group) < 2 for group in groups):
        return 0.0
    return float(np.mean([group.var(ddof=1) / len(group) for group in groups]))


class CrossedSample(JointSample):
    """Means on one test part, over seeds and test rows, by a crossed bootstrap.

    Each draw resamples the test rows (with replacement) and the distillation seeds (with weights
    from a flat Dirichlet distribution), both shared by all methods, so that methods are compared on
    the same rows and the same seeds. The deviations due to seeds are multiplied by
    ``sqrt((S + 1) / (S - 1))`` for S seeds, which makes their variance that of a mean of S values.

    Parameters
    ----------
    scores : mapping of str to mapping of int to ndarray of shape (draws,)
        For each method and distillation seed the metric on each resample of the test rows.
    values : mapping of str to mapping of int to float
        The same on the test rows as they are.
    n_test : int
        Number of test rows.
    one_row : float
        Smallest standard error: what one test row contributes to the metric, or 0 as for
        `SplitSample`.
    fixed : collection of str
        Methods without randomness. Of other methods with one seed the variance between seeds is not
        known, so that they are not compared.

    References
    ----------
    A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007 (crossed
    resampling). D. B. Rubin, The Bayesian bootstrap, Annals of Statistics 9, 1981. F. E.
    Satterthwaite, Biometrics Bulletin 2, 1946 (degrees of freedom of a sum of variances).
    """

    basis = "test rows and seeds"

    def __init__(
        self,
        scores: Mapping[str, Mapping[int, np.ndarray]],
        values: Mapping[str, Mapping[int, float]],
        n_test: int,
        one_row: float = 0.0,
        fixed: Collection[str] = (),
    ) -> None:
        super().__init__(list(scores))
        self.n_test = n_test
        self.fixed = frozenset(fixed)
        self._values = {method: float(np.mean(list(values[method].values()))) for method in scores}
        self._seeds = {method: len(seeds) for method, seeds in scores.items()}
        names = sorted({seed for seeds in scores.values() for seed in seeds})
        draws = min(len(column) for seeds in scores.values() for column in seeds.values())
        weights = dict(zip(names, np.random.default_rng(len(names)).exponential(size=(len(names), draws)), strict=True))
        self._all, self._of_seeds, self._rows = {}, {}, {}
        for method, seeds in scores.items():
            table = np.array([seeds[seed][:draws] for seed in sorted(seeds)])
            table = np.where(np.isnan(table), np.nanmean(table, axis=1, keepdims=True), table)
            own = np.array([weights[seed] for seed in sorted(seeds)])
            fixed = np.array([[values[method][seed]] for seed in sorted(seeds)])
            row_part = table.mean(axis=0) - table.mean()
            self._rows[method] = float(row_part.std())
            self._all[method] = row_part + _seed_part(own, table)
            self._of_seeds[method] = _seed_part(own, np.broadcast_to(fixed, table.shape))
        self.one_row = one_row

    def mean(self, method: str) -> Estimate | None:
        return self._estimate(
            self._values[method], self._all[method], self._of_seeds[method], [method], self._floor(method)
        )

    def comparable(self, method: str) -> bool:
        return self._seeds[method] > 1 or method in self.fixed

    def difference(self, method: str, other: str) -> Estimate | None:
        return self._estimate(
            self._values[method] - self._values[other],
            self._all[method] - self._all[other],
            self._of_seeds[method] - self._of_seeds[other],
            [method, other],
            max(self._floor(method), self._floor(other)),
        )

    def _floor(self, method: str) -> float:
        return self.one_row or self._rows[method] / math.sqrt(self.n_test)

    def _estimate(
        self, value: float, draws: np.ndarray, seed_draws: np.ndarray, methods: Sequence[str], floor: float
    ) -> Estimate | None:
        total = max(float(draws.var()), floor**2)
        if total == 0:
            return None
        # Satterthwaite: the part of the seeds has few degrees of freedom, that of the rows many.
        of_seeds = min(float(seed_draws.var()), total)
        dofs = [self._seeds[method] - 1 for method in methods if self._seeds[method] > 1]
        scatter = of_seeds**2 / min(dofs, default=1) + (total - of_seeds) ** 2 / max(self.n_test - 1, 1)
        return Estimate(value, math.sqrt(total), total**2 / scatter)

    def deviations(self, methods: Sequence[str]) -> np.ndarray:
        return np.stack([self._all[method] for method in methods], axis=1)


def _seed_part(weights: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the deviations due to seeds: weights and values have the shape (seeds, draws)."""
    n = len(weights)
    if n < 2:
        return np.zeros(table.shape[1])
    shares = weights / weights.sum(axis=0)
    return np.asarray(math.sqrt((n + 1) / (n - 1)) * ((shares - 1 / n) * table).sum(axis=0))
