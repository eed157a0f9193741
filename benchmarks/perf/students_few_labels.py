"""Measures what a teacher adds: students of few labels, and trees taught by forests.

    python benchmarks/perf/students_few_labels.py [digits mnist wine diabetes adult telco ...]

The folder in DISTILLKIT_DATA holds MNIST and the tables. Each line is the mean over seeds of
teacher, student alone and taught student on test rows, and the difference between the last two with
its 95 % interval over the seeds. "gap recovered" is that difference divided by the one between
teacher and student alone, of the means.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit import TeacherStudentDistiller
from distillkit.datasets import load_dataset

warnings.filterwarnings("ignore")
_SEEDS = range(5)
_LABELED = 100


def _line(name: str, metric: str, values: list[tuple[float, float, float]], seconds: float, *, less: bool) -> None:
    """Print the means of teacher, student alone and taught student, and what the teacher adds."""
    teacher, alone, taught = np.mean(values, axis=0)
    gains = np.array([(before - after if less else after - before) for _, before, after in values])
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    gap = abs(teacher - alone)
    print(
        f"| {name} | {metric} | {teacher:.3f} | {alone:.3f} | {taught:.3f} | {gains.mean():+.3f} ± {half:.3f} "
        f"| {gains.mean() / gap:.2f} | {seconds:.0f} |",
        flush=True,
    )


def few_labels(name: str, X: np.ndarray, y: np.ndarray, test: Any, teacher: Any, student: Any) -> None:
    """Measure students of 100 labels and many rows without, with a teacher of all labels."""
    started, values = time.perf_counter(), []
    for seed in _SEEDS:
        if test is None:
            X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
        else:
            X_train, y_train, X_test, y_test = X, y, *test
        model = TeacherStudentDistiller(
            teacher, student, n_labeled=_LABELED, validation_fraction=None, random_state=seed
        ).fit(X_train, y_train)
        predicted = (model.predict_teacher(X_test), model.student_alone_.predict(X_test), model.predict(X_test))
        values.append(tuple(accuracy_score(y_test, labels) for labels in predicted))
    _line(name, "accuracy", values, time.perf_counter() - started, less=False)


def forest_to_tree(name: str, X: Any, y: np.ndarray, *, numbers: bool = False) -> None:
    """Measure a tree that is taught by a forest, with the default settings."""
    started, rows = time.perf_counter(), []
    for seed in _SEEDS:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=None if numbers else y)
        forest = (RandomForestRegressor if numbers else RandomForestClassifier)(100, random_state=seed)
        tree = (DecisionTreeRegressor if numbers else DecisionTreeClassifier)(random_state=seed)
        model = TeacherStudentDistiller(forest, tree, validation_fraction=None, random_state=seed)
        model.fit(X_train, y_train)
        encoded = model.encoder_.transform(X_test) if hasattr(model, "encoder_") else X_test
        models = (model.teacher_, model.student_alone_)
        if numbers:
            rows.append([tuple(r2_score(y_test, p) for p in _predictions(models, encoded, model, X_test))])
            continue
        right = tuple(accuracy_score(y_test, p) for p in _predictions(models, encoded, model, X_test))
        probabilities = [part.predict_proba(encoded) for part in models] + [model.predict_proba(X_test)]
        rows.append([right, tuple(log_loss(y_test, p, labels=model.classes_) for p in probabilities)])
    seconds = time.perf_counter() - started
    for number, metric in enumerate(["R2"] if numbers else ["accuracy", "log loss"]):
        _line(f"{name}, forest to tree", metric, [row[number] for row in rows], seconds, less=metric == "log loss")


def _predictions(models: Any, encoded: Any, model: Any, X: Any) -> list[Any]:
    return [part.predict(encoded) for part in models] + [model.predict(X)]


def _mnist() -> None:
    data = load_dataset("mnist")
    images = [part.reshape(-1, 1, 28, 28).astype(np.float32) / 255 for part in (data.X_train, data.X_test)]
    few_labels("mnist, convnet", images[0], data.y_train, (images[1], data.y_test), None, None)


def _digits() -> None:
    X, y = load_digits(return_X_y=True)
    few_labels("digits, boosting to network", X / 16, y, None, None, None)
    few_labels("digits, boosting to logistic regression", X / 16, y, None, None, LogisticRegression(max_iter=500))
    few_labels("digits, forest to network", X / 16, y, None, RandomForestClassifier(random_state=0), None)
    forest_to_tree("digits", X, y)


def _table(file: str, target: str, drop: tuple[str, ...] = ()) -> None:
    frame = pd.read_csv(Path(os.environ["DISTILLKIT_DATA"]) / file).drop(columns=list(drop))
    forest_to_tree(Path(file).stem, frame.drop(columns=target), frame[target].to_numpy(dtype=object))


RUNS = {
    "digits": _digits,
    "wine": lambda: forest_to_tree("wine", *load_wine(return_X_y=True)),
    "diabetes": lambda: forest_to_tree("diabetes", *load_diabetes(return_X_y=True), numbers=True),
    "telco": lambda: _table("tables/telco-churn.csv", "Churn", ("customerID",)),
    "adult": lambda: _table("adult/adult.csv", "income"),
    "mnist": _mnist,
}


if __name__ == "__main__":
    print("| what | metric | teacher | student alone | taught | gain | gap recovered | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for wanted in sys.argv[1:] or RUNS:
        RUNS[wanted]()
