"""The distiller that measures the data, tries the other methods, and takes the best."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from distillkit.auto._auto_report import AutoReport
from distillkit.auto._auto_run import AutoRun
from distillkit.auto._fitting import Fitted
from distillkit.auto._source import Source
from distillkit.base import Outcome, Run, TrainingRows, WeightedDistiller, iterative_constraints
from distillkit.exceptions import DataError
from distillkit.tables._frames import is_frame, needs_encoding, take_rows

__all__ = ["AutoDistiller"]


def _can_sample(self: AutoDistiller) -> bool:
    return hasattr(getattr(self, "distiller_", None), "sample")


class AutoDistiller(WeightedDistiller):
    """Choose the method for some data by trying the registered ones, and distil with it.

    The data are measured as `distillkit.recommend` does it, and methods that its rules exclude are
    left out. The others are compared by successive halving: they are fitted to a part of the
    training rows and judged on the rest, all of them on few rows and splits, and the better half of
    them on more. The best method, or the best without networks of those that cannot be told apart
    from it, is fitted to all rows. A method that takes steps gets the seconds that are left, and
    one that depends on its seed is drawn several times. The random subset always takes part, and
    is taken where nothing scores higher.

    Tables and series are distilled in standardized units, and the rows returned are in those of the
    data. Candidates never see the validation rows of their split, and all rows are training rows:
    nothing here replaces test rows of your own.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    max_seconds : float or None, default=60
        Wall-clock seconds of the whole fit. Methods that would not fit in are dropped, and methods
        of networks are left out below 30 seconds. None sets no limit, and methods that take steps
        then take their own number of them. The fit ends earlier if all is decided.
    labels : {"hard", "soft"}, default="hard"
        Whether the labels of the rows are those of y, or probabilities of a teacher that is trained
        on all rows, for models that learn from them.
    privacy : bool, default=False
        Whether the set must not reveal training rows: methods that publish them, start from them or
        average few of them are left out. It is no proof that the other methods reveal nothing.
    estimator : estimator, str or None, default=None
        The model for which the rows are chosen: an unfitted estimator of scikit-learn's kind, or
        the name of a registered evaluator. None takes the mean over two models of different kinds:
        a linear model and a random forest for tables, nearest neighbors and a random forest for
        series and images. An estimator gets the rows as `distillkit.evaluate` gives them: mixed
        tables as numbers (a pipeline gets the table), and images and series flattened.
    candidates : sequence of str or None, default=None
        Names of methods to choose from, with presets if wanted (``"kmeans:medoids"``); None takes
        all registered ones. The random subset takes part in any case.
    n_splits : int, default=10
        Validation splits of the last methods, at least 1.
    n_draws : int, default=10
        How often the chosen method is fitted to all rows with other seeds, at least 1. The draw is
        taken whose rows teach the models above most of the training rows that are not in it.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : str, default="auto"
        Device of networks: "auto", "cpu" or "cuda".
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Controls the validation splits, the candidates and the judges. The same seed gives the same
        result as long as the clock decides nothing. It decides how many splits and rows are
        compared if the seconds end the comparison (``report_.ended_early``), which methods are
        dropped because they would take too long, and how many steps a method takes that is given
        seconds.

    Attributes
    ----------
    report_ : AutoReport
        What was tried, at what cost, with which validation score and error, why this method was
        chosen, and how sure this is. It prints as text and shows as a table in notebooks.
    distiller_ : distiller
        The method that was chosen, fitted to all rows. Tables of numbers and series were
        standardized before.
    X_distilled_, y_distilled_, sample_weight_, history_, distilled_ and others
        See `BaseDistiller`. ``distilled_.provenance["chosen"]`` names the method, and `history_`
        has one entry per trial.

    References
    ----------
    Jamieson and Talwalkar, AISTATS 2016, arXiv:1502.07943 (successive halving); Nadeau and Bengio,
    Machine Learning 52, 2003 (errors over splits of the same rows); Breiman and others,
    Classification and Regression Trees, 1984 (the rule of one standard error).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> auto = AutoDistiller(budget=3, candidates=["kmeans"], n_splits=2, random_state=0).fit(X, y)
    >>> auto.X_distilled_.shape, auto.report_.chosen in ("kmeans", "random")
    ((9, 4), True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **WeightedDistiller._parameter_constraints,
        **iterative_constraints(),
        "labels": [StrOptions({"hard", "soft"})],
        "privacy": ["boolean"],
        "estimator": "no_validation",  # checked in fit, with a helpful message
        "candidates": ["array-like", tuple, None],
        "n_splits": [Interval(Integral, 1, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }

    report_: AutoReport
    distiller_: Any

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        max_seconds: float | None = 60.0,
        labels: str = "hard",
        privacy: bool = False,
        estimator: Any = None,
        candidates: Any = None,
        n_splits: int = 10,
        n_draws: int = 10,
        task: str = "auto",
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.budget = budget
        self.max_seconds = max_seconds
        self.labels = labels
        self.privacy = privacy
        self.estimator = estimator
        self.candidates = candidates
        self.n_splits = n_splits
        self.n_draws = n_draws
        self.task = task
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def _fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        # A mixed table stays one for the candidates, some of which treat text apart from numbers.
        self._table = X if is_frame(X) and needs_encoding(X) else None
        try:
            return super()._fit(X, y, sample_weight)
        finally:
            del self._table

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        source = self._source(rows)
        if self.labels == "soft" and source.y is None:
            raise DataError("labels='soft' needs y, from which a teacher learns: give y, or take labels='hard'.")
        names = [self.candidates] if isinstance(self.candidates, str) else self.candidates
        choice = AutoRun(
            source,
            run,
            budget=self.budget,
            labels=self.labels,
            privacy=self.privacy,
            estimator=self.estimator,
            names=None if names is None else [str(name) for name in names],
            n_splits=self.n_splits,
            n_draws=self.n_draws,
            device=self.device,
        )
        fitted, report = choice.run()
        self.report_, self.distiller_ = report, fitted.distiller
        return self._outcome(fitted, rows, report)

    def _source(self, rows: TrainingRows) -> Source:
        """Return the training rows as the candidates get them."""
        table = self._table
        if table is not None and rows.positions is not None:
            table = take_rows(table, rows.positions)
        return Source(
            X=rows.X if table is None else table,
            y=rows.y,
            weight=rows.weight,
            task=rows.task,
            quotas={group.label: group.size for group in rows.groups},
            is_share=isinstance(self.budget, float),
            standardize=self._standardizes,
        )

    @staticmethod
    def _outcome(fitted: Fitted, rows: TrainingRows, report: AutoReport) -> Outcome:
        """Return the result of the chosen method in the units of the data."""
        small = fitted.small
        scaled = fitted.scaling is not None
        summary = {name: value for name, value in report.to_dict().items() if name not in ("trials", "situation")}
        return Outcome(
            X=fitted.rows if small.indices is None else None,
            y=None if small.indices is not None else small.y,
            indices=small.indices,
            weight=small.sample_weight,
            soft_labels=small.soft_labels,
            stored=None if scaled else small.stored,
            preprocessing=None if scaled else small.preprocessing,
            ranked=small.ranking is not None and rows.n_rows >= len(small),
            notes={"chosen": report.chosen, "choice": summary},
        )

    @available_if(_can_sample)
    def sample(self, n: int, y: Any = None) -> Any:
        """Draw new rows from the chosen method; only if it is a synthesizer.

        Parameters
        ----------
        n : int
            Number of rows.
        y : object, default=None
            Passed to the `sample` of the method.

        Returns
        -------
        X, y : ndarray
            In the units in which the method was fitted; see `distiller_`.
        """
        check_is_fitted(self, "distiller_")
        return self.distiller_.sample(n, y)
