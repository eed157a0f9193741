"""
Gradient matching on digits
===========================

Condensation optimizes synthetic rows. Gradient matching moves them until they produce the same
gradients in a network as the real rows do.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from distillkit import (
    GradientMatchingDistiller,
    KMeansCoreset,
    RandomSubset,
    evaluate,
    plot_history,
    plot_rows,
)

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 1, 8, 8) / 16
X_train, X_test, y_train, y_test = train_test_split(images, y, stratify=y, random_state=0)

# %%
# Images have the shape (n, channels, height, width), so the method chooses a small
# convolutional network. ``max_seconds`` would end the fit by the clock; a number of steps makes
# this page the same on every machine.

distiller = GradientMatchingDistiller(budget=1, width=16, max_iter=60, random_state=0)
distiller.fit(X_train, y_train)
print(distiller.distilled_)

# %%
# The loss is the distance between the two gradients. It goes up and down, because the method
# changes to a new network after each step.

plot_history(distiller, keys="loss")
plt.show()

# %%
# One synthetic image per class, beside the centroids of k-means that the optimization started
# from:

fig, axes = plt.subplots(1, 2, figsize=(2.6, 6.4), layout="constrained")
start = KMeansCoreset(budget=1, random_state=0).fit(X_train, y_train)
plot_rows(start, ax=axes[0]).axes[0].set_title("start", fontsize=10)
plot_rows(distiller, ax=axes[1]).axes[1].set_title("matched", fontsize=10)
axes[1].set_ylabel("")
plt.show()

# %%
# A logistic regression learns more from these ten images than from ten real ones drawn at
# random.

chosen = RandomSubset(budget=1, random_state=0).fit(X_train, y_train)
for name, small in (("random", chosen.distilled_), ("matched", distiller.distilled_)):
    table = evaluate(small, X_test, y_test, evaluators=["logistic"], metrics=["accuracy"])
    print(f"{name:8} {table['accuracy'].iloc[0]:.3f}")
