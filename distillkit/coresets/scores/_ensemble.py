"""An ensemble of small networks trained side by side, for scores averaged over trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from distillkit.coresets.shared._features import standardized_rows, standardized_target
from distillkit.coresets.shared._proxy import one_hot

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["Ensemble", "OnBatch", "ProxyTrainingData", "train_ensemble"]

OnBatch = Callable[[np.ndarray, np.ndarray], None]
"""Called with the positions (b,) of the rows of a batch and the outputs (members, b, c) of all
members before their step on this batch."""

_BLOCK = 4096
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba, arXiv:1412.6980)


@dataclass(frozen=True)
class ProxyTrainingData:
    """Rows and targets as the small networks take them.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Standardized rows, divided by sqrt(d) so that one learning rate suits rows of any length.
    targets : ndarray of shape (n, c)
        One-hot encoded classes, or a standardized continuous target in one column.
    classify : bool
        Whether the targets are classes.
    weight : ndarray of shape (n,) or None
        Weights of the rows in the loss, with mean 1.
    """

    X: np.ndarray
    targets: np.ndarray
    classify: bool
    weight: np.ndarray | None = None

    @classmethod
    def of(cls, rows: TrainingRows) -> ProxyTrainingData:
        """Prepare the rows of a fit in float32."""
        X = standardized_rows(rows).astype(np.float32, copy=False)
        classify = rows.task != "regression"
        assert rows.y is not None
        targets = (
            one_hot(rows, np.float32)
            if classify
            else standardized_target(rows.y, rows.weight)[:, None].astype(np.float32)
        )
        weight = None if rows.weight is None else (rows.weight / rows.weight.mean()).astype(np.float32)
        return cls(X / np.float32(np.sqrt(X.shape[1])), targets, classify, weight)


class Ensemble:
    """Networks with one hidden layer of ReLU units, stacked so that one product serves all members.

    Parameters
    ----------
    n_inputs, n_outputs : int
    members : int
        Number of networks, each with its own weights.
    hidden : int
        Number of hidden units of each network.
    classify : bool
        Whether the loss is cross-entropy with softmax; otherwise it is half the squared error.
    rng : RandomState
        Source of the initial weights (He initialization, the output layer scaled by a tenth).
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, *, members: int, hidden: int, classify: bool, rng: np.random.RandomState
    ) -> None:
        self.classify = classify
        self.first = rng.normal(scale=np.sqrt(2.0), size=(n_inputs, members * hidden)).astype(np.float32)
        self.first_bias = np.zeros(members * hidden, dtype=np.float32)
        self.second = rng.normal(scale=0.1 * np.sqrt(2 / hidden), size=(members, hidden, n_outputs)).astype(np.float32)
        self.second_bias = np.zeros((members, 1, n_outputs), dtype=np.float32)
        self._moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in self.weights]
        self._steps = 0

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """The weights: first layer, its bias, second layer, its bias."""
        return self.first, self.first_bias, self.second, self.second_bias

    def forward(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return hidden units (members, b, hidden) and outputs or probabilities (members, b, c)."""
        members, hidden, _ = self.second.shape
        units = np.maximum(X @ self.first + self.first_bias, 0).reshape(len(X), members, hidden).transpose(1, 0, 2)
        outputs = units @ self.second + self.second_bias
        return units, softmax(outputs, axis=2) if self.classify else outputs

    def _hidden_gradients(self, units: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Return the derivatives by the values before the ReLU, (members, b, hidden)."""
        return np.asarray((residual @ self.second.transpose(0, 2, 1)) * (units > 0))

    def train_step(
        self, X: np.ndarray, targets: np.ndarray, rate: float, weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Take one step of Adam on a (weighted) batch, and return the outputs before the step."""
        units, outputs = self.forward(X)
        residual = (outputs - targets) / len(X)
        if weight is not None:
            residual *= weight[:, None]
        hidden_gradients = self._hidden_gradients(units, residual)
        flattened = hidden_gradients.transpose(1, 0, 2).reshape(len(X), -1)
        gradients = (
            X.T @ flattened,
            flattened.sum(axis=0),
            units.transpose(0, 2, 1) @ residual,
            residual.sum(axis=1, keepdims=True),
        )
        self._steps += 1
        # Adam with bias correction, on one array of moments per array of weights.
        step = np.float32(rate / (1 - _BETA_1**self._steps))
        root = np.float32(np.sqrt(1 - _BETA_2**self._steps))
        for parameter, gradient, (mean, square) in zip(self.weights, gradients, self._moments, strict=True):
            np.add(mean, np.float32(1 - _BETA_1) * (gradient - mean), out=mean)
            np.add(square, np.float32(1 - _BETA_2) * (gradient * gradient - square), out=square)
            np.subtract(parameter, step * mean / (np.sqrt(square) / root + np.float32(_EPSILON)), out=parameter)
        return outputs

    def error_norms(self, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the length of ``outputs - targets`` by member and row, shape (members, n)."""
        return self._by_block(lambda x, t: np.linalg.norm(self.forward(x)[1] - t, axis=2), X, targets)

    def gradient_norms(self, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the length of the gradient of each row's loss by all weights, (members, n).

        The gradient of a layer is ``delta outer [input, 1]``, whose length is the product of two
        lengths.
        """

        def norms(x: np.ndarray, t: np.ndarray) -> np.ndarray:
            units, outputs = self.forward(x)
            residual = outputs - t
            last = _squares(residual) * (_squares(units) + 1)
            first = _squares(self._hidden_gradients(units, residual)) * (_squares(x) + 1)
            return np.asarray(np.sqrt(last + first))

        return self._by_block(norms, X, targets)

    @staticmethod
    def _by_block(
        function: Callable[[np.ndarray, np.ndarray], np.ndarray], X: np.ndarray, targets: np.ndarray
    ) -> np.ndarray:
        """Apply a function to blocks of rows and concatenate its results along the rows."""
        starts = range(0, len(X), _BLOCK)
        return np.concatenate([function(X[s : s + _BLOCK], targets[s : s + _BLOCK]) for s in starts], axis=1)


def _squares(values: np.ndarray) -> np.ndarray:
    """Return the squared lengths along the last axis."""
    return np.asarray(np.einsum("...i,...i->...", values, values))


def train_ensemble(
    training_data: ProxyTrainingData,
    run: Run,
    *,
    members: int,
    hidden: int,
    epochs: int,
    batch_size: int,
    lr: float,
    on_batch: OnBatch | None = None,
) -> Ensemble:
    """Train the networks for some epochs, all on the same batches; time is checked between epochs.

    Parameters
    ----------
    training_data : ProxyTrainingData
    run : Run
        Source of the weights and batches; counts the epochs and records one history entry for each.
    members, hidden, epochs, batch_size : int
    lr : float
        Learning rate of Adam, constant.
    on_batch : OnBatch or None

    Returns
    -------
    Ensemble
    """
    n, n_outputs = training_data.targets.shape
    ensemble = Ensemble(
        training_data.X.shape[1],
        n_outputs,
        members=members,
        hidden=hidden,
        classify=training_data.classify,
        rng=run.rng,
    )
    for epoch in range(1, epochs + 1):
        total = 0.0
        for batch in np.array_split(run.rng.permutation(n), -(-n // batch_size)):
            weight = None if training_data.weight is None else training_data.weight[batch]
            outputs = ensemble.train_step(training_data.X[batch], training_data.targets[batch], lr, weight)
            total += float(np.square(outputs - training_data.targets[batch]).sum())
            if on_batch is not None:
                on_batch(batch, outputs)
        run.n_iter = epoch
        error = float(np.sqrt(total / (members * n)))
        run.record(epoch=epoch, error=error)
        run.progress.update(epoch, epochs, error=error)
        if run.out_of_time():
            break
    return ensemble
