"""Diagnostics of a generator that has collapsed to few or wrong rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DistillkitWarning
from distillkit.synthesis._feature_classifier import FeatureClassifier
from distillkit.synthesis._fitted import FittedGenerator
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["diagnose", "warn_of_collapse"]

_MAX_ROWS = 4000
_MAX_ROWS_PER_CLASS = 500


def diagnose(
    generator: FittedGenerator, rows: TrainingRows, classifier: FeatureClassifier | None, run: Run
) -> dict[str, Any]:
    """Compare generated rows with training rows, class by class.

    Parameters
    ----------
    generator : FittedGenerator
    rows : TrainingRows
    classifier : FeatureClassifier or None
        Trained on real rows.
    run : Run
        Gives the seeds and the history.

    Returns
    -------
    dict
        - ``variance_ratio``: within a class, the summed variance of the features of generated rows
          over that of real rows; the lowest and the highest over the classes, with their labels
          ("lowest", "lowest_label", "highest", "highest_label"). None if no class has a variance.
        - ``unique_ratio``: share of distinct rows among generated rows over that among real rows,
          where encoded rows are rounded to two decimals.
        - ``recognised``: share of generated rows that the classifier assigns to their own class;
          None without a classifier.
        - ``discriminator_loss``: mean over the last quarter of the history; None without one.

    References
    ----------
    Ravuri and Vinyals, "Classification accuracy score for conditional generative models", NeurIPS
    2019, on why a generator is judged class by class.
    """
    per_class = max(20, min(_MAX_ROWS_PER_CLASS, _MAX_ROWS // len(rows.groups)))
    pairs = [(group, *_real_and_generated(generator, rows, group, per_class, run)) for group in rows.groups]
    ratios = {_name(group.label): _variance_ratio(real, generated) for group, real, generated in pairs}
    known = {label: ratio for label, ratio in ratios.items() if ratio is not None}
    low, high = (min(known, key=known.__getitem__), max(known, key=known.__getitem__)) if known else (None, None)
    return {
        "variance_ratio": None
        if low is None or high is None
        else {"lowest": known[low], "lowest_label": low, "highest": known[high], "highest_label": high},
        "unique_ratio": float(
            np.mean([_unique_share(generated) / _unique_share(real) for _, real, generated in pairs])
        ),
        "recognised": None if classifier is None else _label_consistency(classifier, generator, pairs),
        "discriminator_loss": _late_loss(run.history),
    }


def _real_and_generated(
    generator: FittedGenerator, rows: TrainingRows, group: Group, size: int, run: Run
) -> tuple[np.ndarray, np.ndarray]:
    """Return encoded real rows of a group and as many generated ones."""
    size = min(size, len(group.rows))
    positions = np.linspace(0, len(group.rows) - 1, size).astype(np.int64)
    if rows.weight is not None:
        positions = weighted_draw(rows.mass_in(group), size, None, np.arange(len(group.rows)))
    picks = group.rows[positions]
    # The generated rows get the labels of the picked rows, so that numbers have the same
    # distribution on both sides.
    labels = None if rows.y is None else rows.y[picks]
    return generator.codec.encode(rows.X[picks]), generator.encoded(size, labels, run.seed())


def _variance_ratio(real: np.ndarray, generated: np.ndarray) -> float | None:
    real_variance, generated_variance = (
        float(part.reshape(len(part), -1).var(axis=0, dtype=np.float64).sum()) for part in (real, generated)
    )
    return generated_variance / real_variance if len(real) > 1 and real_variance > 0 else None


def _unique_share(rows: np.ndarray) -> float:
    return len({row.tobytes() for row in np.round(rows, 2) + 0.0}) / len(rows)


def _label_consistency(
    classifier: FeatureClassifier, generator: FittedGenerator, pairs: list[tuple[Group, np.ndarray, np.ndarray]]
) -> float:
    is_own_class = [
        classifier.confidence(generator.codec.decode(generated), group.label)[1] for group, _, generated in pairs
    ]
    return float(np.concatenate(is_own_class).mean())


def _late_loss(history: list[dict[str, Any]]) -> float | None:
    losses = [entry["discriminator_loss"] for entry in history if "discriminator_loss" in entry]
    return float(np.mean(losses[-max(1, len(losses) // 4) :])) if losses else None


def _name(label: Any) -> str:
    return "all" if label is None else str(label)


def warn_of_collapse(diagnostics: dict[str, Any]) -> None:
    """Warn of each diagnostic that is out of range.

    Parameters
    ----------
    diagnostics : dict
        As returned by `diagnose`.

    Warns
    -----
    DistillkitWarning
    """
    signs = []
    ratio = diagnostics["variance_ratio"]
    if ratio is not None and ratio["lowest"] < 0.5:
        signs.append(f"within-class variance ratio {ratio['lowest']:.2f} of {ratio['lowest_label']!r} is under 0.5")
    if ratio is not None and ratio["highest"] > 2:
        signs.append(f"within-class variance ratio {ratio['highest']:.2f} of {ratio['highest_label']!r} is over 2")
    if diagnostics["unique_ratio"] < 0.5:
        signs.append(f"unique-row ratio {diagnostics['unique_ratio']:.2f} is under 0.5")
    if diagnostics["recognised"] is not None and diagnostics["recognised"] < 0.5:
        signs.append(f"label consistency {diagnostics['recognised']:.2f} is under 0.5")
    if diagnostics["discriminator_loss"] is not None and diagnostics["discriminator_loss"] < 0.05:
        signs.append(f"discriminator loss {diagnostics['discriminator_loss']:.3f} is near zero")
    if signs:
        warnings.warn(
            f"the generator may not have learned the rows: {'; '.join(signs)}. Give it more steps (max_iter, "
            "max_seconds) or more rows, or use a coreset instead.",
            DistillkitWarning,
            stacklevel=3,
        )
