"""A meta-estimator that distills the training rows before it trains an estimator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from distillkit.pipeline._encoder_hint import encoder_hint
from distillkit.tables._estimators import as_transformed
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._seeds import seed_model
from distillkit.utils._weights import require_weight_support, weight_argument

__all__ = ["Distilled"]


def _inner_has(name: str) -> Any:
    """Return a decorator that makes a method available only if the estimator has it."""

    def check(self: Distilled) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), name)

    return available_if(check)


class Distilled(PicklesByPublicName, MetaEstimatorMixin, BaseEstimator):
    """Estimator that is trained on distilled rows, for use as any scikit-learn estimator.

    The estimator gets the rows of a mixed table in types that estimators accept, in training and in
    prediction alike; see `BaseDistiller.transform`.

    Parameters
    ----------
    distiller : estimator with `fit_resample`
        Cloned; its `sample_weight_` is passed to the estimator if that accepts weights.
    estimator : estimator
        Cloned; trained on the distilled rows, and used to predict any rows.
    random_state : int, RandomState instance or None, default=None
        Seeds the distiller and the estimator, nested parts included, where their own `random_state`
        is None. None leaves them as they are.

    Attributes
    ----------
    distiller_, estimator_ : fitted clones
    n_features_in_, feature_names_in_
        Those of the distiller.
    classes_
        Those of the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from distillkit import Distilled, KMeansCoreset
    >>> X, y = load_iris(return_X_y=True)
    >>> distiller = KMeansCoreset(budget=5, random_state=0)
    >>> model = Distilled(distiller, LogisticRegression(max_iter=1000))
    >>> bool(cross_val_score(model, X, y).mean() > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "distiller": [HasMethods(["fit_resample"])],
        "estimator": [HasMethods(["fit"])],
        "random_state": ["random_state"],
    }

    def __init__(self, distiller: Any, estimator: Any, *, random_state: Any = None) -> None:
        self.distiller = distiller
        self.estimator = estimator
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Distill (X, y) and train the estimator on the result.

        Parameters
        ----------
        X, y : training data, as the distiller takes them
        sample_weight : array-like of shape (n,), number or None, default=None
            Weights of the training rows, for the distiller. The estimator gets those of the
            distilled rows.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If there are weights and the distiller cannot use them.
        """
        require_weight_support("distiller", self.distiller, sample_weight)
        self.distiller_, self.estimator_ = clone(self.distiller), clone(self.estimator)
        if self.random_state is not None:
            rng = check_random_state(self.random_state)
            self.distiller_, self.estimator_ = seed_model(self.distiller_, rng), seed_model(self.estimator_, rng)
        X_distilled, y_distilled = self.distiller_.fit_resample(X, y, **weight_argument(sample_weight))
        X_distilled = as_transformed(self.distiller_, X_distilled)
        weight = getattr(self.distiller_, "sample_weight_", None)
        weighted = weight is not None and has_fit_parameter(self.estimator_, "sample_weight")
        with encoder_hint(X_distilled):
            self.estimator_.fit(X_distilled, y_distilled, **({"sample_weight": weight} if weighted else {}))
        sources = {
            "n_features_in_": self.distiller_,
            "feature_names_in_": self.distiller_,
            "classes_": self.estimator_,
        }
        for name, part in sources.items():
            self.__dict__.pop(name, None)  # an attribute of an earlier fit
            if hasattr(part, name):
                setattr(self, name, getattr(part, name))
        return self

    def _call(self, method: str, X: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the fitted estimator on transformed rows."""
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(self.distiller_.transform(X), *args, **kwargs)

    @_inner_has("predict")
    def predict(self, X: Any) -> Any:
        """Predict every row of X with the estimator."""
        return self._call("predict", X)

    @_inner_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Return the class probabilities of every row, with columns as in `classes_`."""
        return self._call("predict_proba", X)

    @_inner_has("predict_log_proba")
    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithms of the class probabilities of every row."""
        return self._call("predict_log_proba", X)

    @_inner_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Return the decision values of every row."""
        return self._call("decision_function", X)

    @_inner_has("score")
    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the score of the estimator on every row of (X, y)."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self._call("score", X, y, **weights))

    def __sklearn_tags__(self) -> Any:
        """Return the tags of a meta-estimator with the type and target tags of the estimator."""
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags.sparse = get_tags(self.distiller).input_tags.sparse and inner.input_tags.sparse
        tags.estimator_type = inner.estimator_type
        tags.target_tags = replace(inner.target_tags, multi_output=False)  # a distiller takes one column of targets
        tags.classifier_tags, tags.regressor_tags = inner.classifier_tags, inner.regressor_tags
        return tags
