"""A pipeline in which steps can distill the training rows and pass on their weights."""

from __future__ import annotations

from typing import Any, Self, TypeAlias

import numpy as np
from sklearn import get_config
from sklearn.base import _fit_context, clone
from sklearn.pipeline import Pipeline as _Pipeline
from sklearn.pipeline import _name_estimators
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_memory, has_fit_parameter

from distillkit.exceptions import DataError
from distillkit.pipeline._distilled import Distilled
from distillkit.pipeline._encoder_hint import encoder_hint
from distillkit.tables._estimators import as_transformed
from distillkit.utils._callbacks import callback_context
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["Distilled", "Pipeline", "make_pipeline"]

_Data: TypeAlias = tuple[Any, Any, Any]  # X, y and row weights


def _can_fit_transform(pipeline: Any) -> bool:
    """Whether scikit-learn's condition for `fit_transform` holds."""
    return bool(pipeline._can_fit_transform())  # noqa: SLF001 (scikit-learn's own condition)


def _can_fit_resample(pipeline: Any) -> bool:
    """Whether a step distills, and the last step can transform."""
    return pipeline._distills() and _can_fit_transform(pipeline)  # noqa: SLF001


def _can_fit_predict(pipeline: Any) -> bool:
    """Whether `fit_predict` is available; the last step must predict if a step distills."""
    last = pipeline._final_estimator  # noqa: SLF001
    if pipeline._distills() and not hasattr(last, "predict"):  # noqa: SLF001
        raise AttributeError(
            f"{type(last).__name__} cannot predict rows on which it was not fitted, so it cannot label the rows "
            "that a distiller left out: end the pipeline with a clusterer that has predict, such as KMeans."
        )
    return hasattr(last, "fit_predict")


