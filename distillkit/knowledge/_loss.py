"""The distillation loss of a network student, which also records its hard and soft terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.nn import class_loss, distillation_loss, number_loss

if TYPE_CHECKING:
    import torch

    from distillkit.nn import RowLoss

    Alpha = float | torch.Tensor

__all__ = ["DistillationLoss"]


def _any(weight: Alpha) -> bool:
    """Return whether a weight is positive for any row."""
    return weight > 0 if isinstance(weight, float) else bool((weight > 0).any())


class DistillationLoss:
    """The loss ``alpha hard + (1 - alpha) soft`` of each row, with running means of both terms.

    Rows are known by their positions, so that each row meets its own label and the teacher's answer
    for it, in whatever order the rows come. The values equal those of
    `distillkit.nn.distillation_loss`. A term of weight zero is not computed: ``alpha=1`` is
    ordinary training bit for bit, and ``alpha=0`` needs no labels.

    Parameters
    ----------
    hard, soft : RowLoss or None
        Loss against the labels, and loss against the teacher. A term may be None only where its
        weight is zero.
    alpha : float in [0, 1], or tensor of shape (n,)
        Weight of the hard term, for all rows or for each row.
    """

    def __init__(self, hard: RowLoss | None, soft: RowLoss | None, alpha: Alpha) -> None:
        self.alpha = alpha
        weighted = (("hard", hard, alpha), ("soft", soft, 1 - alpha))
        self.terms = [(name, term, weight) for name, term, weight in weighted if term is not None and _any(weight)]
        self._reset()

    @classmethod
    def of_classes(
        cls, codes: torch.Tensor | None, logits: torch.Tensor | None, temperature: float, alpha: Alpha
    ) -> DistillationLoss:
        """Return cross-entropy with the class codes plus ``T^2 KL`` from the teacher's soft labels.

        Parameters
        ----------
        codes : tensor of int64 of shape (n,) or None
            Class numbers.
        logits : tensor of shape (n, n_classes) or None
            The teacher's logits.
        temperature : float > 0
        alpha : float in [0, 1], or tensor of shape (n,)
        """
        hard = None if codes is None else class_loss(codes)
        return cls(hard, None if logits is None else distillation_loss(None, logits, temperature, 0.0), alpha)

    @classmethod
    def of_numbers(
        cls, values: torch.Tensor | None, teacher_values: torch.Tensor | None, alpha: Alpha
    ) -> DistillationLoss:
        """Return the squared error from the target values plus that from the teacher's values.

        Parameters
        ----------
        values, teacher_values : tensor of shape (n,) or None
        alpha : float in [0, 1], or tensor of shape (n,)
        """
        hard = None if values is None else number_loss(values)
        return cls(hard, None if teacher_values is None else number_loss(teacher_values), alpha)

    def _reset(self) -> None:
        self._sums = {name: 0.0 for name, _, _ in self.terms}
        self._rows = 0

    def __call__(self, outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the losses (b,) of outputs (b, n_outputs) for the rows at positions (b,)."""
        values = [term(outputs, rows) for _, term, _ in self.terms]
        for (name, _, _), value in zip(self.terms, values, strict=True):
            self._sums[name] += value.detach().sum().item()
        self._rows += len(rows)
        if len(values) == 1:
            return values[0]
        hard, soft = (weight if isinstance(weight, float) else weight[rows] for _, _, weight in self.terms)
        return hard * values[0] + soft * values[1]

    def parts(self) -> dict[str, float]:
        """Return the mean of each term over the rows since the last call, and start anew."""
        means = {name: total / max(1, self._rows) for name, total in self._sums.items()}
        self._reset()
        return means
