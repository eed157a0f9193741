"""The perceptron evaluator, a small network that does not need torch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from distillkit.evaluators._base import WeightedEvaluator, check_task

__all__ = ["MLP", "make_mlp"]

_BATCH = 200


class MLP(WeightedEvaluator):
    """A perceptron with one hidden layer of ReLU units, trained by Adam for fixed steps.

    Batches have 200 rows, or all rows if there are fewer. The number of epochs follows from `steps`
    and is never below `min_epochs`. The model is that of the last step: unlike scikit-learn's
    estimators, it does not stop when the training loss no longer improves, and does not warn if the
    loss still improves at the end. Only the ratios of the weights matter, since they are scaled to
    mean 1. A continuous target is standardized for training, by its weighted mean and deviation.

    Parameters
    ----------
    task : {"classification", "regression"}, default="classification"
    random_state : int or None, default=None
        Seeds the first weights and the order of the rows.
    hidden : int, default=64
        Number of hidden units.
    steps : int, default=1000
        Smallest number of updates.
    min_epochs : int, default=20
        Smallest number of passes over the rows.
    learning_rate : float, default=0.001
    alpha : float, default=1.0
        Strength of the penalty ``alpha ||coef||^2 / (2 n)`` that is added to the mean loss of n
        rows. Without it, very small sets are memorized, and predictions of a noisy target become
        worse than its mean.
    """

    _mean_one = True

    def __init__(
        self,
        task: str = "classification",
        *,
        random_state: int | None = None,
        hidden: int = 64,
        steps: int = 1000,
        min_epochs: int = 20,
        learning_rate: float = 0.001,
        alpha: float = 1.0,
    ) -> None:
        self.task = task
        self.random_state = random_state
        self.hidden = hidden
        self.steps = steps
        self.min_epochs = min_epochs
        self.learning_rate = learning_rate
        self.alpha = alpha

    def _model(self, n_rows: int) -> Any:
        batch = min(_BATCH, n_rows)
        epochs = max(self.min_epochs, -(-self.steps // -(-n_rows // batch)))
        return (MLPClassifier if self.task == "classification" else MLPRegressor)(
            hidden_layer_sizes=(self.hidden,),
            batch_size=batch,
            learning_rate_init=self.learning_rate,
            alpha=self.alpha * batch / n_rows,  # scikit-learn divides alpha by the batch size
            max_iter=epochs,
            n_iter_no_change=epochs,
            random_state=self.random_state,
        )

    def _train(self, model: Any, X: np.ndarray, y: np.ndarray, weights: dict[str, np.ndarray]) -> None:
        if self.task == "regression":
            weight = weights.get("sample_weight")
            self.target_mean_ = float(np.average(y, weights=weight))
            self.target_scale_ = float(np.sqrt(np.average((y - self.target_mean_) ** 2, weights=weight))) or 1.0
            y = (y - self.target_mean_) / self.target_scale_
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is intended
            model.fit(X, y, **weights)

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers, shape (n,), for rows of shape (n, d)."""
        predicted = super().predict(X)
        return predicted if self.task == "classification" else predicted * self.target_scale_ + self.target_mean_


def make_mlp(
    task: str,
    random_state: int,
    *,
    hidden: int = 64,
    steps: int = 1000,
    min_epochs: int = 20,
    learning_rate: float = 0.001,
    alpha: float = 1.0,
) -> MLP:
    """Make a perceptron with one hidden layer; see `MLP`.

    Parameters
    ----------
    task : {"classification", "regression"}
    random_state : int
    hidden, steps, min_epochs, learning_rate, alpha
        As for `MLP`.

    Raises
    ------
    DataError
        If the task is none of these.
    """
    check_task("mlp", task, "classification", "regression")
    return MLP(
        task,
        random_state=random_state,
        hidden=hidden,
        steps=steps,
        min_epochs=min_epochs,
        learning_rate=learning_rate,
        alpha=alpha,
    )
