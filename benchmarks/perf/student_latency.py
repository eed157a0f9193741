"""Prints how far the latency ratios of four identical fits differ from each other.

    python benchmarks/perf/student_latency.py

Each line is a teacher, the ratios for 256 rows and for a single row of four fits with the same
seed, and the largest of them divided by the smallest.
"""

from __future__ import annotations

import warnings

from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from distillkit import TeacherStudentDistiller

warnings.filterwarnings("ignore")
_FITS = 4


def main() -> None:
    """Fit each pair of models four times."""
    X, y = load_digits(return_X_y=True)
    teachers = (RandomForestClassifier(50, random_state=0), HistGradientBoostingClassifier(max_iter=20))
    pairs = [(teacher, student) for teacher in teachers for student in (LogisticRegression(max_iter=50), None)]
    print("| teacher | student | 256 rows | spread | single row | spread |\n|---|---|---|---|---|---|")
    for teacher, student in pairs:
        fits = [
            TeacherStudentDistiller(teacher, student, refit=False, epochs=2, random_state=0).fit(X / 16, y)
            for _ in range(_FITS)
        ]
        cells = [type(teacher).__name__, type(fits[0].student_).__name__]
        for ratios in ([fit.latency_ratio_ for fit in fits], [fit.latency_ratio_single_ for fit in fits]):
            cells += [" ".join(f"{ratio:.3g}" for ratio in ratios), f"{max(ratios) / min(ratios):.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
