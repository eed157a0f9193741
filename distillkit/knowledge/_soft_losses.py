"""Losses between the logits of a student and those of its teacher, each for one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from distillkit.knowledge._temperature import with_floor

if TYPE_CHECKING:
    from distillkit.nn import RowLoss

__all__ = ["DEFAULT_TEMPERATURES", "soft_loss"]

DEFAULT_TEMPERATURES = {"kd": 4.0, "dkd": 4.0, "dist": 4.0, "logit_std": 2.0, "mse_logits": 1.0}
"""Temperatures of the losses where none is given; "mse_logits" has no use for it."""
_BETA = 8.0  # weight of the classes other than the label in "dkd", as in its authors' code
_TINY = 1e-7


def soft_loss(
    name: str, teacher: torch.Tensor, codes: torch.Tensor | None, temperature: Callable[[], float]
) -> RowLoss:
    """Return a loss that is bound to the logits of a teacher.

    Parameters
    ----------
    name : {"kd", "dkd", "dist", "logit_std", "mse_logits"}
        See `TeacherStudentDistiller`.
    teacher : tensor of shape (n, n_classes)
        Logits of the teacher.
    codes : tensor of int64 of shape (n,) or None
        Class numbers for "dkd"; None takes the teacher's most probable class.
    temperature : callable
        Returns the temperature T of the present epoch.

    Returns
    -------
    RowLoss

    References
    ----------
    - "kd": Hinton, Vinyals and Dean 2015, arXiv:1503.02531
    - "dkd": Zhao et al., CVPR 2022, arXiv:2203.08679
    - "dist": Huang et al., NeurIPS 2022, arXiv:2205.10536
    - "logit_std": Sun et al., CVPR 2024, arXiv:2403.01427
    - "mse_logits": Ba and Caruana, NeurIPS 2014, arXiv:1312.6184
    """
    if name == "kd":
        return lambda outputs, rows: _kl(outputs, teacher[rows], temperature())
    limited = torch.as_tensor(with_floor(teacher.double().cpu().numpy()), dtype=teacher.dtype, device=teacher.device)
    if name == "dkd":
        labels = limited.argmax(dim=1) if codes is None else codes
        return lambda outputs, rows: _decoupled(outputs, limited[rows], labels[rows], temperature())
    of_rows = {"dist": _relations, "logit_std": _standardized_kl, "mse_logits": _squared}[name]
    return lambda outputs, rows: of_rows(outputs, limited[rows], temperature())


def _kl(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return ``T^2 KL(softmax(t / T) || softmax(s / T))``."""
    log_student, log_teacher = (F.log_softmax(logits / temperature, dim=1) for logits in (student, teacher))
    return F.kl_div(log_student, log_teacher, log_target=True, reduction="none").sum(dim=1) * temperature**2


def _standardized_kl(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the divergence of logits that have mean 0 and deviation 1 in each row."""
    return _kl(_standardized(student), _standardized(teacher), temperature)


def _standardized(logits: torch.Tensor) -> torch.Tensor:
    centered = logits - logits.mean(dim=1, keepdim=True)
    return centered / (_TINY + centered.square().mean(dim=1, keepdim=True).add(_TINY**2).sqrt())


def _decoupled(student: torch.Tensor, teacher: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return ``T^2 (KL of label against others + beta KL among the others)``, without log(0)."""
    is_label = F.one_hot(labels, student.shape[1]).bool()
    parts = []
    for logits in (student / temperature, teacher / temperature):
        log_p = F.log_softmax(logits, dim=1)
        others = log_p.masked_fill(is_label, -torch.inf)
        log_others = others.logsumexp(dim=1)
        binary = torch.stack([log_p[is_label], log_others], dim=1)
        parts.append((binary, (others - log_others[:, None]).masked_fill(is_label, 0.0)))
    (of_label, among), (teacher_of_label, teacher_among) = parts
    first = (teacher_of_label.exp() * (teacher_of_label - of_label)).sum(dim=1)
    weights = teacher_among.exp().masked_fill(is_label, 0.0)
    second = (weights * (teacher_among - among)).sum(dim=1)
    return temperature**2 * (first + _BETA * second)


def _relations(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return ``T^2 (1 - correlation)`` over the classes of a row, plus that over rows of a class.

    The second term belongs to the batch, so that each row gets its mean over the classes.
    """
    p, q = (F.softmax(logits / temperature, dim=1) for logits in (student, teacher))
    between = 1 - _correlation(p, q)
    within = 1 - _correlation(p.T, q.T).mean() if len(p) > 1 else 0.0
    return temperature**2 * (between + within)


def _correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    first, second = (values - values.mean(dim=1, keepdim=True) for values in (first, second))
    return F.cosine_similarity(first, second, dim=1, eps=_TINY)


def _squared(student: torch.Tensor, teacher: torch.Tensor, _: float) -> torch.Tensor:
    """Return the mean squared difference of logits that have mean 0 in each row."""
    student, teacher = (logits - logits.mean(dim=1, keepdim=True) for logits in (student, teacher))
    return (student - teacher).square().mean(dim=1)
