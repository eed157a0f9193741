"""The part of a distiller that sets its fitted attributes from the outcome of a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.base._input_weights import in_input
from distillkit.base._mixed_tables import MixedTableMixin
from distillkit.base._outcome import Outcome, SourceSummary, distilled_pair, ranking_of, scaled_weight
from distillkit.distilled import DistilledSet
from distillkit.utils._interpolation import to_dtype
from distillkit.utils._json import to_jsonable
from distillkit.utils._public_names import public_name
from distillkit.utils._sparse import dense_rows
from distillkit.utils._thread_counts import thread_counts
from distillkit.utils._versions import versions

if TYPE_CHECKING:
    from distillkit.base._training_rows import Run, TrainingRows

__all__ = ["ResultsMixin"]

_LEFT_OUT = {"verbose", "checkpoint"}
"""Parameters that say nothing of the distilled set: what is printed, and where a fit is saved."""


class ResultsMixin(MixedTableMixin):
    """Mixin of `BaseDistiller` that stores the results of a fit."""

    X_distilled_: Any
    y_distilled_: np.ndarray | None
    distilled_: DistilledSet
    preprocessing_: Any
    get_params: Callable[..., dict[str, Any]]  # of scikit-learn's BaseEstimator

    def _store(self, outcome: Outcome, run: Run, source: np.ndarray, rows: TrainingRows) -> None:
        """Set the fitted attributes for rows that are in memory."""
        pair = distilled_pair(outcome, source, rows)
        self._set_results(in_input(outcome, rows), pair, SourceSummary.of(source, rows), run)

    def _set_results(
        self, outcome: Outcome, pair: tuple[np.ndarray, np.ndarray | None], source: SourceSummary, run: Run
    ) -> None:
        """Set the fitted attributes from the outcome, the distilled pair and the source summary."""
        # Remove optional attributes of an earlier fit, which this fit may not set.
        for name in ("sample_indices_", "soft_labels_", "ranking_", "error_"):
            self.__dict__.pop(name, None)
        self.X_distilled_, self.y_distilled_ = pair
        if outcome.indices is not None:
            self.sample_indices_ = np.asarray(outcome.indices)
        if outcome.soft_labels is not None:
            self.soft_labels_ = np.asarray(outcome.soft_labels)
        ranking = ranking_of(outcome, self.y_distilled_, source.task, self.X_distilled_.shape[0])
        if ranking is not None:
            self.ranking_ = ranking
        self.sample_weight_ = scaled_weight(outcome.weight, self.X_distilled_.shape[0], source.total)
        if "max_iter" in self.get_params(deep=False):
            self.n_iter_ = run.n_iter
        self.history_ = run.history
        self.preprocessing_ = outcome.preprocessing
        self.distilled_ = DistilledSet(
            X=dense_rows(self.X_distilled_),
            y=self.y_distilled_,
            sample_weight=self.sample_weight_,
            indices=getattr(self, "sample_indices_", None),
            soft_labels=getattr(self, "soft_labels_", None),
            stored=None if outcome.stored is None else to_dtype(outcome.stored, self.X_distilled_.dtype),
            ranking=ranking,
            classes=source.classes,
            feature_names=self._encoded_names(),
            preprocessing=outcome.preprocessing,
            provenance=self._provenance(run, source, outcome),
        )

    def _provenance(self, run: Run, source: SourceSummary, outcome: Outcome) -> dict[str, Any]:
        """Return the provenance of the distilled set: method, parameters, source and resources."""
        optional = {
            "class_rows": source.class_rows,
            "weight_seen": source.weight,
            "weighting": outcome.weighting,
            "offset": outcome.offset,
            "n_iter": getattr(self, "n_iter_", None),
        }
        return {
            "method": public_name(type(self)),
            "params": to_jsonable({n: v for n, v in self.get_params(deep=False).items() if n not in _LEFT_OUT}),
            "task": source.task,
            "rows_seen": source.n_rows,
            "bytes_seen": source.nbytes,
            **{name: to_jsonable(value) for name, value in optional.items() if value is not None},
            **to_jsonable(outcome.notes),
            "seconds": run.seconds,
            "stopped_by": run.stopped_by,
            # Libraries that did the computation (faiss-gpu, faiss, numpy, scikit-learn), if known.
            "backends": sorted({step["backend"] for step in run.history if "backend" in step}),
            "threads": thread_counts(),
            "versions": versions(),
        }
