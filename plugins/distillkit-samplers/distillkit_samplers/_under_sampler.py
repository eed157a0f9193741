"""An under-sampler of imbalanced-learn as a method, with the budget as its sampling strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import clone

from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError
from distillkit_samplers._lookup import make

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["UnderSamplerCoreset"]


class UnderSamplerCoreset(BaseDistiller):
    """Reduce each class to its budget by an under-sampler of imbalanced-learn.

    The sampler gets the budget as `sampling_strategy`. One that cleans the set chooses the number
    of rows itself: then the rows that it keeps are drawn at random down to the budget, and rows
    that it removed are drawn at random where too few are left. All rows of a class have the same
    weight.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        Number of rows to keep: per class, as a share of the rows, or as a dict by class label.
    sampler : str or object, default="NearMiss"
        Name of a class in ``imblearn.under_sampling``, or an under-sampler, which is cloned.
    options : dict or None, default=None
        Arguments of the class, such as ``{"version": 3}``.
    task : {"auto", "classification"}, default="auto"
        Kind of target. Under-samplers compare classes, so that there must be some.
    random_state : int, RandomState instance or None, default=None
        Seed of the sampler, if it has one, and of the rows that are drawn after it.

    References
    ----------
    Lemaitre, Nogueira and Aridas, JMLR 18, 2017.
    """

    _needs_y: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        sampler: Any = "NearMiss",
        options: dict[str, Any] | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.sampler = sampler
        self.options = options

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        if rows.task != "classification":
            raise DataError(f"task={rows.task!r}: under-samplers need class labels; use another method for numbers.")
        # 1. Let the sampler reduce the rows. A single class has nothing to be compared with.
        codes = np.empty(rows.n_rows, dtype=np.int64)
        for code, group in enumerate(rows.groups):
            codes[group.rows] = code
        if len(rows.groups) == 1:
            return self._picked(rows, run, np.arange(rows.n_rows))
        sampler = self._sampler({code: group.size for code, group in enumerate(rows.groups)}, run)
        try:
            X, y = sampler.fit_resample(rows.flat, codes)
        except (ValueError, RuntimeError) as exc:
            raise DataError(f"{type(sampler).__name__} cannot reduce these rows: {exc}") from exc
        # 2. Meet the budget exactly, which not every sampler does.
        picks = getattr(sampler, "sample_indices_", None)
        return self._made(rows, X, y) if picks is None else self._picked(rows, run, np.asarray(picks))

    def _sampler(self, sizes: dict[int, int], run: Run) -> Any:
        sampler = make("sampler", self.sampler, "imblearn.under_sampling", self.options or {}, "fit_resample")
        sampler = clone(sampler)
        given = {"random_state": run.seed()}
        if getattr(sampler, "_sampling_type", "") == "under-sampling":
            given["sampling_strategy"] = sizes  # type: ignore[assignment]
        else:
            given["sampling_strategy"] = "all"  # type: ignore[assignment] # clean every class
        known = sampler.get_params(deep=False)
        return sampler.set_params(**{name: value for name, value in given.items() if name in known})

    def _picked(self, rows: TrainingRows, run: Run, picks: np.ndarray) -> Outcome:
        """Return the rows that a sampler selected, as many of each class as the budget says."""
        chosen, weights = [], []
        for group in rows.groups:
            kept = picks[np.isin(picks, group.rows)]
            kept = kept[np.sort(np.unique(kept, return_index=True)[1])]
            n_kept = len(kept)
            if n_kept > group.size:
                kept = run.rng.choice(kept, group.size, replace=False)
            elif n_kept < group.size:
                removed = np.setdiff1d(group.rows, kept)
                kept = np.concatenate([kept, run.rng.choice(removed, group.size - n_kept, replace=False)])
            chosen.append(kept)
            weights.append(np.full(group.size, len(group.rows) / group.size))
            run.record(label=group.label, rows=len(group.rows), selected=n_kept, size=group.size)
        return Outcome(indices=np.concatenate(chosen), weight=np.concatenate(weights))

    def _made(self, rows: TrainingRows, X: np.ndarray, y: np.ndarray) -> Outcome:
        """Return the rows that a sampler made."""
        parts, labels, weights = [], [], []
        for code, group in enumerate(rows.groups):
            made = X[y == code][: group.size]
            if len(made) < group.size:
                raise DataError(
                    f"sampler={self.sampler!r} made {len(made)} rows of class {group.label!r} where {group.size} are "
                    "asked for: take another sampler."
                )
            parts.append(made.reshape(group.size, *rows.X.shape[1:]))
            labels += [group.label] * group.size
            weights.append(np.full(group.size, len(group.rows) / group.size))
        y_made = np.asarray(labels, dtype=None if rows.y is None else rows.y.dtype)
        return Outcome(X=np.concatenate(parts), y=y_made, weight=np.concatenate(weights))
