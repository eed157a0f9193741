"""
One fit for every budget
========================

Greedy methods rank their rows: the first rows of the ranking are what the method returns for a
smaller budget. One fit therefore serves every smaller size.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from distillkit import FacilityLocationCoreset, KCenterCoreset

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

ranked = FacilityLocationCoreset(budget=40).fit(X_train, y_train).distilled_
print(ranked)

# %%
# ``prefix(k)`` cuts the set to k rows per class without another fit. A distilled set that was
# saved to a file keeps its ranking, so this works after loading, too.

five = ranked.prefix(5)
refit = FacilityLocationCoreset(budget=5).fit(X_train, y_train)
print("equal to a fit with budget=5:", np.array_equal(five.X, refit.X_distilled_))

# %%
# The whole curve costs two fits here, one for each method.

budgets = [1, 2, 3, 5, 8, 12, 20, 30, 40]
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, method in (
    ("facility location", FacilityLocationCoreset(40)),
    ("k-center", KCenterCoreset(40, random_state=0)),
):
    largest = method.fit(X_train, y_train).distilled_
    scores = [
        largest.prefix(k).fit(KNeighborsClassifier(1)).score(X_test, y_test) for k in budgets
    ]
    ax.plot(budgets, scores, "o-", label=name)
ax.set(xlabel="rows per class", ylabel="accuracy of the nearest neighbor on test rows")
ax.legend()
plt.show()
