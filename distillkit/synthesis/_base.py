"""The base class of synthesizers: estimators that learn a generator and sample from it."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from distillkit.base import Outcome, TrainingRows, WeightedDistiller
from distillkit.base._outcome import distilled_pair
from distillkit.exceptions import ArtefactError, DataError
from distillkit.synthesis._protocol import Generator
from distillkit.synthesis._saving import load_synthesizer, save_synthesizer
from distillkit.synthesis._selection import SELECTIONS, Selection
from distillkit.synthesis._teacher import LabelTeacher, boosting_judge
from distillkit.synthesis.requests._batch import Batch
from distillkit.synthesis.requests._constraints import constraint_list
from distillkit.synthesis.requests._given import Conditions
from distillkit.synthesis.requests._row_decoder import RowDecoder
from distillkit.synthesis.requests._sampler import RowSampler
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.tables._frames import is_frame

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["SELECTED", "BaseSynthesizer"]

SELECTED: dict[str, Any] = {
    **WeightedDistiller._parameter_constraints,
    "selection": [StrOptions(set(SELECTIONS))],
    "pool": [Interval(Integral, 1, None, closed="left")],
    "teacher": [HasMethods(["fit", "predict"]), None],
}
"""Constraints of the parameters that synthesizers without networks share."""


class BaseSynthesizer(WeightedDistiller):
    """Base class of the distillers that learn a generator of rows.

    A synthesizer implements `_learn`. The base selects the distilled rows from generated ones, and
    samples further rows.

    Attributes
    ----------
    generator_ : object
        The trained generator that `sample` uses.
    """

    # Parameters that some synthesizers have.
    selection: str = "auto"
    pool: int = 500
    teacher: Any = None

    generator_: Any
    task_: str | None

    @abstractmethod
    def _learn(self, rows: TrainingRows, run: Run) -> Generator:
        """Learn a generator of the training rows."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Learn the generator, and a teacher if there is to be one.
        generator = self._learn(rows, run)
        self.generator_, self.task_ = generator, rows.task
        self._learn_teacher(rows)
        # 2. Select the distilled rows from generated ones.
        teacher = self.__dict__.get("teacher_")
        judge = teacher
        if judge is None and self.selection == "filter+kmeans" and _has_classes(rows):
            judge = boosting_judge(rows, run.seed())
        selection = Selection(self.selection, self.pool, generator, judge, always_filters=teacher is not None)
        outcome = selection.select(rows, run)
        if teacher is not None and rows.task == "regression":
            outcome.y = teacher.predict(np.asarray(outcome.X))
        return outcome

    def _check_table(self, rows: TrainingRows) -> None:
        """Raise an error about series and images."""
        if rows.X.ndim != 2:
            raise DataError(
                f"{type(self).__name__} makes tables, but X has shape {rows.X.shape}: flatten its rows, or use "
                "GANSynthesizer or MixtureSynthesizer for series and images."
            )

    def _learn_teacher(self, rows: TrainingRows) -> None:
        """Set `teacher_` if made rows are to be labeled by a teacher."""
        self.__dict__.pop("teacher_", None)
        if self.teacher is not None:
            self.teacher_ = LabelTeacher.of(self.teacher, rows, self.__dict__.get("encoder_"))

    def _restore_table(self, X: Any = None) -> None:
        """Give the distilled rows the columns and types of a frame, with new identifiers."""
        super()._restore_table(X)
        self.__dict__.pop("decoder_", None)
        if not is_frame(X):
            return
        encoder = self.__dict__.get("encoder_")
        self.decoder_ = RowDecoder.of(TableEncoder(standardize=False).fit(X) if encoder is None else encoder, X)
        if encoder is None:
            return
        rng = np.random.default_rng(_seed_of(self.random_state))
        values = self.decoder_.with_identifiers(self.decoder_.values(self.distilled_.X, rng), rng)
        self.X_distilled_ = self.decoder_.frame(values, rounded=False)
        if self.decoder_.forms or self.decoder_.numbers:
            self.distilled_.table = DistilledTable(encoder, self.decoder_.frame(values))

    def sample(
        self,
        n: int | None = None,
        y: Any = None,
        *,
        given: Mapping[Any, Any] | None = None,
        constraints: Any = None,
        random_state: Any = None,
    ) -> tuple[Any, Any]:
        """Generate new rows, beside the distilled ones.

        Parameters
        ----------
        n : int or None
            Number of rows; None if `y` gives it.
        y : None, label, array-like of shape (n,), or dict of label to int
            Labels of the rows, in order, or the number of rows of each class. None gives classes in
            their shares of the training rows (exact, by largest remainders) in random order, or
            numbers at quantiles of the training targets in random order.
        given : dict of column name to condition, or None, default=None
            Conditions that every row meets. A condition is a comparison as text (``">=30"``, or
            ``">=30, <40"``), a value, a list of values, a pair ``(low, high)`` with both ends, or
            None for a gap. Columns of an array are named by position: ``{0: ">0"}``.
        constraints : callable, str, list of these, or None, default=None
            What every row meets as a whole. A function gets the rows, without identifiers, and
            returns one truth value for each; text is an expression in column names, such as
            ``"age < 60 or hours > 20"``, for `pandas.DataFrame.eval`.
        random_state : int, RandomState instance or None, default=None
            None is that of the estimator, so that with an int the same call makes the same rows.

        Returns
        -------
        X : ndarray of shape (n, ...), or frame of shape (n, d)
            In the shape, units and range of the training rows. A frame if the training rows were
            one, with its columns and types, and with new identifiers of the same form.
        y : ndarray of shape (n,) or None
            None if the training rows had no labels. Under `given` and `constraints` without `y`,
            classes have their shares of the rows that meet these.

        Raises
        ------
        DataError
            If a label was not trained on, if a number in `y` lies beyond the training targets, if
            `n` and `y` contradict each other, if `y` is given and the training rows had no labels,
            if `given` names no column or level of the training rows, or if hardly any row is as it
            was asked for.

        Notes
        -----
        Rows are made until enough of them are as they were asked for, so that they have the
        distribution of the generator under these conditions.
        """
        check_is_fitted(self, "generator_")
        n_rows, labels = self.generator_.condition.resolve(n, y)
        rng = check_random_state(self.random_state if random_state is None else random_state)
        sampler = RowSampler(
            self.generator_,
            self.__dict__.get("decoder_"),
            self._as_training_rows,
            None if given is None else Conditions(given, self._column_names_of_rows()),
            constraint_list(constraints),
            None if y is None or self.task_ != "classification" else self._agreement(),
        )
        batch = sampler.draw(n_rows, labels if y is not None else self._drawn(n_rows, sampler, rng), rng)
        if y is None and (teacher := self.__dict__.get("teacher_")) is not None:
            batch = Batch(batch.X, teacher.predict(batch.X), batch.values)
        return sampler.finished(batch, rng), batch.y

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fitted synthesizer to a safetensors file with a JSON card.

        Parameters
        ----------
        path : str or path
            Folders that do not exist are created.

        Returns
        -------
        path
            Of the file, from which `load` restores the synthesizer: with the same `random_state`,
            it samples the same rows. The distilled rows are in it, too.

        Raises
        ------
        ArtefactError
            If the file cannot be written, or if the synthesizer has a teacher or parameters that no
            file can hold.
        """
        check_is_fitted(self, "generator_")
        return save_synthesizer(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted synthesizer of this class; see `distillkit.synthesis.load_synthesizer`.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        synthesizer

        Raises
        ------
        ArtefactError
            If the file is none that `save` of this class wrote.
        """
        synthesizer = load_synthesizer(path)
        if not isinstance(synthesizer, cls):
            raise ArtefactError(
                f"{path} holds a {type(synthesizer).__name__}, not a {cls.__name__}: call "
                f"{type(synthesizer).__name__}.load."
            )
        return synthesizer

    def _drawn(self, n_rows: int, sampler: RowSampler, rng: np.random.RandomState) -> np.ndarray | None:
        """Return labels in their exact shares, where no row can be rejected."""
        labels = self.generator_.condition.draw(n_rows) if sampler.accepts_all else None
        return None if labels is None else rng.permutation(labels)

    def _agreement(self) -> Any:
        """Return the test by which the teacher accepts rows of asked labels, if there is one."""
        teacher = self.__dict__.get("teacher_")
        return None if teacher is None else lambda batch: teacher.predict(batch.X) == batch.y

    def _column_names_of_rows(self) -> Any:
        decoder = self.__dict__.get("decoder_")
        size = int(np.prod(self.distilled_.X.shape[1:]))
        return range(size) if decoder is None else decoder.encoder.names_

    def _as_training_rows(self, X: np.ndarray, y: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Return generated rows and labels in the dtypes of the distilled ones."""
        template = TrainingRows(self.distilled_.X, self.y_distilled_, self.task_, ())
        return distilled_pair(Outcome(X=X, y=y), self.distilled_.X, template)


def _has_classes(rows: TrainingRows) -> bool:
    return rows.task == "classification" and len(rows.groups) > 1


def _seed_of(random_state: Any) -> int:
    """Return a seed for what is drawn after a fit, which leaves a RandomState as it is."""
    return int(random_state) if isinstance(random_state, (int, np.integer)) else 0
