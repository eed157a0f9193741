"""Knowledge distillation from a teacher to a student, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import _fit_context
from sklearn.utils import check_random_state

from distillkit.knowledge._split import hold_out
from distillkit.knowledge._student_training import StudentTraining
from distillkit.knowledge._teacher import is_prefitted
from distillkit.knowledge._teaching_rows import TeachingRows, choose_labeled
from distillkit.tables._estimators import learn_encoder
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._progress import progress_task, shown_progress

__all__ = ["TeacherStudentDistiller"]


class TeacherStudentDistiller(StudentTraining):
    r"""A small student that learns from a large teacher's soft labels, with or without hard labels.

    This method makes a model smaller, not a data set. It is used like any scikit-learn estimator:
    `predict`, `predict_proba` and `score` are the student's, and `transform` returns the student's
    class probabilities at the temperature.

    How the student learns depends on its kind, and `student_way_` says which case applied:

    - A torch network minimizes
      :math:`\alpha\,CE(y, s) + (1-\alpha)\,T^2\,KL(softmax(t/T)\,\|\,softmax(s/T))` for logits t of
      the teacher and s of the student, or :math:`\alpha\,(y-s)^2 + (1-\alpha)\,(t-s)^2` for
      numbers.
    - A scikit-learn classifier that takes `sample_weight` sees each row once per class k, weighted
      by :math:`\alpha\,1[k=y] + (1-\alpha)\,p_k^{1/T}/\sum p^{1/T}`, which for learners of the log
      loss is exact soft cross-entropy. It has no temperature of its own, so `student_` learns the
      probabilities at temperature T, and `predict_proba` brings them back to temperature 1.
    - A regressor learns the logits of the mixed labels, and `student_` is a classifier that
      predicts the class of the largest output of its `regressor_`.
    - Any other classifier learns the most probable class of the mixed labels.

    Parameters
    ----------
    teacher : estimator, Module, str, list of these or None, default=None
        Any scikit-learn classifier or regressor, a torch module, or the name of a network. A module
        gets the rows in the units of X, as tensors of its own precision, and returns one logit per
        class in the order of the sorted labels, or one number. None is gradient boosting for tables
        and a network for series and images. The values of `decision_function` serve as logits for
        classifiers without `predict_proba`. A list of teachers answers with the mean of their
        probabilities or numbers, and "self" is the student itself, trained on the labels.
    student : estimator, Module, callable, str or None, default=None
        A `distillkit.nn.NetworkClassifier` or `NetworkRegressor` with settings of its own; the name
        of a network, a function of (shape, n_outputs) that returns a module, or a module to start
        from; or any scikit-learn estimator. "tree" is a tree of at most 32 leaves, "linear"
        logistic or ridge regression on standardized columns, and "gam" boosting without
        interactions, a sum of one function for each column; trees and linear models have
        `export_text`, and trees `export_sql`. None is a small network: 16 channels for series and
        images, 32 hidden units for tables.
    temperature : float or "auto", default="auto"
        Temperature of the teacher's soft labels and of the probabilities that `transform` returns.
        "auto" is 4 for students that learn by the loss or by logits, and 1 for those taught by
        weights or labels, whose own probabilities are the soft labels. It is also 1 for the loss
        "kd" where the teacher is a forest, a tree, bagging or nearest neighbors, whose shares of
        votes are soft already. It has no effect on numbers.
    alpha : float in [0, 1], default=0.1
        Weight of the hard labels. 1 is ordinary training, bit for bit; 0 needs no y if the teacher
        is fitted.
    loss : {"kd", "dkd", "dist", "logit_std", "mse_logits"}, default="kd"
        The soft term of networks that learn classes. "kd" is the divergence above, "dkd" weighs the
        label against the other classes and, eight times as much, these among each other, "dist"
        correlates the probabilities within rows and within classes, "logit_std" is "kd" of logits
        of mean 0 and deviation 1 in each row, and "mse_logits" the squared difference of the
        logits. `temperature` is then by default 4, for "logit_std" 2.
    temperature_schedule, alpha_schedule : (float, float), callable or None, default=None
        Values of the first and of the last epoch of a network, linear in between, or a function of
        the progress from 0 to 1, in place of `temperature` and of `alpha`, which must lie between 0
        and 1. `history_` then has the values.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of the target y. "auto" is the task of a teacher that is a classifier or a regressor,
        or else of a student that is a classifier; if neither decides, it is inferred from y as in
        `BaseDistiller`.
    teacher_fit : {"if_unfitted", "never", "always"}, default="if_unfitted"
        When to train a copy of the teacher on the rows. A fitted teacher is used as it is, modules
        in evaluation mode. Note that scikit-learn's `clone`, and therefore `GridSearchCV`, discards
        what an estimator has learned: wrap a teacher that must stay fitted in
        `sklearn.frozen.FrozenEstimator`.
    teacher_cv : int, "auto" or None, default="auto"
        Number of cross-fitting folds for a teacher trained here: each row is labeled by a copy of
        the teacher that was not trained on it. "auto" does this, with five folds, for trees and
        neighbors, which are overconfident on their training rows, and takes the out-of-bag answers
        of forests and bagging. None, and "auto" for other teachers, takes the soft labels of the
        teacher from its own training rows, since folds cost one more training each and put the
        teacher's test errors into the soft labels.
    n_labeled : int or None, default=None
        Number of rows whose labels the student may use, drawn from the classes in turn. The teacher
        is trained on the labels of all rows, and its answers are all that the student learns of the
        other rows. None is all rows.
    augment : {"auto", "neighbors"} or None, default="auto"
        "neighbors" makes rows between each row and its neighbors, which the teacher answers, and
        the student learns the own labels of labeled rows as they are. "auto" does this for students
        that are a single tree if the rows are those of a table.
    n_augment : int or None, default=None
        Number of rows to make; None is five for each row, but at least 10,000 and at most 50,000.
    control : bool, default=True
        Whether to train the same student also without the teacher, for comparison.
    validation_fraction : float in (0, 1) or None, default=0.1
        Share of the rows that is held out from both models to compute the metrics. With None, or
        with fewer than ten such rows, the metrics are computed on the training rows;
        `measured_on_` says which.
    refit : bool, default=True
        Whether to train teacher, student and control once more on all rows after they have been
        compared on the validation rows.
    epochs, batch_size, lr : int or None, int, float, default=None, 256, 0.005
        Training of a student that is not an estimator yet; see `distillkit.nn.NetworkClassifier`.
        ``epochs=None`` means at least 600 steps on the rows that the student learns from.
    max_seconds : float or None, default=None
        Time limit in seconds for training a network student, checked between steps. The control has
        the same limit once more.
    device : str, default="auto"
        Device of networks that are made here.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Seeds everything random, except a teacher or student with a `random_state` of its own.

    Attributes
    ----------
    teacher_, student_, student_alone_ : fitted models
        The last is the control: the same student trained on hard labels alone, of the labeled rows.
        It is None without control or y; `teacher_` is None where only its answers were given.
    temperature_ : float
        The temperature in use.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, only for classification. They include classes that a fitted teacher knows
        and y does not hold.
    task_ : {"classification", "regression"}
    student_way_ : {"loss", "weights", "logits", "numbers", "hard"}
        How the student was trained: with the distillation loss, sample weights, logits, numbers, or
        most probable labels; see above.
    history_ : list of dict
        One entry per epoch of a network student, with its loss, the parts hard and soft of the loss
        (for numbers in units of the scaled target), and seconds; empty for other students.
    stopped_by_ : {"max_iter", "max_seconds", "not_finite"} or None
        What ended the training of a network student. After a loss that is not finite, the student
        has the weights of its best epoch.
    teacher_score_, student_score_, student_alone_score_ : float or None
        Accuracy, or R2 (the coefficient of determination) for numbers, on the rows held out; None
        without y.
    agreement_ : float
        Share of these rows for which teacher and student predict the same label; for numbers, the
        student's R2 with the teacher's predictions as truth.
    measured_on_ : {"validation", "training"}
        Rows on which the metrics were computed.
    n_parameters_teacher_, n_parameters_student_ : int or None
        Parameters of networks, nodes of trees, numbers that other estimators predict from; None if
        they cannot be counted.
    compression_ratio_ : float or None
        The teacher's parameters divided by the student's.
    n_bytes_teacher_, n_bytes_student_ : int or None
        Bytes of the arrays that a model predicts from, which compare trees with networks.
    byte_compression_ratio_ : float or None
        The teacher's bytes divided by the student's.
    latency_ratio_, latency_ratio_single_ : float
        The teacher's prediction time divided by the student's, for 256 rows at once and for a
        single row: the median over rounds in which all models predict the same rows in turn. Times
        are CPU seconds of the thread that predicts.
    costs_ : dict of str to dict
        For "teacher", "student" and "student_alone" the "parameters", "bytes", and the seconds of
        one prediction of 256 rows ("latency") and of a single row ("latency_single").
    seconds_teacher_, seconds_student_ : float
        Time in seconds for training the teacher, if it was trained here, and computing its outputs
        (0 with ``alpha=1``, which needs none), and for training the student.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    encoder_ : TableEncoder
        Only if X was a mixed table.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015,
    arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=20, random_state=0)
    >>> student = LogisticRegression()
    >>> model = TeacherStudentDistiller(forest, student, temperature=1, random_state=0).fit(X, y)
    >>> model.student_way_, model.score(X, y) > 0.9, model.compression_ratio_ > 10
    ('weights', True, True)
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, X_unlabeled: Any = None, teacher_proba: Any = None
    ) -> Self:
        """Train the teacher unless it is fitted, then the student.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Table, series or images. Rows of more than one axis are flattened for estimators that
            take tables. A mixed table (text, categories, dates or gaps) is encoded by
            `TableEncoder` for teacher and student; a teacher that was fitted on such a frame, or
            that is a pipeline with a `ColumnTransformer`, gets the frame itself.
        y : array-like of shape (n,) or None
            Class labels or numbers; None only with ``alpha=0`` and a fitted teacher or
            `teacher_proba`.
        sample_weight : array-like of shape (n,) or None
            Weights of the rows, for student and teacher if they take weights. Rows of weight zero
            are left out.
        X_unlabeled : array-like of shape (u, ...) or None
            Further rows without labels, in the form of X. The student learns the teacher's answers
            for them, which helps most where labels are few and the teacher has seen more of them.
        teacher_proba : array-like of shape (n + u, n_classes) or (n + u,), or None
            The teacher's probabilities, one column per class in the order of the sorted labels, or
            its numbers: for the rows of X, and then for those of X_unlabeled. They are used in
            place of the answers of `teacher`; with ``teacher=None`` there is no teacher at all.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If teacher or student do not support the task, do not fit the rows, or know other
            classes than y, or if y holds a single class.
        """
        with (
            standard_settings(),
            shown_progress(enabled=bool(getattr(self, "verbose", False))),
            progress_task(type(self).__name__, "model", self.max_seconds) as task,
        ):
            # 1. Validate the input and settle the task.
            answered = teacher_proba is not None and self.teacher is None
            prefitted = answered or is_prefitted(self._teacher_model(), self.teacher_fit)
            learn_encoder(self, X)
            rows, positions = self._validated_rows(X, y, sample_weight, prefitted=prefitted)
            extra = self._extra_rows(X_unlabeled, rows)
            rng = check_random_state(self.random_state)
            classes = self._resolve_task(rows, prefitted=prefitted, answered=teacher_proba if answered else None)
            given = self._given(teacher_proba, classes, positions, len(extra))
            # 2. Draw the student's seed first, so that it is the same for every alpha and teacher.
            unfitted = self._new_student(len(rows), rng)
            # 3. Hold out validation rows, which neither model sees, and choose the labeled rows.
            labels = None if classes is None else rows.y
            train, validation = hold_out(labels, len(rows), self.validation_fraction, rng)
            labeled = choose_labeled(rows.y, train, len(rows), self.n_labeled, classes, rng)
            material = TeachingRows(rows, labeled, extra, given)
            source = self._teacher_source(material, classes, prefitted=prefitted, answered=answered, rng=rng)
            # 4. Train and compare the models.
            self._train_and_compare(material, (train, validation), source, unfitted, rng, task)
        return self
