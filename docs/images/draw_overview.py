"""Draw ``overview.png``, the picture of the front page: accuracy by rows, and distilled digits.

``python docs/images/draw_overview.py`` writes the file beside this script.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from distillkit import (
    GradientMatchingDistiller,
    KMeansCoreset,
    RandomSubset,
    SoftLabels,
    evaluate,
    plot_rows,
)

BUDGETS = [1, 2, 5, 10, 20]
SEEDS = range(5)

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


def accuracy(distiller):
    """Return the test accuracy of logistic regression on what the distiller makes."""
    small = distiller.fit(X_train, y_train).distilled_
    table = evaluate(
        small, X_test, y_test, evaluators=["logistic"], metrics=["accuracy"]
    )
    return table["accuracy"].iloc[0]


def main():
    """Measure, draw and write the picture."""
    random = np.array(
        [
            [accuracy(RandomSubset(k, random_state=seed)) for k in BUDGETS]
            for seed in SEEDS
        ]
    )
    kmeans = [accuracy(KMeansCoreset(k, random_state=0)) for k in BUDGETS]
    settings = {
        "teacher": "linear",
        "temperature": 2.0,
        "alpha": 0.5,
        "random_state": 0,
    }
    soft = [accuracy(SoftLabels(KMeansCoreset(k), **settings)) for k in BUDGETS]
    whole = (
        LogisticRegression(max_iter=1000).fit(X_train, y_train).score(X_test, y_test)
    )

    fig, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.7), layout="constrained", width_ratios=[1.9, 1]
    )
    left.axhline(whole, color="0.4", linestyle="--", label=f"all {len(X_train):,} rows")
    left.plot(BUDGETS, soft, "^-", color="C2", label="k-means with a teacher's labels")
    left.plot(BUDGETS, kmeans, "o-", color="C0", label="k-means coreset")
    left.plot(BUDGETS, random.mean(axis=0), "s-", color="C1", label="random rows")
    left.fill_between(
        BUDGETS,
        random.min(axis=0),
        random.max(axis=0),
        color="C1",
        alpha=0.2,
        linewidth=0,
    )
    left.set(xscale="log", xlabel="training rows per class", ylabel="test accuracy")
    left.set_xticks(BUDGETS, BUDGETS)
    left.minorticks_off()
    left.legend(loc="lower right", frameon=False)
    left.set_title("Handwritten digits, logistic regression", fontsize=11)

    images = X_train.reshape(-1, 1, 8, 8)
    distiller = GradientMatchingDistiller(
        budget=5, width=16, max_iter=60, random_state=0
    )
    plot_rows(distiller.fit(images, y_train), ax=right)
    right.set_title("Five synthetic images per class", fontsize=11)
    right.set_ylabel("")
    fig.savefig(Path(__file__).with_name("overview.png"), dpi=110)


if __name__ == "__main__":
    main()
