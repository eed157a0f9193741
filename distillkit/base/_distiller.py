"""The base class of distillers, which validates input, runs a method and stores its results."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import check_is_fitted, validate_data

from distillkit.base._feature_space import feature_rows
from distillkit.base._input_weights import positive_weight, restore_left_out_rows
from distillkit.base._outcome import Outcome
from distillkit.base._results import ResultsMixin
from distillkit.base._shown_progress import max_subtasks, progress_of
from distillkit.base._training_rows import Run, TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.distilled import DistilledSet
from distillkit.distilled._certificate import certify
from distillkit.exceptions import DataError
from distillkit.neighbors._lazy_rows import select_rows
from distillkit.tables._estimators import as_transformed, check_order, in_output_container, learn_encoder
from distillkit.tables._frames import is_frame, series_like
from distillkit.utils._callbacks import CallbackSupportMixin, callback_context
from distillkit.utils._containers import as_numeric, label_array, like_column, plain_array, to_numpy
from distillkit.utils._magnitude import check_target, within_range
from distillkit.utils._numeric_rows import validate_rows
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._sparse import canonical, is_sparse
from distillkit.utils._targets import infer_task, one_column
from distillkit.utils._weights import weight_argument

__all__ = ["BaseDistiller", "iterative_constraints"]

_FLOATS = [np.float64, np.float32]


class BaseDistiller(
    ResultsMixin,
    CallbackSupportMixin,
    PicklesByPublicName,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of all distillers; a method implements only `_distill(rows, run)`.

    A distiller acts on training data only: `fit_transform` and `fit_resample` return the distilled
    rows, whereas `transform` maps new rows, one to one, into the space of the distilled rows.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        Number of rows to keep. An int is a number of rows per class (in all, if y is continuous or
        None), a float in (0, 1) is a share of the rows, and a dict maps class labels to numbers of
        rows. See `Budget`.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of target. With "auto", text and booleans are class labels, and numbers with fractions
        are a regression target. Whole numbers, integers or floats, are a regression target if more
        than max(20, n / 20) different ones occur, or if more than half of the n rows differ and the
        values do not count on without a gap; otherwise they are class labels.
    random_state : int, RandomState instance or None, default=None
        Controls all randomness: on the same machine, the same seed gives the same result bit for
        bit, as long as no limit of time ends the fit and torch, OpenMP and BLAS use the same number
        of threads (``distilled_.provenance["threads"]``). Any thread may call `fit`, and the global
        random generators of torch, NumPy and Python remain as they are. None draws a seed from
        NumPy's global generator. Networks of your own that draw random numbers, such as those with
        dropout, use torch's global generator; fits of such networks take turns, and restore its
        state, but another thread must not draw from it meanwhile.

    Attributes
    ----------
    X_distilled_ : ndarray of shape (m, ...), CSR or frame of shape (m, d)
        Distilled rows in the shape, dtype and units of X; synthetic rows of integers or booleans
        are floats. If the method has its own preprocessing, they are floats in the space into which
        `transform` maps new rows, and ``distilled_.preprocessing`` has the inverse. If X was a
        mixed table, they are a frame like X: selected rows with their values, types and index
        labels, and synthetic rows with the columns and types of X, but with floats in place of
        integers; ``distilled_.X`` has the encoded rows, and ``distilled_.to_pandas()`` the rows
        with integers rounded. If X was sparse, selected rows are CSR and synthetic ones dense, and
        ``distilled_.X`` is dense.
    y_distilled_ : ndarray of shape (m,) or None
        Their labels, in the label space of y.
    sample_weight_ : ndarray of shape (m,)
        Number of training rows that each distilled row represents; sums to the number of training
        rows, or to the sum of their weights if weights were given.
    sample_indices_ : ndarray of shape (m,)
        Positions of the distilled rows in X; only if rows were selected from X.
    ranking_ : ndarray of shape (m,)
        Rank of each row within its class, from 0; only if the method ranks rows. The rows with
        ranks below j are the result for a budget of j: see `DistilledSet.prefix`.
    error_ : float
        Only with ``certify=True``, for methods that have this parameter: see
        `distillkit.coresets.certify`. All costs are in ``distilled_.provenance["certificate"]``.
    soft_labels_ : ndarray of shape (m, n_classes)
        Only if labels were learned, or given by a teacher.
    history_ : list of dict
        One entry per recorded step.
    n_iter_ : int
        Number of steps; only for methods with `max_iter`.
    distilled_ : DistilledSet
        All results in one object that can be saved.
    encoder_ : TableEncoder
        Only if X was a mixed table (a pandas, polars or pyarrow frame with text, categories, dates,
        truth values as objects, or gaps): the encoder through which the method saw the rows.
    n_features_in_ : int
        Size of the second axis of X.
    feature_names_in_ : ndarray of str
        Only if X had string column names.

    Notes
    -----
    Methods that take steps, or may take long, have the parameter `verbose`. With ``verbose=True``,
    `fit` shows the steps done, the loss or another figure, the seconds elapsed, and the seconds
    until the first limit (of steps, time or patience) will end it: as bars on a terminal and in a
    notebook, and otherwise as a line on standard error every ten seconds. The result is the same.
    scikit-learn's callbacks, such as its ``ProgressBar``, hear of a hundred parts of the fit.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "budget": "no_validation",  # Budget validates it
        "task": [StrOptions({"auto", "classification", "regression"})],
        "random_state": ["random_state"],
    }
    _needs_y: ClassVar[bool] = False  # whether fit raises an error for y=None
    _weighs_rows: ClassVar[bool] = False  # whether `_distill` uses `rows.weight`; see `WeightedDistiller`
    _accepts_sparse: ClassVar[bool] = False  # whether `rows.X` may be a CSR matrix
    # Attributes with one value per training row, with the value that rows of weight zero get.
    _row_attributes: ClassVar[dict[str, float]] = {}
    # The number of steps that `max_iter=None` stands for if there is no `max_seconds` either; None
    # for methods that have no such default.
    _default_max_iter: ClassVar[int | None] = None
    _keeps_rows: ClassVar[bool] = False  # whether all rows are kept, so that fit_transform keeps their number

    distilled_: DistilledSet
    preprocessing_: Any
    X_distilled_: Any
    y_distilled_: np.ndarray | None

    def __init__(self, budget: Any = 0.1, *, task: str = "auto", random_state: Any = None) -> None:
        self.budget = budget
        self.task = task
        self.random_state = random_state

    @abstractmethod
    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        """Compute the distilled rows.

        Parameters
        ----------
        rows : TrainingRows
            Validated rows with their groups and the number of distilled rows for each.
        run : Run
            Randomness (`run.rng`, `run.seed()`), clock (`run.out_of_time()`) and history
            (`run.record(...)`).

        Returns
        -------
        Outcome
        """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Distill (X, y) and set the fitted attributes.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Table (n, d), series (n, channels, time) or images (n, channels, height, width), as a
            NumPy array, a torch tensor, or a pandas, polars or pyarrow frame. Frames may be mixed:
            text, categories, truth values, dates and gaps are encoded by `TableEncoder`. Methods
            whose tag ``input_tags.sparse`` is true also take a sparse matrix or array of SciPy.
        y : array-like of shape (n,) or None
            Class labels or numbers.

        Returns
        -------
        self

        Raises
        ------
        BudgetError
            If there are fewer rows than the budget asks for.
        ValueError
            If X contains infinity, an array X contains NaN or text, y contains NaN or infinity, or
            their lengths differ.
        """
        return self._fit(X, y)

    def _fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Distill (X, y), whose rows may have weights; see `WeightedDistiller`."""
        with standard_settings():
            # 1. Validate the input, and divide the rows into groups with their parts of the budget.
            budget = Budget(self.budget) if "budget" in self.get_params(deep=False) else None
            source, X_valid, y_valid = self._validate(X, y)
            n_rows = X_valid.shape[0]
            weight, positions = positive_weight(sample_weight, X_valid)
            if positions is not None:
                source, X_valid = select_rows(source, positions), select_rows(X_valid, positions)
                y_valid = None if y_valid is None else y_valid[positions]
            task = self._resolve_task(y_valid)
            groups = group_rows(y_valid, X_valid.shape[0], task, budget)
            run = Run(getattr(self, "max_seconds", None), getattr(self, "random_state", None))
            features = feature_rows(getattr(self, "feature_space", None), X_valid, y_valid, weight)
            rows = TrainingRows(X_valid, y_valid, task, groups, weight, features, positions)
            # 2. Let the method distill the rows, and store its results.
            callbacks = callback_context(self, max_subtasks=max_subtasks(self))
            callbacks.call_on_fit_task_begin(estimator=self, X=X, y=y)
            with progress_of(self, run, callbacks):
                outcome = self._distill(rows, run)
            self._store(outcome, run, source, rows)
            restore_left_out_rows(self, rows, n_rows)
            self._restore_table(X)
            if outcome.error is not None:
                raise outcome.error
            # 3. Measure the error of the distilled set on request.
            if getattr(self, "certify", False):
                certificate = certify(self.distilled_, X_valid, y_valid, sample_weight=weight)
                self.error_ = certificate.error
                self.distilled_.provenance["certificate"] = certificate.as_dict()
            callbacks.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _validate(self, X: Any, y: Any, *, reset: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return X as an array of its own dtype, X as finite floats, and y as one column."""
        X, y = to_numpy(X), label_array(y)
        X = canonical(X) if self._accepts_sparse and is_sparse(X) else X
        if reset:
            learn_encoder(self, X)
        if "encoder_" in self.__dict__:
            return self._validate_table(X, y, reset=reset)
        # y=None is passed explicitly, so that scikit-learn raises its error if the method needs y.
        checks = {
            "dtype": _FLOATS,
            "reset": reset,
            "accept_sparse": "csr" if self._accepts_sparse else False,
            **({"y": None} if y is None else {"y": y, "multi_output": True}),
        }
        valid = validate_rows(self, X, **checks)
        X_valid, y_valid = (valid, None) if y is None else valid
        if self._reads_rows:
            X_valid = within_range(X_valid, getattr(self, "feature_names_in_", None))
        keeps_dtype = (isinstance(X, np.ndarray) or is_sparse(X)) and X.dtype.kind in "iubf"
        return (X if keeps_dtype else X_valid), X_valid, None if y_valid is None else one_column(y_valid)

    def _resolve_task(self, y: np.ndarray | None) -> str | None:
        """Return the task, inferred from y for "auto"; None without y."""
        if y is None:
            return None
        inferred, task = infer_task(y), getattr(self, "task", "auto")
        if task == "regression" and y.dtype.kind not in "iufb":
            raise DataError(
                "task='regression' needs numbers in y, but y holds text: give numbers or task='classification'."
            )
        if (resolved := inferred if task == "auto" else str(task)) == "regression" and self._reads_rows:
            check_target(y)
        return resolved

    def fit_resample(self, X: Any, y: Any = None) -> tuple[Any, Any]:
        """Distill (X, y) and return the distilled rows and labels.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,) or None

        Returns
        -------
        X_distilled, y_distilled
            In the container of the input (NumPy, pandas, polars, pyarrow or torch), or in the one
            set by `set_output`. Selected pandas rows keep their index labels; numbers of synthetic
            rows are floats. Selected rows of a mixed table are the original rows; `transform` gives
            them, like new rows, types that estimators accept. ``y_distilled`` is None without y.
        """
        return self._fit_resample(X, y)

    def _fit_resample(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        self.fit(X, y, **weight_argument(sample_weight))
        # scikit-learn wraps `transform` and `fit_transform` in this way for set_output.
        rows = in_output_container(self, self._distilled_rows(X))
        rows = _wrap_data_with_container("transform", rows, X, self)
        indices = getattr(self, "sample_indices_", None)
        column = None if self.y_distilled_ is None else series_like(self.y_distilled_, indices, y)
        return rows, like_column(self.y_distilled_, indices, y) if column is None else column

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Distill (X, y) and return the distilled rows alone, never a tuple.

        Training rows are treated differently from new rows, as in scikit-learn's `TargetEncoder`.
        Rows of a mixed table have the types that `transform` gives to new rows, whereas
        `fit_resample` returns the original rows where rows were selected.

        Parameters
        ----------
        X : array-like of shape (n, ...)
        y : array-like of shape (n,) or None

        Returns
        -------
        array of shape (m, ...)
            In the container of X.
        """
        return self._fit_transform(X, y)

    def _fit_transform(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        self.fit(X, y, **weight_argument(sample_weight))
        return as_transformed(self, self._distilled_rows(X))

    def transform(self, X: Any) -> Any:
        """Map new rows, one to one, into the space of `X_distilled_`.

        Parameters
        ----------
        X : array-like of shape (n, ...)

        Returns
        -------
        array of shape (n, ...)
            The rows themselves, or their image under the preprocessing of the method, in the
            container of X. If the method was fitted on a frame of numbers and has no preprocessing,
            rows of a frame may have gaps.

            The rows of a mixed table keep their columns in types that estimators accept: numbers
            and truth values are floats; text and categories are categories, whose levels are the
            (at most 255) most frequent ones of the training rows, with all other values missing;
            dates are days since the first day of 1970, and durations are days. Identifiers, which
            differ in nearly every row, are categories without any level.

        Raises
        ------
        DataError
            If the shape of the rows differs from that of the training rows, or the columns of a
            mixed table hold values of another kind.
        ValueError
            If the names of the columns or their order differ from those of the training rows, or
            rows hold NaN or infinity that are not allowed.
        """
        check_is_fitted(self)
        if "encoder_" in self.__dict__:
            return self._transform_table(X)
        check_order(self, X)
        # Frames may have gaps, which the next step may take: nothing here computes with the rows.
        checks: dict[str, Any] = {
            "ensure_all_finite": "allow-nan" if is_frame(X) and self.preprocessing_ is None else True,
            "accept_sparse": "csr" if self._accepts_sparse else False,
        }
        rows = plain_array(to_numpy(X), "X")
        valid = validate_data(self, rows, reset=False, dtype="numeric", allow_nd=True, **checks)
        expected = self.X_distilled_.shape[1:]
        if valid.shape[1:] != expected:  # n_features_in_ is the size of the second axis only
            raise DataError(
                f"X has rows of shape {valid.shape[1:]}, but {type(self).__name__} distilled rows of shape {expected}: "
                "give rows of the shape used in fit."
            )
        if self.preprocessing_ is not None:
            valid = self.preprocessing_.transform(as_numeric(valid))
        return self._like(valid, slice(None), X, carried=True)

    def __sklearn_tags__(self) -> Any:
        """Return the scikit-learn tags: preserved dtypes, and whether y is required."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.target_tags.required = self._needs_y
        tags.input_tags.sparse = self._accepts_sparse
        return tags


def iterative_constraints() -> dict[str, Any]:
    """Return the constraints of `max_seconds` and `verbose`, for iterative methods."""
    return {"max_seconds": [Interval(Real, 0, None, closed="neither"), None], "verbose": ["boolean"]}
