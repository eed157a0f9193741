"""Measures the gap that students of images recover on MNIST with 100 labels.

    python benchmarks/perf/students_of_images.py

The folder in DISTILLKIT_DATA holds MNIST. The teacher is trained on the labels of all rows of a
sample, and the student sees those of 100 of them and the teacher's answers for the others. The line
is the mean over seeds of teacher, student alone and taught student on test rows, and the share of
the gap between teacher and student alone that the taught student recovers, with its 95 % interval
over the seeds.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import numpy as np
from scipy import stats

from distillkit import TeacherStudentDistiller
from distillkit.datasets import load_dataset

warnings.filterwarnings("ignore")
_MNIST_ROWS = 10_000


def _line(name: str, values: list[list[float]], seconds: float) -> None:
    teacher, alone, taught = np.mean(values, axis=0)
    shares = np.array([(three[2] - three[1]) / (three[0] - three[1]) for three in values])
    gains = np.array([three[2] - three[1] for three in values])
    quantile = stats.t.ppf(0.975, len(values) - 1) / np.sqrt(len(values))
    print(
        f"| {name} | {len(values)} | {teacher:.3f} | {alone:.3f} | {taught:.3f} "
        f"| {gains.mean():+.3f} ± {quantile * gains.std(ddof=1):.3f} "
        f"| {shares.mean():.2f} ± {quantile * shares.std(ddof=1):.2f} | {seconds:.0f} |",
        flush=True,
    )


def _measure(name: str, seeds: int, train: Any, test: Any, n_rows: int, **settings: Any) -> None:
    started, values = time.perf_counter(), []
    for seed in range(seeds):
        chosen = np.random.default_rng(seed).permutation(len(train[0]))[:n_rows]
        model = TeacherStudentDistiller(validation_fraction=None, random_state=seed, **settings)
        model.fit(train[0][chosen], train[1][chosen])
        answers = (model.predict_teacher(test[0]), model.student_alone_.predict(test[0]), model.predict(test[0]))
        values.append([float(np.mean(labels == test[1])) for labels in answers])
        print(f"{name} seed {seed}: {values[-1]}", file=sys.stderr, flush=True)
    _line(name, values, time.perf_counter() - started)


def _mnist() -> None:
    rows = load_dataset("mnist")
    train, test = ((X.reshape(-1, 1, 28, 28).astype(np.float32) / 255, y) for X, y in _both(rows))
    _measure(f"mnist, 100 labels, {_MNIST_ROWS} rows", 5, train, test, _MNIST_ROWS, n_labeled=100)


def _both(rows: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(rows.X_train, rows.y_train), (rows.X_test, rows.y_test)]


if __name__ == "__main__":
    print("| what | seeds | teacher | student alone | taught | gain | gap recovered | seconds |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    _mnist()
