"""The distillation loss of a network student, which also records its hard and soft terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from distillkit.knowledge._loss_plan import LossPlan, at
from distillkit.knowledge._soft_losses import soft_loss
from distillkit.nn import class_loss, number_loss

if TYPE_CHECKING:
    import torch

    from distillkit.nn import RowLoss

    Alpha = float | torch.Tensor

__all__ = ["DistillationLoss"]

_PLAN = LossPlan()


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
        self.alpha, self.temperature = alpha, 1.0
        weighted = (("hard", hard, alpha), ("soft", soft, 1 - alpha))
        self.terms = [(name, term) for name, term, weight in weighted if term is not None and _any(weight)]
        self._on_epoch: Callable[[int], dict[str, float]] = lambda _: {}
        self._epoch = 0
        self._reset()

    @classmethod
    def of_classes(
        cls,
        codes: torch.Tensor | None,
        logits: torch.Tensor | None,
        temperature: float,
        alpha: Alpha,
        plan: LossPlan = _PLAN,
        n_epochs: int = 1,
    ) -> DistillationLoss:
        """Return cross-entropy with the class codes plus a loss from the teacher's logits.

        Parameters
        ----------
        codes : tensor of int64 of shape (n,) or None
            Class numbers.
        logits : tensor of shape (n, n_classes) or None
            The teacher's logits.
        temperature : float > 0
        alpha : float in [0, 1], or tensor of shape (n,)
        plan : LossPlan
            Loss and schedules; by default ``T^2 KL`` from the teacher's soft labels.
        n_epochs : int
            Number of epochs, for the schedules.
        """
        hard = None if codes is None else class_loss(codes)
        soft = None if logits is None else soft_loss(plan.loss, logits, codes, lambda: loss.temperature)
        loss = cls(hard, soft, alpha)
        loss.temperature = temperature
        loss._follow(plan, temperature, n_epochs)
        return loss

    def _follow(self, plan: LossPlan, temperature: float, n_epochs: int) -> None:
        """Change alpha and temperature with the epochs, and record the values that change."""
        if plan.temperature is None and plan.alpha is None:
            return
        given = self.alpha

        def begin(epoch: int) -> None:
            progress = min(1.0, epoch / max(1, n_epochs - 1))
            self.temperature = at(plan.temperature, progress, temperature)
            if plan.alpha is not None:
                value = at(plan.alpha, progress, 0.0)
                self.alpha = value if isinstance(given, float) else (given > 0).to(given.dtype) * value

        def end(epoch: int) -> dict[str, float]:
            values = {} if plan.temperature is None else {"temperature": self.temperature}
            if plan.alpha is not None:
                values["alpha"] = float(self.alpha) if isinstance(self.alpha, float) else float(self.alpha.max())
            begin(epoch)
            return values

        self._on_epoch = end
        begin(0)

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
        self._sums = {name: 0.0 for name, _ in self.terms}
        self._rows = 0

    def __call__(self, outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the losses (b,) of outputs (b, n_outputs) for the rows at positions (b,)."""
        values = [term(outputs, rows) for _, term in self.terms]
        for (name, _), value in zip(self.terms, values, strict=True):
            self._sums[name] += value.detach().sum().item()
        self._rows += len(rows)
        if len(values) == 1:
            return values[0]
        alpha = self.alpha if isinstance(self.alpha, float) else self.alpha[rows]
        return alpha * values[0] + (1 - alpha) * values[1]

    def parts(self) -> dict[str, float]:
        """Return the mean of each term over the rows since the last call, and start anew."""
        means = {name: total / max(1, self._rows) for name, total in self._sums.items()}
        self._reset()
        self._epoch += 1
        return means | self._on_epoch(self._epoch)
