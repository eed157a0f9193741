"""Losses per row, bound to the targets of a training set, so that a trainer only passes outputs and row numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

__all__ = ["RowLoss", "class_loss", "distillation_loss", "number_loss", "soft_label_loss"]

RowLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""``loss(outputs, rows)``: outputs (b, k) for the rows numbered `rows` (b,) -> one loss per row (b,)."""


def class_loss(labels: torch.Tensor) -> RowLoss:
    """Cross-entropy with class numbers of shape (n,)."""
    return lambda outputs, rows: F.cross_entropy(outputs, labels[rows], reduction="none")


def soft_label_loss(probabilities: torch.Tensor) -> RowLoss:
    """Cross-entropy with probabilities of shape (n, n_classes)."""
    return lambda outputs, rows: -(probabilities[rows] * F.log_softmax(outputs, dim=1)).sum(dim=1)


def number_loss(values: torch.Tensor) -> RowLoss:
    """Squared error with values of shape (n,)."""
    return lambda outputs, rows: (outputs[:, 0] - values[rows]) ** 2


def distillation_loss(
    labels: torch.Tensor | None, teacher_logits: torch.Tensor, temperature: float, alpha: float
) -> RowLoss:
    """``alpha CE(y, s) + (1 - alpha) T^2 KL(softmax(t / T) || softmax(s / T))`` per row.

    The factor T^2 keeps the scale of the soft gradients as the temperature rises. A term of weight zero is not computed, so that
    ``alpha=1`` is plain training bit for bit and ``alpha=0`` needs no labels.

    Parameters
    ----------
    labels : tensor of shape (n,) or None
        Class numbers; None only with ``alpha=0``.
    teacher_logits : tensor of shape (n, n_classes)
    temperature : float > 0
    alpha : float in [0, 1]
        Weight of the hard labels.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, arXiv:1503.02531.
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
