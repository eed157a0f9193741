"""
A method of your own
====================

A method is a subclass of ``BaseDistiller`` that writes one function. The base class checks the
input, resolves the budget, and stores the result.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from distillkit import BaseDistiller, KMeansCoreset
from distillkit.base import Outcome
from distillkit.testing import check_distiller


class FarthestFromMean(BaseDistiller):
    """Pick the rows of each class that are farthest from the mean of the class."""

    def _distill(self, rows, run):
        picks = []
        for group in rows.groups:  # one group per class
            points = rows.flat[
                group.rows
            ]  # one line of numbers per row, whatever the shape of X
            distances = np.linalg.norm(points - points.mean(axis=0), axis=1)
            order = np.argsort(-distances, kind="stable")
            picks.append(group.rows[order[: group.size]])  # group.size is what the budget gives
        return Outcome(indices=np.concatenate(picks))


# %%
# ``check_distiller`` tests the whole contract of an estimator: budgets, shapes, labels,
# containers, seeds, pickling, and errors for bad input. It raises an error that says what is
# wrong.

check_distiller(FarthestFromMean())
print("the contract holds")

# %%
# The new method works wherever a built-in one does.

X, y = load_iris(return_X_y=True)
X = X[:, 2:]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharex=True, sharey=True, layout="constrained")
for ax, method in zip(axes, (FarthestFromMean(budget=5), KMeansCoreset(budget=5)), strict=True):
    small = method.fit(X, y).distilled_
    ax.scatter(*X.T, c=y, s=10, alpha=0.3, cmap="viridis", linewidths=0)
    ax.scatter(*small.X.T, c=small.y, s=60, cmap="viridis", edgecolors="k")
    ax.set(title=type(method).__name__, xlabel="petal length (cm)")
axes[0].set_ylabel("petal width (cm)")
plt.show()
