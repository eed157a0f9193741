"""Checks that the intervals and verdicts of leaderboards hold what they say, on real data.

It distils and judges small datasets on many splits, draws pages of ten splits from them, builds the
leaderboard of each page as ``distillkit report`` does, and compares it with other splits::

    python benchmarks/robustness/intervals.py --splits 40 --pages 100

It prints three tables:

- how often the printed interval of a mean, and of a difference from the control, holds the mean
  over 20 other splits, for pages of ten splits and for pages of one split with five seeds;
- how often null methods (the random subset with other seeds) are called better or worse, for
  several corrections of the p-values of a page;
- how often the other methods are called, which is the power of these corrections.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distillkit import ClassMeans, HerdingCoreset, KCenterCoreset, KMeansCoreset, RandomSubset
from distillkit.bench.leaderboard import build_leaderboard
from distillkit.bench.leaderboard._compare import ComparedEntries
from distillkit.bench.leaderboard._entry import LeaderboardEntry
from distillkit.bench.leaderboard._sampling import Sampler
from distillkit.bench.leaderboard._stats import holm
from distillkit.bench.results._outcomes import encode
from distillkit.specs import MetricSpec

DATA = {"digits": load_digits, "wine": load_wine}
METHODS: dict[str, Any] = {
    "random": RandomSubset,
    "kmeans": KMeansCoreset,
    "kcenter": KCenterCoreset,
    "herding": HerdingCoreset,
    "class-means": ClassMeans,
}
NULLS = 3
"""Number of null methods: random subsets with other seeds than the control."""

JUDGES: dict[str, Callable[[], Any]] = {
    "knn": lambda: KNeighborsClassifier(1),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
}
METRICS = {
    name: MetricSpec(name=name, target=f"distillkit.metrics:{name.replace('-', '_')}", stage="prediction")
    for name in ("accuracy", "balanced-accuracy")
}
Row = dict[str, Any]


def make_rows(dataset: str, split: int, seed: int, budgets: Iterable[int], targets: dict[str, Any]) -> list[Row]:
    """Distil and judge one split with one seed, and return rows as a results folder holds them."""
    X, y = DATA[dataset](return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=split)
    scale = StandardScaler().fit(X_train)
    X_train, X_test = scale.transform(X_train), scale.transform(X_test)
    targets[f"{dataset}-{split}"] = encode(y_test, len(np.unique(y)))
    methods = METHODS | {f"null-{i}": RandomSubset for i in range(NULLS)}
    rows = []
    for budget in budgets:
        for name, method in methods.items():
            shift = 10_007 * (1 + int(name[-1])) if name.startswith("null") else 0
            size = {} if name == "class-means" else {"budget": budget}
            distiller = method(**size)
            if "random_state" in distiller.get_params():
                distiller.set_params(random_state=1000 * split + seed + shift)
            small, labels = distiller.fit_resample(X_train, y_train)
            for judge, make in JUDGES.items():
                predicted = make().fit(small, labels).predict(X_test)
                rows.append(_row(dataset, split, seed, name, str(budget), judge, y_train, y_test, predicted))
    return rows


def _row(
    dataset: str, split: int, seed: int, method: str, budget: str, judge: str, y_train: Any, y_test: Any, predicted: Any
) -> Row:
    row = {
        "dataset": dataset, "task": "classification", "evaluator": judge, "label_mode": "hard", "budget": budget,
        "method": method, "role": "control" if method == "random" else "method", "split": split, "distil_seed": seed,
        "eval_seed": 0, "n_train": len(y_train), "n_test": len(y_test), "data_key": f"{dataset}-{split}",
        "outcome": encode(predicted, len(np.unique(y_test))), "status": "ok",
        "metrics": {"accuracy": float(np.mean(predicted == y_test))},
    }  # fmt: skip
    return row | {
        "key": "/".join(str(row[name]) for name in ("dataset", "evaluator", "budget", "method", "split", "distil_seed"))
    }


def means_of(rows: Iterable[Row]) -> dict[tuple[str, ...], float]:
    """Return the mean accuracy of each entry."""
    values: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        key = (row["dataset"], row["evaluator"], row["budget"], row["method"])
        values.setdefault(key, []).append(row["metrics"]["accuracy"])
    return {key: float(np.mean(group)) for key, group in values.items()}


def coverage(pages: Iterable[tuple[list[Row], list[Row]]], targets: dict[str, Any]) -> dict[str, float]:
    """Return how often intervals of means and of differences hold the means of the other rows."""
    held: dict[str, list[bool]] = {}
    for rows, others in pages:
        truth = means_of(others)
        table = build_leaderboard(
            rows, {row["key"]: row for row in rows}, METRICS, title="page", targets=targets.get
        ).table
        for record in table.to_dict("records"):
            key = tuple(record[name] for name in ("dataset", "evaluator", "budget", "method"))
            held.setdefault(f"{key[0]}: means", []).append(record["ci_low"] <= truth[key] <= record["ci_high"])
        for name, inside in differences(rows, truth, targets):
            held.setdefault(name, []).append(inside)
    return {name: float(np.mean(several)) for name, several in sorted(held.items())}


def comparisons_of(rows: list[Row], targets: dict[str, Any]) -> list[ComparedEntries]:
    """Return the comparisons of a page."""
    sampler, groups = Sampler(METRICS, targets.get), {}
    for row in rows:
        group = groups.setdefault((row["dataset"], row["evaluator"], row["budget"]), {})
        group.setdefault(row["method"], []).append(row)
    by_key = {row["key"]: row for row in rows}
    return [
        ComparedEntries([LeaderboardEntry(cells, by_key, "accuracy") for cells in methods.values()], sampler)
        for methods in groups.values()
    ]


def differences(
    rows: list[Row], truth: dict[tuple[str, ...], float], targets: dict[str, Any]
) -> Iterable[tuple[str, bool]]:
    """Yield for each difference from the control whether its interval holds the true one."""
    from distillkit.bench.leaderboard._stats import student_quantile

    for comparison in comparisons_of(rows, targets):
        cell, sample = comparison.entries[0].cell, comparison.sampling.sample
        place = (cell["dataset"], cell["evaluator"], cell["budget"])
        for entry in comparison.entries:
            method = entry.cell["method"]
            if method != "random":
                estimate = sample.difference(method, "random")
                error = abs(estimate.value - truth[*place, method] + truth[*place, "random"])
                yield f"{place[0]}: differences", error <= student_quantile(0.95, estimate.dof) * estimate.error


CORRECTIONS: dict[str, Callable[[list[float]], Iterable[float]]] = {
    "none": lambda p: p,
    "Holm": holm,
    "Benjamini-Hochberg": lambda p: false_discovery_control(p, method="bh"),
    "Benjamini-Yekutieli": lambda p: false_discovery_control(p, method="by"),
}


def calls(pages: Iterable[list[Row]], targets: dict[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Return by correction the shares of pages with a null called, of nulls and of others."""
    found: dict[str, list[tuple[bool, float, float]]] = {}
    for rows in pages:
        raw, null = [], []
        for comparison in comparisons_of(rows, targets):
            for place, p in comparison.pvalues().items():
                raw.append(p)
                null.append(comparison.entries[place].cell["method"].startswith("null"))
        is_null = np.array(null)
        for name, correct in CORRECTIONS.items():
            called = np.array(list(correct(raw))) < 0.05
            found.setdefault(name, []).append(
                (bool(called[is_null].any()), float(called[is_null].mean()), float(called[~is_null].mean()))
            )
    return {name: tuple(np.mean(pages, axis=0).round(4).tolist()) for name, pages in found.items()}


