"""
Distillation for regression
===========================

Where y holds numbers, the budget counts rows in all, and methods keep the rows and their
numbers together.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from distillkit import FacilityLocationCoreset, KernelDistiller, KMeansCoreset, RandomSubset

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
print(f"R2 of ridge regression on {len(X_train)} rows:", end=" ")
print(f"{Ridge(1.0).fit(X_train, y_train).score(X_test, y_test):.3f}")

# %%
# Four methods keep twenty rows each.

methods = {
    "random rows": RandomSubset(20, random_state=0),
    "facility location": FacilityLocationCoreset(20),
    "k-means": KMeansCoreset(20, random_state=0),
    "kernel": KernelDistiller(20, max_iter=200, random_state=0),
}
scores = {}
for name, method in methods.items():
    small = method.fit(X_train, y_train).distilled_
    scores[name] = small.fit(Ridge(1.0)).score(X_test, y_test)
    print(f"{name:18} {scores[name]:.3f}")

# %%
# A linear model has a closed form: two weighted rows give the very coefficients of ridge
# regression on all rows.

exact = (
    KernelDistiller(budget=2, feature_map="linear", ridge=1.0).fit(X_train, y_train).distilled_
)
two_rows, all_rows = exact.fit(Ridge(1.0)), Ridge(1.0).fit(X_train, y_train)
fig, ax = plt.subplots(figsize=(5, 4.4), layout="constrained")
ax.axline((0, 0), slope=1, color="0.7", zorder=0)
ax.plot(all_rows.coef_, two_rows.coef_, "o")
ax.set(xlabel="coefficients from all rows", ylabel="coefficients from two rows")
plt.show()
