"""
Soft labels from a teacher
==========================

A teacher that was trained on all rows can label the few rows that are kept. Its probabilities
say more than a class label: which other classes a row resembles.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from distillkit import RandomSubset, SoftLabels, evaluate

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# ``SoftLabels`` wraps any distiller. Here the teacher is a linear model. ``temperature``
# softens its probabilities, and ``alpha`` is the share of the original labels that stays.

hard = RandomSubset(budget=5, random_state=0)
soft = SoftLabels(hard, teacher="linear", temperature=2.0, alpha=0.5, random_state=0)
hard_set = hard.fit(X_train, y_train).distilled_
soft_set = soft.fit(X_train, y_train).distilled_

for name, small in (("hard labels", hard_set), ("soft labels", soft_set)):
    table = evaluate(small, X_test, y_test, evaluators=["logistic"], metrics=["accuracy"])
    print(f"{name}: accuracy {table['accuracy'].iloc[0]:.3f}")

# %%
# The least certain rows, with what the teacher says about them:

uncertain = np.argsort(soft_set.soft_labels.max(axis=1))[:4]
fig, axes = plt.subplots(2, 4, figsize=(9, 3.8), layout="constrained", height_ratios=[1.2, 1])
for column, row in zip(axes.T, uncertain, strict=True):
    column[0].imshow(soft_set.X[row].reshape(8, 8), cmap="gray_r")
    column[0].set_axis_off()
    column[0].set_title(f"labeled {soft_set.y[row]}", fontsize=11)
    column[1].bar(range(10), soft_set.soft_labels[row], color="C0")
    column[1].set(xticks=range(10), ylim=(0, 1))
axes[1, 0].set_ylabel("probability")
fig.supxlabel("class", fontsize=10)
plt.show()

# %%
# Sets with soft labels are compared only among themselves in a leaderboard, because a teacher
# that saw all rows is an advantage that hard labels do not have.
