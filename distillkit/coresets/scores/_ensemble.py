"""Small networks trained side by side, for scores that are averages over short trainings."""

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
"""Called with the rows of a batch (b,) and the outputs (members, b, c) that the members have for them before they
learn from it."""

_BLOCK = 4096
_MOMENTS = (0.9, 0.999)  # of Adam (Kingma and Ba, arXiv:1412.6980), as are the constants below
_TINY = 1e-8


@dataclass(frozen=True)
class ProxyTrainingData:
    """Rows and targets as the networks see them.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Standardized, and divided by sqrt(d), so that one rate serves rows of any length.
    targets : ndarray of shape (n, c)
        Ones at the classes, or a standardized continuous target in one column.
    classify : bool
    """

    X: np.ndarray
    targets: np.ndarray
    classify: bool

    @classmethod
    def of(cls, rows: TrainingRows) -> ProxyTrainingData:
        """Prepare the rows of a fit, in float32."""
        X = standardized_rows(rows).astype(np.float32, copy=False)
        classify = rows.task != "regression"
        assert rows.y is not None
        targets = one_hot(rows, np.float32) if classify else standardized_target(rows.y)[:, None].astype(np.float32)
        return cls(X / np.float32(np.sqrt(X.shape[1])), targets, classify)


class Ensemble:
    """Networks with one hidden layer of ReLU, stacked: the first layer of all is one matrix product.

    Parameters
    ----------
    n_inputs, n_outputs : int
    members : int
        Networks, each with weights of its own.
    hidden : int
        Hidden units of each.
    classify : bool
        Softmax with cross-entropy; otherwise half the squared error.
    rng : RandomState
        Draws the weights (He initialisation; the output layer a tenth of it).
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
        """First layer, its bias, second layer, its bias."""
        return self.first, self.first_bias, self.second, self.second_bias

    def forward(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return hidden units (members, b, hidden) and outputs (members, b, c); probabilities for classes."""
        members, hidden, _ = self.second.shape
        units = np.maximum(X @ self.first + self.first_bias, 0).reshape(len(X), members, hidden).transpose(1, 0, 2)
        outputs = units @ self.second + self.second_bias
        return units, softmax(outputs, axis=2) if self.classify else outputs

    def _back(self, units: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Derivatives by the values before the ReLU, (members, b, hidden)."""
        return np.asarray((residual @ self.second.transpose(0, 2, 1)) * (units > 0))

    def learn(self, X: np.ndarray, targets: np.ndarray, rate: float) -> np.ndarray:
        """Take one step of Adam on a batch; return the outputs before it."""
        units, outputs = self.forward(X)
        residual = (outputs - targets) / len(X)
        back = self._back(units, residual)
        flat = back.transpose(1, 0, 2).reshape(len(X), -1)
        gradients = (
            X.T @ flat,
            flat.sum(axis=0),
            units.transpose(0, 2, 1) @ residual,
            residual.sum(axis=1, keepdims=True),
        )
        self._steps += 1
        fade, slow = _MOMENTS
        step = np.float32(rate / (1 - fade**self._steps))
        root = np.float32(np.sqrt(1 - slow**self._steps))
        for weight, gradient, (mean, square) in zip(self.weights, gradients, self._moments, strict=True):
            np.add(mean, np.float32(1 - fade) * (gradient - mean), out=mean)
            np.add(square, np.float32(1 - slow) * (gradient * gradient - square), out=square)
            np.subtract(weight, step * mean / (np.sqrt(square) / root + np.float32(_TINY)), out=weight)
        return outputs

    def error_norms(self, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Lengths of ``outputs - targets`` for each member and row, shape (members, n)."""
        return self._by_block(lambda x, t: np.linalg.norm(self.forward(x)[1] - t, axis=2), X, targets)

    def gradient_norms(self, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Lengths of the gradients of each row's loss by all weights of a member, shape (members, n).

        A layer's gradient is ``delta outer [input, 1]``, whose length is the product of the two lengths.
        """

        def norms(x: np.ndarray, t: np.ndarray) -> np.ndarray:
            units, outputs = self.forward(x)
            residual = outputs - t
            last = _squares(residual) * (_squares(units) + 1)
            first = _squares(self._back(units, residual)) * (_squares(x) + 1)
            return np.asarray(np.sqrt(last + first))

        return self._by_block(norms, X, targets)

    @staticmethod
    def _by_block(
        function: Callable[[np.ndarray, np.ndarray], np.ndarray], X: np.ndarray, targets: np.ndarray
    ) -> np.ndarray:
        starts = range(0, len(X), _BLOCK)
        return np.concatenate([function(X[s : s + _BLOCK], targets[s : s + _BLOCK]) for s in starts], axis=1)


def _squares(values: np.ndarray) -> np.ndarray:
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
    """Train networks for some epochs, all on the same batches; the clock is read between epochs.

    Parameters
    ----------
    training_data : Lesson
    run : Run
        Draws weights and batches, counts the epochs, and gets one entry of history for each.
    members, hidden, epochs, batch_size : int
    lr : float
        Rate of Adam, constant.
    on_batch : OnBatch or None
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
            outputs = ensemble.learn(training_data.X[batch], training_data.targets[batch], lr)
            total += float(np.square(outputs - training_data.targets[batch]).sum())
            if on_batch is not None:
                on_batch(batch, outputs)
        run.n_iter = epoch
        run.record(epoch=epoch, error=float(np.sqrt(total / (members * n))))
        if run.out_of_time():
            break
    return ensemble
