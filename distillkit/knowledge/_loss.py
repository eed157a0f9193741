"""The loss of a taught network, with its two parts for the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.nn import class_loss, distillation_loss, number_loss

if TYPE_CHECKING:
    import torch

    from distillkit.nn import RowLoss

__all__ = ["TaughtLoss"]


class TaughtLoss:
    """``alpha hard + (1 - alpha) soft`` per row, as `distillkit.nn.distillation_loss`, keeping the means of both terms.

    A term of weight zero is not computed: ``alpha=1`` is plain training bit for bit, ``alpha=0`` needs no labels.

    Parameters
    ----------
    hard, soft : RowLoss or None
        Against the labels and against the teacher; None only where its weight is zero.
    alpha : float in [0, 1]
        Weight of the hard term.
    """

    def __init__(self, hard: RowLoss | None, soft: RowLoss | None, alpha: float) -> None:
        self.alpha = alpha
        weighted = (("hard", hard, alpha), ("soft", soft, 1 - alpha))
        self.terms = [(name, term, weight) for name, term, weight in weighted if term is not None and weight > 0]
        self._reset()

    @classmethod
    def of_classes(
        cls, codes: torch.Tensor | None, logits: torch.Tensor | None, temperature: float, alpha: float
    ) -> TaughtLoss:
        """Cross-entropy with class numbers, and ``T^2 KL`` from the teacher's softened probabilities."""
        hard = None if codes is None else class_loss(codes)
        return cls(hard, None if logits is None else distillation_loss(None, logits, temperature, 0.0), alpha)

    @classmethod
    def of_numbers(cls, values: torch.Tensor | None, taught: torch.Tensor | None, alpha: float) -> TaughtLoss:
        """Squared error from the values, and from the teacher's."""
        hard = None if values is None else number_loss(values)
        return cls(hard, None if taught is None else number_loss(taught), alpha)

    def _reset(self) -> None:
        self._sums = {name: 0.0 for name, _, _ in self.terms}
        self._rows = 0

    def __call__(self, outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Loss of each row, shape (b,)."""
        values = [term(outputs, rows) for _, term, _ in self.terms]
        for (name, _, _), value in zip(self.terms, values, strict=True):
            self._sums[name] += value.detach().sum().item()
        self._rows += len(rows)
        if len(values) == 1:
            return values[0]
        return self.terms[0][2] * values[0] + self.terms[1][2] * values[1]

    def parts(self) -> dict[str, float]:
        """Return the mean of each term over the rows seen since this was last asked."""
        means = {name: total / max(1, self._rows) for name, total in self._sums.items()}
        self._reset()
        return means
