"""How alike the gradients of distilled rows and of training rows are during a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._sides import Sides, sides_of
from distillkit.metrics.models._scaled import require_targets, row_scaling, target_matrix
from distillkit.metrics.reference import shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["GradientAgreement", "compare_gradients", "gradient_distance", "gradient_similarity"]

_STEPS = (0, 20, 200, 1000)
_BATCH = 32
_MOST_ROWS = 1000  # whose gradient is computed
_FEW_REMOVED = 0.01  # share of the rows that a network hardly notices


@dataclass(frozen=True)
class GradientAgreement:
    """Gradients of distilled rows compared with those of training rows.

    Parameters
    ----------
    steps : tuple of int
        Numbers of training steps.
    cosines : ndarray of shape (n_networks, n_steps)
        Cosine of the angle between the two gradients, in [-1, 1].
    distances : ndarray of shape (n_networks, n_steps)
        Euclidean distance of the two gradients, divided by the norm of that of the training rows.
    """

    steps: tuple[int, ...]
    cosines: np.ndarray
    distances: np.ndarray


@shares_reference
def gradient_similarity(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, **options: Any) -> float:
    """Return the mean cosine of the gradients of distilled rows and of training rows.

    It is the mean over the networks and the steps of `compare_gradients`; the note gives the mean
    at each step. Compare it with the value of held-out rows: the gradients of unseen rows differ as
    well once a network fits its training rows.

    Parameters
    ----------
    X, y, distilled, random_state, **options
        As for `compare_gradients`.

    Returns
    -------
    float
        In [-1, 1]; 1 if all gradients have the same direction. Its standard error is that over the
        networks.

    Raises
    ------
    DataError
        As for `compare_gradients`.
    """
    result = compare_gradients(X, y, distilled, random_state, **options)
    return _mean(result.cosines, result.steps)


@shares_reference
def gradient_distance(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, **options: Any) -> float:
    """Return the mean relative distance of the gradients of distilled rows and of training rows.

    It is the mean over the networks and the steps of `compare_gradients`; the note gives the mean
    at each step. Unlike `gradient_similarity`, it sees differences of the lengths of gradients.

    Parameters
    ----------
    X, y, distilled, random_state, **options
        As for `compare_gradients`.

    Returns
    -------
    float
        At least 0; 1 is the distance of a zero gradient. Its standard error is that over the
        networks.

    Raises
    ------
    DataError
        As for `compare_gradients`.
    """
    result = compare_gradients(X, y, distilled, random_state, **options)
    return _mean(result.distances, result.steps)


def compare_gradients(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    random_state: int = 0,
    *,
    checkpoints: Sequence[int] = _STEPS,
    n_networks: int = 2,
    network: str | Callable[..., Any] = "auto",
    width: int = 8,
) -> GradientAgreement:
    """Compare the loss gradients of distilled rows and of training rows during a training.

    Networks are trained on the training rows, by stochastic gradient descent with batches of 32
    rows, a learning rate of 0.01 and momentum 0.9. After the given numbers of steps, the gradient
    of the mean loss with respect to all parameters is computed on the distilled rows, which count
    by their weights, and on the training rows. Layers are in evaluation mode for this, so that
    batch normalization uses its running statistics, and nothing is augmented. Rows are standardized
    by the training rows. For floors of held-out rows, networks are trained without these rows,
    unless they are less than 1 % of the rows and the training sees no row more than once.

    Parameters
    ----------
    X : array-like of shape (n, ...), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,)
        Class labels or numbers.
    distilled : DistilledSet
        Its soft labels are its targets if it has any.
    random_state : int, default=0
        Seeds the initial weights, the order of the training and the draw of the training rows whose
        gradient is computed: at most 1,000, regardless of their order.
    checkpoints : sequence of int, default=(0, 20, 200, 1000)
        Numbers of training steps.
    n_networks : int, default=2
        Number of networks.
    network : str or callable, default="auto"
        See `distillkit.nn.make_network`.
    width : int, default=8
        Channels of named convolutional networks.

    Returns
    -------
    GradientAgreement

    Raises
    ------
    DataError
        If there are no targets, the rows cannot be compared, or the checkpoints are not numbers of
        steps.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021, minimizes a
    distance of such gradients by layer.
    """
    from distillkit.distances import gradient_similarity as cosine_of
    from distillkit.metrics.models._network_gradients import loss_gradient

    steps = tuple(sorted(set(checkpoints)))
    if not steps or steps[0] < 0 or n_networks < 1:
        raise DataError(
            f"checkpoints={tuple(checkpoints)} and n_networks={n_networks}: give steps from 0 on and networks."
        )
    sides = sides_of(X, y, distilled)
    require_targets(sides, "gradient-similarity")
    targets, small_targets = target_matrix(sides)
    small = row_scaling(sides)(sides.small)
    cosines, distances = np.empty((n_networks, len(steps))), np.empty((n_networks, len(steps)))
    for number in range(n_networks):
        seed = int(np.random.SeedSequence([random_state, number]).generate_state(1)[0] >> 1)
        key = ("gradients", number, steps, random_state, width, network if isinstance(network, str) else id(network))
        make = partial(_training_gradients, sides, targets, steps, seed, network, width)
        trained = sides.reference.cached(key, make)[1]
        for place, (module, whole) in enumerate(trained):
            own = loss_gradient(module, small, small_targets, sides.weight)
            cosines[number, place] = float(cosine_of(own, whole))
            norm = sum(float(part.square().sum()) for part in whole) ** 0.5
            apart = sum(float((a - b).square().sum()) for a, b in zip(own, whole, strict=True)) ** 0.5
            distances[number, place] = apart / norm if norm else (0.0 if not apart else np.inf)
    return GradientAgreement(steps, cosines, distances)


def _training_gradients(
    sides: Sides, targets: np.ndarray, steps: tuple[int, ...], seed: int, network: Any, width: int
) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return `network`, and the network at each step with the gradient of the training rows."""
    from distillkit.metrics.models._network_gradients import loss_gradient

    # The function `network` is kept as well, so that its id is not given to another one.
    trained = _trained_on(sides, steps)
    key = ("networks", steps, seed, width, network if isinstance(network, str) else id(network))
    modules = trained.reference.cached(key, partial(_trained, trained, steps, seed, network, width))
    rows = sides.draw(np.arange(len(sides.X)), _MOST_ROWS, seed)
    scaled, ones = row_scaling(sides)(sides.X[rows]), np.ones(len(rows))
    return network, [(module, loss_gradient(module, scaled, targets[rows], ones)) for module in modules]


