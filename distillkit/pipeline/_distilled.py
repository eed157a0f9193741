"""An estimator trained on what a distiller makes of the rows, for tools that know only scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["Distilled"]


def _inner_has(name: str) -> Any:
    def check(self: Distilled) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), name)

    return available_if(check)


class Distilled(PicklesByPublicName, MetaEstimatorMixin, BaseEstimator):
    """`estimator`, trained on what `distiller` makes of (X, y): usable wherever scikit-learn takes an estimator.

    Parameters
    ----------
    distiller : estimator with `fit_resample`
        Cloned; its `sample_weight_` goes to the estimator if that takes weights.
    estimator : estimator
        Cloned; trained on the distilled rows, predicts every row given.

    Attributes
    ----------
    distiller_, estimator_ : fitted clones
    n_features_in_, feature_names_in_
        As the distiller saw them.
    classes_
        As the estimator has them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from distillkit import Distilled, KMeansCoreset
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Distilled(KMeansCoreset(budget=5, random_state=0), LogisticRegression(max_iter=1000))
    >>> bool(cross_val_score(model, X, y).mean() > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "distiller": [HasMethods(["fit_resample"])],
        "estimator": [HasMethods(["fit"])],
    }

    def __init__(self, distiller: Any, estimator: Any) -> None:
        self.distiller = distiller
        self.estimator = estimator

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Distill (X, y) and train the estimator on the result.

        Parameters
        ----------
        X, y : training data, as the distiller takes them

        Returns
        -------
        self
        """
        self.distiller_, self.estimator_ = clone(self.distiller), clone(self.estimator)
        X_distilled, y_distilled = self.distiller_.fit_resample(X, y)
        weight = getattr(self.distiller_, "sample_weight_", None)
        weighted = weight is not None and has_fit_parameter(self.estimator_, "sample_weight")
        self.estimator_.fit(X_distilled, y_distilled, **({"sample_weight": weight} if weighted else {}))
        known_to = {
            "n_features_in_": self.distiller_,
            "feature_names_in_": self.distiller_,
            "classes_": self.estimator_,
        }
        for name, part in known_to.items():
            self.__dict__.pop(name, None)  # a refit may not have what an earlier fit had
            if hasattr(part, name):
                setattr(self, name, getattr(part, name))
        return self

    def _ask(self, method: str, X: Any, *args: Any, **kwargs: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(self.distiller_.transform(X), *args, **kwargs)

    @_inner_has("predict")
    def predict(self, X: Any) -> Any:
        """Predict every row of X with the estimator."""
        return self._ask("predict", X)

    @_inner_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Class probabilities of every row, columns as in `classes_`."""
        return self._ask("predict_proba", X)

    @_inner_has("predict_log_proba")
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the class probabilities of every row."""
        return self._ask("predict_log_proba", X)

    @_inner_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Decision values of every row."""
        return self._ask("decision_function", X)

    @_inner_has("score")
    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Score of the estimator on every row of (X, y)."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self._ask("score", X, y, **weights))

    def __sklearn_tags__(self) -> Any:
        """Take type and target tags from the estimator."""
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.target_tags = replace(inner.target_tags, multi_output=False)  # a distiller takes one column of targets
        tags.classifier_tags, tags.regressor_tags = inner.classifier_tags, inner.regressor_tags
        return tags
