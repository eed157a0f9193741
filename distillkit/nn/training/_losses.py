"""Loss functions per row that are bound to the targets of a training set.

The trainer passes only the outputs of the network and the positions of the rows.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

__all__ = ["RowLoss", "class_loss", "distillation_loss", "number_loss", "soft_label_loss"]

RowLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Function ``loss(outputs, rows)`` of the outputs (b, k) of a network for the rows at the positions
`rows` (b,) of the training set, which returns one loss per row (b,)."""


def class_loss(labels: torch.Tensor) -> RowLoss:
    """Return the cross-entropy loss for class indices of shape (n,)."""
    return lambda outputs, rows: F.cross_entropy(outputs, labels[rows], reduction="none")


def soft_label_loss(probabilities: torch.Tensor) -> RowLoss:
    """Return the cross-entropy loss for soft labels, probabilities of shape (n, n_classes)."""
    return lambda outputs, rows: -(probabilities[rows] * F.log_softmax(outputs, dim=1)).sum(dim=1)


def number_loss(values: torch.Tensor) -> RowLoss:
    """Return the squared error loss for numeric targets of shape (n,)."""
    return lambda outputs, rows: (outputs[:, 0] - values[rows]) ** 2


def distillation_loss(
    labels: torch.Tensor | None, teacher_logits: torch.Tensor, temperature: float, alpha: float
) -> RowLoss:
    """Return the knowledge distillation loss, a mean of hard-label and teacher losses.

    With the label y, the logits s of the student and t of the teacher, and the temperature T, the
    loss of a row is ``alpha CE(y, s) + (1 - alpha) T^2 KL(softmax(t / T) || softmax(s / T))``. The
    factor T^2 keeps the scale of the gradients of the second term as the temperature rises. A term
    of weight zero is not computed, so ``alpha=1`` is plain training bit for bit, and ``alpha=0``
    needs no labels.

    Parameters
    ----------
    labels : tensor of shape (n,) or None
        Class indices; may be None only with ``alpha=0``.
    teacher_logits : tensor of shape (n, n_classes)
        Outputs of the teacher before the softmax.
    temperature : float
        Temperature T of both softmax functions, positive.
    alpha : float
        Weight of the hard labels, in [0, 1].

    Returns
    -------
    RowLoss

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015,
    arXiv:1503.02531.
    """
    if alpha == 1:
        assert labels is not None
        return class_loss(labels)
    log_teacher = F.log_softmax(teacher_logits / temperature, dim=1)

    def loss(outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        log_student = F.log_softmax(outputs / temperature, dim=1)
        soft = F.kl_div(log_student, log_teacher[rows], log_target=True, reduction="none").sum(dim=1) * temperature**2
        if alpha == 0:
            return soft
        assert labels is not None
        return alpha * F.cross_entropy(outputs, labels[rows], reduction="none") + (1 - alpha) * soft

    return loss