class Pipeline(PicklesByPublicName, _Pipeline):
    """scikit-learn's `Pipeline`, extended by steps that distill the training rows.

    During fit, a step with `fit_resample` replaces X and y for the following steps. Its
    `sample_weight_` is passed to every later step whose `fit` accepts `sample_weight`, unless the
    caller gives that step weights of the distilled rows. Weights of the training rows go to the
    steps before the first distiller and to this distiller, as ``step__sample_weight`` or by
    scikit-learn's metadata routing (``KMeansCoreset().set_fit_request(sample_weight=True)``), and
    never to a later step, whose rows are other ones even if they are as many.

    After fit, `predict`, `score` and `transform` pass every row through the `transform` of such a
    step, so the number of rows does not change. Without such a step, the behavior is that of
    scikit-learn's pipeline.

    Of a mixed table, the steps after a distiller get the original columns in types that estimators
    accept, in training and in prediction alike; see `BaseDistiller.transform`.

    Parameters
    ----------
    steps : list of (str, estimator)
        Transformers and distillers, then any estimator; as in `sklearn.pipeline.Pipeline`.
    transform_input : list of str or None, default=None
        Names of metadata that are passed through the transformers as well; as in scikit-learn.
    memory : str, joblib.Memory or None, default=None
        Cache of fitted steps, distillers included.
    verbose : bool, default=False
        Whether to print the seconds of each step.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> from distillkit import KMeansCoreset
    >>> X, y = load_iris(return_X_y=True)
    >>> distiller = KMeansCoreset(budget=5, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), distiller, LogisticRegression())
    >>> pipe.fit(X, y).predict(X).shape
    (150,)
    """

    steps: list[tuple[str, Any]]

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit all steps, each on the output of the steps before it.

        Parameters
        ----------
        X, y : training data
        **params : dict
            As for scikit-learn's pipeline: ``step__parameter``, or routed metadata.

        Returns
        -------
        self
        """
        if not self._distills():
            return super().fit(X, y, **params)  # type: ignore[no-any-return]
        self._fit_steps(X, y, params, "fit")
        return self

    @available_if(_can_fit_transform)
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit all steps, and return the training rows as the last step returns them.

        If a step distills, these are distilled rows.

        Parameters
        ----------
        X, y, **params : as in `fit`

        Returns
        -------
        array-like
        """
        if not self._distills():
            return super().fit_transform(X, y, **params)
        return self._fit_steps(X, y, params, "fit_transform")[0]

    @available_if(_can_fit_resample)
    def fit_resample(self, X: Any, y: Any = None, **params: Any) -> tuple[Any, Any]:
        """Fit all steps, and return the distilled rows, as `transform` returns rows, and labels.

        Available only if a step distills and the last step can transform.

        Parameters
        ----------
        X, y, **params : as in `fit`

        Returns
        -------
        X_distilled, y_distilled
        """
        rows, labels, _ = self._fit_steps(X, y, params, "fit_transform")
        return rows, labels

    @available_if(_can_fit_predict)
    def fit_predict(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit all steps, then predict every row of X.

        If a step distills, the final clusterer is fitted on the distilled rows and predicts all
        rows.

        Parameters
        ----------
        X, y, **params : as in `fit`

        Returns
        -------
        ndarray of shape (n,)
        """
        if not self._distills():
            return super().fit_predict(X, y, **params)
        return self.fit(X, y, **params).predict(X)

    @property
    def sample_weight_(self) -> np.ndarray:
        """Weights of the rows that the last distiller returned."""
        distillers = [step for _, step in self.steps if hasattr(step, "fit_resample")]
        if not distillers:
            raise AttributeError(
                "sample_weight_ exists only if a step of the pipeline distills: add a distiller to the steps."
            )
        return distillers[-1].sample_weight_  # type: ignore[no-any-return]

    def _distills(self) -> bool:
        """Whether any step distills."""
        try:
            return any(hasattr(step, "fit_resample") for _, step in self.steps)
        except (TypeError, ValueError):  # invalid steps: scikit-learn raises its own error
            return False

    def _check_own_weights(self, params: dict[str, Any]) -> None:
        """Refuse weights that name no step, with the name of the step that takes them."""
        if "sample_weight" in params and not get_config()["enable_metadata_routing"]:
            name = next(name for name, step in self.steps if hasattr(step, "fit_resample"))
            raise DataError(
                f"a pipeline gives sample_weight to the step that is named: write {name}__sample_weight=..., and the "
                "later steps get the weights of the distilled rows."
            )

    def _check_weights(self, routed: Any, X: Any) -> None:
        """Refuse weights of the training rows for a step after a distiller, whose rows are others.

        With metadata routing, such a step gets the weights of the distilled rows in their place, if
        the weights reach the distiller as well.
        """
        distiller, weighted = None, False
        for name, step in self.steps:
            given = [(call, key) for call in routed.get(name, {}).values() for key in call if _is_weight(key, call, X)]
            if distiller is None:
                if hasattr(step, "fit_resample"):
                    distiller, weighted = name, bool(given)
            elif given and not (weighted and get_config()["enable_metadata_routing"]):
                raise DataError(
                    f"sample_weight for step {name!r} has a value for each of the {_num_samples(X)} training rows, but "
                    f"step {distiller!r} before it replaces the rows: give the weights to {distiller!r}, "
                    "and later steps get those of the distilled rows."
                )
            else:
                for call, key in given:
                    del call[key]

    @_fit_context(prefer_skip_nested_validation=False)
    def _fit_steps(self, X: Any, y: Any, params: dict[str, Any], method: str, weight: Any = None) -> _Data:
        """Fit all steps, the last one by `method`, and return its X, y and weights.

        `weight` contains the weights of the input rows, because a pipeline may itself be a step.
        """
        if self.transform_input is not None and not get_config()["enable_metadata_routing"]:
            raise ValueError("transform_input needs metadata routing: call set_config(enable_metadata_routing=True).")
        callbacks = callback_context(self, task_name=_task(method), max_subtasks=len(self.steps))
        callbacks.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self._check_own_weights(params)
        routed = self._check_method_params(method=method, props=params)
        self._check_weights(routed, X)
        self.steps = list(self.steps)
        self._validate_steps()
        memory = check_memory(self.memory)
        cached = memory.cache(_fit_step, ignore=["caller", "callbacks"])  # they do not affect the result
        # As in scikit-learn, the steps themselves are fitted without a cache, and clones with one.
        clones = getattr(memory, "location", "") is not None
        last = len(self.steps) - 1
        data = (X, y, weight)
        for index, (name, step) in enumerate(self.steps):
            task = f"{_task(method)}-final-estimator" if index == last else f"fit-transform-{name}"
            subcontext = callbacks.subcontext(task_name=task)
            if step is None or step == "passthrough":
                subcontext.call_on_fit_task_begin(estimator=self, X=data[0], y=data[1])
                subcontext.call_on_fit_task_end(estimator=self, X=data[0], y=data[1])
                continue
            step_params = self._get_metadata_for_step(step_idx=index, step_params=routed[name], all_params=params)
            options = {
                "params": step_params,
                "message": self._log_message(index),
                "caller": self,
                "callbacks": subcontext,
            }
            if index == last:
                data, _ = _fit_step(step, *data, method=method, **options)
            else:
                data, fitted = cached(clone(step) if clones else step, *data, method="fit_transform", **options)
                self.steps[index] = (name, fitted)
        callbacks.call_on_fit_task_end(estimator=self, X=data[0], y=data[1])
        return data


def _is_weight(key: str, params: Any, X: Any) -> bool:
    """Whether a parameter holds one weight for each training row, perhaps for a nested step."""
    values = params[key]
    if key.rpartition("__")[2] != "sample_weight" or not hasattr(values, "__len__"):
        return False
    return len(values) == int(_num_samples(X))


def _task(method: str) -> str:
    """Return the name of a callback task for a method."""
    return method.replace("_", "-")


def _fit_step(
    step: Any, X: Any, y: Any, weight: Any, method: str, params: Any, message: str | None, caller: Any, callbacks: Any
) -> tuple[_Data, Any]:
    """Fit one step; return its X, y and weights, and the step itself.

    The function is at module level so that it can be cached.
    """
    with callbacks.propagate_callback_context(step), _print_elapsed_time("Pipeline", message):
        callbacks.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        X, y, weight = _apply_step(step, X, y, weight, method, params)
        callbacks.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return (X, y, weight), step


def _apply_step(step: Any, X: Any, y: Any, weight: Any, method: str, params: Any) -> _Data:
    """Fit one step by `method`, and return X, y and weights for the next step."""
    if isinstance(step, Pipeline):
        # Unlike `fit`, this method of a nested pipeline accepts and returns weights.
        return step._fit_steps(X, y, params.get(method, {}), method, weight)  # type: ignore[no-any-return] # noqa: SLF001
    call = method if hasattr(step, method) else "fit"
    fit_params = dict(params.get(call, {}))
    if hasattr(step, "fit_resample"):
        if weight is not None and has_fit_parameter(step, "sample_weight"):
            X, y = step.fit_resample(X, y, **{**fit_params, "sample_weight": weight})
            return X, y, step.sample_weight_
        X, y = step.fit_resample(X, y, **fit_params)
        return as_transformed(step, X), y, _chained_weight(step, weight)
    if weight is not None and has_fit_parameter(step, "sample_weight"):
        fit_params.setdefault("sample_weight", weight)
    with encoder_hint(X):
        result = getattr(step, call)(X, y, **fit_params)
    if method == "fit":
        return X, y, weight
    return (result if call == method else step.transform(X, **params.get("transform", {}))), y, weight


def _chained_weight(step: Any, before: np.ndarray | None) -> np.ndarray | None:
    """Scale the weights of a later distiller so that they represent all rows of the first one."""
    weight: np.ndarray | None = getattr(step, "sample_weight_", None)
    if before is None or weight is None:
        return weight
    indices = getattr(step, "sample_indices_", None)
    if indices is not None:
        weight = weight * np.asarray(before)[indices]
    step.sample_weight_ = weight * (np.sum(before) / np.sum(weight))
    if hasattr(step, "distilled_"):
        step.distilled_.sample_weight = step.sample_weight_
    return step.sample_weight_  # type: ignore[no-any-return]


def make_pipeline(*steps: Any, memory: Any = None, transform_input: Any = None, verbose: bool = False) -> Pipeline:
    """Create a `Pipeline` whose steps are named after their classes.

    Parameters
    ----------
    *steps : estimators
        Steps in order.
    memory, transform_input, verbose
        As in `Pipeline`.

    Returns
    -------
    Pipeline
    """
    return Pipeline(_name_estimators(steps), transform_input=transform_input, memory=memory, verbose=verbose)
