"""Signs that a generator has collapsed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DistillkitWarning
from distillkit.synthesis._feature_classifier import Recogniser
from distillkit.synthesis._fitted import FittedGenerator

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["diagnose", "warn_of_collapse"]

_ROWS = 4000
_MOST_PER_CLASS = 500


def diagnose(generator: FittedGenerator, rows: TrainingRows, recogniser: Recogniser | None, run: Run) -> dict[str, Any]:
    """Compare made rows with training rows, class by class.

    Returns
    -------
    dict
        ``variance_ratio``: summed variance of the features of made rows over that of real ones within each class, lowest
        and highest over the classes ("lowest", "highest", with the labels). ``unique_ratio``: share of different rows (to
        two decimals, scaled) among made rows over that among real ones. ``recognised``: share of made rows that the
        recogniser takes for their own class; None without one. ``discriminator_loss``: mean over the last quarter of the
        history; None without one.

    References
    ----------
    Ravuri and Vinyals, "Classification accuracy score for conditional generative models", NeurIPS 2019, on why a generator is
    judged class by class.
    """
    per_class = max(20, min(_MOST_PER_CLASS, _ROWS // len(rows.groups)))
    pairs = [(group, *_compare(generator, rows, group, per_class, run)) for group in rows.groups]
    ratios = {_name(group.label): _variance_ratio(real, made) for group, real, made in pairs}
    known = {label: ratio for label, ratio in ratios.items() if ratio is not None}
    low, high = (min(known, key=known.__getitem__), max(known, key=known.__getitem__)) if known else (None, None)
    return {
        "variance_ratio": None
        if low is None or high is None
        else {"lowest": known[low], "lowest_label": low, "highest": known[high], "highest_label": high},
        "unique_ratio": float(np.mean([_unique_share(made) / _unique_share(real) for _, real, made in pairs])),
        "recognised": None if recogniser is None else _recognised(recogniser, generator, pairs),
        "discriminator_loss": _late_loss(run.history),
    }


def _compare(
    generator: FittedGenerator, rows: TrainingRows, group: Group, size: int, run: Run
) -> tuple[np.ndarray, np.ndarray]:
    """Return encoded real and made rows of a group, as many of each."""
    size = min(size, len(group.rows))
    picks = group.rows[np.linspace(0, len(group.rows) - 1, size).astype(np.int64)]
    # the labels of the picks themselves, so that numbers are spread alike on both sides
    labels = None if rows.y is None else rows.y[picks]
    return generator.codec.encode(rows.X[picks]), generator.encoded(size, labels, run.seed())


def _variance_ratio(real: np.ndarray, made: np.ndarray) -> float | None:
    spread, own = (float(part.reshape(len(part), -1).var(axis=0, dtype=np.float64).sum()) for part in (real, made))
    return own / spread if len(real) > 1 and spread > 0 else None


def _unique_share(rows: np.ndarray) -> float:
    return len({row.tobytes() for row in np.round(rows, 2) + 0.0}) / len(rows)


def _recognised(
    recogniser: Recogniser, generator: FittedGenerator, pairs: list[tuple[Group, np.ndarray, np.ndarray]]
) -> float:
    hits = [recogniser.confidence(generator.codec.decode(made), group.label)[1] for group, _, made in pairs]
    return float(np.concatenate(hits).mean())


def _late_loss(history: list[dict[str, Any]]) -> float | None:
    losses = [entry["discriminator_loss"] for entry in history if "discriminator_loss" in entry]
    return float(np.mean(losses[-max(1, len(losses) // 4) :])) if losses else None


def _name(label: Any) -> str:
    return "all" if label is None else str(label)


def warn_of_collapse(signs: dict[str, Any]) -> None:
    """Warn of what `diagnose` found, by the name of each detector that sees a collapse."""
    found = []
    ratio = signs["variance_ratio"]
    if ratio is not None and ratio["lowest"] < 0.5:
        found.append(f"within-class variance ratio {ratio['lowest']:.2f} of {ratio['lowest_label']!r} is under 0.5")
    if ratio is not None and ratio["highest"] > 2:
        found.append(f"within-class variance ratio {ratio['highest']:.2f} of {ratio['highest_label']!r} is over 2")
    if signs["unique_ratio"] < 0.5:
        found.append(f"unique-row ratio {signs['unique_ratio']:.2f} is under 0.5")
    if signs["recognised"] is not None and signs["recognised"] < 0.5:
        found.append(f"label consistency {signs['recognised']:.2f} is under 0.5")
    if signs["discriminator_loss"] is not None and signs["discriminator_loss"] < 0.05:
        found.append(f"discriminator loss {signs['discriminator_loss']:.3f} is near zero")
    if found:
        warnings.warn(
            f"the generator may not have learned the rows: {'; '.join(found)}. Give it more steps (max_iter, max_seconds) "
            "or more rows, or take a coreset.",
            DistillkitWarning,
            stacklevel=3,
        )
