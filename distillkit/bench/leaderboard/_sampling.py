"""Builds the joint sample of a comparison, over splits or over seeds and test rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.leaderboard._joint_samples import CrossedSample, JointSample, SplitSample
from distillkit.bench.leaderboard._resampled_scores import ResampledRows
from distillkit.exceptions import ResultsError

if TYPE_CHECKING:
    from distillkit.bench.leaderboard._entry import LeaderboardEntry
    from distillkit.specs import MetricSpec

__all__ = ["Sampler", "Sampling"]

Targets = Callable[[str], Mapping[str, Any] | None]
"""Function from the key of prepared data to its encoded targets, or None if they are not stored."""


@dataclass(frozen=True)
class Sampling:
    """The joint sample of a comparison, or the reason why there is none."""

    sample: JointSample | None
    note: str = ""


class Sampler:
    """Builds joint samples, and shares resampled test rows between the comparisons of a dataset.

    Parameters
    ----------
    metrics : mapping of str to MetricSpec
        The known metrics by name.
    targets : callable
        Returns the encoded targets of prepared data by its key, or None.
    """

    def __init__(self, metrics: Mapping[str, MetricSpec], targets: Targets) -> None:
        self.metrics = metrics
        self.targets = targets
        self._resampled: dict[str, ResampledRows | None] = {}

    def sampling(self, entries: Sequence[LeaderboardEntry]) -> Sampling:
        """Return the joint sample of the entries of one comparison that have values."""
        measured = [entry for entry in entries if entry.scores]
        if not measured:
            return Sampling(None)
        rows = [row for entry in measured for row in entry.ok]
        classification = measured[0].cell["task"] == "classification"
        splits = {unit[0] for entry in measured for unit in entry.scores}
        n_test, n_train = _common(rows, "n_test"), _common(rows, "n_train")
        one_row = 1 / n_test if n_test and classification else 0.0
        if len(splits) > 1:
            if not n_test or not n_train:
                return Sampling(None, "no interval: the rows do not say how many rows were tested and trained on")
            values = {entry.cell["method"]: entry.by_split_and_seed() for entry in measured}
            return Sampling(SplitSample(values, n_test, n_train, one_row))
        try:
            return self._crossed(measured, one_row)
        except ResultsError as exc:
            return Sampling(None, f"no interval: {exc}")

    def _crossed(self, entries: Sequence[LeaderboardEntry], one_row: float) -> Sampling:
        metric = entries[0].metric
        spec = self.metrics.get(metric)
        if spec is not None and spec.stage != "prediction":
            return Sampling(None, f"no interval: {metric} is not measured on test rows")
        rows = [row for entry in entries for row in entry.ok]
        resampled = self._rows_of({str(row.get("data_key")) for row in rows})
        if resampled is None or not all(row.get("outcome") for row in rows):
            return Sampling(
                None, "no interval: these results were made by a version that did not store the predictions"
            )
        if "probabilities" in getattr(spec, "needs", ()):
            return Sampling(None, f"no interval: {metric} needs probabilities, and only predictions are stored")
        # Predictions of all cells at once, as one matrix; then averages over evaluation seeds.
        function = None if spec is None or spec.target is None else spec.load()
        cells = [(entry.cell["method"], row) for entry in entries for row in entry.ok if entry.value(row) is not None]
        predictions = np.array([_decoded(row["outcome"], resampled.n) for _, row in cells])
        try:
            scores = resampled.scores(metric, predictions, function)
        except Exception as exc:  # A metric of a plugin may refuse a resample that lacks a class.
            return Sampling(None, f"no interval: {metric} cannot be computed on resampled rows ({exc})")
        draws: dict[str, dict[int, list[np.ndarray]]] = {}
        for (method, row), one in zip(cells, scores, strict=True):
            draws.setdefault(method, {}).setdefault(row["distil_seed"], []).append(one)
        means = {
            method: {seed: np.mean(several, axis=0) for seed, several in seeds.items()}
            for method, seeds in draws.items()
        }
        values = {
            entry.cell["method"]: {seed: fmean(again.values()) for (_, seed), again in entry.scores.items()}
            for entry in entries
        }
        fixed = [entry.cell["method"] for entry in entries if entry.deterministic]
        return Sampling(CrossedSample(means, values, resampled.n, one_row, fixed))

    def _rows_of(self, keys: set[str]) -> ResampledRows | None:
        """Return the resampled test rows of the only data of a comparison."""
        if len(keys) != 1:
            return None
        (key,) = keys
        if key not in self._resampled:
            encoded = self.targets(key)
            self._resampled[key] = None if encoded is None else ResampledRows(_decoded(encoded))
        return self._resampled[key]


def _decoded(encoded: Mapping[str, Any], length: int | None = None) -> np.ndarray:
    from distillkit.bench.results._outcomes import decode

    array = decode(encoded)
    if length is not None and len(array) != length:
        raise ResultsError(f"{len(array)} predictions are stored for {length} test rows: run the cells again.")
    return array


def _common(rows: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Return the size that rows agree on; splits may differ by a row or two, which are averaged."""
    sizes = [row[name] for row in rows if isinstance(row.get(name), int) and row[name] > 0]
    return round(math.fsum(sizes) / len(sizes)) if sizes and len(sizes) == len(rows) else None
