"""Labels of synthetic rows: fixed class codes, or probabilities learned through their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from distillkit.condensation.problem._start import first_rows

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["first_logits", "first_parts", "learns_labels", "probabilities", "row_labels", "rows_per_label"]

_FIRST_PROBABILITY = 0.9  # of a row's own class, before labels are learned


def learns_labels(setting: bool | str, task: str | None) -> bool:
    """Resolve ``learn_labels="auto"``: learn the targets of a regression, and keep class labels.

    A learned number needs no more memory than a fixed one; learned probabilities of classes do.
    """
    return task == "regression" if setting == "auto" else bool(setting)


def first_logits(codes: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return logits (m, n_classes) that give each row's own class probability 0.9."""
    step = float(np.log(_FIRST_PROBABILITY * max(1, n_classes - 1) / (1 - _FIRST_PROBABILITY)))
    return F.one_hot(codes, n_classes).float() * step


def first_parts(
    init: Any, problem: CondensationProblem, run: Run, *, learn_labels: bool = False, blank: bool = False
) -> list[Batch]:
    """Return the first rows and targets of each group, in the units of the network.

    Parameters
    ----------
    init : str or distiller
        See `first_rows`.
    problem : CondensationProblem
    run : Run
        Its clock ends k-means early; time for one update is still left.
    learn_labels : bool, default=False
        Whether targets of classes are logits rather than class codes.
    blank : bool, default=False
        Whether to return zeros without computing the first rows, because a saved state will
        replace them.
    """
    parts = []
    groups = problem.rows.groups
    starts = [_zeros(problem, group) for group in groups] if blank else first_rows(init, problem, run)
    for number, (group, (X, y)) in enumerate(zip(groups, starts, strict=True)):
        targets = problem.targets(number, y, group.size)
        if learn_labels and problem.rows.task == "classification":
            targets = first_logits(targets, problem.n_outputs)
        parts.append((problem.scaled(X), targets))
    run.stopped_by = None
    return parts


def _zeros(problem: CondensationProblem, group: Group) -> tuple[np.ndarray, np.ndarray | None]:
    return np.zeros((group.size, *problem.shape)), np.zeros(group.size)


def probabilities(problem: CondensationProblem, targets: torch.Tensor) -> torch.Tensor:
    """Return targets as the outputs to learn: probabilities (m, n_classes) or numbers (m, 1).

    Parameters
    ----------
    problem : CondensationProblem
    targets : tensor of shape (m,) or (m, n_classes)
        Class codes, logits, or scaled numbers.
    """
    if problem.rows.task == "regression":
        return targets[:, None]
    if targets.ndim == 1:
        return F.one_hot(targets, problem.n_outputs).float()
    return targets.softmax(dim=1)


def row_labels(problem: CondensationProblem, targets: torch.Tensor) -> tuple[np.ndarray, np.ndarray | None]:
    """Return y in the label space of the data, and probabilities (m, n_classes) if learned.

    A row keeps the label of the class that it was made for, whatever its learned probabilities.
    """
    rows = problem.rows
    assert rows.y is not None
    if rows.task == "regression":
        return np.asarray(targets.cpu().numpy().astype(np.float64) * problem.y_scale + problem.y_mean), None
    y = np.concatenate([np.full(group.size, group.label, dtype=rows.y.dtype) for group in rows.groups])
    if targets.ndim == 1:
        return y, None
    return y, targets.double().softmax(dim=1).cpu().numpy()


def rows_per_label(rows: TrainingRows) -> np.ndarray:
    """Return how many training rows each distilled row stands for: an equal part of its class.

    If the rows have weights, it is an equal part of the weight of the class.
    """
    return np.concatenate([rows.equal_weight(group) for group in rows.groups])
