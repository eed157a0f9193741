"""Checks that the intervals and verdicts of leaderboards hold what they say, on real data.

It distils and judges small datasets on many splits, draws pages of ten splits from them, builds the
leaderboard of each page as ``distillkit report`` does, and compares it with other splits::

    python benchmarks/robustness/intervals.py --splits 40 --pages 100 --seeds 5

It prints

- how often the printed interval of a mean, and of a difference from the control, holds the mean
  over 20 other splits of the same rows, for pages of ten splits and for pages of one split;
- the same for new rows: datasets of 400 rows that are drawn from digits, with ten splits each, are
  compared with the mean over all such datasets;
- how often null methods (the random subset with other seeds) are called better or worse, for
  several corrections of the p-values of a page, and how often the other methods are, which is the
  power of these corrections.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping
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
NULLS = ("null-0", "null-1", "null-2")
"""Null methods: random subsets with other seeds than the control."""

METHODS: dict[str, Any] = {
    "random": RandomSubset,
    "kmeans": KMeansCoreset,
    "kcenter": KCenterCoreset,
    "herding": HerdingCoreset,
    "class-means": ClassMeans,
} | dict.fromkeys(NULLS, RandomSubset)
FIXED = ("kcenter", "herding", "class-means")
"""Methods without randomness."""

NEAREST: dict[str, Callable[[], Any]] = {"knn": lambda: KNeighborsClassifier(1)}
JUDGES = NEAREST | {"logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))}
METRICS = {
    name: MetricSpec(name=name, target=f"distillkit.metrics:{name.replace('-', '_')}", stage="prediction")
    for name in ("accuracy", "balanced-accuracy")
}
Row = dict[str, Any]


def make_rows(
    dataset: str,
    split: int,
    seeds: Iterable[int],
    budgets: Iterable[int],
    targets: dict[str, Any],
    *,
    methods: Iterable[str] = tuple(METHODS),
    judges: Mapping[str, Callable[[], Any]] = JUDGES,
    sample: int | None = None,
) -> list[Row]:
    """Distil and judge one split, and return rows as a results folder holds them.

    The targets are added to `targets`. With `sample`, 400 rows are drawn with that seed first.
    """
    X, y = DATA[dataset](return_X_y=True)
    if sample is not None:
        X, _, y, _ = train_test_split(X, y, train_size=400, stratify=y, random_state=sample)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=split)
    scale = StandardScaler().fit(X_train)
    X_train, X_test = scale.transform(X_train), scale.transform(X_test)
    data_key = f"{dataset}-{split}-{sample}"
    targets[data_key] = encode(y_test, len(np.unique(y)))
    common = {
        "dataset": dataset, "task": "classification", "label_mode": "hard", "split": split, "eval_seed": 0,
        "n_train": len(y_train), "n_test": len(y_test), "data_key": data_key, "status": "ok",
    }  # fmt: skip
    rows = []
    for budget, seed, name in itertools.product(budgets, seeds, methods):
        small, labels = _distiller(name, budget, 1000 * split + seed).fit_resample(X_train, y_train)
        for judge, make in judges.items():
            predicted = make().fit(small, labels).predict(X_test)
            row = common | {
                "evaluator": judge, "budget": str(budget), "method": name, "distil_seed": seed,
                "role": "control" if name == "random" else "method", "deterministic": name in FIXED,
                "outcome": encode(predicted, len(np.unique(y))),
                "metrics": {"accuracy": float(np.mean(predicted == y_test))},
            }  # fmt: skip
            names = ("dataset", "evaluator", "budget", "method", "split", "distil_seed")
            rows.append(row | {"key": "/".join(str(row[part]) for part in names)})
    return rows


def _distiller(name: str, budget: int, seed: int) -> Any:
    distiller = METHODS[name]() if name == "class-means" else METHODS[name](budget=budget)
    if "random_state" in distiller.get_params():
        shift = 10_007 * (1 + NULLS.index(name)) if name in NULLS else 0
        distiller.set_params(random_state=seed + shift)
    return distiller


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
                null.append(comparison.entries[place].cell["method"] in NULLS)
        is_null = np.array(null)
        for name, correct in CORRECTIONS.items():
            called = np.array(list(correct(raw))) < 0.05
            found.setdefault(name, []).append(
                (bool(called[is_null].any()), float(called[is_null].mean()), float(called[~is_null].mean()))
            )
    return {name: tuple(np.mean(pages, axis=0).round(4).tolist()) for name, pages in found.items()}


def fresh_rows(datasets: int, targets: dict[str, Any]) -> dict[str, float]:
    """Return how often intervals hold the mean over datasets that are drawn anew."""
    methods = ("random", "kmeans", "kcenter")
    pages = [
        [
            row
            for split in range(10)
            for row in make_rows(
                "digits", split, [0], [5], targets, methods=methods, judges=NEAREST, sample=100 + dataset
            )
        ]
        for dataset in range(datasets)
    ]
    every = [row for page in pages for row in page]
    return coverage([(page, every) for page in pages], targets)


def main() -> None:
    """Make the rows, draw the pages and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=40, help="splits to draw from, at least 30")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5, help="most distillation seeds of each split")
    parser.add_argument("--budgets", type=int, nargs="+", default=[1, 5])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    targets: dict[str, Any] = {}
    rows = {
        split: [row for name in DATA for row in make_rows(name, split, range(options.seeds), options.budgets, targets)]
        for split in range(options.splits)
    }
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(options.splits) for _ in range(options.pages)]

    def page(chosen: Iterable[int], of_control: int = options.seeds, of_others: int = options.seeds) -> list[Row]:
        most = {"random": of_control}
        every = (row for split in chosen for row in rows[split])
        return [row for row in every if row["distil_seed"] < most.get(row["method"], of_others)]

    # Seeds a split of the control and of the other methods; the second line is the bench's default.
    schemes = [(1, 1), (options.seeds, 1), (options.seeds, options.seeds)]
    print("correct intervals, same rows:")
    for scheme in schemes:
        found = coverage([(page(order[:10], *scheme), page(order[10:30])) for order in drawn], targets)
        print(f"  ten splits, seeds of control and others {scheme}: {found}")
    singles = [[split, *(other for other in drawn[0] if other != split)] for split in range(options.splits)]
    found = coverage([(page(order[:1]), page(order[1:21])) for order in singles], targets)
    print(f"  one split, {options.seeds} seeds: {found}")
    print("correct intervals, new rows:")
    print(f"  ten splits, one seed: {fresh_rows(options.splits, targets)}")
    print("pages with a null called, null tests called, other tests called:")
    for scheme in schemes:
        for name, shares in calls([page(order[:10], *scheme) for order in drawn], targets).items():
            print(f"  ten splits, seeds of control and others {scheme}, {name}: {shares}")
    for name, shares in calls([page([split]) for split in rows], targets).items():
        print(f"  one split, {options.seeds} seeds, {name}: {shares}")


if __name__ == "__main__":
    main()
