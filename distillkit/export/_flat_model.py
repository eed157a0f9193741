"""The transformers and the predictor that remain of a trained model after its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from distillkit.exceptions import DataError
from distillkit.pipeline import Distilled
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["FlatModel"]

_MIXED = (
    "{name} was trained on a mixed table, whose columns of text and dates ONNX cannot encode: encode the table with "
    "distillkit.tables.TableEncoder first, and train on numbers."
)


@dataclass(frozen=True)
class FlatModel:
    """What a model does with new rows, step by step.

    Parameters
    ----------
    transformers : tuple
        Fitted transformers of scikit-learn, and instances of `Preprocessing`, in their order.
        Distillers and samplers, which act on training rows alone, are left out.
    predictor : estimator
        The last step.
    """

    transformers: tuple[Any, ...]
    predictor: Any

    @classmethod
    def of(cls, model: Any) -> FlatModel:
        """Return the steps of a fitted model.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        DataError
            If it was trained on a mixed table.
        """
        if isinstance(model, Distilled):
            check_is_fitted(model, "estimator_")
            inner = cls.of(model.estimator_)
            return cls((*_kept(model.distiller_), *inner.transformers), inner.predictor)
        if isinstance(model, Pipeline):
            check_is_fitted(model)
            steps = [step for _, step in model.steps if step is not None and step != "passthrough"]
            before = [part for step in steps[:-1] for part in _kept(step)]
            inner = cls.of(steps[-1])
            return cls((*before, *inner.transformers), inner.predictor)
        check_is_fitted(model)
        if "encoder_" in vars(model):
            raise DataError(_MIXED.format(name=type(model).__name__))
        return cls((), model)


def _kept(step: Any) -> tuple[Any, ...]:
    """Return what a step before the last one does with new rows."""
    if not hasattr(step, "fit_resample"):
        return (step,)
    if "encoder_" in vars(step):
        raise DataError(_MIXED.format(name=type(step).__name__))
    preprocessing = vars(step).get("preprocessing_")
    return (preprocessing,) if isinstance(preprocessing, Preprocessing) else ()
