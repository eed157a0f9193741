"""Compare the generators of tables: a model of made rows on real ones, fidelity, privacy and time.

``python benchmarks/perf/generators_of_tables.py [--seeds N] [--methods NAMES] [DATASET ...]``
prints one line for each dataset and method. As many rows are made as the training split holds. A
gradient boosting classifier or regressor is trained on them and tested on real rows (area under the
ROC curve, or R2); another one tells made from real test rows (0.5 is ideal); and the share of the
made rows that lie nearer to a training row than to a held-out row should be 0.5.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neighbors import NearestNeighbors

from distillkit.datasets import data_root
from distillkit.plugins import get_manager
from distillkit.tables import TableEncoder

DATASETS = {
    "adult": ("adult/adult.csv", "income", "classification"),
    "telco-churn": ("tables/telco-churn.csv", "Churn", "classification"),
    "credit-default": ("tables/credit-default.csv", "default.payment.next.month", "classification"),
    "online-shoppers": ("tables/online-shoppers.csv", "Revenue", "classification"),
    "mushroom": ("tables/mushroom.csv", "class", "classification"),
    "letter": ("tables/letter.csv", "lettr", "classification"),
    "california-housing": ("tables/california-housing.csv", "median_house_value", "regression"),
}
METHODS = ("trees", "forest", "interpolation", "mixture", "copula", "copula:empirical")


def read(name: str) -> tuple[pd.DataFrame, pd.Series, str]:
    """Return the columns, the target and the task of a dataset."""
    path, target, task = DATASETS[name]
    root = data_root()
    if root is None:
        raise SystemExit("set DISTILLKIT_DATA to the folder that holds adult/ and tables/")
    frame = pd.read_csv(root / path, skipinitialspace=True, na_values=["?", " "])
    frame = frame.drop(columns=[column for column in ("customerID", "ID") if column in frame])
    y = frame.pop(target)
    return frame, y.astype(str) if task == "classification" else y.astype(float), task


def utility(rows: np.ndarray, y: Any, X_test: np.ndarray, y_test: Any, task: str) -> float:
    """Return the score on real rows of a model trained on made ones."""
    if task == "regression":
        return float(r2_score(y_test, HistGradientBoostingRegressor(random_state=0).fit(rows, y).predict(X_test)))
    model = HistGradientBoostingClassifier(random_state=0).fit(rows, y)
    probabilities = model.predict_proba(X_test)
    if len(model.classes_) == 2:
        return float(roc_auc_score(y_test == model.classes_[1], probabilities[:, 1]))
    return float(roc_auc_score(y_test, probabilities, multi_class="ovr", labels=model.classes_))


def two_sample_auc(rows: np.ndarray, X_test: np.ndarray, rng: np.random.Generator) -> float:
    """Return how well a classifier tells made rows from real test rows."""
    size = min(len(rows), len(X_test), 5000)
    X = np.concatenate([part[rng.permutation(len(part))[:size]] for part in (X_test, rows)])
    is_made = np.repeat([0, 1], size)
    model = HistGradientBoostingClassifier(random_state=0)
    return float(roc_auc_score(is_made, cross_val_predict(model, X, is_made, cv=3, method="predict_proba")[:, 1]))


def privacy_share(rows: np.ndarray, X_train: np.ndarray, X_test: np.ndarray, rng: np.random.Generator) -> float:
    """Return the share of made rows nearer to a training row than to a held-out row."""
    size = min(len(X_train), len(X_test), 3000)
    queries = rows[rng.permutation(len(rows))[:1000]]
    distances = [
        NearestNeighbors(n_neighbors=1).fit(part[rng.permutation(len(part))[:size]]).kneighbors(queries)[0][:, 0]
        for part in (X_train, X_test)
    ]
    return float(np.mean(distances[0] < distances[1]) + 0.5 * np.mean(distances[0] == distances[1]))


def measure(name: str, method: str, seed: int) -> dict[str, float]:
    """Return the figures of one method on one split of a dataset."""
    frame, y, task = read(name)
    stratify = y if task == "classification" else None
    X_train, X_test, y_train, y_test = train_test_split(frame, y, test_size=0.25, random_state=seed, stratify=stratify)
    encoder, rng = TableEncoder().fit(X_train), np.random.default_rng(seed)
    train, test = encoder.transform(X_train), encoder.transform(X_test)
    start = time.process_time()
    if method == "real":
        rows, labels = X_train, y_train
    else:
        method_name, _, preset = method.partition(":")
        spec = get_manager().get("method", method_name)
        params = {**spec.params, **(spec.presets[preset] if preset else {})}
        synthesizer = spec.load()(budget=10, task=task, random_state=seed, **params).fit(X_train, y_train)
        rows, labels = synthesizer.sample(len(X_train))
    seconds = time.process_time() - start
    encoded = encoder.transform(rows)
    return {
        "utility": utility(encoded, np.asarray(labels), test, y_test.to_numpy(), task),
        "two-sample AUC": two_sample_auc(encoded, test, rng),
        "privacy share": privacy_share(encoded, train, test, rng),
        "CPU seconds": seconds,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(("real", *METHODS)))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.datasets:
        for method in options.methods.split(","):
            figures = pd.DataFrame([measure(name, method, seed) for seed in range(options.seeds)]).mean()
            print(name, method, *(f"{label} {value:.3f}" for label, value in figures.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