def _trained_on(sides: Sides, steps: tuple[int, ...]) -> Sides:
    """Return the rows that networks are trained on: all rows, if leaving some out cannot matter.

    Without a few of many rows, of which a training sees none more than once, the networks would be
    about the same, so those of the root serve the floors as well.
    """
    root, removed = sides.reference.root, len(sides.reference.removed)
    alike = removed <= _FEW_REMOVED * len(root) and steps[-1] * _BATCH <= len(root)
    return replace(sides, reference=root) if alike else sides


def _trained(sides: Sides, steps: tuple[int, ...], seed: int, network: Any, width: int) -> list[Any]:
    """Train a network on the rows in the order of their keys, so that of X does not matter."""
    from distillkit.metrics.models._network_gradients import checkpoints_of

    order = sides.draw(np.arange(len(sides.X)), len(sides.X), seed)
    scaled = row_scaling(sides)(sides.X[order]).astype(np.float32)
    return checkpoints_of(network, scaled, target_matrix(sides)[0][order], steps, seed, width, _BATCH)


def _mean(values: np.ndarray, steps: tuple[int, ...]) -> Measured:
    """Return the mean over networks and steps, with that of each step in the note."""
    by_network = values.mean(axis=1)
    error = float(by_network.std(ddof=1) / np.sqrt(len(by_network))) if len(by_network) > 1 else None
    means = ", ".join(f"{step}: {value:.3g}" for step, value in zip(steps, values.mean(axis=0), strict=True))
    return Measured(float(by_network.mean()), error=error, note=f"by steps of training: {means}.")
