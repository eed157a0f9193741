r"""Run the privacy panel on sets whose verdict is known, made from 5,000 rows of MNIST.

Usage::

    python benchmarks/robustness/privacy_mnist.py [--rows 500] [--seconds 20] [--skip networks]

The training rows, the held-out rows and the fresh rows are drawn from the training part of MNIST,
``--rows`` of each class and without overlap. The script prints the figures of each set and exits
with status 1 if a set that publishes training rows does not fail, or if fresh or held-out rows
fail.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from distillkit import DistilledSet, GANSynthesizer, GradientMatchingDistiller, KMeansCoreset, RandomSubset
from distillkit.metrics import privacy_report

sys.path.insert(0, str(Path(__file__).parents[1] / "perf"))
from _mnist import mnist

Made = tuple[str, Callable[[], DistilledSet], str | None]
"""Name, function that makes the set, and the verdict that it must have, if this is certain."""


def samples(rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return training rows, held-out rows and fresh rows, with equal numbers of each class."""
    X, y = mnist()
    rng = np.random.RandomState(0)
    order = [rng.permutation(np.flatnonzero(y == label))[: 3 * rows] for label in range(10)]
    parts = [np.concatenate([places[k * rows : (k + 1) * rows] for places in order]) for k in range(3)]
    return [(X[part], y[part]) for part in parts]


def mixture(X: np.ndarray, y: np.ndarray, rows: int) -> DistilledSet:
    """Draw rows of each class from a Gaussian mixture that is fitted to its training rows."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    pca = PCA(60, random_state=0).fit(X)
    drawn = []
    for label in np.unique(y):
        model = GaussianMixture(5, covariance_type="full", reg_covar=1e-3, random_state=0)
        drawn.append(pca.inverse_transform(model.fit(pca.transform(X[y == label])).sample(rows)[0]))
    return DistilledSet(np.clip(np.vstack(drawn), 0, 1), np.repeat(np.unique(y), rows))


def changed(X: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> DistilledSet:
    """Publish ten training rows of each class (rows are sorted by class) after a change."""
    step = len(X) // 100
    return DistilledSet(np.asarray(change(X[::step].astype(np.float64)), dtype=np.float32))


def known_sets(parts: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[Made]:
    """Yield the sets that need no network."""
    (X, y), (H, _), (F, f) = parts
    rng = np.random.RandomState(1)

    def fit(method: Any) -> DistilledSet:
        distilled: DistilledSet = method.fit(X, y).distilled_
        return distilled

    yield "random, 10 a class", lambda: fit(RandomSubset(budget=10, random_state=0)), "fail"
    member = KMeansCoreset(budget=10, representative="member", random_state=0)
    yield "k-means members, 10 a class", lambda: fit(member), "fail"
    yield "members + N(0, .1)", lambda: changed(X, lambda rows: rows + 0.1 * rng.normal(size=rows.shape)), "fail"
    yield "members in 16 grey levels", lambda: changed(X, lambda rows: np.round(rows * 15) / 15), "fail"
    for budget in (1, 5, 10, 20, 50, 100):
        expected = "fail" if budget == 100 else None
        method = KMeansCoreset(budget=budget, random_state=0)
        yield f"centroids, {budget} a class", lambda method=method: fit(method), expected
    for draw in range(3):
        small = RandomSubset(budget=10, random_state=draw).fit(F, f).distilled_
        yield f"fresh rows, draw {draw + 1}", lambda small=small: DistilledSet(small.X, small.y), "pass"
    yield "fresh rows, 1,000", lambda: DistilledSet(F[:: len(F) // 1000]), "pass"
    yield "held-out rows", lambda: DistilledSet(H[:: len(H) // 100]), "pass"
    yield "uniform noise, 100", lambda: DistilledSet(rng.uniform(size=(100, X.shape[1])).astype(np.float32)), "pass"
    yield "uniform noise, 1,000", lambda: DistilledSet(rng.uniform(size=(1000, X.shape[1])).astype(np.float32)), "pass"
    yield "Gaussian mixtures, 1,000", lambda: mixture(X, y, 100), None


def network_sets(parts: list[tuple[np.ndarray, np.ndarray]], seconds: float) -> Iterator[Made]:
    """Yield the sets of methods that train networks."""
    X, y = parts[0]
    images = X.reshape(-1, 1, 28, 28)

    def fit(method: Any) -> DistilledSet:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            distilled: DistilledSet = method.fit(images, y).distilled_
        return distilled

    for init, verdict in (("real", "fail"), ("kmeans", None)):
        matching = GradientMatchingDistiller(budget=10, init=init, max_seconds=seconds, random_state=0)
        yield f"gradient matching, init={init}", lambda method=matching: fit(method), verdict
    for budget in (10, 100):
        gan = GANSynthesizer(budget=budget, max_seconds=seconds, random_state=0)
        yield f"GAN, {budget} a class", lambda method=gan: fit(method), None


def main() -> None:
    """Print the panel of each set, and exit with status 1 if a verdict is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500, help="training rows of each class")
    parser.add_argument("--seconds", type=float, default=20, help="time of each fit with networks")
    parser.add_argument("--skip", choices=["networks"], help="leave these sets out")
    options = parser.parse_args()
    parts = samples(options.rows)
    sets = [*known_sets(parts), *([] if options.skip else network_sets(parts, options.seconds))]
    wrong = []
    print(
        f"{'set':30} verdict  rows copies near share    z  nndr (held)  AUC    TPR1 TPR.1 seconds",
        flush=True,
    )
    for name, make, expected in sets:
        small = make()
        started = time.perf_counter()
        holdout = parts[1][0].reshape(-1, *small.X.shape[1:])
        report = privacy_report(parts[0][0].reshape(-1, *small.X.shape[1:]), None, small, holdout=holdout)
        seconds = time.perf_counter() - started
        print(
            f"{name:30} {report.verdict:8} {report.rows:4} {report.copies:6} {report.near_copies:4} {report.share:.3f} "
            f"{report.share_z:5.1f} {report.nndr:.3f} ({report.nndr_holdout:.3f}) {report.membership_auc:.3f} "
            f"{report.membership_tpr1:.3f} {report.membership_tpr01:.4f} {seconds:5.1f}",
            flush=True,
        )
        if expected not in (None, report.verdict):
            wrong.append(f"{name}: {report.verdict} instead of {expected}")
    sys.exit("; ".join(wrong) or None)


if __name__ == "__main__":
    main()