def main() -> None:
    """Make the rows, draw the pages and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=40, help="splits to draw from, at least 30")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--budgets", type=int, nargs="+", default=[1, 5])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    targets: dict[str, Any] = {}
    splits = range(options.splits)
    rows = {
        split: [row for name in DATA for row in make_rows(name, split, split, options.budgets, targets)]
        for split in splits
    }
    crossed = {
        split: [
            row for name in DATA for seed in range(5) for row in make_rows(name, split, seed, options.budgets, targets)
        ]
        for split in range(min(10, options.splits))
    }
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(options.splits) for _ in range(options.pages)]

    def rows_of(chosen: Iterable[int]) -> list[Row]:
        return [row for split in chosen for row in rows[split]]

    print("intervals of ten splits:", coverage(((rows_of(o[:10]), rows_of(o[10:30])) for o in drawn), targets))
    print(
        "intervals of one split, five seeds:",
        coverage(
            ((crossed[s], rows_of([i for i in o if i != s][:20])) for s, o in zip(crossed, drawn, strict=False)),
            targets,
        ),
    )
    print("correction: share of pages with a null called, of null tests called, of other tests called")
    for name, shares in calls((rows_of(order[:10]) for order in drawn), targets).items():
        print(f"  {name}: {shares}")
    print("the same for pages of one split and five seeds")
    for name, shares in calls(crossed.values(), targets).items():
        print(f"  {name}: {shares}")


if __name__ == "__main__":
    main()
