"""
Choosing a budget
=================

How many rows are enough? Draw the accuracy on validation rows against the number of rows kept,
and take the smallest budget beyond which the curve is flat.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from distillkit import KMeansCoreset, RandomSubset

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_valid, y_train, y_valid = train_test_split(X, y, stratify=y, random_state=0)
budgets = [1, 2, 5, 10, 20, 50]


def validation_accuracy(distiller):
    """Train a model on the distilled rows and score it on the validation rows."""
    small = distiller.fit(X_train, y_train).distilled_
    return small.fit(LogisticRegression(max_iter=1000)).score(X_valid, y_valid)


# %%
# Random rows are the control: a method is worth its time where its curve lies above theirs.
# Three seeds show how far chance moves them.

seeds = range(3)
random = np.array(
    [
        [validation_accuracy(RandomSubset(k, random_state=seed)) for k in budgets]
        for seed in seeds
    ]
)
kmeans = np.array([validation_accuracy(KMeansCoreset(k, random_state=0)) for k in budgets])
whole = LogisticRegression(max_iter=1000).fit(X_train, y_train).score(X_valid, y_valid)

rows = np.array(budgets) * len(np.unique(y))
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.axhline(whole, color="0.4", linestyle="--", label=f"all {len(X_train)} rows")
ax.plot(rows, kmeans, "o-", color="C0", label="k-means centroids")
ax.plot(rows, random.mean(axis=0), "s-", color="C1", label="random rows (mean of 3 seeds)")
ax.fill_between(
    rows, random.min(axis=0), random.max(axis=0), color="C1", alpha=0.2, linewidth=0
)
ax.set(xscale="log", xlabel="training rows kept", ylabel="accuracy on validation rows")
ax.set_xticks(rows, rows)
ax.minorticks_off()
ax.legend(loc="lower right")
plt.show()

# %%
# The smallest budget within two points of the accuracy of all rows:

enough = next(
    (k for k, score in zip(budgets, kmeans, strict=True) if score >= whole - 0.02), None
)
print("rows per class:", enough)
