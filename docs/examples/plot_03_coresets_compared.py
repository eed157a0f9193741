"""
What different coresets pick
============================

Six methods choose four rows per class of the iris data. The two measurements of the petals show
where the chosen rows lie, and the area of a mark shows the weight of its row.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from distillkit import (
    FacilityLocationCoreset,
    HerdingCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LightweightCoreset,
    RandomSubset,
)

iris = load_iris()
X, y = iris.data[:, 2:], iris.target
methods = {
    "random rows": RandomSubset(4, random_state=0),
    "k-means centroids": KMeansCoreset(4, random_state=0),
    "k-center": KCenterCoreset(4, random_state=0),
    "herding": HerdingCoreset(4),
    "facility location": FacilityLocationCoreset(4),
    "lightweight sampling": LightweightCoreset(4, random_state=0),
}

fig, axes = plt.subplots(2, 3, figsize=(9, 5.6), sharex=True, sharey=True, layout="constrained")
for ax, (name, method) in zip(axes.flat, methods.items(), strict=True):
    small = method.fit(X, y).distilled_
    ax.scatter(*X.T, c=y, s=8, alpha=0.25, cmap="viridis", linewidths=0)
    ax.scatter(
        *small.X.T,
        c=small.y,
        s=6 * small.sample_weight,
        cmap="viridis",
        edgecolors="k",
        linewidths=1,
    )
    ax.set_title(name, fontsize=11)
fig.supxlabel("petal length (cm)", fontsize=10)
fig.supylabel("petal width (cm)", fontsize=10)
plt.show()

# %%
# k-means and facility location cover the dense parts of each class. k-center goes to the rim,
# because it makes the largest distance small. Herding keeps the mean of each class. Lightweight
# sampling draws far rows more often and gives them less weight, so that sums stay unbiased.
